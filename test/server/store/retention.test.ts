import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Reading } from "#protocol/messages.ts";
import { DAY, type Instant, MINUTE, instant, seconds } from "#protocol/units.ts";
import { point } from "#server/chronicle/point.ts";
import { type DuckdbStore, duckdbStore } from "#server/store/duckdb.ts";
import { memoryStore } from "#server/store/memory.ts";
import type { AggregateQuery, AggregateRow, Contribution } from "#server/store/store.ts";

let place: string;
let file: string;
let store: DuckdbStore;
beforeEach(async () => {
  place = mkdtempSync(join(tmpdir(), "vigie-retention-"));
  file = join(place, "readings.duckdb");
  store = duckdbStore(file);
  await store.open();
});
afterEach(async () => {
  await store.close();
  rmSync(place, { recursive: true, force: true });
});

/** Monday, 23 March 2026, 0:00 UTC: on the Sunday after it clocks go forward in Europe. */
const MONDAY = Date.UTC(2026, 2, 23);
const at = (minutes: number): Instant => instant(MONDAY + minutes * MINUTE);
const reading = (device: string, minutes: number, value: number): Reading => ({
  device,
  measure: "power_W",
  at: at(minutes),
  value,
});
const says = (readings: readonly Reading[]): Contribution => ({ station: "s", epoch: "e", first: 1, readings });
const asked = (from: number, to: number, every: number, by?: "device"): AggregateQuery => ({
  devices: ["lamp-1", "lamp-2"],
  measure: "power_W",
  from: at(from),
  to: at(to),
  every: seconds(every * 60),
  ...(by && { by }),
});
const archives = (): string[] => readdirSync(join(place, "readings.archive"));
const onDisk = (): number =>
  archives().reduce((sum, name) => sum + statSync(join(place, "readings.archive", name)).size, statSync(file).size);

/** Sums are added up in another order: their last digits may differ. */
function same(found: readonly AggregateRow[], wanted: readonly AggregateRow[]): void {
  const exact = (rows: readonly AggregateRow[]) => rows.map((row) => ({ ...row, mean: 0 }));
  expect(exact(found)).toEqual(exact(wanted));
  for (const [index, { mean }] of found.entries()) expect(mean).toBeCloseTo(wanted[index]?.mean as number, 9);
}

test("when the readings are gone, quarters and hours of them say the same as before, and ten minutes what a quarter says", async () => {
  const readings = Array.from({ length: 7 * 24 * 12 }, (_, step) => reading("lamp-1", step * 5 + 1, (step * 7) % 40));
  await store.commit([says(readings)]);
  const questions = [asked(0, 10_080, 15), asked(0, 10_080, 60), asked(0, 10_080, 1440), asked(30, 9990, 60, "device")];
  const before = await Promise.all(questions.map((each) => store.aggregate(each)));
  await store.compact(at(10_080));
  expect(await store.prune(at(10_080))).toBe(readings.length);
  expect(await store.range("lamp-1", "power_W", at(0), at(10_080), 10)).toEqual([]);
  expect((await store.size()).readings).toBe(0);
  expect(archives().filter((name) => name.includes("raw"))).toEqual([]);
  for (const [index, each] of questions.entries()) same(await store.aggregate(each), before[index] ?? []);
  // The quarter that begins at 0:00 holds the readings of 0:01, 0:06 and 0:11: 0, 7 and 14.
  const [first] = await store.aggregate(asked(0, 60, 10));
  expect(first).toMatchObject({ count: 3, mean: 7, min: 0, max: 14, first: 0, last: 14 });
  expect(await store.reach()).toEqual({ raw: at(10_080), quarter: undefined, hour: undefined });
});

test("an hour of a zone that is half an hour off is made of quarters, and both days of 23 and 25 hours of their hours", async () => {
  // Every minute of the week is its own number.
  const readings = Array.from({ length: 10_080 }, (_, minute) => reading("lamp-1", minute, minute));
  await store.commit([says(readings)]);
  await store.compact(at(10_080));
  await store.prune(at(10_080));
  // In Kolkata the hour from 6:00 begins at 0:30 UTC: minutes 30 to 89, whose mean is 59.5.
  const [kolkata] = await store.aggregate(asked(30, 90, 60));
  expect(kolkata).toMatchObject({ count: 60, mean: 59.5, first: 30, last: 89 });
  // Sunday in Paris has 23 hours: from Saturday 23:00 UTC to Sunday 22:00 UTC.
  const [start, end] = [5 * 1440 + 1380, 6 * 1440 + 1320];
  const [sunday] = await store.aggregate(asked(start, end, 23 * 60));
  expect(sunday).toMatchObject({ count: 1380, first: start, last: end - 1, mean: (start + end - 1) / 2 });
});

