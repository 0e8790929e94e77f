import { createWriteStream, rmSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { DuckDBInstance } from "@duckdb/node-api";
import { Fault } from "#protocol/faults.ts";
import { type Instant, instant } from "#protocol/units.ts";
import { quoted } from "./archive.ts";
import type { Store } from "./store.ts";

export const EXPORT_FORMATS = ["csv", "parquet"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface ExportQuery {
  readonly format: ExportFormat;
  readonly from: Instant;
  readonly to: Instant;
  /** All devices where none is named. */
  readonly devices?: readonly string[];
}

/** Readings that are held at once when a store is read device by device. */
const READ_AT_ONCE = 20_000;

/**
 * Writes the readings of a span into a file and says how many: columns `device`, `measure`, `at` (UTC, to the millisecond) and
 * `value`, by device, measure and time. Raises Fault DISK_FAILED and the store's.
 */
export async function exportReadings(store: Store, query: ExportQuery, file: string): Promise<number> {
  if (store.exportTo !== undefined) return store.exportTo(query, file);
  if (query.format === "csv") return exportCsv(store, query, file);
  const draft = `${file}.csv`;
  try {
    const rows = await exportCsv(store, query, draft);
    await parquetOf(draft, file);
    return rows;
  } finally {
    rmSync(draft, { force: true });
  }
}

async function exportCsv(store: Store, { from, to, devices }: ExportQuery, file: string): Promise<number> {
  const wanted = devices && new Set(devices);
  const series = (await store.series())
    .filter(({ device, first, last }) => wanted?.has(device) !== false && first < to && last >= from)
    .sort((a, b) => compare(a.device, b.device) || compare(a.measure, b.measure));
  let rows = 0;
  async function* lines(): AsyncIterable<string> {
    yield "device,measure,at,value\n";
    for (const { device, measure } of series) {
      for (let at: number = from; ;) {
        const readings = await store.range(device, measure, instant(at), to, READ_AT_ONCE);
        rows += readings.length;
        yield readings.map((each) => `${cell(device)},${cell(measure)},${utc(each.at)},${each.value}\n`).join("");
        const last = readings.at(-1);
        if (last === undefined || readings.length < READ_AT_ONCE) break;
        at = last.at + 1;
      }
    }
  }
  try {
    await pipeline(lines, createWriteStream(file));
  } catch (problem) {
    if (problem instanceof Fault) throw problem;
    throw new Fault("DISK_FAILED", { file, problem: (problem as Error).message });
  }
  return rows;
}

/** The same table in SQL, over a relation of readings. `csv` has times as text, `parquet` as times. */
export function exportSql(relation: string, { format, devices }: ExportQuery, bounds: string): string {
  const time = "make_timestamp_ms(instant)";
  const at = format === "csv" ? `strftime(${time}, '%Y-%m-%dT%H:%M:%S.%gZ')` : `${time} AT TIME ZONE 'UTC'`;
  const only =
    devices === undefined ? "" : ` AND device IN (${devices.map((each) => `'${quoted(each)}'`).join(",") || "NULL"})`;
  return `SELECT device, measure, ${at} AS at, value FROM ${relation} r JOIN series ON series.id = r.series
    WHERE ${bounds}${only} ORDER BY device, measure, instant`;
}

export const copySql = (sql: string, file: string, format: ExportFormat): string =>
  `COPY (${sql}) TO '${quoted(file)}' (${format === "csv" ? "FORMAT csv, HEADER" : "FORMAT parquet, COMPRESSION zstd"})`;

async function parquetOf(csv: string, file: string): Promise<void> {
  const instance = await DuckDBInstance.create(":memory:", { memory_limit: "96MB", threads: "1" });
  const connection = await instance.connect();
  try {
    const columns = "{'device': 'VARCHAR', 'measure': 'VARCHAR', 'at': 'TIMESTAMPTZ', 'value': 'DOUBLE'}";
    await connection.run(
      copySql(`FROM read_csv('${quoted(csv)}', header = true, columns = ${columns})`, file, "parquet"),
    );
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const utc = (at: Instant): string => new Date(at).toISOString();
const cell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
