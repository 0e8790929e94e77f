import { statSync } from "node:fs";
import type { DuckDBAppender, DuckDBConnection, DuckDBPreparedStatement } from "@duckdb/node-api";
import { BIGINT, DOUBLE, DuckDBDataChunk, DuckDBInstance, INTEGER, VARCHAR } from "@duckdb/node-api";
import { Fault } from "#protocol/faults.ts";
import type { Reading } from "#protocol/messages.ts";
import type { Instant } from "#protocol/units.ts";
import type { Dictionary } from "./dictionary.ts";
import { createDictionary } from "./dictionary.ts";
import { aggregateSql, latestOf, literal, rowsOf } from "./duckdb-queries.ts";
import type { Epochs } from "./epochs.ts";
import { createEpochs } from "./epochs.ts";
import type { AggregateQuery, AggregateRow, Contribution, Mark, SeriesSummary, Store } from "./store.ts";
import { upToOf } from "./store.ts";

export interface DuckdbOptions {
  /** What DuckDB may hold in memory; beyond it, it spills beside the database. */
  readonly memory_MB?: number;
  readonly threads?: number;
}

/** Written once into a new database; a later format raises DATA_NEWER. */
const FORMAT = 1;
/** Marks are only added, and written anew as a whole when this many have gathered: an index would cost at every commit. */
const MARKS_BEFORE_REWRITE = 250_000;
/** Rows that one data chunk of DuckDB takes. */
const CHUNK_ROWS = 2048;

/**
 * The embedded store: one DuckDB file, one writer connection. A commit is one transaction, on disk (write-ahead log synced)
 * before its promise resolves. Readings lie in the order they came, which is nearly the order of time, so that DuckDB's
 * zone maps find a time range without an index. Raises DATA_IN_USE, DATA_NEWER, DISK_FULL or STORE_FAILED.
 */
export function duckdbStore(path: string, options: DuckdbOptions = {}): Store {
  return new DuckdbStore(path, options);
}

interface Open {
  readonly instance: DuckDBInstance;
  readonly writer: DuckDBConnection;
  readonly reader: DuckDBConnection;
  readonly begin: DuckDBPreparedStatement;
  readonly end: DuckDBPreparedStatement;
  /** The next transaction begins as soon as the last one ended, so that a commit waits for one turn of the disk only. */
  begun: Promise<unknown>;
  readonly readings: Table;
  readonly marks: Table;
  readonly series: Table;
  readonly seriesIds: Dictionary;
  readonly upTo: Epochs<{ number: number }>;
  markRows: number;
  readingRows: number;
}

class DuckdbStore implements Store {
  private readonly path: string;
  private readonly options: DuckdbOptions;
  private state: Open | undefined;

  constructor(path: string, options: DuckdbOptions) {
    this.path = path;
    this.options = options;
  }

  async open(): Promise<void> {
    this.state ??= await openDatabase(this.path, this.options);
  }

  async commit(contributions: readonly Contribution[]): Promise<void> {
    const open = await this.opened();
    try {
      await open.begun;
      if (open.markRows > MARKS_BEFORE_REWRITE) await rewriteMarks(open);
      const readings = write(open, contributions);
      await open.end.run();
      open.begun = open.begin.run();
      open.begun.catch(() => {});
      open.readingRows += readings;
    } catch (problem) {
      // What the transaction left behind in memory is unknown, so the next call opens the database afresh.
      await this.close();
      throw storeFault(problem, this.path);
    }
  }

  async marks(): Promise<Mark[]> {
    const { upTo } = await this.opened();
    return [...upTo].map(([station, epoch, { number }]) => ({ station, epoch, upTo: number }));
  }

  async latest(): Promise<Reading[]> {
    const { reader, seriesIds } = await this.opened();
    return latestOf(reader, seriesIds);
  }

  async range(device: string, measure: string, from: Instant, to: Instant, limit: number): Promise<Reading[]> {
    const { reader, seriesIds } = await this.opened();
    const series = seriesIds.find(device, measure);
    if (series === undefined) return [];
    const rows = await rowsOf(
      reader,
      `SELECT instant::DOUBLE, value FROM readings WHERE series = ${series}
       AND instant >= ${literal(from)} AND instant < ${literal(to)} ORDER BY instant, rowid LIMIT ${literal(limit)}`,
    );
    return rows.map(([at, value]) => ({ device, measure, at: at as Instant, value: value as number }));
  }

  async aggregate(query: AggregateQuery): Promise<AggregateRow[]> {
    const { reader, seriesIds } = await this.opened();
    const series = [...new Set(query.devices)]
      .map((device) => seriesIds.find(device, query.measure))
      .filter((id) => id !== undefined);
    if (series.length === 0) return [];
    const rows = await rowsOf(reader, aggregateSql(query, series));
    const aggregated = rows.map(([step, id, count, mean, min, max, first, last]): AggregateRow => ({
      at: (query.from + (step as number) * query.every * 1000) as Instant,
      ...(query.by === "device" && { device: seriesIds.names(id as number)[0] }),
      count: count as number,
      mean: mean as number,
      min: min as number,
      max: max as number,
      first: first as number,
      last: last as number,
    }));
    return aggregated.sort((a, b) => a.at - b.at || ((a.device ?? "") < (b.device ?? "") ? -1 : 1));
  }

