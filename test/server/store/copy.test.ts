import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { Fault } from "#protocol/faults.ts";
import type { Reading } from "#protocol/messages.ts";
import { instant } from "#protocol/units.ts";
import { systemClock } from "#server/ports/clock.ts";
import { type OwnPoint, point } from "#server/chronicle/point.ts";
import { copyStore } from "#server/store/copy.ts";
import { duckdbStore } from "#server/store/duckdb.ts";
import { influx1Store } from "#server/store/influx1.ts";
import { memoryStore } from "#server/store/memory.ts";
import type { Store } from "#server/store/store.ts";
import { influxdPath, startInfluxd } from "../../influxd.ts";
import { bound } from "./bound.ts";

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end();
});

const T0 = 1_780_000_000_000;
const DEVICES = 12;
const EACH = 5000;
/** Decisions, for more than two weeks. */
const POINTS = 1500;

/** Twelve lamps with five thousand readings each, from two stations, one of which has lost its outbox once. */
async function town(): Promise<Store> {
  const store = memoryStore();
  await store.open();
  for (let device = 0; device < DEVICES; device++) {
    const readings = Array.from({ length: EACH }, (_, index): Reading => {
      const at = instant(T0 + index * 1000 + device);
      return { device: `lamp-${device}`, measure: "level", at, value: (index % 7) / 7 };
    });
    await store.commit([
      { station: `s${device % 2}`, epoch: device > 7 ? "e2" : "e1", first: 1, readings, upTo: 9000 },
    ]);
  }
  const points = Array.from({ length: POINTS }, (_, quarter) =>
    point(
      "decision",
      instant(T0 + quarter * 900_000),
      { name: "lighting.programme", subject: `street ${quarter % 5}`, mode: "general" },
      { entry: quarter, cost: quarter / 8, text_en: `“${quarter}”, said "so"` },
    ),
  );
  const places = Array.from({ length: DEVICES }, (_, device) =>
    point("place", instant(T0), { device: `lamp-${device}` }, { lat: 48.5 + device, lon: 2.1 }),
  );
  await store.record([...points, ...places]);
  return store;
}

async function duckdb(): Promise<Store> {
  const directory = mkdtempSync(join(tmpdir(), "vigie-copy-"));
  ending.push(() => rmSync(directory, { recursive: true, force: true }));
  const store = duckdbStore(join(directory, "readings.duckdb"));
  await store.open();
  ending.push(() => store.close());
  return store;
}

test("a copy has every reading and every mark, and a second one finds nothing to write", async () => {
  const [from, to] = [await town(), await duckdb()];
  const shares: number[] = [];
  expect(await copyStore(from, to, (share) => shares.push(share))).toEqual({
    readings: DEVICES * EACH,
    written: DEVICES * EACH,
    series: DEVICES,
    // A decision of three fields a quarter of an hour, and the place of each lamp.
    own: POINTS * 3 + DEVICES * 2,
    ownWritten: POINTS + DEVICES,
    summedUp: 0,
    summedUpWritten: 0,
    differences: [],
  });
  expect(await to.recorded(instant(T0), instant(T0 + 3_600_000))).toHaveLength(4 + DEVICES);
  expect(shares.at(-1)).toBe(1);
  expect(await to.marks()).toEqual(await from.marks());
  expect(await to.range("lamp-3", "level", instant(T0), instant(T0 + 3000), 9)).toEqual(
    await from.range("lamp-3", "level", instant(T0), instant(T0 + 3000), 9),
  );
  expect(await copyStore(from, to)).toMatchObject({ written: 0, ownWritten: 0, differences: [] });
});

test("a copy that was cut off goes on where it was, without a reading twice; its marks come last", async () => {
  const [from, to] = [await town(), await duckdb()];
  let left = 3;
  const failing: Store = {
    ...bound(to),
    commit: (contributions) =>
      left-- > 0 ? to.commit(contributions) : Promise.reject(new Fault("STORE_FAILED", { problem: "enough" })),
  };
  await expect(copyStore(from, failing)).rejects.toThrow("enough");
  // The marks at 0, then twice twenty thousand.
  expect((await to.size()).readings).toBe(40_000);
  expect((await to.marks()).map(({ upTo }) => upTo)).toEqual([0, 0, 0, 0]);
  expect(await to.recordings()).toEqual([]);
  expect(await copyStore(from, to)).toMatchObject({ written: 20_000, differences: [] });
  expect((await to.size()).readings).toBe(DEVICES * EACH);
});

test("what the other store lost or held before is found by the comparison at the end", async () => {
  const [from, to] = [await town(), memoryStore()];
  const stray = { device: "lamp-1", measure: "level", at: instant(T0 + 77), value: 1 };
  await to.commit([{ station: "s9", epoch: "e", first: 1, readings: [stray] }]);
  const { differences } = await copyStore(from, to);
  expect(differences).toHaveLength(1);
  expect(differences[0]).toMatch(
    /^lamp-1 level: 5000 readings from .*\.001Z to .*; copied 5000 readings from .*\.077Z to /,
  );
});

test.skipIf(influxdPath === undefined)(
  "there and back through a real InfluxDB: the same readings and marks",
  async () => {
    const influxd = await startInfluxd({ flux: false });
    ending.push(() => influxd.stop());
    const influx = influx1Store({ url: influxd.url, database: "vigie", describe: () => undefined, clock: systemClock });
    await influx.open();
    const [from, back] = [await town(), await duckdb()];
    const all = { written: DEVICES * EACH, ownWritten: POINTS + DEVICES, differences: [] };
    expect(await copyStore(from, influx)).toMatchObject(all);
    expect(await copyStore(influx, back)).toMatchObject(all);
    const [begin, end] = [instant(T0), instant(T0 + 100_000_000_000)];
    const sorted = async (store: Store) => {
      const nameOf = ({ at, tags }: OwnPoint): string => `${at} ${Object.values(tags).sort().join(" ")}`;
      return (await store.recorded(begin, end)).sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
    };
    expect(await sorted(back)).toEqual(await sorted(from));
    expect(await back.marks()).toEqual(await from.marks());
  },
);
