import type { Reading } from "#protocol/messages.ts";
import type { Instant } from "#protocol/units.ts";
import type { Description } from "./describe.ts";
import type { InfluxPoint } from "./influx-points.ts";
import type { OwnPoint } from "../chronicle/point.ts";
import type { Retention } from "../keeping.ts";
import type { RollupServer } from "./influx-rollups.ts";
import type { RolledPolicy } from "./influxql/rolled.ts";
import type { AggregateQuery, AggregateRow, OwnSummary, SeriesSummary } from "./store.ts";
import type { Sum, Tally } from "./sums.ts";

/**
 * One InfluxDB as the store over it needs it: version 1 speaks InfluxQL and version 2 Flux, and what is kept there is the
 * same. Every call may fail with whatever its client throws; `faultOf` says what that means.
 */
export interface InfluxServer extends RollupServer {
  /** Where it is, for people: no password, no token. */
  readonly address: string;
  /** Creates what is missing to write to, where that is allowed, and has it kept for as long as is said, if it is. */
  prepare(retention: Retention | undefined): Promise<void>;
  /** Resolves when the server has said that they are kept. */
  write(points: readonly InfluxPoint[]): Promise<void>;
  writeMarks(marks: readonly InfluxMark[]): Promise<void>;
  marks(): Promise<InfluxMark[]>;
  /** The newest value of every field of every series, with the tags of the series. */
  latest(): Promise<LastValue[]>;
  range(series: OneSeries, from: number, to: number, limit: number): Promise<Reading[]>;
  /** As the store's. */
  during(from: number, to: number, most: number): Promise<Reading[] | undefined>;
  /** The server's own points: resolves when they are kept. */
  record(points: readonly OwnPoint[]): Promise<void>;
  recorded(from: number, to: number): Promise<OwnPoint[]>;
  recordings(): Promise<OwnSummary[]>;
  /** As the store's, for devices that are all of one measurement; of the readings, or of what they were summed up to. */
  aggregate(measurement: string, query: AggregateQuery, of: RolledPolicy | "readings"): Promise<AggregateRow[]>;
  series(): Promise<SeriesSummary[]>;
  count(): Promise<number>;
  /** Bytes on disk; 0 where the server does not tell us. */
  bytes(): Promise<number>;
  readonly sums: InfluxSumsServer;
  prune(before: Instant, coarseBefore: Instant | undefined): Promise<void>;
  close(): Promise<void>;
}

/** What is summed up in it, policy by policy, as another store reads it and hands its own over. */
export interface InfluxSumsServer {
  /** When the oldest reading was measured, and where the oldest step of any policy begins; undefined while there is none. */
  oldest(): Promise<{ readonly reading: Instant | undefined; readonly step: Instant | undefined }>;
  /** Where the newest step of any policy begins. */
  newest(): Promise<Instant | undefined>;
  /** How many readings of [from, to) there are. */
  readings(from: number, to: number): Promise<number>;
  tally(policy: RolledPolicy, from: number, to: number): Promise<Tally | undefined>;
  read(policy: RolledPolicy, from: number, to: number): Promise<Sum[]>;
  write(policy: RolledPolicy, points: readonly InfluxPoint[]): Promise<void>;
}

/** What the store remembers of a station and epoch; `order` counts epochs as they were first seen. */
export interface InfluxMark {
  readonly station: string;
  readonly epoch: string;
  readonly upTo: number;
  readonly order: number;
}

export interface OneSeries {
  readonly measurement: string;
  readonly device: string;
  readonly measure: string;
}

export interface LastValue {
  readonly description: Description;
  readonly measure: string;
  readonly at: Instant;
  readonly value: number;
}

/** The measurement of a device that nobody can describe. */
export const UNDESCRIBED = "device";

/** Instants that InfluxDB can hold, in milliseconds: nanoseconds in 64 bits. */
const LAST_MS = 9_223_372_036_000;
/** A whole number of milliseconds that InfluxDB can hold. Rounded up, so that `>= x` and `< x` mean for instants what they say. */
export const holdable = (ms: number): number => Math.ceil(Math.min(Math.max(ms, -LAST_MS), LAST_MS));

/** A regular expression, without its slashes, that is true of exactly these texts. */
export const exactly = (texts: readonly string[]): string =>
  `^(${texts.map((text) => text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`)).join("|")})$`;