test("the autumn's day of 25 hours has the sums of 25 hours, by the clock of Paris, from readings and from each roll-up", async () => {
  await store.close();
  store = duckdbStore(file, { describe: () => ({ measurement: "lamp", tags: {} }) });
  // Clocks go back on Sunday, 25 October 2026, at 1:00 UTC. A reading of 2 W each minute from Friday to Monday, UTC.
  const friday = Date.UTC(2026, 9, 23);
  const minutes = Array.from({ length: 4 * 1440 }, (_, minute) => ({
    ...reading("lamp-1", 0, 2),
    at: instant(friday + minute * MINUTE),
  }));
  await store.commit([says(minutes)]);
  const days = async (what: string, from: string): Promise<unknown> => {
    const text = `SELECT ${what} FROM ${from} WHERE time >= '2026-10-23T22:00:00Z' AND time < '2026-10-26T23:00:00Z'
      GROUP BY time(1d) tz('Europe/Paris')`;
    const limits = { points: 0, series: 0, buckets: 0, time_ms: 0 };
    const [result] = (await store.influx?.query(text, { database: "vigie", now_ns: 0n, limits })) ?? [];
    return result?.series[0]?.values.map(([time, sum]) => [new Date(Number((time as bigint) / 1_000_000n)), sum]);
  };
  // Local midnights: 22:00 UTC in summer time, 23:00 UTC after it. 1,440 minutes of 2 W, 1,500, and 1,440 again.
  const right = [
    [new Date("2026-10-23T22:00:00Z"), 2880],
    [new Date("2026-10-24T22:00:00Z"), 3000],
    [new Date("2026-10-25T23:00:00Z"), 2880],
  ];
  expect(await days('sum("power_W")', '"raw"."lamp"')).toEqual(right);
  await store.compact(instant(friday + 14 * DAY));
  expect(await days('sum("power_W")', '"raw"."lamp"')).toEqual(right);
  for (const policy of ["quarter", "hour"]) {
    expect(await days('sum("sum_power_W")', `"${policy}"."lamp"`)).toEqual(right);
  }
  await store.prune(instant(friday + 14 * DAY));
  for (const policy of ["quarter", "hour"]) {
    expect(await days('sum("sum_power_W")', `"${policy}"."lamp"`)).toEqual(right);
  }
  // What has no readings any more is known by its sums, after a start, too.
  await store.close();
  store = duckdbStore(file, { describe: () => ({ measurement: "lamp", tags: {} }) });
  await store.open();
  expect(await days('sum("sum_power_W")', '"hour"."lamp"')).toEqual(right);
  expect(await days('last("power_W")', '"raw"."lamp"')).toBeUndefined();
  // 25 hours in one step: from 22:00 UTC on Saturday to 23:00 UTC on Sunday.
  const [sunday] = await store.aggregate({
    devices: ["lamp-1"],
    measure: "power_W",
    from: instant(Date.UTC(2026, 9, 24, 22)),
    to: instant(Date.UTC(2026, 9, 25, 23)),
    every: seconds(25 * 3600),
  });
  expect(sunday).toMatchObject({ count: 1500, mean: 2 });
});

test("what is said late is in the roll-ups at once, and still when the readings are gone", async () => {
  await store.commit([says([reading("lamp-1", 1, 10), reading("lamp-1", 2, 30), reading("lamp-1", 9000, 1)])]);
  await store.compact(at(2 * 1440));
  await store.commit([says([reading("lamp-1", 2, 50), reading("lamp-1", 14, 90), reading("lamp-1", 16, 7)])]);
  // (10 + 50 + 90) / 3 = 50
  const right = [
    { at: at(0), count: 3, mean: 50, min: 10, max: 90, first: 10, last: 90 },
    { at: at(15), count: 1, mean: 7, min: 7, max: 7, first: 7, last: 7 },
  ];
  const week = asked(0, 10_080, 15);
  expect((await store.aggregate(week)).slice(0, 2)).toEqual(right);
  await store.compact(at(7 * 1440));
  expect((await store.aggregate(week)).slice(0, 2)).toEqual(right);
  await store.prune(at(6 * 1440));
  expect((await store.aggregate(week)).slice(0, 2)).toEqual(right);
  // What is said of a day whose readings are gone comes too late, and leaves its quarters as they were.
  await store.commit([says([reading("lamp-1", 3, 1000), reading("lamp-1", 9001, 3)])]);
  await store.compact(at(8 * 1440));
  const rows = await store.aggregate(week);
  expect(rows.slice(0, 2)).toEqual(right);
  expect(rows[2]).toMatchObject({ at: at(9000), count: 2, mean: 2, first: 1, last: 3 });
});

