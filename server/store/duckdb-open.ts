import { statSync } from "node:fs";
import type { DuckDBAppender, DuckDBConnection, DuckDBPreparedStatement } from "@duckdb/node-api";
import { BIGINT, DOUBLE, DuckDBDataChunk, DuckDBInstance, INTEGER, VARCHAR } from "@duckdb/node-api";
import { Fault } from "#protocol/faults.ts";
import { DAY } from "#protocol/units.ts";
import { Archives } from "./archive.ts";
import type { Describe } from "./describe.ts";
import type { Dictionary } from "./dictionary.ts";
import { createDictionary } from "./dictionary.ts";
import { shrink } from "./shrink.ts";
import { literal, rowsOf } from "./sql.ts";
import type { Feed } from "./influxql/recent-fill.ts";
import type { Epochs } from "./epochs.ts";
import { createEpochs } from "./epochs.ts";
import type { Contribution } from "./store.ts";
import { upToOf } from "./store.ts";

export interface DuckdbOptions {
  /** What DuckDB may hold in memory; beyond it, it spills beside the database. */
  readonly memory_MB?: number;
  readonly threads?: number;
  /** How a device is seen by who thinks in measurements and tags; without it there is no InfluxQL. */
  readonly describe?: Describe;
  /** How much of the newest values is held in memory for dashboards, once one asks; 0: nothing. */
  readonly recent_MB?: number;
}

/** Written into the database; a later format raises DATA_NEWER, an earlier one is brought up to this one. */
const FORMAT = 2;
/** Marks are only added, and written anew as a whole when this many have gathered: an index would cost at every commit. */
const MARKS_BEFORE_REWRITE = 250_000;
/** Rows that one data chunk of DuckDB takes. */
const CHUNK_ROWS = 2048;

/** An open database: what is in it, and what writes to it. */
export interface OpenDatabase {
  readonly instance: DuckDBInstance;
  readonly writer: DuckDBConnection;
  readonly reader: DuckDBConnection;
  /** For what takes long: it must stand in nobody's way. */
  readonly keeper: DuckDBConnection;
  readonly begin: DuckDBPreparedStatement;
  readonly end: DuckDBPreparedStatement;
  /** The next transaction begins as soon as the last one ended, so that a commit waits for one turn of the disk only. */
  begun: Promise<unknown>;
  /** Aborted when it is to be closed: what takes long then ends early. */
  readonly closing: AbortController;
  readonly readings: Table;
  readonly late: Table;
  readonly marks: Table;
  readonly series: Table;
  readonly seriesIds: Dictionary;
  readonly upTo: Epochs<{ number: number }>;
  readonly archives: Archives;
  /** By series: the newest instant of which a value is known; what is not after it came late. */
  readonly newest: number[];
  /** The value of that instant, for series of which something was said since the database was opened. */
  readonly newestValues: number[];
  /** Those series, since somebody last asked. */
  readonly touched: Set<number>;
  /** What is before this instant is late, too: it is being moved into an archive. */
  frozenTo: number;
  nextLate: number;
  markRows: number;
  /** Hot readings that count. */
  hotRows: number;
  /** Is handed all that is written, once somebody looks at dashboards. */
  feed: Feed | undefined;
}

/** Opens the database at `path`, making or bringing up to date what is missing in it. Raises DATA_IN_USE, DATA_NEWER, STORE_FAILED. */
export async function openDatabase(path: string, options: DuckdbOptions): Promise<OpenDatabase> {
  const instance = await sound(path, options);
  const writer = await instance.connect();
  const reader = await instance.connect();
  const keeper = await instance.connect();
  const archives = new Archives(path);
  try {
    await archives.open(writer);
  } catch (problem) {
    instance.closeSync();
    throw storeFault(problem, path);
  }
  const seriesIds = createDictionary();
  for (const [device, measure] of await rowsOf(writer, "SELECT device, measure FROM series ORDER BY id")) {
    seriesIds.id(device as string, measure as string);
  }
  const upTo = createEpochs(() => ({ number: 0 }));
  const marks = await rowsOf(
    writer,
    "SELECT station, epoch, max(up_to)::DOUBLE FROM marks GROUP BY ALL ORDER BY min(rowid)",
  );
  for (const [station, epoch, number] of marks) {
    upTo.of(station as string, epoch as string).number = number as number;
  }
  const newest: number[] = Array.from({ length: seriesIds.size }, () => Number.NEGATIVE_INFINITY);
  const said = await rowsOf(writer, `SELECT series, max(instant)::DOUBLE FROM (${saidSql(archives)}) GROUP BY series`);
  for (const [series, at] of said) newest[series as number] = at as number;
  const [[hotRows] = [0]] = await rowsOf(
    writer,
    `SELECT count(*)::DOUBLE FROM readings WHERE instant >= ${literal(archives.archivedTo)}`,
  );
  const begin = await writer.prepare("BEGIN");
  return {
    instance,
    writer,
    reader,
    keeper,
    begin,
    begun: begin.run(),
    closing: new AbortController(),
    end: await writer.prepare("COMMIT"),
    readings: await table(writer, "readings", [INTEGER, BIGINT, DOUBLE]),
    late: await table(writer, "late", [INTEGER, BIGINT, DOUBLE, BIGINT]),
    marks: await table(writer, "marks", [VARCHAR, VARCHAR, BIGINT]),
    series: await table(writer, "series", [INTEGER, VARCHAR, VARCHAR]),
    seriesIds,
    upTo,
    archives,
    newest,
    newestValues: [],
    touched: new Set(),
    frozenTo: archives.archivedTo,
    nextLate: archives.nextLate,
    markRows: marks.length,
    hotRows: hotRows as number,
    feed: undefined,
  };
}

