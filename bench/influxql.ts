import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { DuckdbEngine } from "#server/store/influxql/duckdb-engine.ts";
import type { QueryLimits } from "#server/store/influxql/engine.ts";
import { influxdPath, type Influxd, startInfluxd } from "../test/influxd.ts";
import { examine } from "../test/server/influxql/oracle.ts";
import type { Row } from "./row.ts";

const LIMITS: QueryLimits = { points: 0, series: 0, buckets: 0, time_ms: 60_000 };
const START = Date.UTC(2026, 2, 23);
const QUARTER = 900_000;
const DEVICES = 1000;
const QUARTERS = 7 * 96;
const SPAN = `time >= ${START}ms AND time < ${START + QUARTERS * QUARTER}ms`;
/** As the server holds by default. */
const RECENT_MB = 80;
const REPEATS = 25;
const WARM_UP = 5;
const QUESTIONS = Number(process.env["VIGIE_QUESTIONS"] ?? 20_000);

interface Question {
  readonly text: string;
  readonly must?: number;
  readonly aim?: number;
}

const QUESTIONS_OF_A_WEEK: readonly (Question & { readonly what: string })[] = [
  {
    what: "hourly mean of 1,000 devices, a week",
    text: `SELECT mean(power_W) FROM lamp WHERE ${SPAN} GROUP BY time(1h)`,
    must: 50,
    aim: 25,
  },
  {
    what: "hourly means of each of 1,000 devices, a week",
    text: `SELECT mean(power_W) FROM lamp WHERE ${SPAN} GROUP BY time(1h), device`,
    must: 50,
    aim: 25,
  },
  {
    what: "hourly means by street, a week",
    text: `SELECT mean(power_W) FROM lamp WHERE ${SPAN} GROUP BY time(1h), street`,
  },
  {
    what: "daily 95th percentile by street",
    text: `SELECT percentile(power_W, 95) FROM lamp WHERE ${SPAN} GROUP BY time(1d), street`,
  },
  {
    what: "a week of one device as it is stored",
    text: `SELECT power_W FROM lamp WHERE ${SPAN} AND device = 'L7'`,
  },
];

/** A week of a thousand lamps, and InfluxQL over it: our times, and InfluxDB's beside them where it is at hand. */
export async function run(): Promise<Row[]> {
  const influxd = influxdPath === undefined ? undefined : await startInfluxd({ flux: false });
  try {
    return [...(await speeds(influxd)), ...(influxd === undefined ? [] : [await differences(influxd)])];
  } finally {
    await influxd?.stop();
  }
}

interface Both {
  ours: (text: string) => Promise<unknown>;
  theirs?: (text: string) => Promise<unknown>;
}

async function speeds(influxd: Influxd | undefined): Promise<Row[]> {
  const directory = mkdtempSync(join(tmpdir(), "vigie-bench-"));
  const instance = await DuckDBInstance.create(join(directory, "points.duckdb"), {
    threads: "2",
    memory_limit: "512MB",
  });
  const engine = new DuckdbEngine(instance, undefined, RECENT_MB);
  await engine.open();
  const now_ns = BigInt(START + QUARTERS * QUARTER) * 1_000_000n;
  const form = { csv: false, pretty: false, epoch_ns: 1n };
  const both: Both = { ours: (text) => engine.answer(text, { database: "vigie", now_ns, limits: LIMITS }, form) };
  if (influxd !== undefined) {
    await post(`${influxd.url}/query`, new URLSearchParams({ q: "CREATE DATABASE vigie" }));
    both.theirs = async (text) =>
      (await post(`${influxd.url}/query?db=vigie&epoch=ns`, new URLSearchParams({ q: text }))).arrayBuffer();
  }
  const rows = await written(engine, influxd);
  for (const question of QUESTIONS_OF_A_WEEK)
    rows.push(...(await compared(`${question.what}, from disk`, question, both)));
  // As when somebody has looked at a dashboard.
  await engine.remember(START + QUARTERS * QUARTER);
  for (const question of QUESTIONS_OF_A_WEEK) rows.push(...(await compared(question.what, question, both)));
  const last = Array.from({ length: 10_000 }, (_, device) => `bin,device=B${device} fill=0.5 ${now_ns}`).join("\n");
  await engine.writeLines(Buffer.from(last), { database: "vigie", precision_ns: 1n, now_ns });
  if (influxd !== undefined) await post(`${influxd.url}/write?db=vigie`, last);
  rows.push(
    ...(await compared(
      "last value of 10,000 devices",
      { text: "SELECT last(fill) FROM bin GROUP BY device", must: 5, aim: 1 },
      both,
    )),
  );
  await engine.close();
  instance.closeSync();
  rmSync(directory, { recursive: true });
  return rows;
}

