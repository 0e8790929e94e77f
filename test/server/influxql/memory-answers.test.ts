import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { answerText } from "#server/store/influxql/answers.ts";
import type { DuckdbEngine } from "#server/store/influxql/duckdb-engine.ts";
import type { AnswerForm, QueryOptions } from "#server/store/influxql/engine.ts";
import { askEngine, difference, engineInMemory, LIMITS } from "./compare.ts";
import { question, world } from "./questions.ts";

const HOUR = 3_600_000;
const DAY = Date.UTC(2026, 2, 24);
const END = DAY + 3 * HOUR;
const SPAN = `time >= ${DAY}ms AND time < ${END}ms`;
const NOW_NS = BigInt(Date.UTC(2026, 2, 30)) * 1_000_000n;
const OPTIONS: QueryOptions = { database: "vigie", now_ns: NOW_NS, limits: LIMITS };
const FORM: AnswerForm = { csv: false, pretty: false, epoch_ns: 1_000_000n };

const write = (engine: DuckdbEngine, body: string): Promise<void> =>
  engine.writeLines(new TextEncoder().encode(body), { database: "vigie", precision_ns: 1n, now_ns: 0n });

async function holding(body: string): Promise<DuckdbEngine> {
  const engine = await engineInMemory(8);
  await write(engine, body);
  await engine.remember(Number(NOW_NS / 1_000_000n));
  return engine;
}

describe("Of random questions about a random world", () => {
  const start_ns = BigInt(Date.UTC(2026, 2, 24, 12)) * 1_000_000n;
  const questions = fc.sample(question(start_ns), { seed: 7, numRuns: 250 });
  let database: DuckdbEngine;
  let memory: DuckdbEngine;
  beforeAll(async () => {
    const body = fc.sample(world(start_ns), { seed: 7, numRuns: 1 })[0]?.body ?? "";
    database = await engineInMemory();
    await write(database, body);
    memory = await holding(body);
  });
  afterAll(async () => {
    await database.close();
    await memory.close();
  });

  test("memory answers each as the database does", async () => {
    for (const text of questions) {
      const [held, stored] = [await askEngine(memory, text, NOW_NS), await askEngine(database, text, NOW_NS)];
      expect([text, difference(held, stored)]).toEqual([text, undefined]);
    }
  });

  test.each<readonly [string, AnswerForm]>([
    ["JSON in milliseconds", FORM],
    ["JSON with times as texts", { ...FORM, epoch_ns: undefined }],
    ["JSON in pieces", { ...FORM, chunk_rows: 2 }],
    ["CSV", { ...FORM, csv: true }],
  ])("what is written of it without rows is what is written of rows: %s", async (_, form) => {
    for (const text of questions.slice(0, 120)) {
      const rows = await memory.query(text, OPTIONS).then((results) => answerText(results, form), String);
      const written = await memory.answer(text, OPTIONS, form).then((body) => Buffer.from(body).toString(), String);
      expect([text, written]).toEqual([text, rows]);
    }
  });
});

describe("Functions around functions are computed column by column", () => {
  let engine: DuckdbEngine;
  /** Three lamps of two streets for three hours; a reading every ten minutes, of counters that go on by 10, 20 and 30 Wh each time. */
  beforeAll(async () => {
    const lines: string[] = [];
    for (let lamp = 1; lamp <= 3; lamp++) {
      for (let point = 0; point < 18; point++) {
        const at_ns = `${DAY + point * 600_000}000000`;
        const street = lamp === 3 ? "quai" : "haute";
        lines.push(`lamp,device=L${lamp},street=${street} energy_Wh=${lamp * 10 * point},starts=${point}i ${at_ns}`);
      }
    }
    engine = await holding(lines.join("\n"));
  });
  afterAll(() => engine.close());

  const values = async (text: string): Promise<unknown[]> => {
    const [result] = await askEngine(engine, text, NOW_NS);
    expect(result?.error).toBeUndefined();
    return (result?.series ?? []).map((each) => each.values.map((row) => row.slice(1)));
  };

  test.each([
    // From one hour's last reading to the next there are six steps: 6 × (10 + 20) and 6 × 30.
    [
      "how counters grew from hour to hour, by street",
      `SELECT sum(grown) FROM (SELECT non_negative_difference(last(energy_Wh)) AS grown FROM lamp WHERE ${SPAN} GROUP BY time(1h), device, street) WHERE ${SPAN} GROUP BY time(1h), street fill(none)`,
      [
        [[180], [180]],
        [[180], [180]],
      ],
    ],
    // Two hours of 180 Wh; on a grid of two hours from 00:00 the first of them lies in the first window.
    [
      "windows around windows that are shorter",
      `SELECT sum(grown) FROM (SELECT difference(last(energy_Wh)) AS grown FROM lamp WHERE street = 'quai' GROUP BY time(1h), device) WHERE ${SPAN} GROUP BY time(2h) fill(none)`,
      [[[180], [180]]],
    ],
    // Wh of the last reading before each full hour: 50, 110, 170 times 1, 2 and 3; half of the sum.
    [
      "arithmetic inside, a condition on what it gives around",
      `SELECT max(half) FROM (SELECT sum(last_Wh) / 2 AS half FROM (SELECT last(energy_Wh) AS last_Wh FROM lamp GROUP BY time(1h), device) GROUP BY time(1h)) WHERE ${SPAN} AND half < 500`,
      [[[330]]],
    ],
    // Starts of 0 to 5, 6 to 11 and 12 to 17 in the three hours: 3 × 15, 3 × 51, 3 × 87.
    [
      "whole numbers, which stay whole",
      `SELECT sum(n) FROM (SELECT sum(starts) AS n FROM lamp GROUP BY time(1h), device) WHERE ${SPAN} GROUP BY time(1h)`,
      [[[45], [153], [261]]],
    ],
  ])("%s", async (_, text, expected) => {
    expect(await values(text)).toEqual(expected);
  });
});
