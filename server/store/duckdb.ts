import type { OwnPoint } from "../chronicle/point.ts";
import { basename, join } from "node:path";
import type { Reading } from "#protocol/messages.ts";
import type { Instant } from "#protocol/units.ts";
import { DAY } from "#protocol/units.ts";
import { arrangePoints } from "./arrange.ts";
import { type Compacting, type CompactionStep, compact } from "./compact.ts";
import type { Describe } from "./describe.ts";
import type { DuckdbInflux } from "./duckdb-influx.ts";
import { copyDatabase } from "./copy-database.ts";
import type { DuckdbOptions, OpenDatabase } from "./duckdb-open.ts";
import { bytesOf, openDatabase, rewriteMarks, storeFault, write } from "./duckdb-open.ts";
import { type ExportQuery, copySql, exportSql } from "./export.ts";
import { DuckdbSums } from "./duckdb-sums.ts";
import { aggregateSql, latestOf } from "./duckdb-queries.ts";
import type { InfluxEngine } from "./influxql/engine.ts";
import { prunePoints } from "./prune-points.ts";
import { literal, rowsOf } from "./sql.ts";
import type {
  AggregateQuery,
  AggregateRow,
  Contribution,
  Mark,
  OwnSummary,
  Reach,
  SeriesSummary,
  Store,
} from "./store.ts";
import type { Sums } from "./sums.ts";

/**
 * The embedded store: one DuckDB file, one writer connection. A commit is one transaction, on disk (write-ahead log synced)
 * before its promise resolves. Readings lie in the order they came, which is nearly the order of time, so that DuckDB's
 * zone maps find a time range without an index; what has cooled lies in archives beside it, a file a week (see archive.ts).
 * Raises DATA_IN_USE, DATA_NEWER, DISK_FULL or STORE_FAILED.
 */
export function duckdbStore(path: string, options: DuckdbOptions = {}): DuckdbStore {
  return new DuckdbStore(path, options);
}

export class DuckdbStore implements Store {
  private readonly path: string;
  private readonly options: DuckdbOptions;
  private state: OpenDatabase | undefined;
  private face: DuckdbInflux | undefined;
  readonly influx?: InfluxEngine;
  readonly sums: Sums;
  /** Compactions and drops, one after the other. */
  private keeping: Promise<unknown> = Promise.resolve();
  private committing: Promise<unknown> = Promise.resolve();
  private points: Promise<unknown> = Promise.resolve();
  /** What the next commit takes along. */
  private readonly riders: Rider[] = [];

  constructor(path: string, options: DuckdbOptions) {
    this.path = path;
    this.options = options;
    this.sums = new DuckdbSums({
      opened: () => this.opened(),
      reading: (work) => this.reading(work),
      keep: (work) => this.keep(work),
      committed: (sql) => this.withCommit(sql, () => Promise.resolve()),
      describe: options.describe,
    });
    if (options.describe === undefined) return;
    const face = (): DuckdbInflux | undefined => this.face;
    this.influx = {
      get answered() {
        return face()?.answered ?? { memory: 0, database: 0 };
      },
      query: async (text, how) => (await this.faceOf()).query(text, how),
      answer: async (text, how, form) => (await this.faceOf()).answer(text, how, form),
      writeLines: (body, how) => this.writingPoints(async () => (await this.faceOf()).writeLines(body, how)),
    };
  }

  async open(): Promise<void> {
    this.state ??= await openDatabase(this.path, this.options);
  }

  async commit(contributions: readonly Contribution[]): Promise<void> {
    const commit = this.committing.then(async () => this.commitTo(await this.opened(), contributions));
    this.committing = commit.catch(() => {});
    return commit;
  }

  private async commitTo(open: OpenDatabase, contributions: readonly Contribution[]): Promise<void> {
    const riders = this.riders.splice(0);
    try {
      await open.begun;
      await rewriteMarks(open);
      for (const { sql } of riders) await open.writer.run(sql);
      write(open, contributions);
      await open.end.run();
      for (const { done } of riders) done();
      open.begun = open.begin.run();
      open.begun.catch(() => {});
    } catch (problem) {
      for (const { failed } of riders) failed(problem);
      // What the transaction left behind in memory is unknown, so the next call opens the database afresh.
      await this.shut();
      throw storeFault(problem, this.path);
    }
  }

