import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Reading } from "#protocol/messages.ts";
import { DAY, HOUR, type Instant, instant, seconds } from "#protocol/units.ts";
import type { CompactionStep } from "#server/store/compact.ts";
import { type DuckdbStore, duckdbStore } from "#server/store/duckdb.ts";
import type { Contribution } from "#server/store/store.ts";

let place: string;
let file: string;
let store: DuckdbStore;
beforeEach(async () => {
  place = mkdtempSync(join(tmpdir(), "vigie-archive-"));
  file = join(place, "readings.duckdb");
  store = duckdbStore(file);
  await store.open();
});
afterEach(async () => {
  await store.close();
  rmSync(place, { recursive: true, force: true });
});

/** Monday, 2 March 2026, 0:00 UTC. */
const MONDAY = Date.UTC(2026, 2, 2);
const after = (hours: number): Instant => instant(MONDAY + hours * HOUR);
const reading = (device: string, hours: number, value: number, measure = "level"): Reading => ({
  device,
  measure,
  at: after(hours),
  value,
});
const says = (readings: readonly Reading[]): Contribution => ({ station: "s", epoch: "e", first: 1, readings });
const archives = (): string[] => {
  const directory = join(place, "readings.archive");
  return existsSync(directory) ? readdirSync(directory).sort() : [];
};
const values = async (device: string, from = -1e4, to = 1e4): Promise<number[]> =>
  (await store.range(device, "level", after(from), after(to), 1e6)).map(({ value }) => value);

async function again(): Promise<void> {
  await store.close();
  store = duckdbStore(file);
  await store.open();
}

test("a week of three lamps lies in one archive, and every question has the answer that it had before", async () => {
  const week = Array.from({ length: 7 * 24 * 4 }, (_, quarter) =>
    ["lamp-1", "lamp-2", "lamp-3"].flatMap((device, index) => [
      reading(device, quarter / 4, quarter + index),
      reading(device, quarter / 4, 40, "power_W"),
    ]),
  ).flat();
  await store.commit([says(week)]);
  const asked = async () => [
    await store.range("lamp-2", "level", after(30), after(40), 100),
    await store.aggregate({
      devices: ["lamp-1", "lamp-2"],
      measure: "level",
      from: after(0),
      to: after(168),
      every: seconds(3600),
      by: "device",
    }),
    await store.series(),
    (await store.size()).readings,
    await store.marks(),
    (await store.latest()).sort((a, b) => (a.device + a.measure < b.device + b.measure ? -1 : 1)),
  ];
  const before = await asked();
  expect(await store.compact(after(168))).toBe(1);
  expect(await asked()).toEqual(before);
  await again();
  expect(await asked()).toEqual(before);
  expect(archives().map((name) => name.replace(/^\w{8}-/, ""))).toEqual([
    "2026-03-02-hour-3.parquet",
    "2026-03-02-quarter-2.parquet",
    "2026-03-02-raw-1.duckdb",
  ]);
});

test("only whole days before the limit are moved, the week's archive grows with them, and what it replaces is gone", async () => {
  await store.commit([says([0, 12, 30, 60, 200].map((hours) => reading("lamp-1", hours, hours)))]);
  expect(await store.compact(after(47))).toBe(1);
  expect(archives()).toHaveLength(3);
  expect(await values("lamp-1")).toEqual([0, 12, 30, 60, 200]);
  expect(await store.compact(after(72))).toBe(1);
  // Nothing older than the limit is left.
  expect(await store.compact(after(73))).toBe(0);
  expect(archives()).toHaveLength(3);
  expect(await values("lamp-1")).toEqual([0, 12, 30, 60, 200]);
  // The first week has grown no more.
  expect(await store.compact(after(24 * 14))).toBe(1);
  expect(archives()).toHaveLength(6);
  expect(await values("lamp-1")).toEqual([0, 12, 30, 60, 200]);
});

test("what is said late about an archived instant wins at once, and the next compaction takes it in", async () => {
  await store.commit([says([1, 2, 3].map((hours) => reading("lamp-1", hours, hours)))]);
  await store.compact(after(24));
  await store.commit([says([reading("lamp-1", 2, 0.5), reading("lamp-1", 2.5, 0.6), reading("lamp-2", 1, 0.7)])]);
  expect(await values("lamp-1")).toEqual([1, 0.5, 0.6, 3]);
  expect((await store.size()).readings).toBe(5);
  await again();
  expect(await values("lamp-1")).toEqual([1, 0.5, 0.6, 3]);
  expect(await store.compact(after(24))).toBe(1);
  expect(await values("lamp-1")).toEqual([1, 0.5, 0.6, 3]);
  expect(await values("lamp-2")).toEqual([0.7]);
  expect((await store.size()).readings).toBe(5);
  expect(await store.compact(after(24))).toBe(0);
});

