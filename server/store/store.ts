import type { Reading } from "#protocol/messages.ts";
import type { SeriesName } from "#protocol/series.ts";
import type { Instant, Seconds } from "#protocol/units.ts";
import type { OwnPoint } from "../chronicle/point.ts";
import type { ExportQuery } from "./export.ts";
import type { InfluxEngine } from "./influxql/engine.ts";
import type { Sums } from "./sums.ts";

/** Readings of one station with consecutive numbers: `first` is the number of the first. */
export interface Contribution {
  readonly station: string;
  readonly epoch: string;
  readonly first: number;
  readonly readings: readonly Reading[];
  /**
   * The number up to which this station is committed with it, where that is more than the readings say: those that went
   * into quarantine count as received.
   */
  readonly upTo?: number;
  /** Exactly these readings under these numbers as the station encoded them, for a store that keeps batches as they come. */
  readonly payload?: Uint8Array;
}

/** The number up to which a contribution takes its station. */
export const upToOf = (each: Contribution): number => each.upTo ?? each.first + each.readings.length - 1;

export interface Mark {
  readonly station: string;
  readonly epoch: string;
  readonly upTo: number;
}

/**
 * The port to a time-series store, as ingest, loops and API need it. Two values of one measure of one device at one instant
 * are one reading: the last said wins.
 */
export interface Store {
  open(): Promise<void>;
  /** Commits all or nothing, durably, with the marks that the contributions imply. Raises Fault STORE_FAILED. */
  commit(contributions: readonly Contribution[]): Promise<void>;
  /** Up to which number each station's readings are committed: read once at start. */
  marks(): Promise<Mark[]>;
  /** The newest value of every device and measure: read once at start; later kept in memory by the caller. */
  latest(): Promise<Reading[]>;
  /** Readings of one measure of one device in [from, to), oldest first, at most `limit`. */
  range(device: string, measure: string, from: Instant, to: Instant, limit: number): Promise<Reading[]>;
  /**
   * All readings in [from, to), in the order of time, those of one device and instant beside each other; undefined where
   * they are more than `most`.
   */
  during(from: Instant, to: Instant, most: number): Promise<Reading[] | undefined>;
  /** Per step of `every` from `from`: count, mean, min, max, first and last of a measure over these devices together. */
  aggregate(query: AggregateQuery): Promise<AggregateRow[]>;
  /** What is stored of every device and measure: to compare two stores, and to copy one. */
  series(): Promise<SeriesSummary[]>;
  /** How many readings are stored, and in how many bytes on disk. */
  size(): Promise<{ readings: number; bytes: number }>;
  /**
   * Drops readings older than `before`, at least in whole days (UTC), and says how many; marks are kept. A store that keeps
   * roll-ups and points of the server's own drops quarters of an hour and points older than `coarseBefore`, and of its fine
   * series (see FINE_SERIES) may drop what is older than `before`.
   */
  prune(before: Instant, coarseBefore?: Instant): Promise<number>;
  /**
   * Moves readings older than `before`, in whole days (UTC), to where they take less room, and rolls them up; how many
   * archives that made. `pause` comes between its steps; when it rejects, the rest is left for the next time.
   */
  compact?(before: Instant, pause: () => Promise<void>): Promise<number>;
  /** From when on it still has readings, and their roll-ups by quarters and hours of UTC; undefined: from the beginning. */
  reach?(): Promise<Reach>;
  /** Writes readings into a file and says how many, where it can do so better than reading by reading. */
  exportTo?(query: ExportQuery, file: string): Promise<number>;
  /** Writes all that it has into a directory, as of one moment, while it goes on; only a store with files of its own can. */
  backUp?(directory: string, progress: (share: number) => void): Promise<void>;
  close(): Promise<void>;
  /** Keeps points that the server writes of itself; of two values of one field of one series and instant the last one stays. */
  record(points: readonly OwnPoint[]): Promise<void>;
  /** Those points in [from, to). */
  recorded(from: Instant, to: Instant): Promise<OwnPoint[]>;
  /** What is kept of them, by measurement: to compare two stores, and to copy one. */
  recordings(): Promise<OwnSummary[]>;
  /** What it keeps of readings that it drops, where it keeps any. */
  readonly sums?: Sums;
  /** Its second face, where it has one: what reads or feeds an InfluxDB does so here. */
  readonly influx?: InfluxEngine;
}

export interface Reach {
  readonly raw: Instant | undefined;
  readonly quarter: Instant | undefined;
  readonly hour: Instant | undefined;
}

export interface SeriesSummary {
  readonly device: string;
  readonly measure: string;
  readonly count: number;
  readonly sum: number;
  /** The instants of the oldest and the newest reading. */
  readonly first: Instant;
  readonly last: Instant;
}

export interface OwnSummary {
  readonly measurement: SeriesName;
  /** Values of all its fields together. */
  readonly values: number;
  /** The instants of the oldest and the newest point. */
  readonly first: Instant;
  readonly last: Instant;
}

export interface AggregateQuery {
  readonly devices: readonly string[];
  readonly measure: string;
  readonly from: Instant;
  readonly to: Instant;
  readonly every: Seconds;
  /** One row a step for all devices together, or one for each device. */
  readonly by?: "device";
}

export interface AggregateRow {
  readonly at: Instant;
  readonly device?: string;
  readonly count: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  readonly first: number;
  readonly last: number;
}
