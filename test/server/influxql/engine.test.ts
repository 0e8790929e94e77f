import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DuckdbEngine, type OwnReadings } from "#server/store/influxql/duckdb-engine.ts";
import { InfluxError, type QueryLimits } from "#server/store/influxql/engine.ts";
import { LIMITS } from "./compare.ts";

let directory: string;
let instance: DuckDBInstance;
let engine: DuckdbEngine;

const MINUTE = 60_000;
const DAY = Date.UTC(2026, 2, 24);
const NOW_NS = BigInt(DAY + 24 * 60 * MINUTE) * 1_000_000n;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "vigie-influxql-"));
  await open();
});
afterEach(async () => {
  await close();
  rmSync(directory, { recursive: true });
});

async function open(own?: OwnReadings): Promise<void> {
  instance = await DuckDBInstance.create(join(directory, "town.duckdb"));
  engine = new DuckdbEngine(instance, own);
  await engine.open();
}

async function close(): Promise<void> {
  await engine.close();
  instance.closeSync();
}

const write = (...lines: string[]): Promise<void> =>
  engine.writeLines(Buffer.from(lines.join("\n")), { database: "vigie", precision_ns: 1_000_000n, now_ns: NOW_NS });

async function ask(text: string, limits: QueryLimits = LIMITS, database = "vigie"): Promise<unknown> {
  const [result] = await engine.query(text, { database, now_ns: NOW_NS, limits });
  if (result?.error !== undefined) return result.error;
  return result?.series.map(({ values }) => values.map((row) => row.slice(1)));
}

test("two values of one field at one instant are one, whichever body they came in, and the last stays", async () => {
  await write(`lamp,device=L1 level=1 ${DAY}`, `lamp,device=L1 level=2 ${DAY}`, `lamp,device=L1 level=3 ${DAY + 1}`);
  expect(await ask("SELECT level FROM lamp")).toEqual([[[2], [3]]]);
  await write(`lamp,device=L1 level=4 ${DAY}`);
  expect(await ask("SELECT level FROM lamp")).toEqual([[[4], [3]]]);
  expect(await ask("SELECT last(level) FROM lamp")).toEqual([[[3]]]);
});

test("a field of another type is refused with InfluxDB's words, and the other points are kept", async () => {
  await write(`lamp,device=L1 level=1 ${DAY}`);
  const refused = write(`lamp,device=L2 level=1i ${DAY}`, `lamp,device=L3 level=7 ${DAY}`);
  await expect(refused).rejects.toThrow(
    new InfluxError(
      400,
      'partial write: field type conflict: input field "level" on measurement "lamp" is type integer, already exists as type float dropped=1',
    ),
  );
  expect(await ask("SELECT sum(level) FROM lamp")).toEqual([[[8]]]);
});

test("what was written is there after the database was closed and opened again", async () => {
  await write(`bin,device=B1 fill=0.25,weight=12i,lid=true,note="half \\"full\\"" ${DAY}`);
  await close();
  await open();
  expect(await ask("SELECT fill, weight, lid, note FROM bin")).toEqual([[[0.25, 12n, true, 'half "full"']]]);
  expect(await ask("SELECT last(fill) FROM bin")).toEqual([[[0.25]]]);
  await write(`bin,device=B1 fill=0.5 ${DAY}`, `bin,device=B2 fill=0.75 ${DAY}`);
  expect(await ask("SELECT max(fill) FROM bin GROUP BY device")).toEqual([[[0.5]], [[0.75]]]);
});

