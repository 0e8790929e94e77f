import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Reading } from "#protocol/messages.ts";
import type { Instant } from "#protocol/units.ts";
import { instant, seconds } from "#protocol/units.ts";
import { virtualDisk } from "#rehearsal/disk.ts";
import { systemClock } from "#server/ports/clock.ts";
import { type OwnPoint, point } from "#server/chronicle/point.ts";
import type { Describe } from "#server/store/describe.ts";
import { duckdbStore } from "#server/store/duckdb.ts";
import { influx1Store } from "#server/store/influx1.ts";
import { influx2Store } from "#server/store/influx2.ts";
import { memoryStore } from "#server/store/memory.ts";
import type { AggregateQuery, AggregateRow, Contribution, Store } from "#server/store/store.ts";
import { type Influxd, influxdPath, startInfluxd } from "../../influxd.ts";

/** Every lamp is one of the territory's; nobody knows a bollard. */
const described: Describe = (device) =>
  device.startsWith("lamp-")
    ? { measurement: "lamp", tags: { device, station: "s1", street: "Rue de l’Église, 3" } }
    : undefined;

let influxd: Influxd | undefined;
let databases = 0;
const influxAt = (): { url: string; describe: Describe; clock: typeof systemClock } => ({
  url: influxd?.url ?? "",
  describe: described,
  clock: systemClock,
});

/** What every store promises, whatever it is made of. */
const STORES: Record<string, () => { readonly open: () => Store; readonly clean: () => void }> = {
  "the memory store with its log": () => {
    const disk = virtualDisk();
    return { open: () => memoryStore({ disk }), clean: () => {} };
  },
  "the DuckDB store": () => {
    const directory = mkdtempSync(join(tmpdir(), "vigie-store-"));
    return {
      open: () => duckdbStore(join(directory, "readings.duckdb")),
      clean: () => rmSync(directory, { recursive: true, force: true }),
    };
  },
  "the InfluxDB 1 store": () => {
    const database = `town ${databases++}`;
    return { open: () => influx1Store({ ...influxAt(), database }), clean: () => {} };
  },
  "the InfluxDB 2 store": () => {
    const bucket = `town ${databases++}/raw`;
    return { open: () => influx2Store({ ...influxAt(), org: "vigie", bucket }), clean: () => {} };
  },
};
const needsInfluxd = (name: string): boolean => name.includes("InfluxDB");
/** Rounds of what is tried at random. */
const runs = (name: string): number => (needsInfluxd(name) ? 8 : name.includes("DuckDB") ? 12 : 200);

const T0 = 1_780_000_000_000;
const reading = (device: string, second: number, value: number, measure = "level"): Reading => ({
  device,
  measure,
  at: instant(T0 + second * 1000),
  value,
});
const says = (station: string, first: number, readings: Reading[], upTo?: number): Contribution => ({
  station,
  epoch: "e1",
  first,
  readings,
  ...(upTo !== undefined && { upTo }),
});
const at = (second: number): Instant => instant(T0 + second * 1000);

beforeAll(async () => {
  if (influxdPath !== undefined) influxd = await startInfluxd();
});
afterAll(() => influxd?.stop());

