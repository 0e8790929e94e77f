import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { browserPath, openBrowser } from "./browser.ts";

const CLI = new URL("../../cli.ts", import.meta.url).pathname;

/** A server in a process of its own, on the directory it had before. */
interface Running {
  readonly address: string;
  readonly signInLink: string;
  readonly process: ChildProcess;
}

function startServer(directory: string, port: number): Promise<Running> {
  const child = spawn(
    process.execPath,
    [CLI, "start", "--no-town", "--lang", "en", "--port", String(port), "--mqtt-port", "0", "--data", directory],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  return new Promise((resolve, reject) => {
    let printed = "";
    child.stdout.on("data", (chunk) => {
      printed += String(chunk);
      const signInLink = /http\S+sign-in#\S+/.exec(printed)?.[0];
      if (signInLink !== undefined && printed.includes("mqtt://"))
        resolve({ address: new URL(signInLink).origin, signInLink, process: child });
    });
    child.once("exit", () => reject(new Error(`the server ended early:\n${printed}`)));
  });
}

async function kill({ process: child }: Running): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

/** Brightens a street for an hour as somebody else would, on a telephone perhaps: the page is not told by itself. */
const overrideElsewhere = (page: Page, address: string, street: string, reason: string) =>
  page.request.post(`${address}/api/v1/overrides`, {
    headers: { origin: address },
    data: {
      scope: { kind: "street", id: street },
      order: { action: "lamp-override", level: 1 },
      reason,
      until: Date.now() + 3_600_000,
    },
  });

describe.skipIf(browserPath === undefined)("a server that is killed and started again", () => {
  const directory = mkdtempSync(join(tmpdir(), "vigie-restart-"));
  let running: Running;
  let browser: Browser;
  beforeAll(async () => {
    [running, browser] = await Promise.all([startServer(directory, 0), openBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    if (running !== undefined) await kill(running);
    rmSync(directory, { recursive: true, force: true });
  });

  test("is missed by the page, found again, and nothing that happened meanwhile is missing", async () => {
    const context = await browser.newContext({ locale: "en", viewport: { width: 1280, height: 800 } });
    const page = await context.newPage();
    await page.goto(running.signInLink);
    await page.locator(".sentences li").first().waitFor();
    const { geojson } = (await (await page.request.get(`${running.address}/api/v1/town`)).json()) as {
      geojson: { features: { properties: { id: string; kind: string } }[] };
    };
    const street = geojson.features.find(({ properties }) => properties.kind === "street")?.properties.id ?? "";
    await page.goto(`${running.address}/settings?why=${street}`);
    await page.locator(".drawer .lead").waitFor();
    expect(await page.locator(".drawer .handle").count()).toBe(0);
    await page.evaluate(() => Object.assign(globalThis, { neverReloaded: true }));

    await kill(running);
    await page.locator(".banner", { hasText: "does not answer since" }).waitFor();
    expect(await page.locator(".drawer .lead").count()).toBe(1);

    running = await startServer(directory, Number(new URL(running.address).port));
    // It answers already, and the page does not know yet.
    const given = await overrideElsewhere(page, running.address, street, "Works in the street");
    expect(given.status(), await given.text()).toBe(201);
    await page.locator(".banner").waitFor({ state: "detached" });
    await page.locator(".drawer .handle", { hasText: "Works in the street" }).waitFor();
    expect(await page.evaluate(() => "neverReloaded" in globalThis)).toBe(true);
    // And what happens from now on comes by itself again.
    const { id } = (await given.json()) as { id: string };
    await page.request.delete(`${running.address}/api/v1/overrides/${id}`, { headers: { origin: running.address } });
    await page.locator(".drawer .handle").waitFor({ state: "detached" });
    await context.close();
  });

  test("and a browser that is closed and opened again is where its address says", async () => {
    const first = await browser.newContext({ locale: "en", viewport: { width: 1280, height: 800 } });
    const page = await first.newPage();
    await page.goto(running.signInLink);
    await page.locator(".sentences li").first().waitFor();
    await page.goto(`${running.address}/junctions/J3?why=J3`);
    await page.locator(".drawer .lead").waitFor();
    const [address, kept] = [page.url(), await first.storageState()];
    await first.close();

    const again = await (await browser.newContext({ locale: "en", storageState: kept })).newPage();
    await again.goto(address);
    await again.locator(".drawer h2", { hasText: "J3" }).waitFor();
    await again.locator("svg.plan").waitFor();
    expect(new URL(again.url())).toMatchObject({ pathname: "/junctions/J3", search: "?why=J3" });
    await again.context().close();
  });
});
