import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Select } from "#server/store/influxql/ast.ts";
import type { Read } from "#server/store/influxql/calls.ts";
import { DuckdbEngine } from "#server/store/influxql/duckdb-engine.ts";
import type { Value } from "#server/store/influxql/evaluate.ts";
import { parse } from "#server/store/influxql/parse.ts";
import { runSelect } from "#server/store/influxql/select.ts";
import { LIMITS } from "./compare.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = Date.UTC(2026, 2, 24);
const END = DAY + 48 * HOUR;
const SPAN = `time >= ${DAY}ms AND time < ${END}ms`;

let instance: DuckDBInstance;
let engine: DuckdbEngine;
let connection: DuckDBConnection;

const write = (...lines: readonly string[]): Promise<void> =>
  engine.writeLines(Buffer.from(lines.join("\n")), { database: "vigie", precision_ns: 1_000_000n, now_ns: 0n });

/** Six lamps of two streets for two days, a point every ten minutes: 60 W each, so that they count 10 Wh from one to the next. */
beforeAll(async () => {
  instance = await DuckDBInstance.create(":memory:");
  engine = new DuckdbEngine(instance);
  await engine.open();
  connection = await instance.connect();
  const lines: string[] = [];
  for (let lamp = 1; lamp <= 6; lamp++) {
    for (let point = 0; point < 48 * 6; point++) {
      const series = `lamp,device=L${lamp},street=${lamp <= 3 ? "haute" : "quai"}`;
      const fields = `power_W=60,energy_Wh=${point * 10},lit=${lamp}i,level=${lamp * (point % 6 === 0 ? 2 : 1)}`;
      lines.push(`${series} ${fields} ${DAY + point * 10 * MINUTE}`);
    }
  }
  await write(...lines);
});
afterAll(async () => {
  connection.closeSync();
  await engine.close();
  instance.closeSync();
});

/** Asks, and counts the rows that come out of the database. */
async function asked(text: string, recent?: Read["recent"]): Promise<{ rows: Value[][]; crossed: number }> {
  let crossed = 0;
  const read: Read = {
    catalogue: engine.catalogue,
    limits: LIMITS,
    now_ns: BigInt(END) * 1_000_000n,
    recent,
    took: (points) => void (crossed += points),
    relation: () => "readings",
    async fetch(sql) {
      const columns: Value[][] = [];
      await read.each(sql, (chunk) => {
        chunk.forEach((values, column) => (columns[column] ??= []).push(...values));
      });
      return columns;
    },
    async each(sql, take) {
      const result = await connection.stream(sql);
      for (
        let chunk = await result.fetchChunk();
        chunk !== null && chunk.rowCount > 0;
        chunk = await result.fetchChunk()
      ) {
        crossed += chunk.rowCount;
        const own = chunk;
        take(Array.from({ length: result.columnCount }, (_, column) => own.getColumnValues(column) as Value[]));
      }
    },
  };
  const [select] = parse(text);
  const series = await runSelect(select as Select, read);
  return { rows: series.flatMap(({ values }) => values.map((row) => row.slice(1))), crossed };
}