test("quarters are dropped by their own age, and then hours answer", async () => {
  await store.commit([says([reading("lamp-1", 1, 10), reading("lamp-1", 20, 30)])]);
  await store.compact(at(10_080));
  await store.prune(at(10_080), at(10_080));
  expect(archives()).toHaveLength(1);
  expect(await store.aggregate(asked(0, 60, 15))).toEqual([
    { at: at(0), count: 2, mean: 20, min: 10, max: 30, first: 10, last: 30 },
  ]);
});

test("dropping gives the room of archives back to the disk at once, and that of what was never archived at the next start", async () => {
  const week = (start: number): Reading[] =>
    Array.from({ length: 300_000 }, (_, index) => reading(`lamp-${index % 50}`, start + index / 30, Math.sin(index)));
  await store.commit([says(week(0)), says(week(10_080))]);
  await store.compact(at(10_080));
  const archived = archives().find((name) => name.includes("raw")) ?? "";
  const { size } = statSync(join(place, "readings.archive", archived));
  const full = onDisk();
  await store.prune(at(10_080));
  const half = onDisk();
  // The main database meanwhile wrote down what had been in its log.
  expect(full - half).toBeGreaterThan(size / 2);
  expect(archives()).not.toContain(archived);
  await store.prune(at(20_160));
  await store.close();
  store = duckdbStore(file);
  await store.open();
  const none = onDisk();
  console.log(`${full} bytes, without the archived week ${half}, without the other, opened anew, ${none}`);
  expect(half - none).toBeGreaterThan(4_000_000);
  expect(await store.aggregate(asked(0, 10_080, 1440))).toHaveLength(7);
});

test("points of others and the fine ones of the server go with the readings, the rest of its own with the quarters", async () => {
  await store.close();
  store = duckdbStore(file, { describe: () => undefined });
  await store.open();
  const own = (minutes: number) => [
    point("server", at(minutes), {}, { stored: minutes }),
    point("junction", at(minutes), { device: "J1" }, { vehicles: minutes }),
  ];
  await store.record([...own(1), ...own(3000)]);
  const kept = async (): Promise<unknown> =>
    (await store.recorded(at(0), at(10_080))).map((each) => [each.measurement, each.at]);
  const ns = (minutes: number): bigint => BigInt(at(minutes)) * 1_000_000n;
  const body = `wind speed=3 ${ns(1)}\nwind speed=4 ${ns(3000)}`;
  await store.influx?.writeLines(new TextEncoder().encode(body), { database: "vigie", precision_ns: 1n, now_ns: 0n });
  const winds = async (): Promise<unknown> => {
    const limits = { points: 0, series: 0, buckets: 0, time_ms: 0 };
    const [result] =
      (await store.influx?.query("SELECT speed FROM wind", { database: "vigie", now_ns: 0n, limits })) ?? [];
    return result?.series[0]?.values.map(([, speed]) => speed);
  };
  expect(await winds()).toEqual([3, 4]);
  await store.prune(at(2000), at(0));
  expect(await winds()).toEqual([4]);
  const fine = ["server", at(3000)];
  expect(await kept()).toEqual([fine, ["junction", at(1)], ["junction", at(3000)]]);
  await store.prune(at(2000), at(2000));
  expect(await kept()).toEqual([fine, ["junction", at(3000)]]);
});

test("at random: roll-ups give what the readings would, together and for each device", async () => {
  const said = fc.array(
    fc.record({
      device: fc.constantFrom("lamp-1", "lamp-2"),
      minute: fc.integer({ min: 0, max: 4 * 1440 }),
      value: fc.integer({ min: 0, max: 50 }),
    }),
    { minLength: 1, maxLength: 40 },
  );
  const question = fc.record({
    from: fc.integer({ min: 0, max: 8 }).map((quarters) => quarters * 15),
    to: fc.integer({ min: 200, max: 400 }).map((quarters) => quarters * 15),
    every: fc.constantFrom(15, 30, 45, 60, 120, 1440),
    by: fc.constantFrom(undefined, "device" as const),
  });
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(said, said, question, fc.integer({ min: 1, max: 5 }), async (first, second, ask, days) => {
      await store.close();
      store = duckdbStore(join(place, `${runs++}.duckdb`));
      const list = memoryStore();
      for (const part of [first, second]) {
        // Of two devices at one instant either may be the first.
        const readings = part.map(({ device, minute, value }) =>
          reading(device, minute + (device === "lamp-1" ? 0 : 0.5), value),
        );
        await store.commit([says(readings)]);
        await list.commit([says(readings)]);
        await store.compact(instant(MONDAY + days * DAY));
      }
      const query = asked(ask.from, ask.to, ask.every, ask.by);
      same(await store.aggregate(query), await list.aggregate(query));
    }),
    { numRuns: 12 },
  );
});