for (const [name, make] of Object.entries(STORES)) {
  describe.skipIf(needsInfluxd(name) && influxdPath === undefined)(name, () => {
    const cleaning: (() => unknown)[] = [];
    afterEach(async () => {
      for (const clean of cleaning.splice(0).toReversed()) await clean();
    });
    async function fresh(): Promise<{ readonly store: Store; readonly again: () => Promise<Store> }> {
      const place = make();
      cleaning.push(place.clean);
      const store = place.open();
      await store.open();
      cleaning.push(() => store.close());
      return {
        store,
        async again() {
          await store.close();
          const next = place.open();
          await next.open();
          cleaning.push(() => next.close());
          return next;
        },
      };
    }

    test("what was committed is there after closing and opening, with its marks", async () => {
      const { store, again } = await fresh();
      await store.commit([says("s1", 1, [reading("lamp-1", 0, 0.5), reading("lamp-1", 1, 0.7)])]);
      await store.commit([says("s1", 3, [reading("lamp-1", 2, 0.9)]), says("s2", 1, [reading("lamp-2", 1, 1)], 4)]);
      const next = await again();
      expect(await next.marks()).toEqual([
        { station: "s1", epoch: "e1", upTo: 3 },
        { station: "s2", epoch: "e1", upTo: 4 },
      ]);
      expect(await next.range("lamp-1", "level", at(0), at(10), 10)).toEqual([
        reading("lamp-1", 0, 0.5),
        reading("lamp-1", 1, 0.7),
        reading("lamp-1", 2, 0.9),
      ]);
      expect(await next.latest()).toEqual([reading("lamp-1", 2, 0.9), reading("lamp-2", 1, 1)]);
      expect((await next.size()).readings).toBe(4);
      expect((await next.size()).bytes).toBeGreaterThan(0);
    });

    test("readings that went into quarantine move the mark and leave no row", async () => {
      const { store, again } = await fresh();
      await store.commit([says("s1", 6, [], 5)]);
      expect(await store.marks()).toEqual([{ station: "s1", epoch: "e1", upTo: 5 }]);
      expect((await store.size()).readings).toBe(0);
      expect(await (await again()).marks()).toEqual([{ station: "s1", epoch: "e1", upTo: 5 }]);
    });

    test("a range holds its start and not its end, oldest first, and no more than its limit", async () => {
      const { store } = await fresh();
      await store.commit([
        says(
          "s1",
          1,
          [5, 1, 3, 2, 4].map((second) => reading("lamp-1", second, second)),
        ),
      ]);
      const values = async (from: number, to: number, limit: number): Promise<number[]> =>
        (await store.range("lamp-1", "level", at(from), at(to), limit)).map(({ value }) => value);
      expect(await values(2, 4, 10)).toEqual([2, 3]);
      expect(await values(0, 9, 3)).toEqual([1, 2, 3]);
      expect(await values(6, 9, 3)).toEqual([]);
      expect(await store.range("lamp-1", "power_W", at(0), at(9), 9)).toEqual([]);
      expect(await store.range("lamp-9", "level", at(0), at(9), 9)).toEqual([]);
    });

    test("two lamps over two steps of ten seconds: mean 0.3 and 0.8", async () => {
      const { store } = await fresh();
      await store.commit([
        says("s1", 1, [reading("lamp-1", 0, 0.2), reading("lamp-1", 11, 0.6)]),
        says("s2", 1, [reading("lamp-2", 4, 0.4), reading("lamp-2", 19, 1)]),
      ]);
      const query = {
        devices: ["lamp-1", "lamp-2", "lamp-9"],
        measure: "level",
        from: at(0),
        to: at(20),
        every: seconds(10),
      };
      // (0.2 + 0.4) / 2 = 0.3; (0.6 + 1) / 2 = 0.8
      const rows = await store.aggregate(query);
      expect(rows.map(({ at }) => at)).toEqual([at(0), at(10)]);
      expect(rows[0]).toMatchObject({ count: 2, min: 0.2, max: 0.4, first: 0.2, last: 0.4 });
      expect(rows[0]?.mean).toBeCloseTo(0.3);
      expect(rows[1]?.mean).toBeCloseTo(0.8);
      const each = await store.aggregate({ ...query, by: "device" });
      expect(each.map(({ at, device, last }) => [at, device, last])).toEqual([
        [at(0), "lamp-1", 0.2],
        [at(0), "lamp-2", 0.4],
        [at(10), "lamp-1", 0.6],
        [at(10), "lamp-2", 1],
      ]);
    });

    test("pruning drops what is older, a day at a time at most, and keeps the marks", async () => {
      const { store, again } = await fresh();
      // 1,780,000,000 s is 28 May 2026 20:26:40 UTC: 13,000 s before midnight.
      const evening = 3600;
      const midnight = 12_800;
      await store.commit([
        says(
          "s1",
          1,
          [0, evening, midnight, midnight + 1].map((second) => reading("lamp-1", second, second)),
        ),
      ]);
      expect(await store.prune(at(midnight))).toBe(2);
      expect(await store.prune(at(midnight))).toBe(0);
      const left = await store.range("lamp-1", "level", at(0), at(99_999), 9);
      expect(left.map(({ value }) => value)).toEqual([midnight, midnight + 1]);
      expect((await store.size()).readings).toBe(2);
      expect(await (await again()).marks()).toEqual([{ station: "s1", epoch: "e1", upTo: 4 }]);
    });

    test("every series is told with its count, its sum and its ends", async () => {
      const { store } = await fresh();
      expect(await store.series()).toEqual([]);
      await store.commit([
        says("s1", 1, [reading("lamp-1", 7, 0.25), reading("lamp-1", 3, 0.5), reading("lamp-1", 3, 40, "power_W")]),
        says("s2", 1, [reading("lamp-2", 5, 1)]),
      ]);
      const told = (await store.series()).sort((a, b) => byDevice(a, b) || (a.measure < b.measure ? -1 : 1));
      expect(told).toEqual([
        { device: "lamp-1", measure: "level", count: 2, sum: 0.75, first: at(3), last: at(7) },
        { device: "lamp-1", measure: "power_W", count: 1, sum: 40, first: at(3), last: at(3) },
        { device: "lamp-2", measure: "level", count: 1, sum: 1, first: at(5), last: at(5) },
      ]);
    });

    test("a span of time holds what all devices said in it, in order, unless that is too much", async () => {
      const { store } = await fresh();
      expect(await store.during(at(0), at(9), 9)).toEqual([]);
      await store.commit([
        says("s1", 1, [reading("lamp-1", 3, 0.5), reading("lamp-1", 1, 0.25), reading("lamp-1", 9, 1)]),
        says("s2", 1, [reading("lamp-2", 2, 0.75), reading("bollard-1", 2, 0.125), reading("lamp-2", 0, 0)]),
      ]);
      expect(await store.during(at(1), at(9), 4)).toEqual([
        reading("lamp-1", 1, 0.25),
        reading("bollard-1", 2, 0.125),
        reading("lamp-2", 2, 0.75),
        reading("lamp-1", 3, 0.5),
      ]);
      expect(await store.during(at(1), at(9), 3)).toBeUndefined();
      expect(await store.during(at(9), at(9), 3)).toEqual([]);
    });

    test("measures of one device and instant stand beside each other in a span of time", async () => {
      const { store } = await fresh();
      await store.commit([
        says("s1", 1, [
          reading("lamp-1", 1, 0.5),
          reading("lamp-2", 1, 0.5),
          reading("lamp-1", 1, 40, "power_W"),
          reading("lamp-2", 1, 41, "power_W"),
        ]),
      ]);
      const devices = (await store.during(at(0), at(9), 9))?.map(({ device }) => device);
      expect(devices).toEqual(["lamp-1", "lamp-1", "lamp-2", "lamp-2"]);
    });

    test("points that the server writes of itself are there again as they were, words and all", async () => {
      const { store, again } = await fresh();
      const street = 'Rue de l’Église, 3 = "le coin"';
      const points = [
        point("decision", at(1), { subject: street, mode: "hand" }, { cost: 0.5, text_en: 'He said: "lit", \\ 1' }),
        point("decision", at(2), { subject: "other", mode: "hand" }, { text_fr: "Éteint, l’an 2026\n(deux lignes)" }),
        point("server", at(2), {}, { stored: 12, store_ok: 1 }),
        point("alarm", at(3), { key: "silent" }, { number: -7, subject: "" }),
      ];
      await store.record(points);
      await store.record([]);
      expect(await recorded(store, 0, 9)).toEqual(inOrder(points));
      expect(await recorded(store, 2, 3)).toEqual(inOrder(points.slice(1, 3)));
      const told = (await store.recordings()).toSorted((a, b) => (a.measurement < b.measurement ? -1 : 1));
      expect(told).toEqual([
        { measurement: "alarm", values: 1, first: at(3), last: at(3) },
        { measurement: "decision", values: 3, first: at(1), last: at(2) },
        { measurement: "server", values: 2, first: at(2), last: at(2) },
      ]);
      // They are no readings.
      expect(await store.series()).toEqual([]);
      expect((await store.size()).readings).toBe(0);
      // Memory keeps them for as long as it runs.
      if (!name.includes("memory")) expect(await recorded(await again(), 0, 9)).toEqual(inOrder(points));
    });

    test("of two values of one field, series and instant the last said stays, and a field that is not said again stays", async () => {
      const { store } = await fresh();
      const station = { station: "s 1" };
      await store.record([
        point("station", at(1), station, { online: 0, waiting: 5 }),
        point("station", at(1), station, { online: 1 }),
      ]);
      await store.record([point("station", at(1), station, { silent_s: 3 })]);
      const [found, ...more] = await recorded(store, 0, 9);
      expect(found?.fields).toEqual({ online: 1, waiting: 5, silent_s: 3 });
      expect(more).toEqual([]);
      expect(await store.recordings()).toMatchObject([{ measurement: "station", values: 3 }]);
    });

    test("dropping old readings leaves what the server summed up", async () => {
      const { store } = await fresh();
      const day = 86_400;
      await store.commit([says("s1", 1, [reading("lamp-1", 0, 1), reading("lamp-1", 20 * day, 1)])]);
      const points = [0, 20].map((days) => point("junction", at(days * day), { device: "J1" }, { vehicles: days }));
      await store.record(points);
      expect(await store.prune(at(10 * day))).toBe(1);
      expect(await recorded(store, 0, 99 * day)).toEqual(inOrder(points));
    });

    test("devices that the territory does not know are kept like any other", async () => {
      const { store, again } = await fresh();
      await store.commit([says("s1", 1, [reading("bollard-1", 1, 0.5), reading("lamp-1", 2, 0.1)])]);
      const next = await again();
      expect(await next.range("bollard-1", "level", at(0), at(9), 9)).toEqual([reading("bollard-1", 1, 0.5)]);
      // Together they are of two kinds: (0.5 + 0.1) / 2 = 0.3
      const devices = ["bollard-1", "lamp-1"];
      const [row] = await next.aggregate({ devices, measure: "level", from: at(0), to: at(10), every: seconds(10) });
      expect(row).toMatchObject({ count: 2, min: 0.1, max: 0.5, first: 0.5, last: 0.1 });
      expect(row?.mean).toBeCloseTo(0.3);
    });

    test("six thousand readings in one commit are all there", async () => {
      const { store } = await fresh();
      const many = Array.from({ length: 6000 }, (_, index) => reading("lamp-1", index, index));
      await store.commit([says("s1", 1, many)]);
      const [summary] = await store.series();
      // 0 + 1 + … + 5,999 = 5,999 × 6,000 / 2
      expect(summary).toMatchObject({ count: 6000, sum: 17_997_000 });
      expect(await store.marks()).toEqual([{ station: "s1", epoch: "e1", upTo: 6000 }]);
    });

    test("of two values at one instant the last said is the reading", async () => {
      const { store, again } = await fresh();
      await store.commit([says("s1", 1, [reading("lamp-1", 1, 0.2), reading("lamp-1", 2, 0.3)])]);
      await store.commit([says("s1", 3, [reading("lamp-1", 1, 0.4), reading("lamp-1", 1, 0.5)])]);
      const next = await again();
      expect((await next.range("lamp-1", "level", at(0), at(9), 9)).map(({ value }) => value)).toEqual([0.5, 0.3]);
      expect((await next.size()).readings).toBe(2);
    });

    test("only the latest eight epochs of a station are remembered", async () => {
      const { store, again } = await fresh();
      for (let epoch = 1; epoch <= 10; epoch++) {
        await store.commit([{ station: "s1", epoch: `e${epoch}`, first: 1, readings: [reading("lamp-1", epoch, 1)] }]);
      }
      const kept = ["e3", "e4", "e5", "e6", "e7", "e8", "e9", "e10"];
      expect(await epochs(store)).toEqual(kept);
      expect(await epochs(await again())).toEqual(kept);
    });

    test("many commits at random give the answers that a list would", async () => {
      const devices = ["lamp-1", "lamp-2", "lamp-3"];
      // Times differ within a device, so that first and last are one reading each.
      const said = fc.uniqueArray(
        fc.record({
          device: fc.constantFrom(...devices),
          second: fc.integer({ min: 0, max: 400 }),
          value: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
        { selector: ({ device, second }) => `${device} ${second}`, minLength: 1, maxLength: 60 },
      );
      const window = fc.record({
        from: fc.integer({ min: -50, max: 450 }),
        length: fc.integer({ min: 1, max: 300 }),
        every: fc.integer({ min: 1, max: 120 }),
        chosen: fc.subarray(devices, { minLength: 1 }),
        limit: fc.integer({ min: 1, max: 50 }),
        cut: fc.integer({ min: 1, max: 60 }),
      });
      await fc.assert(
        fc.asyncProperty(said, window, async (rows, { from, length, every, chosen, limit, cut }) => {
          const { store } = await fresh();
          const readings = rows.map(({ device, second, value }) => reading(device, second, value));
          await store.commit([says("s1", 1, readings.slice(0, cut))]);
          await store.commit([says("s1", cut + 1, readings.slice(cut))]);
          const query = {
            devices: chosen,
            measure: "level",
            from: at(from),
            to: at(from + length),
            every: seconds(every),
          };
          for (const by of [undefined, "device"] as const) {
            const asked = { ...query, ...(by && { by }) };
            sameRows(await store.aggregate(asked), naive(readings, asked));
          }
          const [device] = chosen as [string];
          expect(await store.range(device, "level", query.from, query.to, limit)).toEqual(
            readings
              .filter((each) => each.device === device && each.at >= query.from && each.at < query.to)
              .sort((a, b) => a.at - b.at)
              .slice(0, limit),
          );
          expect((await store.latest()).sort(byDevice)).toEqual(
            devices
              .map((device) => readings.filter((each) => each.device === device).sort((a, b) => b.at - a.at)[0])
              .filter((each) => each !== undefined),
          );
        }),
        { numRuns: runs(name) },
      );
    });
  });
}

const recorded = async (store: Store, from: number, to: number): Promise<OwnPoint[]> =>
  inOrder(await store.recorded(at(from), at(to)));
const inOrder = (points: readonly OwnPoint[]): OwnPoint[] =>
  points.toSorted((a, b) => a.at - b.at || (JSON.stringify(a.tags) < JSON.stringify(b.tags) ? -1 : 1));
const epochs = async (from: Store): Promise<string[]> => (await from.marks()).map(({ epoch }) => epoch);
const byDevice = (a: { device: string }, b: { device: string }): number =>
  a.device < b.device ? -1 : a.device > b.device ? 1 : 0;

function naive(readings: readonly Reading[], query: AggregateQuery): AggregateRow[] {
  const groups = new Map<string, Reading[]>();
  for (const each of readings) {
    if (!query.devices.includes(each.device) || each.at < query.from || each.at >= query.to) continue;
    const step = Math.floor((each.at - query.from) / (query.every * 1000));
    const key = `${String(step).padStart(6, "0")} ${query.by === "device" ? each.device : ""}`;
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, group]) => {
      const values = group.map(({ value }) => value);
      const ordered = group.toSorted((a, b) => a.at - b.at);
      return {
        at: instant(query.from + Number(key.slice(0, 6)) * query.every * 1000),
        ...(query.by === "device" && { device: key.slice(7) }),
        count: group.length,
        mean: values.reduce((sum, value) => sum + value, 0) / group.length,
        min: Math.min(...values),
        max: Math.max(...values),
        first: (ordered[0] as Reading).value,
        last: (ordered.at(-1) as Reading).value,
      };
    });
}

/** Together, readings of two devices may share the first or last instant: then either value is right, so only its bounds are held. */
function sameRows(found: readonly AggregateRow[], wanted: readonly AggregateRow[]): void {
  expect(found.map(({ at, device, count, min, max }) => ({ at, device, count, min, max }))).toEqual(
    wanted.map(({ at, device, count, min, max }) => ({ at, device, count, min, max })),
  );
  for (const [index, row] of found.entries()) {
    const want = wanted[index] as AggregateRow;
    expect(row.mean).toBeCloseTo(want.mean, 9);
    if (row.device === undefined) {
      for (const value of [row.first, row.last]) {
        expect(value).toBeGreaterThanOrEqual(want.min);
        expect(value).toBeLessThanOrEqual(want.max);
      }
    } else expect([row.first, row.last]).toEqual([want.first, want.last]);
  }
}