describe("no row comes out of the database that an aggregate takes up, only what the outermost SELECT gives", () => {
  test.each([
    // Levels of 1 to 6 (mean 3.5), and twice that in one of six points: 3.5 × 7 / 6, in per cent.
    [
      "fields and arithmetic",
      `SELECT mean(v) FROM (SELECT level * 100 AS v FROM lamp WHERE level > 0) WHERE ${SPAN} GROUP BY time(1d)`,
      [[(350 * 7) / 6], [(350 * 7) / 6]],
    ],
    // An hour of all lamps: levels 21 × 7, lit 21 × 6.
    [
      "arithmetic between aggregates",
      `SELECT max(share) FROM (SELECT sum(level) / sum(lit) AS share FROM lamp GROUP BY time(1h) fill(none)) WHERE ${SPAN}`,
      [[7 / 6]],
    ],
    // 60 Wh an hour and lamp, three lamps a street; nothing is known of before the first hour: 23 × 180, 24 × 180.
    [
      "how counters grew, device by device, by street",
      `SELECT sum(grown) FROM (SELECT non_negative_difference(last(energy_Wh)) AS grown FROM lamp WHERE ${SPAN} GROUP BY time(1h), device, street) WHERE ${SPAN} GROUP BY time(1d), street fill(none)`,
      [[4140], [4320], [4140], [4320]],
    ],
    // The street of lamps 4 to 6: 23 hours of 180 Wh and 24 of them; the mean of the two days.
    [
      "a SELECT inside one inside another, with conditions on a tag and a column",
      `SELECT mean(day) FROM (SELECT sum(grown) AS day FROM (SELECT non_negative_difference(last(energy_Wh)) AS grown FROM lamp GROUP BY time(1h), device, street) WHERE street = 'quai' AND grown > 1 GROUP BY time(1d)) WHERE ${SPAN}`,
      [[4230]],
    ],
    [
      "the first and the last of those that it picks",
      `SELECT count(v), max(v) FROM (SELECT last(energy_Wh) AS v FROM lamp GROUP BY device) WHERE ${SPAN}`,
      [[6n, 2870]],
    ],
    // Levels of 1 to 6 and twice as much: 1, 2, 3, 4, 5, 6, 8, 10, 12.
    ["how many values there are", `SELECT count(distinct(level)) FROM lamp WHERE ${SPAN}`, [[9]]],
    [
      "how many values there are of what is computed",
      `SELECT count(distinct(v)) FROM (SELECT level * 2 AS v FROM lamp) WHERE ${SPAN} GROUP BY time(1d)`,
      [[9], [9]],
    ],
    // 60 W for 24 hours, but for the last ten minutes, of which nothing is known any more.
    [
      "areas",
      `SELECT integral(power_W, 1h) FROM lamp WHERE ${SPAN} AND device = 'L1' GROUP BY time(1d)`,
      [[1440], [1430]],
    ],
    [
      "the sum of areas",
      `SELECT sum(Wh) FROM (SELECT integral(power_W, 1h) AS Wh FROM lamp GROUP BY time(1h), device) WHERE ${SPAN} GROUP BY time(1d)`,
      [[1440 * 6], [1430 * 6]],
    ],
  ])("%s", async (_, text, expected) => {
    const { rows, crossed } = await asked(text);
    expect(rows).toHaveLength(expected.length);
    rows.flat().forEach((value, index) => {
      expect(Number(value)).toBeCloseTo(Number(expected.flat()[index]), 6);
    });
    const calls = expected[0]?.length ?? 0;
    expect(crossed).toBe(rows.length * calls);
    // No more where memory is looked at first and holds nothing of it.
    expect(await asked(text, { readings: undefined, points: undefined })).toEqual({ rows, crossed });
  });
});

test("forty SELECTs inside each other, or three aggregates in each of four, are planned in good time", async () => {
  const inside = (levels: number, columns: string, innermost: string): string =>
    Array.from({ length: levels }).reduce<string>(
      (inner) => `SELECT ${columns} FROM (${inner}) GROUP BY time(1d) fill(none)`,
      innermost,
    );
  const deep = inside(40, "max(v) AS v", "SELECT level AS v FROM lamp");
  expect((await asked(`SELECT sum(v) FROM (${deep}) WHERE ${SPAN}`)).rows).toEqual([[24]]);
  // 12 a day at most; (12 + 12 - 12) from then on.
  const wide = inside(
    4,
    "max(v) + max(w) - min(v) AS v, max(w) AS w",
    "SELECT max(level) AS v, max(level) AS w FROM lamp GROUP BY time(1d)",
  );
  expect((await asked(`SELECT sum(v) FROM (${wide}) WHERE ${SPAN}`)).rows).toEqual([[24]]);
});

describe("an area is cut where a window ends", () => {
  const areas = async (field: string): Promise<Value[][]> => {
    const span = `time >= ${DAY + 12 * HOUR}ms AND time < ${DAY + 18 * HOUR}ms`;
    return (await asked(`SELECT integral(${field}, 1h) FROM flow WHERE ${span} GROUP BY time(1h)`)).rows;
  };
  beforeAll(async () => {
    const at = (hours: number): number => DAY + hours * HOUR;
    await write(`flow a=0,b=0,c=0i ${at(12.5)}`, `flow a=60,c=60i ${at(13.5)}`, `flow b=180 ${at(15.5)}`);
  });

  test("at the value on the line between two points", async () => {
    // 0 to 60 in an hour, half of it in each window: (0 + 30) / 2 × ½, (30 + 60) / 2 × ½
    expect(await areas("a")).toEqual([[7.5], [22.5]]);
  });

  test("and belongs to the window of the second point where there are windows without any", async () => {
    // From 13:00 to 15:30: (30 + 180) / 2 × 2½
    expect(await areas("b")).toEqual([[7.5], [262.5]]);
  });

  test("and of whole numbers goes on from the value before the cut to that at it, as in InfluxDB", async () => {
    expect(await areas("c")).toEqual([[7.5], [7.5]]);
  });
});
