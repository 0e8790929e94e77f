import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseTerritory } from "#protocol/territory.ts";
import { osmFile } from "./simulators/osm-file.ts";

const root = join(import.meta.dirname, "..");
const readme = readFileSync(join(root, "README.md"), "utf8");
const commands = [...readme.matchAll(/^```sh\n([^]*?)^```/gm)].flatMap((match) =>
  (match[1] as string).split("\n").filter((line) => line !== ""),
);

/** These run everything and are run whole by .ci/run; here it would be a test of all tests. */
const WHOLE = new Set(["npm test", "npm run check", "npm run bench"]);

/** A checkout of its own, so that what the commands write does not lie about in this one. */
let place: string;
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), "vigie-readme-"));
  for (const name of readdirSync(root)) {
    if (name !== ".git" && !name.startsWith("data") && name !== "coverage")
      symlinkSync(join(root, name), join(place, name));
  }
  writeFileSync(join(place, "extract.osm.pbf"), osmFile());
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

function shell(command: string): ChildProcess {
  const environment = {
    ...process.env,
    VIGIE_PORT: "0",
    VIGIE_MQTT_PORT: "0",
    VIGIE_HISTORY: "0",
    VIGIE_HOURS: "0.2",
    LANG: "C",
  };
  return spawn("sh", ["-c", `exec ${command}`], { cwd: place, env: environment, detached: true });
}

function said(child: ChildProcess): { text: string } {
  const heard = { text: "" };
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (bytes: Buffer) => (heard.text += bytes.toString()));
  return heard;
}

const ended = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => child.once("exit", (code) => resolve(code)));

test("the README shows the two commands first", () => {
  expect(commands.slice(0, 2)).toEqual(["npm ci", "npm start"]);
});

for (const command of commands.filter((each) => !WHOLE.has(each) && each !== "npm ci")) {
  test(`README: ${command}`, { timeout: 120_000 }, async () => {
    const child = shell(command);
    const heard = said(child);
    const over = ended(child);
    if (command.startsWith("npm start")) {
      const address = await answered(heard, over);
      expect((await fetch(`${address}/healthz`)).status).toBe(200);
      // As a terminal does at Ctrl-C: to the whole group. npm itself ends by the signal, and we by ourselves.
      process.kill(-(child.pid as number), "SIGINT");
      await over;
      expect(heard.text).toContain("Stopping: what was read is written");
      await expect(fetch(`${address}/healthz`)).rejects.toThrow("fetch failed");
      return;
    }
    expect(await over, heard.text).toBe(0);
    const written = / > (\S+)$/.exec(command)?.[1];
    if (written !== undefined) {
      const file = join(place, written);
      expect(statSync(file).size).toBeGreaterThan(0);
      parseTerritory(JSON.parse(readFileSync(file, "utf8")), written);
    }
  });
}

/** The address of the page, once the terminal has said where it is and that it runs. */
async function answered(heard: { text: string }, over: Promise<number | null>): Promise<string> {
  let code: number | null | undefined;
  void over.then((ended) => (code = ended));
  for (;;) {
    const address = /http:\/\/[\d.:]+/.exec(heard.text)?.[0];
    if (address !== undefined && heard.text.includes("mqtt://")) return address;
    if (code !== undefined) throw new Error(`it ended with ${code}:\n${heard.text}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("npm ci would install just what the lock file says", { timeout: 120_000 }, async () => {
  const child = shell("npm ci --dry-run --ignore-scripts");
  const heard = said(child);
  expect(await ended(child), heard.text).toBe(0);
});

test("the commands that run everything are scripts of the package, and .ci/run runs them", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  const ci = readFileSync(join(root, ".ci/run"), "utf8");
  for (const command of WHOLE) {
    expect(commands).toContain(command);
    const name = command.replace(/^npm (run )?/, "");
    expect(scripts).toHaveProperty(name);
    if (name !== "bench") expect(ci).toContain(command);
  }
});

test("every figure names the bench that prints it", () => {
  const figures = /^## Figures\n([^]*?)^## /m.exec(readme)?.[1] ?? "";
  const rows = figures.split("\n").filter((line) => line.startsWith("|") && !/^\| (what|---) \|/.test(line));
  const benches = readdirSync(join(root, "bench"));
  expect(rows.length).toBeGreaterThan(0);
  for (const row of rows) {
    const bench = /`npm run bench (\w+)`/.exec(row)?.[1];
    expect(benches, row).toContain(`${bench}.ts`);
  }
});
