import { afterEach, beforeEach, expect, test } from "vitest";
import { vigie as answer } from "../cli/cli.ts";
import { descendants, endAll, type Place, place, type Running, runs, start, until } from "./running.ts";
import { type Visitor, visit } from "./visitor.ts";

let here: Place;
beforeEach(() => (here = place()));
afterEach(async () => {
  await endAll();
  here.remove();
});

interface Entries<Entry> {
  readonly entries: readonly Entry[];
}
interface Device {
  readonly id: string;
  readonly latest: { readonly value: number } | null;
}

/** What Prometheus would read. */
async function figure(server: Running, name: string): Promise<number> {
  const [, address = ""] = await server.says(/page +(http:\S+)/);
  const text = await (await fetch(`${address}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1] ?? Number.NaN);
}

async function live(...words: string[]): Promise<{ server: Running; visitor: Visitor }> {
  const server = start(here, ...words);
  const visitor = await visit(server);
  await server.says(/Ctrl-C stops/);
  await until(async () => (await figure(server, "vigie_stations_online")) > 20);
  return { server, visitor };
}

const kept = async (visitor: Visitor, device: string): Promise<string[]> => {
  const path = `/devices/${device}/readings?measure=power_W&from=0&to=${Date.now() + 60_000}&limit=10000`;
  const { rows } = await visitor.get<{ rows: readonly { at: number; value: number }[] }>(path);
  return rows.map(({ at, value }) => `${at} ${value}`);
};

test("after Ctrl-C the next start goes on: readings, decisions, the hand on a lamp, and what is in the containers", async () => {
  const { server, visitor } = await live("--history", "30m");
  const lamp = (await visitor.get<Entries<Device>>("/devices?kind=lamp&limit=1")).entries[0]?.id ?? "";
  await visitor.post("/overrides", {
    scope: { kind: "device", id: lamp },
    order: { action: "lamp-override", level: 0.4 },
    reason: "Street party",
    until: Date.now() + 3_600_000,
  });
  const fills = async (who: Visitor): Promise<(number | undefined)[]> =>
    (await who.get<Entries<Device>>("/devices?kind=container")).entries.map(({ latest }) => latest?.value);
  const before = await fills(visitor);
  const readings = await kept(visitor, lamp);
  const decisions = await visitor.get<{ entries: number }>("/decisions/verify");
  expect(await server.stop()).toEqual({ code: 0, signal: null });

  const { visitor: next } = await live();
  const overrides = await next.get<Entries<{ reason: string }>>("/overrides?state=active");
  expect(overrides.entries.map(({ reason }) => reason)).toEqual(["Street party"]);
  expect(await kept(next, lamp)).toEqual(expect.arrayContaining(readings));
  expect((await next.get<{ entries: number }>("/decisions/verify")).entries).toBeGreaterThanOrEqual(decisions.entries);
  for (const [index, fill] of (await fills(next)).entries()) expect(fill).toBeCloseTo(before[index] ?? Number.NaN, 1);
});

test("kill -9 of the server: the town ends by itself, and after the next start nothing that was stored is missing", async () => {
  const { server, visitor } = await live("--history", "30m");
  const lamps = (await visitor.get<Entries<Device>>("/devices?kind=lamp&limit=5")).entries;
  const before = await Promise.all(lamps.map(({ id }) => kept(visitor, id)));
  const below = descendants(server.pid);
  expect(below).toHaveLength(1);
  server.process.kill("SIGKILL");
  await server.ended;
  await until(() => !below.some(runs));

  const { server: again, visitor: next } = await live();
  for (const [index, { id }] of lamps.entries()) {
    expect(await kept(next, id)).toEqual(expect.arrayContaining(before[index] ?? []));
  }
  await until(async () => (await figure(again, "vigie_readings_stored_total")) > 0);
  expect(await again.stop()).toEqual({ code: 0, signal: null });
  expect(answer("decisions", "verify", "--data", here.data).code).toBe(0);
});

test("kill -9 of the town: it is started again, and its stations come back", async () => {
  const { server } = await live("--history", "0");
  const [town] = descendants(server.pid);
  process.kill(town as number, "SIGKILL");
  await server.says(/The simulated town has ended \(SIGKILL\); it is started again\./);
  await until(async () => (await figure(server, "vigie_stations_online")) === 0);
  await until(async () => (await figure(server, "vigie_stations_online")) > 20);
  expect(descendants(server.pid)).not.toContain(town);
  expect(await server.stop()).toEqual({ code: 0, signal: null });
});
