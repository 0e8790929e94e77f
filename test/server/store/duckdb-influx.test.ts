import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DAY, instant } from "#protocol/units.ts";
import { point } from "#server/chronicle/point.ts";
import { type DuckdbStore, duckdbStore } from "#server/store/duckdb.ts";
import type { Describe } from "#server/store/describe.ts";

const NOON = instant(Date.UTC(2026, 2, 2, 12));
const describe: Describe = (device) => ({
  measurement: "lamp",
  tags: { device, street: device === "L1" ? "quai" : "rue du Four" },
});
const LIMITS = { points: 0, series: 0, buckets: 0, time_ms: 0 };

let directory: string;
let store: DuckdbStore;
const reopen = async (): Promise<void> => {
  await store.close();
  store = duckdbStore(join(directory, "readings.duckdb"), { describe });
  await store.open();
};
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "vigie-influx-"));
  store = duckdbStore(join(directory, "readings.duckdb"), { describe });
  await store.open();
});
afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

let next = 1;
const say = (device: string, at: number, value: number): Promise<void> => {
  const first = next++;
  const reading = { device, measure: "power_W", at: instant(at), value };
  return store.commit([{ station: "S", epoch: "e", first, readings: [reading] }]);
};
const ask = async (text: string): Promise<unknown> => {
  const now_ns = BigInt(NOON + 10 * DAY) * 1_000_000n;
  const results = await store.influx?.query(text, { database: "vigie", now_ns, limits: LIMITS });
  return results?.map(({ series, error }) => error ?? series.map(({ tags, values }) => [tags, values.map((row) => row.slice(1))])); // prettier-ignore
};

test("readings are answered with the tags of their devices, the newest from what was committed last", async () => {
  await say("L1", NOON, 10);
  await say("L2", NOON, 30);
  expect(await ask("SELECT last(power_W) FROM lamp GROUP BY street")).toEqual([
    [
      [{ street: "quai" }, [[10]]],
      [{ street: "rue du Four" }, [[30]]],
    ],
  ]);
  await say("L1", NOON + 1000, 12);
  await say("L1", NOON - 1000, 99);
  expect(await ask("SELECT last(power_W) FROM lamp WHERE street = 'quai'")).toEqual([[[undefined, [[12]]]]]);
  expect(await ask("SELECT count(power_W), mean(power_W) FROM lamp")).toEqual([[[undefined, [[4n, 37.75]]]]]);
});

test("what was said again of one instant replaces what was said before, and is the newest", async () => {
  await say("L1", NOON, 10);
  await say("L1", NOON, 11);
  expect(await ask("SELECT last(power_W), count(power_W) FROM lamp")).toEqual([[[undefined, [[11, 1n]]]]]);
  expect(await ask("SELECT last(power_W) FROM lamp")).toEqual([[[undefined, [[11]]]]]);
});

test("archives and what came late after them are answered like the rest, after a restart, too", async () => {
  for (let day = 0; day < 9; day++) await say("L1", NOON + day * DAY, day);
  await store.compact(instant(NOON + 8 * DAY));
  await say("L1", NOON + DAY, 100);
  const expected = [[[undefined, [[9n, 100, 8]]]]];
  expect(await ask("SELECT count(power_W), max(power_W), last(power_W) FROM lamp")).toEqual(expected);
  await reopen();
  expect(await ask("SELECT count(power_W), max(power_W), last(power_W) FROM lamp")).toEqual(expected);
  expect(await ask("SELECT last(power_W) FROM lamp")).toEqual([[[undefined, [[8]]]]]);
});

test("the server's own points come back as they were written, also after a restart", async () => {
  const points = [
    point("quarantine", NOON, { code: "VALUE_OUT_OF_RANGE" }, { count: 3 }),
    point("override", NOON, { scope: "street", id: "R 1", state: "active" }, { number: 1, reason: 'Fête, "14"' }),
  ];
  await store.record(points);
  const sorted = async () =>
    (await store.recorded(NOON, instant(NOON + 1))).toSorted((a, b) => (a.measurement < b.measurement ? 1 : -1));
  expect(await sorted()).toEqual(points);
  await reopen();
  expect(await sorted()).toEqual(points);
  expect(await store.recorded(instant(NOON + 1), instant(NOON + DAY))).toEqual([]);
});