  /** Runs a statement with the next commit, or with one of nothing when none has come by the end of `pause`. */
  private async withCommit(sql: string, pause: () => Promise<void>): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const rider: Rider = { sql, done: resolve, failed: reject };
    this.riders.push(rider);
    promise.catch(() => {});
    await Promise.race([promise, pause()]);
    if (this.riders.includes(rider)) await this.commit([]);
    await promise;
  }

  /** Durable once it resolves. */
  async record(points: readonly OwnPoint[]): Promise<void> {
    await this.writingPoints(async () => (await this.faceOf()).record(points));
  }

  async recorded(from: Instant, to: Instant): Promise<OwnPoint[]> {
    return (await this.faceOf()).recorded(from, to);
  }

  async recordings(): Promise<OwnSummary[]> {
    return (await this.faceOf()).recordings();
  }

  /**
   * Holds the newest values in memory from now on, as far as `recent_MB` goes, and resolves when they are there. Who asks in
   * InfluxQL begins it, too, without waiting for it.
   */
  async remember(now: Instant): Promise<void> {
    await (await this.faceOf()).remember(now);
  }

  async marks(): Promise<Mark[]> {
    const { upTo } = await this.opened();
    return [...upTo].map(([station, epoch, { number }]) => ({ station, epoch, upTo: number }));
  }

  latest(): Promise<Reading[]> {
    return this.reading(({ reader, seriesIds, archives }) => latestOf(reader, seriesIds, archives));
  }

  range(device: string, measure: string, from: Instant, to: Instant, limit: number): Promise<Reading[]> {
    return this.reading(async ({ reader, seriesIds, archives }) => {
      const series = seriesIds.find(device, measure);
      if (series === undefined) return [];
      const rows = await rowsOf(
        reader,
        `SELECT instant::DOUBLE, value FROM ${archives.relation(from, to)} WHERE series = ${series}
         AND instant >= ${literal(from)} AND instant < ${literal(to)} ORDER BY instant LIMIT ${literal(limit)}`,
      );
      return rows.map(([at, value]) => ({ device, measure, at: at as Instant, value: value as number }));
    });
  }

  during(from: Instant, to: Instant, most: number): Promise<Reading[] | undefined> {
    return this.reading(async ({ reader, seriesIds, archives }) => {
      const span = `FROM ${archives.relation(from, to)} WHERE instant >= ${literal(from)} AND instant < ${literal(to)}`;
      const [[count] = [0]] = await rowsOf(reader, `SELECT count(*)::DOUBLE ${span}`);
      if ((count as number) > most) return undefined;
      const rows = await rowsOf(reader, `SELECT series, instant::DOUBLE, value ${span}`);
      const readings = rows.map(([series, at, value]): Reading => {
        const [device, measure] = seriesIds.names(series as number);
        return { device, measure, at: at as Instant, value: value as number };
      });
      return readings.sort((a, b) => a.at - b.at || (a.device < b.device ? -1 : 1));
    });
  }

  aggregate(query: AggregateQuery): Promise<AggregateRow[]> {
    return this.reading(async ({ reader, seriesIds, archives }) => {
      const series = [...new Set(query.devices)]
        .map((device) => seriesIds.find(device, query.measure))
        .filter((id) => id !== undefined);
      if (series.length === 0) return [];
      const rows = await rowsOf(reader, aggregateSql(query, series, archives));
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
    });
  }

  series(): Promise<SeriesSummary[]> {
    return this.reading(async ({ reader, seriesIds, archives }) => {
      const rows = await rowsOf(
        reader,
        `SELECT series, count(*)::DOUBLE, sum(value), min(instant)::DOUBLE, max(instant)::DOUBLE
         FROM ${archives.relation()} GROUP BY series ORDER BY series`,
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
    });
  }

  size(): Promise<{ readings: number; bytes: number }> {
    return this.reading(async ({ reader, archives, hotRows }) => {
      const files = archives.files();
      return {
        readings: hotRows + archives.rows + (await archives.addedLate(reader)),
        bytes: files.reduce((sum, { bytes }) => sum + bytes, bytesOf(this.path) + bytesOf(`${this.path}.wal`)),
      };
    });
  }

  prune(before: Instant, coarseBefore?: Instant): Promise<number> {
    return this.keep(async (open) => {
      const { keeper, archives } = open;
      if (coarseBefore !== undefined) await archives.dropQuarters(keeper, coarseBefore);
      await prunePoints(keeper, before, coarseBefore);
      this.face?.forget(before);
      const [[dropped] = [0]] = await rowsOf(
        keeper,
        `SELECT count(*)::DOUBLE FROM ${archives.relation(undefined, before)} WHERE instant < ${literal(before)}`,
      );
      if (dropped === 0) return 0;
      const [[hot] = [0]] = await rowsOf(
        keeper,
        `SELECT count(*)::DOUBLE FROM readings WHERE instant >= ${literal(archives.archivedTo)} AND instant < ${literal(before)}`,
      );
      // On a connection of its own: the writer's may be in the middle of a commit, and additions and removals do not collide.
      await archives.dropRaw(keeper, before);
      open.hotRows -= hot as number;
      return dropped as number;
    });
  }

  /**
   * Moves readings before `before`, in whole days (UTC), into archives, and rolls them up, and puts points in order; `pause`
   * comes between its steps, so that commits do not wait for it. Resolves to how many archives it wrote.
   */
  compact(
    before: Instant,
    pause: () => Promise<void> = () => Promise.resolve(),
    done?: (step: CompactionStep) => void,
  ): Promise<number> {
    return this.keep(async (open) => {
      const { archives, keeper: connection } = open;
      const closing = open.closing.signal;
      const until = Math.floor(before / DAY) * DAY;
      const step = async (): Promise<void> => {
        await pause();
        closing.throwIfAborted();
      };
      const parts: Compacting = {
        archives,
        connection,
        closing,
        pause: step,
        freeze: async (to) => {
          open.frozenTo = Math.max(open.frozenTo, to);
          // A commit that fails waits for the compaction to end, and so must not be waited for.
          await Promise.race([this.committing, aborted(closing)]);
          closing.throwIfAborted();
          return open.nextLate;
        },
        withCommit: async (sql) => {
          // As above: a commit that fails waits for this.
          await Promise.race([this.withCommit(sql, pause), aborted(closing)]);
          closing.throwIfAborted();
        },
        moved(readings) {
          open.hotRows -= readings;
        },
        ...(done && { done }),
      };
      const written = await compact(parts, until);
      await arrangePoints({ connection, pause: step, alone: (work) => this.writingPoints(work) }, until);
      return written;
    });
  }

  exportTo(query: ExportQuery, file: string): Promise<number> {
    return this.reading(async ({ instance, archives }) => {
      const { from, to, format } = query;
      // Of its own, since it may take minutes.
      const connection = await instance.connect();
      try {
        const bounds = `instant >= ${literal(from)} AND instant < ${literal(to)}`;
        const sql = exportSql(archives.relation(from, to), query, bounds);
        const [[rows] = [0]] = await rowsOf(connection, copySql(sql, file, format));
        return Number(rows);
      } catch (problem) {
        throw storeFault(problem, file);
      } finally {
        connection.closeSync();
      }
    });
  }

  /** Compactions wait for it, commits do not. */
  backUp(directory: string, progress: (share: number) => void): Promise<void> {
    return this.keep(({ keeper, archives }) =>
      copyDatabase(keeper, archives, join(directory, basename(this.path)), progress),
    );
  }

  async reach(): Promise<Reach> {
    const { archives } = await this.opened();
    return archives.reach();
  }

  async close(): Promise<void> {
    await this.shut();
  }

  private async shut(): Promise<void> {
    const open = this.state;
    this.state = undefined;
    if (open === undefined) return;
    open.closing.abort();
    await this.keeping;
    await open.archives.readers.ended();
    const { face } = this;
    this.face = undefined;
    await face?.close();
    await open.begun.catch(() => {});
    for (const { appender } of [open.readings, open.late, open.marks, open.series]) {
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
    open.keeper.closeSync();
    open.instance.closeSync();
  }

  private async faceOf(): Promise<DuckdbInflux> {
    if (this.face !== undefined) return this.face;
    const open = await this.opened();
    // Loaded when it is first asked for: a server that nobody asks in InfluxQL does not carry the language about.
    const { DuckdbInflux: Face } = await import("./duckdb-influx.ts");
    const { describe = nobody, recent_MB } = this.options;
    return (this.face ??= new Face(open, describe, () => this.committing, recent_MB));
  }

  /** Runs `work` while nothing is removed that it may read. */
  private async reading<T>(work: (open: OpenDatabase) => Promise<T>): Promise<T> {
    const open = await this.opened();
    return open.archives.readers.read(() => work(open));
  }

  /** Who writes points, and who puts them in order, take turns: two that delete the same row would collide. */
  private writingPoints(work: () => Promise<void>): Promise<void> {
    const turn = this.points.then(work);
    this.points = turn.catch(() => {});
    return turn;
  }

  private keep<T>(work: (open: OpenDatabase) => Promise<T>): Promise<T> {
    const turn = this.keeping.then(async () => work(await this.opened()));
    this.keeping = turn.catch(() => {});
    return turn;
  }

  private async opened(): Promise<OpenDatabase> {
    if (this.state === undefined) await this.open();
    return this.state as OpenDatabase;
  }
}

/** A statement that goes along with a commit. */
interface Rider {
  readonly sql: string;
  readonly done: () => void;
  readonly failed: (problem: unknown) => void;
}

/** Whoever names no territory keeps the tags that devices had. */
const nobody: Describe = () => undefined;

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