/** The database in the form of this version, in a file that is not mostly empty. */
async function sound(path: string, options: DuckdbOptions): Promise<DuckDBInstance> {
  const instance = await create(path, options);
  try {
    const connection = await instance.connect();
    await prepare(connection, path);
    connection.closeSync();
    return (await shrink(path, instance)) ? await create(path, options) : instance;
  } catch (problem) {
    instance.closeSync();
    throw storeFault(problem, path);
  }
}

const saidSql = ({ archivedTo }: Archives): string =>
  `SELECT series, instant FROM readings WHERE instant >= ${literal(archivedTo)} UNION ALL SELECT series, instant FROM late`;

async function prepare(connection: DuckDBConnection, path: string): Promise<void> {
  await connection.run(`CREATE TABLE IF NOT EXISTS format(version INTEGER)`);
  const [[found] = [undefined]] = await rowsOf(connection, "SELECT version FROM format");
  const version = Number(found ?? 0);
  if (version > FORMAT) throw new Fault("DATA_NEWER", { directory: path, found: version, known: FORMAT });
  await connection.run(`
    CREATE TABLE IF NOT EXISTS series(id INTEGER, device VARCHAR, measure VARCHAR);
    CREATE TABLE IF NOT EXISTS readings(series INTEGER, instant BIGINT, value DOUBLE);
    CREATE TABLE IF NOT EXISTS marks(station VARCHAR, epoch VARCHAR, up_to BIGINT);`);
  if (version === FORMAT) return;
  await connection.run("BEGIN");
  await keepLastSaid(connection);
  await connection.run(`DELETE FROM format; INSERT INTO format VALUES (${FORMAT}); COMMIT`);
}

/** The first format kept all that was said of one instant of a series; now the last that was said is the reading. */
async function keepLastSaid(connection: DuckDBConnection): Promise<void> {
  const [[from, to] = [null, null]] = await rowsOf(
    connection,
    "SELECT min(instant)::DOUBLE, max(instant)::DOUBLE FROM readings",
  );
  if (typeof from !== "number" || typeof to !== "number") return;
  // A day at a time, so that it fits into memory however much there is.
  for (let day = from; day <= to; day += DAY) {
    const bounds = `instant >= ${literal(day)} AND instant < ${literal(day + DAY)}`;
    await connection.run(`
      DELETE FROM readings USING (
        SELECT series, instant, max(rowid) AS last FROM readings WHERE ${bounds} GROUP BY ALL HAVING count(*) > 1
      ) said
      WHERE readings.series = said.series AND readings.instant = said.instant AND readings.rowid < said.last
        AND readings.${bounds.replace("AND instant", "AND readings.instant")}`);
  }
}

async function create(path: string, { memory_MB = 96, threads = 2 }: DuckdbOptions): Promise<DuckDBInstance> {
  try {
    return await DuckDBInstance.create(path, {
      memory_limit: `${memory_MB}MB`,
      threads: String(threads),
      // Nothing is fetched from anywhere behind the operator's back.
      autoinstall_known_extensions: "false",
      autoload_known_extensions: "false",
    });
  } catch (problem) {
    throw storeFault(problem, path);
  }
}