/** Writes a week in bodies of 5,000 lines to both, and says how many lines a second each took. */
async function written(engine: DuckdbEngine, influxd: Influxd | undefined): Promise<Row[]> {
  const bodies: Buffer[] = [];
  let lines: string[] = [];
  for (let quarter = 0; quarter < QUARTERS; quarter++) {
    for (let device = 0; device < DEVICES; device++) {
      const at_ns = `${START + quarter * QUARTER + device}000000`;
      lines.push(
        `lamp,device=L${device},street=S${device % 40} power_W=${((quarter * 7 + device * 13) % 1000) / 10} ${at_ns}`,
      );
      if (lines.length < 5000) continue;
      bodies.push(Buffer.from(lines.join("\n")));
      lines = [];
    }
  }
  bodies.push(Buffer.from(lines.join("\n")));
  const count = DEVICES * QUARTERS;
  const ours = await rate(count, bodies, (body) =>
    engine.writeLines(body, { database: "vigie", precision_ns: 1n, now_ns: 0n }),
  );
  const rows: Row[] = [{ what: "line protocol taken in", value: ours, unit: "lines/s", better: "more" }];
  if (influxd !== undefined) {
    const theirs = await rate(count, bodies, (body) => post(`${influxd.url}/write?db=vigie`, body));
    rows.push({
      what: "line protocol, ours / InfluxDB",
      value: ours / theirs,
      unit: "×",
      must: 1,
      aim: 2,
      better: "more",
    });
  }
  return rows;
}

async function rate(
  count: number,
  bodies: readonly Buffer[],
  write: (body: Buffer) => Promise<unknown>,
): Promise<number> {
  const began = performance.now();
  for (const body of bodies) await write(body);
  return (count * 1000) / (performance.now() - began);
}

async function compared(what: string, { text, must, aim }: Question, { ours, theirs }: Both): Promise<Row[]> {
  const mine = await timed(() => ours(text));
  const bounds = { ...(must !== undefined && { must }), ...(aim !== undefined && { aim }) };
  const rows: Row[] = [{ what, value: mine.median, unit: "ms", ...bounds, better: "less", spread: mine.spread }];
  if (theirs !== undefined) {
    const other = await timed(() => theirs(text));
    rows.push({ what: `${what}, ours / InfluxDB`, value: mine.median / other.median, unit: "×", better: "less" });
  }
  return rows;
}

async function timed(work: () => Promise<unknown>): Promise<{ median: number; spread: readonly [number, number] }> {
  for (let repeat = 0; repeat < WARM_UP; repeat++) await work();
  const times: number[] = [];
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const began = performance.now();
    await work();
    times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  return { median: times[REPEATS >> 1] as number, spread: [times[0] as number, times.at(-1) as number] };
}

async function differences(influxd: Influxd): Promise<Row> {
  const found = await examine(influxd.url, { seed: 7_000_000, questions: QUESTIONS });
  for (const { seed, question, difference } of found.slice(0, 10)) {
    console.error(`seed ${seed}: ${question}\n  ours: ${difference}`);
  }
  return {
    what: `answers unlike InfluxDB's, of ${QUESTIONS}`,
    value: found.length,
    unit: "",
    must: 0,
    aim: 0,
    better: "less",
  };
}

async function post(url: string, body: string | URLSearchParams | Uint8Array): Promise<Response> {
  const response = await fetch(url, { method: "POST", body: body as NonNullable<RequestInit["body"]> });
  if (!response.ok) throw new Error(await response.text());
  return response;
}
