import { createHash } from "node:crypto";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { townHall, type TownHall } from "./townHall.ts";

const load = (hall: TownHall, url: string, headers: Record<string, string> = {}) =>
  hall.api.app.inject({ url, headers });

test("every address that is not the API's answers with the page, under a policy that lets only its own files in", async () => {
  const hall = await townHall();
  for (const url of ["/", "/junctions/J1", "/rounds/R-7/print", "/sign-in"]) {
    const page = await load(hall, url);
    expect(page.statusCode).toBe(200);
    expect(page.headers["content-type"]).toBe("text/html; charset=utf-8");
    const policy = String(page.headers["content-security-policy"]);
    const map = /<script type="importmap">([\s\S]*?)<\/script>/.exec(page.payload)?.[1] ?? "";
    const hash = createHash("sha256").update(map).digest("base64");
    expect(policy).toContain(`script-src 'self' 'sha256-${hash}'`);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(page.payload).not.toMatch(/https?:\/\//);
  }
  expect((await load(hall, "/api/v2/town")).statusCode).toBe(404);
  expect((await load(hall, "/favicon.ico")).statusCode).toBe(404);
});

test("everything that the page and its modules ask for is there, as JavaScript without types", async () => {
  const hall = await townHall();
  const page = (await load(hall, "/")).payload;
  const map = JSON.parse(/<script type="importmap">([\s\S]*?)<\/script>/.exec(page)?.[1] ?? "{}") as {
    imports: Record<string, string>;
  };
  const queue = [...page.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, address = ""]) => address);
  queue.push(...Object.values(map.imports).filter((address) => !address.endsWith("/")));
  const seen = new Set<string>();
  for (let address = queue.pop(); address !== undefined; address = queue.pop()) {
    if (seen.has(address)) continue;
    seen.add(address);
    const answer = await load(hall, address);
    expect(answer.statusCode, address).toBe(200);
    if (!/\.(ts|mjs)$/.test(address)) continue;
    expect(answer.headers["content-type"]).toBe("text/javascript; charset=utf-8");
    if (!address.endsWith(".ts")) continue;
    expect(answer.payload, address).not.toMatch(/^import type/m);
    for (const [, name = ""] of answer.payload.matchAll(
      /^(?:import|export)[^"';]*from "([^"]+)"|^import "([^"]+)"/gm,
    )) {
      const folder = Object.keys(map.imports).find((key) => key.endsWith("/") && name.startsWith(key));
      const target = name.startsWith(".")
        ? new URL(name, `http://town${address}`).pathname
        : (map.imports[name] ??
          (folder === undefined ? undefined : `${map.imports[folder]}${name.slice(folder.length)}`));
      expect(target, `${address} imports ${name}`).toBeDefined();
      if (target !== undefined) queue.push(target);
    }
  }
  expect(seen.size).toBeGreaterThan(15);
}, 30_000);

test("files are compressed as the browser likes, and kept for ever under their version", async () => {
  const hall = await townHall();
  const version = /"\/console\/(@[^/]+)\/app\.ts"/.exec((await load(hall, "/")).payload)?.[1];
  const plain = await load(hall, "/console/protocol/kinds.ts");
  expect(plain.headers["cache-control"]).toBe("no-cache");
  expect(plain.headers["content-encoding"]).toBeUndefined();
  const brotli = await load(hall, `/console/${version}/protocol/kinds.ts`, { "accept-encoding": "gzip, deflate, br" });
  expect(brotli.headers).toMatchObject({
    "content-encoding": "br",
    "cache-control": "public, max-age=31536000, immutable",
  });
  expect(brotliDecompressSync(brotli.rawPayload).toString()).toBe(plain.payload);
  const gzip = await load(hall, "/console/protocol/kinds.ts", { "accept-encoding": "gzip" });
  expect(gunzipSync(gzip.rawPayload).toString()).toBe(plain.payload);
  const again = await load(hall, "/console/protocol/kinds.ts", { "if-none-match": String(plain.headers["etag"]) });
  expect(again.statusCode).toBe(304);
  // A page from before a restart still finds its files.
  const old = await load(hall, "/console/@0.0.1-abc/protocol/kinds.ts");
  expect(old.statusCode).toBe(200);
  expect(old.headers["cache-control"]).toBe("no-cache");
});

test("no address leads out of the page's own files", async () => {
  const hall = await townHall();
  for (const url of [
    "/console/../server.ts",
    "/console/%2e%2e/server.ts",
    "/console/..%2fserver.ts",
    "/console/protocol/../../package.json",
    "/console/protocol/tsconfig.json",
    "/console//etc/passwd",
    "/console/.env.ts",
    "/vendor/../package.json",
    "/vendor/preact.mjs%00.css",
    "/vendor/constructor",
    "/console/%ff.ts",
    "/console/@x/../../package.json",
  ]) {
    const answer = await load(hall, url);
    const isPage = String(answer.headers["content-type"]).startsWith("text/html");
    expect(answer.statusCode === 404 || answer.statusCode === 400 || isPage, `${url}: ${answer.statusCode}`).toBe(true);
  }
});
