import type { OwnPoint } from "../chronicle/point.ts";
import { SERIES, type SeriesName } from "#protocol/series.ts";
import type { Instant } from "#protocol/units.ts";
import type { Describe } from "./describe.ts";
import type { OpenDatabase } from "./duckdb-open.ts";
import { latestOf } from "./duckdb-queries.ts";
import { DuckdbEngine, type OwnReadings } from "./influxql/duckdb-engine.ts";
import { DATABASE } from "./influxql/statements.ts";
import type {
  AnswerForm,
  InfluxEngine,
  Point,
  QueryOptions,
  StatementResult,
  WriteOptions,
} from "./influxql/engine.ts";
import { rollupRelation } from "./rollups.ts";
import { lineOf } from "./line-protocol.ts";
import { pointsByMeasurement } from "./prune-points.ts";
import type { OwnSummary } from "./store.ts";

const NS_PER_MS = 1_000_000n;
/** A few days of all that a town of 1,500 inhabitants measures. */
const RECENT_MB = 80;
/** What the server asks of itself needs no bounds but those of memory. */
const UNBOUNDED = { points: 0, series: 0, buckets: 0, time_ms: 0 };

/** The second face of an open database: InfluxQL over readings and over the points of others, and line protocol. */
export class DuckdbInflux implements InfluxEngine {
  private readonly open: OpenDatabase;
  private readonly engine: DuckdbEngine;
  private opened: Promise<void> | undefined;

  /** `settled` resolves when the commit that runs now has ended; `recent_MB` as of the engine. */
  constructor(open: OpenDatabase, describe: Describe, settled: () => Promise<unknown>, recent_MB = RECENT_MB) {
    const { archives } = open;
    this.open = open;
    const own: OwnReadings = {
      relation: (from, to) => archives.relation(from, to),
      rolled: (policy, from, to) => rollupRelation(archives, policy, from, to),
      async hold(feed) {
        open.feed = feed;
        await settled();
        return { rows: open.hotRows + archives.rows, least_ms: archives.rawFrom };
      },
      read: (work) => archives.readers.read(work),
      describe,
    };
    this.engine = new DuckdbEngine(open.instance, own, recent_MB);
  }

  get answered(): InfluxEngine["answered"] {
    return this.engine.answered;
  }

  async query(text: string, options: QueryOptions): Promise<StatementResult[]> {
    await this.asked(options);
    return this.engine.query(text, options);
  }

  async answer(text: string, options: QueryOptions, form: AnswerForm): Promise<string | Uint8Array> {
    await this.asked(options);
    return this.engine.answer(text, options, form);
  }

  private async asked({ now_ns }: QueryOptions): Promise<void> {
    await this.ready();
    this.tellNewest();
    // Whoever asks once will ask again: from then on what is newest is held in memory. This question does not wait for it.
    void this.engine.remember(Number(now_ns / NS_PER_MS));
  }

  /** Resolves when the newest values are held in memory; `now` as of the first question. */
  async remember(now: Instant): Promise<void> {
    await this.ready();
    this.tellNewest();
    await this.engine.remember(now);
  }

  /** What is before this instant may be gone. */
  forget(before: number): void {
    this.engine.forget(before);
  }

  /** What the server asks of itself. */
  private async ask(text: string): Promise<StatementResult[]> {
    await this.ready();
    return this.engine.ask(text, { database: DATABASE, now_ns: 0n, limits: UNBOUNDED });
  }

  async writeLines(body: Uint8Array, options: WriteOptions): Promise<void> {
    await this.ready();
    return this.engine.writeLines(body, options);
  }

  /** Keeps points of the server's own beside those of others. */
  async record(points: readonly OwnPoint[]): Promise<void> {
    const body = new TextEncoder().encode(points.map((each) => lineOf(pointOf(each))).join("\n"));
    await this.writeLines(body, { database: DATABASE, precision_ns: 1n, now_ns: 0n });
  }

  /** The server's own points in [from, to). */
  async recorded(from: Instant, to: Instant): Promise<OwnPoint[]> {
    const points: OwnPoint[] = [];
    for (const measurement of Object.keys(SERIES) as SeriesName[]) {
      const text = `SELECT * FROM "${measurement}" WHERE time >= ${from}ms AND time < ${to}ms GROUP BY *`;
      const [result] = await this.ask(text);
      for (const { tags = {}, columns, values } of result?.series ?? []) {
        const known = Object.fromEntries(Object.entries(tags).filter(([, value]) => value !== ""));
        for (const row of values) {
          const fields = columns.flatMap((name, index) => {
            const value = row[index];
            return name === "time" || value === null || value === undefined ? [] : [[name, plain(value)] as const];
          });
          const at = instantOf(row[0]);
          points.push({ measurement, tags: known, fields: Object.fromEntries(fields), at });
        }
      }
    }
    return points;
  }

  /** What is kept of the server's own points. */
  async recordings(): Promise<OwnSummary[]> {
    await this.ready();
    const found = await pointsByMeasurement(this.open.reader);
    return found.flatMap(({ measurement, values, first, last }): OwnSummary[] => {
      if (!Object.hasOwn(SERIES, measurement)) return [];
      return [{ measurement: measurement as SeriesName, values, first: instantOf(first), last: instantOf(last) }];
    });
  }

  async close(): Promise<void> {
    await this.opened?.catch(() => {});
    await this.engine.close();
  }

  private ready(): Promise<void> {
    this.opened ??= this.begin();
    return this.opened;
  }

  private async begin(): Promise<void> {
    await this.engine.open();
    const { reader, seriesIds, archives } = this.open;
    const latest = await archives.readers.read(() => latestOf(reader, seriesIds, archives));
    for (const { device, measure, at, value } of latest) {
      const id = seriesIds.find(device, measure);
      if (id !== undefined) this.engine.note(id, device, measure, at, value);
    }
    // Of devices that fell silent before what is kept of readings, sums are kept.
    for (let id = 0; id < seriesIds.size; id++) this.engine.noteSilent(id, ...seriesIds.names(id));
  }

  /** What was committed since the last question. */
  private tellNewest(): void {
    const { touched, newest, newestValues, seriesIds } = this.open;
    for (const id of touched) {
      const [device, measure] = seriesIds.names(id);
      this.engine.note(id, device, measure, newest[id] as number, newestValues[id] as number);
    }
    touched.clear();
  }
}

function pointOf({ measurement, tags, fields, at }: OwnPoint): Point {
  return {
    measurement,
    tags: Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1)),
    fields: Object.entries(fields),
    at_ns: BigInt(at) * NS_PER_MS,
  };
}

const instantOf = (time_ns: unknown): Instant => Number((time_ns as bigint) / NS_PER_MS) as Instant;

const plain = (value: number | bigint | string | boolean): number | string =>
  typeof value === "string" ? value : Number(value);