test("readings of our own devices stand beside what others write, under the tags of the territory", async () => {
  await close();
  await open({
    relation: () => "readings",
    read: (work) => work(),
    describe: (device) => (device === "L9" ? undefined : { measurement: "lamp", tags: { device, street: "quai" } }),
  });
  const connection = await instance.connect();
  await connection.run("CREATE TABLE readings(series INTEGER, instant BIGINT, value DOUBLE)");
  await connection.run(`INSERT INTO readings VALUES (0, ${DAY}, 10), (0, ${DAY + MINUTE}, 20), (1, ${DAY}, 30)`);
  engine.note(0, "L1", "level", DAY + MINUTE, 20);
  engine.note(1, "L2", "level", DAY, 30);
  await write(`lamp,device=L3,street=pont level=60 ${DAY}`);
  // quai: (10 + 20 + 30) / 3
  expect(await ask("SELECT mean(level) FROM lamp GROUP BY street")).toEqual([[[60]], [[20]]]);
  expect(
    await ask(`SELECT sum(level) FROM lamp WHERE time >= ${DAY}ms AND time < ${DAY + 1}ms GROUP BY time(1m)`),
  ).toEqual([[[100]]]);
  expect(await ask("SELECT last(level), device FROM lamp WHERE street = 'quai'")).toEqual([[[20, "L1"]]]);
  engine.note(2, "L9", "level", DAY, 5);
  expect(await ask("SHOW TAG VALUES FROM device WITH KEY = device")).toEqual([[["L9"]]]);
  connection.closeSync();
});

test("a question that takes more than it may ends with the limit in its words", async () => {
  await write(
    ...Array.from({ length: 50 }, (_, minute) => `lamp,device=L${minute % 5} level=1 ${DAY + minute * MINUTE}`),
  );
  expect(await ask("SELECT level FROM lamp", { ...LIMITS, points: 20 })).toBe(
    "max-select-point limit exceeed: (50/20)",
  );
  expect(await ask("SELECT mean(level) FROM lamp", { ...LIMITS, series: 3 })).toBe(
    "max-select-series limit exceeded: (5/3)",
  );
  const buckets = `SELECT mean(level) FROM lamp WHERE time >= ${DAY}ms AND time < ${DAY + 60 * MINUTE}ms GROUP BY time(1m)`;
  expect(await ask(buckets, { ...LIMITS, buckets: 59 })).toBe("max-select-buckets limit exceeded: (60/59)");
});

test("windows that would be filled are counted in all groups and inside other SELECTs, too", async () => {
  await write(`lamp,device=L1 level=1 ${DAY}`, `lamp,device=L2 level=1 ${DAY}`);
  const span = `time >= ${DAY}ms AND time < ${DAY + 60 * MINUTE}ms`;
  const filled = (group: string): string => `SELECT mean(level) AS level FROM lamp WHERE ${span} GROUP BY ${group}`;
  const limits = { ...LIMITS, buckets: 100 };
  expect(await ask(filled("time(1m)"), limits)).toHaveLength(1);
  const refused = "max-select-buckets limit exceeded: (120/100)";
  expect(await ask(filled("time(1m), device"), limits)).toBe(refused);
  expect(await ask(`SELECT sum(level) FROM (${filled("time(1m), device fill(0)")})`, limits)).toBe(refused);
});

test("a caller that has gone has its question ended", async () => {
  await write(`lamp,device=L1 level=1 ${DAY}`);
  const gone = new AbortController();
  gone.abort();
  const [result] = await engine.query("SELECT level FROM lamp", {
    database: "vigie",
    now_ns: NOW_NS,
    limits: LIMITS,
    signal: gone.signal,
  });
  expect(result?.error).toBe("query interrupted");
});

test("databases, policies and statements that are not here are refused, each in its words", async () => {
  expect(await ask("SELECT level FROM lamp", LIMITS, "other")).toBe("database not found: other");
  expect(await ask("SELECT level FROM lamp", LIMITS, "")).toBe("database name required");
  expect(await ask("SELECT level FROM vigie.nightly.lamp")).toBe("retention policy not found: nightly");
  expect(await ask("SELECT level INTO copy FROM lamp")).toMatch(/^INTO is not supported/);
  expect(await ask("DROP DATABASE vigie")).toMatch(/^DROP DATABASE is not supported/);
  const results = await engine.query("SHOW SHARDS ; SELECT level FROM nope..lamp ; SHOW DATABASES", {
    database: "vigie",
    now_ns: NOW_NS,
    limits: LIMITS,
  });
  expect(results.map(({ error }) => error)).toEqual([undefined, "database not found: nope", "not executed"]);
});
