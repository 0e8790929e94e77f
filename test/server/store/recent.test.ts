import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DAY, HOUR, instant } from "#protocol/units.ts";
import { point } from "#server/chronicle/point.ts";
import type { Describe } from "#server/store/describe.ts";
import { type DuckdbStore, duckdbStore } from "#server/store/duckdb.ts";

const NOON = Date.UTC(2026, 2, 2, 12);
const describe: Describe = (device) => ({ measurement: "lamp", tags: { device, street: `R ${device.length}` } });
const LIMITS = { points: 0, series: 0, buckets: 0, time_ms: 0 };

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "vigie-recent-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

let stores = 0;
async function opened(recent_MB: number): Promise<DuckdbStore> {
  const store = duckdbStore(join(directory, `${++stores}.duckdb`), { describe, recent_MB });
  await store.open();
  return store;
}

/** From before all that is removed, and from after it. */
const QUESTIONS = ["1772100000s", `${NOON / 1000 + 5 * 86_400}s`].flatMap((from) => [
  `SELECT mean(power_W), max(power_W), count(power_W) FROM lamp WHERE time >= ${from} GROUP BY time(6h), street`,
  `SELECT power_W, level FROM lamp WHERE time >= ${from} AND level > 2 ORDER BY time DESC LIMIT 20`,
  "SELECT last(power_W) FROM lamp GROUP BY device",
  `SELECT sum(energy_kWh), last(energy_kWh) FROM lighting WHERE time >= ${from} GROUP BY street`,
  `SELECT sum(d) FROM (SELECT non_negative_difference(last(power_W)) AS d FROM lamp WHERE time >= ${from} GROUP BY time(1h), device)`,
]);
/** As it is asked, and so long that it is handed to the other thread. */
const answer = async (store: DuckdbStore, question: string): Promise<unknown> => [
  await answered(store, question),
  await answered(store, question.padEnd(2001)),
];
const answered = async (store: DuckdbStore, question: string): Promise<unknown> => {
  const now_ns = BigInt(NOON + 10 * DAY) * 1_000_000n;
  const results = await store.influx?.query(question, { database: "vigie", now_ns, limits: LIMITS });
  return results?.map(({ series, error }) => error ?? series);
};

let next = 1;
const act = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      act: fc.constant("commit" as const),
      readings: fc.array(
        fc.record({
          device: fc.constantFrom("L1", "L2", "L10"),
          measure: fc.constantFrom("power_W", "level"),
          at: fc.integer({ min: 0, max: 9 * 24 }).map((hour) => instant(NOON + hour * HOUR)),
          value: fc.integer({ min: 0, max: 50 }).map((value) => value / 4),
        }),
        { minLength: 1, maxLength: 12 },
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      act: fc.constant("record" as const),
      at: fc.integer({ min: 0, max: 9 * 24 }).map((hour) => instant(NOON + hour * HOUR)),
      street: fc.constantFrom("R 2", "R 3"),
      value: fc.integer({ min: 0, max: 50 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("compact" as const), day: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("prune" as const), day: fc.integer({ min: 0, max: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant("remember" as const) }) },
);

test("memory and database answer the same whatever is written, late, moved or removed, and whenever memory began", async () => {
  const fromMemory = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 4, maxLength: 14 }), async (acts) => {
      // One that answers by SQL alone, and one that holds what is newest in memory.
      const [plain, holding] = [await opened(0), await opened(1)];
      const both = (work: (store: DuckdbStore) => Promise<unknown>): Promise<unknown> =>
        Promise.all([plain, holding].map(work));
      for (const each of acts) {
        switch (each.act) {
          case "commit": {
            const first = next;
            next += each.readings.length;
            await both((store) => store.commit([{ station: "S", epoch: "e", first, readings: each.readings }]));
            break;
          }
          case "record": {
            const points = [point("lighting", each.at, { street: each.street }, { energy_kWh: each.value })];
            await both((store) => store.record(points));
            break;
          }
          case "compact":
            await both((store) => store.compact(instant(NOON + each.day * DAY)));
            break;
          case "prune":
            await both((store) => store.prune(instant(NOON + each.day * DAY)));
            break;
          case "remember":
            await holding.remember(instant(NOON + 10 * DAY));
            break;
        }
      }
      await holding.remember(instant(NOON + 10 * DAY));
      for (const question of QUESTIONS) {
        const before = holding.influx?.answered.memory ?? 0;
        expect(await answer(holding, question)).toEqual(await answer(plain, question));
        if ((holding.influx?.answered.memory ?? 0) > before) fromMemory.add(question);
      }
      await both((store) => store.close());
    }),
    { numRuns: 12 },
  );
  expect([...fromMemory]).toEqual(expect.arrayContaining(QUESTIONS.slice(QUESTIONS.length / 2)));
});