/** Writes into the transaction that is open. */
export function write(open: OpenDatabase, contributions: readonly Contribution[]): void {
  const { seriesIds, upTo, newest, newestValues, touched: asked, feed } = open;
  const hot = columns();
  const late = columns();
  const touched = new Map<{ number: number }, Contribution>();
  const known = seriesIds.size;
  for (const each of contributions) {
    for (const { device, measure, at, value } of each.readings) {
      const id = seriesIds.id(device, measure);
      // Two of one instant are one reading. Whoever comes after all that is known of its series can be nobody's second.
      const isLate = !(at > (newest[id] ?? Number.NEGATIVE_INFINITY)) || at < open.frozenTo;
      if (!isLate || newest[id] === undefined || at >= newest[id]) {
        newest[id] = at;
        newestValues[id] = value;
        asked.add(id);
      }
      const to = isLate ? late : hot;
      to.series.push(id);
      to.instants.push(BigInt(at));
      to.values.push(value);
      feed?.put(id, at, value);
    }
    const mark = upTo.of(each.station, each.epoch);
    mark.number = Math.max(mark.number, upToOf(each));
    touched.set(mark, each);
  }
  const added = Array.from({ length: seriesIds.size - known }, (_, index) => known + index);
  append(open.series, [added, added.map((id) => seriesIds.names(id)[0]), added.map((id) => seriesIds.names(id)[1])]);
  append(open.readings, [hot.series, hot.instants, hot.values]);
  open.hotRows += hot.series.length;
  if (late.series.length > 0) writeLate(open, late);
  appendMarks(
    open,
    [...touched].map(([{ number }, { station, epoch }]) => [station, epoch, number]),
  );
}

interface Columns {
  readonly series: number[];
  readonly instants: bigint[];
  readonly values: number[];
}
const columns = (): Columns => ({ series: [], instants: [], values: [] });

function writeLate(open: OpenDatabase, { series, instants, values }: Columns): void {
  const said = instants.map((_, index) => BigInt(open.nextLate + index));
  append(open.late, [series, instants, values, said]);
  open.nextLate += said.length;
  for (const instant of instants) open.archives.saidLate(Number(instant), open.nextLate);
}

/** Marks as they stand, once each, when too many have gathered. */
export async function rewriteMarks(open: OpenDatabase): Promise<void> {
  if (open.markRows <= MARKS_BEFORE_REWRITE) return;
  await open.writer.run("DELETE FROM marks");
  open.markRows = 0;
  appendMarks(
    open,
    [...open.upTo].map(([station, epoch, { number }]) => [station, epoch, number]),
  );
}

function appendMarks(
  open: OpenDatabase,
  marks: readonly (readonly [station: string, epoch: string, upTo: number])[],
): void {
  open.markRows += marks.length;
  append(open.marks, [
    marks.map(([station]) => station),
    marks.map(([, epoch]) => epoch),
    marks.map(([, , upTo]) => BigInt(upTo)),
  ]);
}

interface Table {
  readonly appender: DuckDBAppender;
  readonly chunk: DuckDBDataChunk;
}

async function table(
  writer: DuckDBConnection,
  name: string,
  types: Parameters<typeof DuckDBDataChunk.create>[0],
): Promise<Table> {
  return { appender: await writer.createAppender(name), chunk: DuckDBDataChunk.create(types) };
}

function append({ appender, chunk }: Table, columns: readonly (readonly (number | bigint | string)[])[]): void {
  const rows = columns[0]?.length ?? 0;
  for (let from = 0; from < rows; from += CHUNK_ROWS) {
    // One chunk is filled again and again: a new one each time is memory that only the garbage collector gives back.
    chunk.reset();
    chunk.setColumns(rows <= CHUNK_ROWS ? columns : columns.map((column) => column.slice(from, from + CHUNK_ROWS)));
    appender.appendDataChunk(chunk);
  }
  if (rows > 0) appender.flushSync();
}

export function bytesOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** What DuckDB says, as a fault. */
export function storeFault(problem: unknown, path: string): Fault {
  if (problem instanceof Fault) return problem;
  const text = problem instanceof Error ? problem.message : String(problem);
  const holder = /PID (\d+)/.exec(text)?.[1];
  if (/lock/i.test(text) && holder !== undefined) {
    return new Fault("DATA_IN_USE", { directory: path, process: holder });
  }
  if (/No space left|out of disk/i.test(text)) return new Fault("DISK_FULL", { file: path });
  return new Fault("STORE_FAILED", { problem: text.split("\n")[0] as string });
}
