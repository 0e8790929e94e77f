import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DAY, HOUR, instant } from "#protocol/units.ts";
import { type DuckdbStore, duckdbStore } from "#server/store/duckdb.ts";

let place: string;
let file: string;
let store: DuckdbStore;
const opened = (): DuckdbStore => duckdbStore(file, { describe: () => undefined });
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "vigie-arrange-"));
  file = join(place, "readings.duckdb");
  store = opened();
});
afterEach(async () => {
  await store.close();
  rmSync(place, { recursive: true, force: true });
});

/** Monday, 2 March 2026, 0:00 UTC. */
const MONDAY = Date.UTC(2026, 2, 2);
const day = (days: number) => instant(MONDAY + days * DAY);

async function write(lines: readonly string[]): Promise<void> {
  const body = new TextEncoder().encode(lines.join("\n"));
  await store.influx?.writeLines(body, { database: "vigie", precision_ns: 1_000_000n, now_ns: 0n });
}

/** What two masts say each hour of the wind, and of the rain in between, as it comes. */
const hourly = (hours: number): string[] =>
  Array.from({ length: hours }, (_, hour) => [
    `wind,mast=north speed=${hour},state="s${hour % 3}" ${MONDAY + hour * HOUR}`,
    `rain,mast=north height=${hour / 8} ${MONDAY + hour * HOUR}`,
    `wind,mast=east speed=${hour + 0.25},state="s${hour % 2}" ${MONDAY + hour * HOUR}`,
  ]).flat();

/** All that is kept of wind, by mast. */
async function winds(): Promise<unknown> {
  const limits = { points: 0, series: 0, buckets: 0, time_ms: 0 };
  const [result] =
    (await store.influx?.query("SELECT * FROM wind GROUP BY mast", { database: "vigie", now_ns: 0n, limits })) ?? [];
  return result?.series.map(({ tags, values }) => [tags, values]);
}

/** How numbers lie in the file, one after the other: day, measurement and hour. */
async function lying(): Promise<string[]> {
  await store.close();
  const instance = await DuckDBInstance.create(file);
  const connection = await instance.connect();
  const rows = await connection.runAndReadAll(
    `SELECT (instant // ${DAY * 1e6} - ${MONDAY / DAY})::VARCHAR || ' ' || measurement || ' ' || instant // ${HOUR * 1e6} % 24
     FROM point_floats JOIN point_slots ON id = series ORDER BY point_floats.rowid`,
  );
  connection.closeSync();
  instance.closeSync();
  store = opened();
  return rows.getRows().map(([text]) => text as string);
}

test("points before the limit lie by day and measurement, those after it as they came, and each says what it said", async () => {
  await write(hourly(4 * 24));
  const before = await winds();
  await store.compact(day(3));
  expect(await winds()).toEqual(before);
  const order = await lying();
  const hours = (each: number, measurement: string, times: number): string[] =>
    Array.from({ length: 24 * times }, (_, index) => `${each} ${measurement} ${Math.floor(index / times)}`);
  // Of the fourth day, which comes first now, wind and rain in turn.
  expect(order.slice(0, 3)).toEqual(["3 wind 0", "3 rain 0", "3 wind 0"]);
  expect(order.slice(72)).toEqual([0, 1, 2].flatMap((each) => [...hours(each, "rain", 1), ...hours(each, "wind", 2)]));
  expect(await winds()).toEqual(before);
});

test("what is said late about a day that lies in order is there once, and replaces what it says anew", async () => {
  await write(hourly(48));
  await store.compact(day(1));
  await write([`wind,mast=north speed=99 ${MONDAY}`, `wind,mast=north speed=98 ${MONDAY + 1}`]);
  const late = (await winds()) as [unknown, unknown[][]][];
  const north = late.find(([tags]) => JSON.stringify(tags).includes("north"))?.[1] ?? [];
  expect(north).toHaveLength(49);
  expect(north.slice(0, 2).flat()).toEqual(expect.arrayContaining([99, 98]));
  await store.compact(day(2));
  expect(await winds()).toEqual(late);
  await store.close();
  store = opened();
  expect(await winds()).toEqual(late);
});

test("points that are written while others are put in order are neither lost nor refused", async () => {
  await write(hourly(72));
  let written = 0;
  const writing: Promise<void>[] = [];
  await store.compact(day(3), async () => {
    // The same value again, and a new one, of a day that is being moved.
    writing.push(write([`wind,mast=east speed=0.25 ${MONDAY}`, `wind,mast=east speed=7 ${MONDAY + ++written}`]));
    await Promise.resolve();
  });
  await Promise.all(writing);
  expect(written).toBeGreaterThan(8);
  const found = (await winds()) as [unknown, unknown[][]][];
  expect(found.map(([, values]) => values.length).sort((a, b) => a - b)).toEqual([72, 72 + written]);
});

// Three days of numbers of two measurements and of texts of one are nine pieces.
test.each([1, 2, 5, 9])(
  "killed before piece %i, nothing is lost or doubled, and the next night goes on",
  async (piece) => {
    await write(hourly(72));
    const before = await winds();
    await store.close();
    const root = join(import.meta.dirname, "../../..");
    const script = join(place, "arrange.mjs");
    writeFileSync(
      script,
      `const { duckdbStore } = await import("${root}/server/store/duckdb.ts");
     const store = duckdbStore("${file}", { describe: () => undefined });
     let pieces = 0;
     await store.compact(${day(3)}, async () => {
       if (++pieces === ${piece}) process.kill(process.pid, "SIGKILL");
     });`,
    );
    const [, signal] = (await once(spawn(process.execPath, [script], { stdio: "inherit" }), "exit")) as [
      unknown,
      unknown,
    ];
    expect(signal).toBe("SIGKILL");
    store = opened();
    expect(await winds()).toEqual(before);
    await store.compact(day(3));
    expect(await winds()).toEqual(before);
  },
);
