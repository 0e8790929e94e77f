import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { afterEach, beforeEach, expect, test } from "vitest";
import { vigie as answer } from "../cli/cli.ts";
import { visit } from "./visitor.ts";
import { endAll, type Place, place, run, type Running, start, until, vigie } from "./running.ts";

let here: Place;
beforeEach(() => (here = place()));
afterEach(async () => {
  await endAll();
  here.remove();
});

const missing = spawnSync("mosquitto", ["-h"]).error !== undefined;
if (missing) console.log("mosquitto is not installed: the tests with a broker of its own are skipped");

/** In the town of these tests. */
const STATIONS = 29;

async function metric(server: Running, name: string): Promise<number> {
  const [, address = ""] = await server.says(/page +(http:\S+)/);
  const text = await (await fetch(`${address}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1] ?? Number.NaN);
}
const online = (server: Running): Promise<number> => metric(server, "vigie_stations_online");

async function freePort(): Promise<number> {
  const probe = createServer();
  const port = await new Promise<number>((resolve) => {
    probe.listen(0, "127.0.0.1", () => resolve((probe.address() as { port: number }).port));
  });
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

async function mosquitto(port: number): Promise<Running> {
  const file = join(here.directory, "mosquitto.conf");
  writeFileSync(file, `listener ${port} 127.0.0.1\nallow_anonymous true\n`);
  const broker = run("mosquitto", ["-c", file, "-v"]);
  await broker.says(/mosquitto version .* running|Opening ipv4 listen socket/);
  return broker;
}

test.skipIf(missing)(
  "with mosquitto between them server and town meet, and meet again after it was killed",
  async () => {
    const port = await freePort();
    const broker = await mosquitto(port);
    const server = start(here, "--broker", `mqtt://127.0.0.1:${port}`, "--history", "0");
    await server.says(/Ctrl-C stops/);
    await until(async () => (await online(server)) > 20);
    broker.process.kill("SIGKILL");
    await broker.ended;
    await mosquitto(port);
    const [, address = ""] = await server.says(/page +(http:\S+)/);
    const stored = async (): Promise<number> => {
      const text = await (await fetch(`${address}/metrics`)).text();
      return Number(/^vigie_readings_stored_total (\d+)$/m.exec(text)?.[1]);
    };
    const before = await stored();
    await until(async () => (await stored()) > before);
    await until(async () => (await online(server)) > 20);
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  },
);

test("a town that runs alone meets a server without one, by the passwords that the server gives out", async () => {
  const server = start(here, "--no-town");
  const [, broker = ""] = await server.says(/(mqtt:\/\/\S+)/);
  const { code, out } = answer("stations", "--data", here.data);
  expect(code).toBe(0);
  const credentials = join(here.directory, "stations.json");
  writeFileSync(credentials, out);
  const town = vigie([
    "simulate",
    "--broker",
    broker,
    "--territory",
    here.territory,
    "--credentials",
    credentials,
    "--data",
    join(here.directory, "town"),
  ]);
  // All of them: one that is only just connecting could not say that it goes.
  await until(async () => (await online(server)) === STATIONS);
  expect(await town.stop()).toEqual({ code: 0, signal: null });
  await until(async () => (await online(server)) === 0);
  expect(await server.stop()).toEqual({ code: 0, signal: null });
});

test.skipIf(missing)("a broker that lets everyone in needs no passwords of a town that runs alone", async () => {
  const url = `mqtt://127.0.0.1:${await freePort()}`;
  await mosquitto(Number(new URL(url).port));
  const server = start(here, "--broker", url, "--no-town");
  await server.says(/Ctrl-C stops/);
  const data = ["--data", join(here.directory, "town")];
  const town = vigie(["simulate", "--broker", url, "--territory", here.territory, ...data]);
  await town.says(new RegExp(`: ${STATIONS} stations → ${url}`));
  await until(async () => (await metric(server, "vigie_stations_online")) === STATIONS);
  const visitor = await visit(server);
  const { entries } = await visitor.get<{ entries: { id: string }[] }>("/devices?kind=lamp&limit=1");
  await visitor.post("/overrides", {
    scope: { kind: "device", id: entries[0]?.id },
    order: { action: "lamp-override", level: 0.4 },
    reason: "Street party",
    until: Date.now() + 3_600_000,
  });
  // It does not know the server's key, so it can tell no order from a stranger's.
  await until(async () => (await metric(server, "vigie_commands_refused_total")) > 0);
  expect(await metric(server, "vigie_commands_applied_total")).toBe(0);
  expect(await town.stop()).toEqual({ code: 0, signal: null });
  expect(town.err().trimEnd().split("\n")).toHaveLength(1);
  expect(await server.stop()).toEqual({ code: 0, signal: null });
});