test("a reader that began before a compaction reads on in what it has replaced", async () => {
  const many = Array.from({ length: 5000 }, (_, index) => reading("lamp-1", index / 100, index));
  await store.commit([says(many)]);
  await store.compact(after(24));
  const reads = Array.from({ length: 8 }, () => values("lamp-1"));
  const compacted = store.compact(after(48));
  for (const each of [...reads, values("lamp-1")]) expect(await each).toHaveLength(5000);
  await compacted;
  expect(archives()).toHaveLength(3);
});

test("commits while a compaction runs are neither lost nor doubled, whenever they come", async () => {
  await store.commit([says([1, 2, 3].map((hours) => reading("lamp-1", hours, hours)))]);
  let steps = 0;
  const said: Promise<void>[] = [];
  await store.compact(after(24), undefined, () => {
    steps++;
    said.push(store.commit([says([reading("lamp-1", 3 + steps, steps), reading("lamp-1", 2, steps)])]));
  });
  await Promise.all(said);
  // The archive was written once, and once more for what came late meanwhile.
  expect(steps).toBe(10);
  const all = [1, 10, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  expect(await values("lamp-1")).toEqual(all);
  await again();
  expect(await values("lamp-1")).toEqual(all);
  await store.compact(after(24));
  expect(await values("lamp-1")).toEqual(all);
  expect((await store.size()).readings).toBe(13);
});

test("at random: commits, late ones, compactions, drops and restarts give what a list would", async () => {
  const said = fc.array(
    fc.record({
      device: fc.constantFrom("lamp-1", "lamp-2"),
      hours: fc.integer({ min: 0, max: 24 * 16 }),
      value: fc.integer({ min: 0, max: 9 }),
    }),
    { minLength: 1, maxLength: 12 },
  );
  const action = fc.oneof(
    { weight: 4, arbitrary: said.map((readings) => ({ readings })) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 17 }).map((compact) => ({ compact })) },
    { weight: 1, arbitrary: fc.constant({ again: true }) },
  );
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 3, maxLength: 12 }), async (actions) => {
      await store.close();
      file = join(place, `${runs++}.duckdb`);
      store = duckdbStore(file);
      const list = new Map<string, Reading>();
      for (const each of actions) {
        if ("readings" in each) {
          const readings = each.readings.map(({ device, hours, value }) => reading(device, hours, value));
          await store.commit([says(readings)]);
          for (const one of readings) list.set(`${one.device} ${one.at}`, one);
        } else if ("compact" in each) await store.compact(instant(MONDAY + each.compact * DAY));
        else await again();
        for (const device of ["lamp-1", "lamp-2"]) {
          expect(await store.range(device, "level", after(-1), after(1e4), 1e6)).toEqual(
            [...list.values()].filter((one) => one.device === device).sort((a, b) => a.at - b.at),
          );
        }
        expect((await store.size()).readings).toBe(list.size);
      }
    }),
    { numRuns: 8, endOnFailure: true },
  );
});

const STEPS: readonly CompactionStep[] = ["frozen", "written", "rolled up", "listed", "collected"];

test.each(STEPS)(
  "killed when it has %s, a compaction has lost nothing, doubled nothing and left nothing behind",
  async (step) => {
    // So many are archived by a process of its own.
    const count = 75_000;
    await store.commit([says(Array.from({ length: count }, (_, index) => reading("lamp-1", index / 1000, index)))]);
    await store.compact(after(24));
    await store.commit([says([reading("lamp-1", 1, -1), reading("lamp-1", 30, -2)])]);
    const before = await values("lamp-1");
    await store.close();
    const root = join(import.meta.dirname, "../../..");
    const script = join(place, "compact.mjs");
    writeFileSync(
      script,
      `const { duckdbStore } = await import("${root}/server/store/duckdb.ts");
     const store = duckdbStore("${file}");
     await store.compact(${after(72)}, undefined, (step) => {
       if (step === "${step}") process.kill(process.pid, "SIGKILL");
     });`,
    );
    const child = spawn(process.execPath, [script], { stdio: "inherit" });
    const [, signal] = (await once(child, "exit")) as [number | null, string | null];
    expect(signal).toBe("SIGKILL");
    await again();
    expect(await values("lamp-1")).toEqual(before);
    expect((await store.size()).readings).toBe(count);
    // One archive and two roll-ups, the old ones or the new ones.
    expect(archives()).toHaveLength(3);
    await store.compact(after(72));
    expect(await values("lamp-1")).toEqual(before);
    expect((await store.size()).readings).toBe(count);
  },
);
