import type { FieldType } from "./ast.ts";

/** A point as line protocol writes it: fields of one series at one instant. */
export interface Point {
  readonly measurement: string;
  /** Sorted by key; a tag with an empty value is no tag. */
  readonly tags: readonly (readonly [key: string, value: string])[];
  readonly fields: readonly (readonly [key: string, value: FieldValue])[];
  /** Nanoseconds since 1970, UTC. */
  readonly at_ns: bigint;
}

/** A float is a number, an integer a bigint. */
export type FieldValue = number | bigint | string | boolean;

/** What answers InfluxQL and takes points: the embedded store's second face. */
export interface InfluxEngine {
  /** How many questions were answered by what is held in memory, and how many by the database. */
  readonly answered: { readonly memory: number; readonly database: number };
  /** Runs one text of one or more statements. Each statement has its own result or error; a text that does not parse raises InfluxError. */
  query(text: string, options: QueryOptions): Promise<StatementResult[]>;
  /** As `query`, and writes what it found as the whole body of an answer; bytes are UTF-8. */
  answer(text: string, options: QueryOptions, form: AnswerForm): Promise<string | Uint8Array>;
  /**
   * Commits the points of a body of line protocol durably, all that can be; raises InfluxError (400, partial write) when
   * some could not, with how many were dropped and why, as InfluxDB says it.
   */
  writeLines(body: Uint8Array, options: WriteOptions): Promise<void>;
}

export interface WriteOptions {
  readonly database: string;
  readonly retention?: string;
  /** Nanoseconds in the unit of the times in the body. */
  readonly precision_ns: bigint;
  /** The time of points that say none. */
  readonly now_ns: bigint;
}

export interface QueryOptions {
  /** `db` of the request; absent when the statement names its own. */
  readonly database?: string;
  readonly retention?: string;
  /** Bound parameters, `$name` in the text. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** What `now()` is, in nanoseconds. */
  readonly now_ns: bigint;
  readonly limits: QueryLimits;
  /** Ends the query early: when its caller has gone, or with an InfluxError as the reason when its time is over. */
  readonly signal?: AbortSignal;
}

/** How an answer is written: `application/json` or CSV, as InfluxDB 1.8 writes them. */
export interface AnswerForm {
  readonly csv: boolean;
  readonly pretty: boolean;
  /** Nanoseconds in the unit of time; undefined: RFC 3339 in JSON, nanoseconds in CSV. */
  readonly epoch_ns: bigint | undefined;
  /** The rows of a piece of a chunked answer; absent: it is not chunked. */
  readonly chunk_rows?: number;
}

/** What one query may take; beyond it the query ends with a sentence that names the limit. */
export interface QueryLimits {
  readonly points: number;
  readonly series: number;
  readonly buckets: number;
  readonly time_ms: number;
}

export interface StatementResult {
  readonly statement: number;
  readonly series: readonly ResultSeries[];
  readonly messages?: readonly { readonly level: string; readonly text: string }[];
  readonly error?: string;
}

export interface ResultSeries {
  readonly name: string;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** The same as JSON, keys in order, where it is remembered. */
  readonly tagsText?: string;
  readonly columns: readonly string[];
  /** For each column what it holds, so that a writer prints integers, floats and times as InfluxDB does. */
  readonly types: readonly (FieldType | "time")[];
  /** Rows; a time is nanoseconds as bigint. */
  readonly values: readonly (readonly (FieldValue | null)[])[];
  /** The same without a row for each, where one value stands beside the time. */
  readonly points?: { readonly times: readonly bigint[]; readonly values: readonly (FieldValue | null)[] };
}

/** An answer of InfluxDB's that is an error: its status and its own words. */
export class InfluxError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = "InfluxError";
    this.status = status;
  }
}
