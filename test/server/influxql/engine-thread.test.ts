import { afterEach, beforeEach, expect, test } from "vitest";
import type { DuckdbEngine } from "#server/store/influxql/duckdb-engine.ts";
import { InfluxError, type QueryOptions } from "#server/store/influxql/engine.ts";
import { engineInMemory, LIMITS } from "./compare.ts";

const OPTIONS: QueryOptions = { database: "vigie", now_ns: 0n, limits: LIMITS };
const MINUTE_MS = 60_000;

let engine: DuckdbEngine;
beforeEach(async () => {
  engine = await engineInMemory(1);
  await write('lamp,device=L1 level=1 1000000\nlamp,device=L2 level=3,state="lit" 2000000');
});
afterEach(() => engine.close());

const write = (lines: string): Promise<void> =>
  engine.writeLines(new TextEncoder().encode(lines), { database: "vigie", precision_ns: 1n, now_ns: 0n });
/** Long texts are handed to the thread, however little they ask for. */
const handed = (text: string): string => text.padEnd(2001);
const value = async (text: string): Promise<unknown> => {
  const [result] = await engine.query(handed(text), OPTIONS);
  return result?.error ?? result?.series[0]?.values[0]?.[1];
};

test("what is in memory is answered there, as it was written last, and names, too", async () => {
  expect(await value("SELECT sum(level) FROM lamp")).toBe(4);
  await engine.remember(0);
  expect(engine.answered).toEqual({ memory: 0, database: 1 });
  await write("lamp,device=L2 level=5 2000000\nlamp,device=L3 level=7 3000000");
  expect(await value("SELECT sum(level) FROM lamp")).toBe(13);
  expect(await value("SELECT last(level) FROM lamp WHERE device = 'L3'")).toBe(7);
  expect(
    (await engine.query(handed("SHOW TAG VALUES FROM lamp WITH KEY = device"), OPTIONS))[0]?.series[0]?.values,
  ).toEqual([
    ["device", "L1"],
    ["device", "L2"],
    ["device", "L3"],
  ]);
  expect(engine.answered).toEqual({ memory: 3, database: 1 });
});

test("what is not in memory is read from the database for the thread, within the question's limits", async () => {
  await engine.remember(0);
  await write("lamp,device=L1 level=9 1000001");
  expect(await value("SELECT max(level) FROM lamp")).toBe(9);
  expect(await value("SELECT cumulative_sum(level) FROM lamp WHERE time > 0 ORDER BY time DESC")).toBe(3);
  expect(engine.answered).toEqual({ memory: 0, database: 2 });
  const [refused] = await engine.query(handed("SELECT level FROM lamp"), {
    ...OPTIONS,
    limits: { ...LIMITS, points: 2 },
  });
  expect(refused?.error).toBe("max-select-point limit exceeed: (3/2)");
});

test("a question that holds what marks a place in SQL is answered by the database alone, and reads nothing else", async () => {
  await engine.remember(0);
  expect(await value("SELECT count(level) FROM lamp WHERE state = '\uE0000\uE000' OR state = 'lit'")).toBe(1n);
  expect(engine.answered).toEqual({ memory: 0, database: 1 });
});

test("an answer is written by the thread as the database's is, however long", async () => {
  const form = { csv: false, pretty: false, epoch_ns: 1_000_000n };
  const lines = Array.from({ length: 2000 }, (_, index) => `bin,street=rue\\ Élise fill=${index} ${index}000000`);
  await write(lines.join("\n"));
  const questions = ["SELECT fill FROM bin GROUP BY street", "SELECT fill FROM bin LIMIT 1", "SELECT ( FROM bin"];
  const all = async (): Promise<string[]> =>
    Promise.all(
      questions.map(async (text) => {
        try {
          const answer = await engine.answer(handed(text), OPTIONS, form);
          return typeof answer === "string" ? answer : new TextDecoder().decode(answer);
        } catch (problem) {
          return `${(problem as InfluxError).status}: ${(problem as InfluxError).message}`;
        }
      }),
    );
  const database = await all();
  await engine.remember(0);
  expect(await all()).toEqual(database);
  expect(database[2]).toMatch(/^400: error parsing query/);
  expect(engine.answered.memory).toBe(2);
});

test("a question whose time is over ends its thread: another reads from the database, and holds again after ten minutes", async () => {
  await engine.remember(0);
  const over = new InfluxError(500, "query timeout: it took more than 30000 ms");
  const asked = engine.query(handed("SELECT sum(level) FROM lamp"), { ...OPTIONS, signal: AbortSignal.abort(over) });
  await expect(asked).rejects.toBe(over);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await engine.remember(9 * MINUTE_MS);
  expect(await value("SELECT sum(level) FROM lamp")).toBe(4);
  expect(engine.answered.memory).toBe(0);
  await engine.remember(11 * MINUTE_MS);
  expect(await value("SELECT sum(level) FROM lamp")).toBe(4);
  expect(engine.answered.memory).toBe(1);
});

test("a question that needs more memory than the thread has is refused, and the server goes on", async () => {
  await engine.remember(0, 32);
  const lines = Array.from(
    { length: 300_000 },
    (_, at) => `bin,device=B${at % 3} fill=${at},weight_kg=${at / 2} ${at}`,
  );
  await write(lines.join("\n"));
  await expect(engine.query(handed("SELECT * FROM bin"), OPTIONS)).rejects.toThrow(
    new InfluxError(500, "query needs more memory than it may have (512 MB)"),
  );
  await engine.remember(MINUTE_MS);
  expect(await value("SELECT count(fill) FROM bin")).toBe(300_000n);
  expect(engine.answered.database).toBe(1);
}, 30_000);

test("who is gone is not answered, and takes nothing from others", async () => {
  await engine.remember(0);
  const gone = engine.query(handed("SELECT sum(level) FROM lamp"), { ...OPTIONS, signal: AbortSignal.abort() });
  await expect(gone).rejects.toThrow("query interrupted");
  expect(await value("SELECT sum(level) FROM lamp")).toBe(4);
  expect(engine.answered.memory).toBe(1);
});