  async series(): Promise<SeriesSummary[]> {
    const { reader, seriesIds } = await this.opened();
    const rows = await rowsOf(
      reader,
      `SELECT series, count(*)::DOUBLE, sum(value), min(instant)::DOUBLE, max(instant)::DOUBLE
       FROM readings GROUP BY series ORDER BY series`,
    );
    return rows.map(([id, count, sum, first, last]) => {
      const [device, measure] = seriesIds.names(id as number);
      return {
        device,
        measure,
        count: count as number,
        sum: sum as number,
        first: first as Instant,
        last: last as Instant,
      };
    });
  }

  async size(): Promise<{ readings: number; bytes: number }> {
    const { readingRows } = await this.opened();
    return { readings: readingRows, bytes: bytesOf(this.path) + bytesOf(`${this.path}.wal`) };
  }

  async prune(before: Instant): Promise<number> {
    const open = await this.opened();
    const [[dropped] = [0]] = await rowsOf(
      open.reader,
      `SELECT count(*)::DOUBLE FROM readings WHERE instant < ${literal(before)}`,
    );
    if (dropped === 0) return 0;
    // On the reader's connection: the writer's may be in the middle of a commit, and additions and removals do not collide.
    await open.reader.run(`DELETE FROM readings WHERE instant < ${literal(before)}`);
    open.readingRows -= dropped as number;
    return dropped as number;
  }

  async close(): Promise<void> {
    const open = this.state;
    this.state = undefined;
    if (open === undefined) return;
    await open.begun.catch(() => {});
    for (const { appender } of [open.readings, open.marks, open.series]) {
      try {
        appender.clear();
        appender.closeSync();
      } catch {
        // After a failed commit an appender may refuse to close; the instance below takes it along.
      }
    }
    open.begin.destroySync();
    open.end.destroySync();
    open.writer.closeSync();
    open.reader.closeSync();
    open.instance.closeSync();
  }

  private async opened(): Promise<Open> {
    if (this.state === undefined) await this.open();
    return this.state as Open;
  }
}

async function openDatabase(path: string, options: DuckdbOptions): Promise<Open> {
  const instance = await create(path, options);
  const writer = await instance.connect();
  const reader = await instance.connect();
  await writer.run(`CREATE TABLE IF NOT EXISTS format(version INTEGER)`);
  const [[version] = [undefined]] = await rowsOf(writer, "SELECT version FROM format");
  if (version === undefined) await writer.run(`INSERT INTO format VALUES (${FORMAT})`);
  if (Number(version ?? FORMAT) > FORMAT) {
    instance.closeSync();
    throw new Fault("DATA_NEWER", { directory: path, found: Number(version), known: FORMAT });
  }
  await writer.run(`
    CREATE TABLE IF NOT EXISTS series(id INTEGER, device VARCHAR, measure VARCHAR);
    CREATE TABLE IF NOT EXISTS readings(series INTEGER, instant BIGINT, value DOUBLE);
    CREATE TABLE IF NOT EXISTS marks(station VARCHAR, epoch VARCHAR, up_to BIGINT);`);
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
  const [[readingRows] = [0]] = await rowsOf(writer, "SELECT count(*)::DOUBLE FROM readings");
  const begin = await writer.prepare("BEGIN");
  return {
    instance,
    writer,
    reader,
    begin,
    begun: begin.run(),
    end: await writer.prepare("COMMIT"),
    readings: await table(writer, "readings", [INTEGER, BIGINT, DOUBLE]),
    marks: await table(writer, "marks", [VARCHAR, VARCHAR, BIGINT]),
    series: await table(writer, "series", [INTEGER, VARCHAR, VARCHAR]),
    seriesIds,
    upTo,
    markRows: marks.length,
    readingRows: readingRows as number,
  };
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

/** Writes into the transaction that is open; returns how many readings. */
function write(open: Open, contributions: readonly Contribution[]): number {
  const { seriesIds, upTo } = open;
  const series: number[] = [];
  const instants: bigint[] = [];
  const values: number[] = [];
  const touched = new Map<{ number: number }, Contribution>();
  const known = seriesIds.size;
  for (const each of contributions) {
    for (const { device, measure, at, value } of each.readings) {
      series.push(seriesIds.id(device, measure));
      instants.push(BigInt(at));
      values.push(value);
    }
    const known = upTo.of(each.station, each.epoch);
    known.number = Math.max(known.number, upToOf(each));
    touched.set(known, each);
  }
  const added = Array.from({ length: seriesIds.size - known }, (_, index) => known + index);
  append(open.series, [added, added.map((id) => seriesIds.names(id)[0]), added.map((id) => seriesIds.names(id)[1])]);
  append(open.readings, [series, instants, values]);
  appendMarks(
    open,
    [...touched].map(([{ number }, { station, epoch }]) => [station, epoch, number]),
  );
  return series.length;
}

async function rewriteMarks(open: Open): Promise<void> {
  await open.writer.run("DELETE FROM marks");
  open.markRows = 0;
  appendMarks(
    open,
    [...open.upTo].map(([station, epoch, { number }]) => [station, epoch, number]),
  );
}

function appendMarks(open: Open, marks: readonly (readonly [station: string, epoch: string, upTo: number])[]): void {
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

function bytesOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function storeFault(problem: unknown, path: string): Fault {
  if (problem instanceof Fault) return problem;
  const text = problem instanceof Error ? problem.message : String(problem);
  const holder = /PID (\d+)/.exec(text)?.[1];
  if (/lock/i.test(text) && holder !== undefined) {
    return new Fault("DATA_IN_USE", { directory: path, process: holder });
  }
  if (/No space left|out of disk/i.test(text)) return new Fault("DISK_FULL", { file: path });
  return new Fault("STORE_FAILED", { problem: text.split("\n")[0] as string });
}
