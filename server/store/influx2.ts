import {
  HttpError,
  InfluxDB,
  Point,
  flux,
  fluxExpression,
  fluxRegExp,
  type WriteApi,
} from "@influxdata/influxdb-client";
import type { Reading } from "#protocol/messages.ts";
import type { SeriesName } from "#protocol/series.ts";
import type { Instant } from "#protocol/units.ts";
import { onlyTooOld } from "./influx-faults.ts";
import type { InfluxPoint } from "./influx-points.ts";
import { POINTS_A_REQUEST } from "./influx-points.ts";
import type { InfluxMark, InfluxServer, LastValue, OneSeries } from "./influx-server.ts";
import { exactly, holdable } from "./influx-server.ts";
import type { InfluxOptions } from "./influx-store.ts";
import { influxStore, REQUEST_TIMEOUT } from "./influx-store.ts";
import {
  type Ask,
  CHRONICLE_POLICY,
  chronicled,
  createDatabase,
  dropOldShards,
  MARKS,
  MARKS_POLICY,
  ours,
  resultsOf,
  shardBytes,
} from "./influxql-answers.ts";
import type { OwnPoint } from "../chronicle/point.ts";
import type { AggregateQuery, AggregateRow, OwnSummary, SeriesSummary, Store } from "./store.ts";

export interface Influx2Options extends InfluxOptions {
  readonly org: string;
  /**
   * The bucket of raw readings; on an InfluxDB 1.8 with Flux, `database/policy`. The marks and the server's own series go into
   * one each beside it.
   */
  readonly bucket: string;
  /** On an InfluxDB 1.8 `user:password`. */
  readonly token?: string;
}

/** A store in an InfluxDB 2.x, through the client `@influxdata/influxdb-client`. Raises the faults of `influxStore`. */
export function influx2Store(options: Influx2Options): Store {
  return influxStore(new Influx2(options), options);
}

/** A row of an answer: what is missing in it is null. */
type Row = Readonly<Record<string, string | number | null>>;

/** Request bodies of this many bytes and more are compressed. */
const GZIP_BYTES = 1000;

class Influx2 implements InfluxServer {
  readonly address: string;
  private readonly client: InfluxDB;
  private readonly org: string;
  private readonly bucket: string;
  private readonly marksBucket: string;
  private readonly chronicleBucket: string;
  /** Of an InfluxDB 1.8, which answers the writes and queries of 2.x and nothing else of it. */
  private database: string | undefined;

  constructor({ url, org, bucket, token, timeout = REQUEST_TIMEOUT }: Influx2Options) {
    this.address = `${url.replace(/\/$/, "")}/${org}/${bucket}`;
    this.org = org;
    this.bucket = bucket;
    const beside = (policy: string): string =>
      bucket.includes("/") ? `${bucket.split("/")[0]}/${policy}` : `${bucket}-${policy}`;
    this.marksBucket = beside(MARKS_POLICY);
    this.chronicleBucket = beside(CHRONICLE_POLICY);
    this.client = new InfluxDB({ url, timeout: timeout * 1000, ...(token !== undefined && { token }) });
  }

  async prepare(): Promise<void> {
    const has = await this.buckets(this.bucket);
    if (has === "no buckets here") {
      const [database = "", retention = "autogen"] = this.bucket.split("/");
      this.database = database;
      return createDatabase(this.ask, database, retention);
    }
    if (!has) await this.createBucket(this.bucket);
    for (const bucket of [this.marksBucket, this.chronicleBucket]) {
      if (!(await this.buckets(bucket))) await this.createBucket(bucket);
    }
  }

  write(points: readonly InfluxPoint[]): Promise<void> {
    return this.sendKept(
      this.bucket,
      points.map(({ description: { measurement, tags }, at, fields }) => pointOf(measurement, tags, fields, at)),
    );
  }

  record(points: readonly OwnPoint[]): Promise<void> {
    return this.sendKept(
      this.chronicleBucket,
      points.map(({ measurement, tags, fields, at }) => pointOf(measurement, tags, fields, at)),
    );
  }

  async recorded(from: number, to: number): Promise<OwnPoint[]> {
    if (!(from < to)) return [];
    const points = new Map<string, { readonly point: OwnPoint; readonly fields: Record<string, number | string> }>();
    for (const row of await this.rows(flux`${this.chronicle(between(from, to))}`)) {
      const tags = tagsOf(row);
      const at = instantOf(row["_time"]);
      const key = JSON.stringify([row["_measurement"], at, tags]);
      let found = points.get(key);
      if (found === undefined) {
        const fields: Record<string, number | string> = {};
        found = { point: { measurement: row["_measurement"] as SeriesName, tags, fields, at }, fields };
        points.set(key, found);
      }
      const value = row["_value"] as number | string;
      // In an answer in CSV every line ends with two characters, those within a text, too.
      found.fields[String(row["_field"])] = typeof value === "string" ? value.replaceAll("\r\n", "\n") : value;
    }
    return [...points.values()].map(({ point }) => point);
  }

  async recordings(): Promise<OwnSummary[]> {
    const rows = await this.rows(
      flux`data = ${this.chronicle(ALWAYS)}
      data |> count() |> keep(columns: ["_measurement", "_value"]) |> sum() |> yield(name: "count")
      data |> first() |> keep(columns: ["_measurement", "_time"]) |> yield(name: "first")
      data |> last() |> keep(columns: ["_measurement", "_time"]) |> yield(name: "last")`,
    );
    const found = new Map<string, { -readonly [Key in keyof OwnSummary]: OwnSummary[Key] }>();
    for (const row of rows) {
      const measurement = row["_measurement"] as SeriesName;
      const summary = found.get(measurement) ?? { measurement, values: 0, first: FAR_AHEAD, last: LONG_AGO };
      found.set(measurement, summary);
      if (row["result"] === "count") summary.values += Number(row["_value"]);
      const at = instantOf(row["_time"]);
      if (row["result"] === "first" && at < summary.first) summary.first = at;
      if (row["result"] === "last" && at > summary.last) summary.last = at;
    }
    return [...found.values()];
  }

  writeMarks(marks: readonly InfluxMark[]): Promise<void> {
    return this.send(
      this.marksBucket,
      marks.map(({ station, epoch, upTo, order }) =>
        new Point(MARKS)
          .tag("station", station)
          .tag("epoch", epoch)
          .floatField("up_to", upTo)
          .floatField("order", order)
          .timestamp(0),
      ),
    );
  }

  async marks(): Promise<InfluxMark[]> {
    const marks = new Map<string, { station: string; epoch: string; upTo: number; order: number }>();
    const rows = await this.rows(
      flux`from(bucket: ${this.marksBucket}) |> ${ALWAYS} |> filter(fn: (r) => r._measurement == ${MARKS})`,
    );
    for (const row of rows) {
      const [station, epoch] = [String(row["station"] ?? ""), String(row["epoch"] ?? "")];
      const mark = marks.get(`${station}\n${epoch}`) ?? { station, epoch, upTo: 0, order: 0 };
      if (row["_field"] === "up_to") mark.upTo = Number(row["_value"]);
      if (row["_field"] === "order") mark.order = Number(row["_value"]);
      marks.set(`${station}\n${epoch}`, mark);
    }
    return [...marks.values()];
  }

  async latest(): Promise<LastValue[]> {
    const rows = await this.rows(flux`${this.ours()} |> last()`);
    return rows.map((row) => ({
      description: { measurement: String(row["_measurement"]), tags: tagsOf(row) },
      measure: String(row["_field"]),
      at: instantOf(row["_time"]),
      value: Number(row["_value"]),
    }));
  }

  async during(from: number, to: number, most: number): Promise<Reading[] | undefined> {
    if (!(from < to)) return [];
    if ((await this.count(between(from, to))) > most) return undefined;
    const rows = await this.rows(
      flux`${this.ours(between(from, to))} |> keep(columns: ["device", "_field", "_time", "_value"])`,
    );
    return rows.map((row) => ({
      device: String(row["device"] ?? ""),
      measure: String(row["_field"]),
      at: instantOf(row["_time"]),
      value: Number(row["_value"]),
    }));
  }

  async range(
    { measurement, device, measure }: OneSeries,
    from: number,
    to: number,
    limit: number,
  ): Promise<Reading[]> {
    if (!(from < to)) return [];
    const rows = await this.rows(
      flux`from(bucket: ${this.bucket}) |> ${between(from, to)}
        |> filter(fn: (r) => r._measurement == ${measurement} and r._field == ${measure} and r.device == ${device})
        |> group() |> sort(columns: ["_time"]) |> limit(n: ${Math.min(limit, Number.MAX_SAFE_INTEGER)})
        |> keep(columns: ["_time", "_value"])`,
    );
    return rows.map((row) => ({ device, measure, at: instantOf(row["_time"]), value: Number(row["_value"]) }));
  }

  async aggregate(measurement: string, query: AggregateQuery): Promise<AggregateRow[]> {
    const { devices, measure, from, to, by } = query;
    if (!(from < to)) return [];
    const period = Math.ceil(query.every * 1000);
    const offset = ((holdable(from) % period) + period) % period;
    const group = fluxExpression(by === "device" ? `group(columns: ["device"])` : "group()");
    const duration = (ms: number) => fluxExpression(`${ms}ms`);
    const rows = await this.rows(
      flux`data = from(bucket: ${this.bucket}) |> ${between(from, to)}
        |> filter(fn: (r) => r._measurement == ${measurement} and r._field == ${measure})
        |> filter(fn: (r) => r.device =~ ${fluxRegExp(new RegExp(exactly(devices)))})
        |> ${group} |> sort(columns: ["_time"]) |> window(every: ${duration(period)}, offset: ${duration(offset)})
      ${fluxExpression(AGGREGATES.map((each) => `data |> ${each}() |> yield(name: "${each}")`).join("\n"))}`,
    );
    const steps = new Map<string, { -readonly [Key in keyof AggregateRow]: AggregateRow[Key] }>();
    for (const row of rows) {
      const at = instantOf(row["_start"]);
      const device = by === "device" ? String(row["device"]) : undefined;
      const key = `${at}\n${device}`;
      let step = steps.get(key);
      if (step === undefined) {
        step = { at, ...(device !== undefined && { device }), count: 0, mean: 0, min: 0, max: 0, first: 0, last: 0 };
        steps.set(key, step);
      }
      step[row["result"] as (typeof AGGREGATES)[number]] = Number(row["_value"]);
    }
    return [...steps.values()];
  }

  async series(): Promise<SeriesSummary[]> {
    const rows = await this.rows(
      flux`data = ${this.ours()} |> group(columns: ["device", "_field"])
      data |> count() |> yield(name: "count")
      data |> sum() |> yield(name: "sum")
      times = data |> sort(columns: ["_time"])
      times |> first() |> yield(name: "first")
      times |> last() |> yield(name: "last")`,
    );
    const found = new Map<string, { -readonly [Key in keyof SeriesSummary]: SeriesSummary[Key] }>();
    for (const row of rows) {
      const [device, measure] = [String(row["device"]), String(row["_field"])];
      const key = `${device}\n${measure}`;
      let summary = found.get(key);
      if (summary === undefined) {
        summary = { device, measure, count: 0, sum: 0, first: 0 as Instant, last: 0 as Instant };
        found.set(key, summary);
      }
      const result = row["result"];
      if (result === "count" || result === "sum") summary[result] = Number(row["_value"]);
      if (result === "first" || result === "last") summary[result] = instantOf(row["_time"]);
    }
    return [...found.values()];
  }

  async count(span = ALWAYS): Promise<number> {
    const rows = await this.rows(flux`${this.ours(span)} |> count() |> group() |> sum()`);
    return Number(rows[0]?.["_value"] ?? 0);
  }

  async bytes(): Promise<number> {
    if (this.database !== undefined) return shardBytes(this.ask, this.database);
    const bucket = await this.bucketId();
    const metrics = await this.client.transport.request("/metrics", "", { method: "GET" }).catch(() => "");
    return String(metrics)
      .split("\n")
      .filter((line) => line.startsWith("storage_shard_disk_size") && line.includes(`bucket="${bucket}"`))
      .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  }

  async prune(before: Instant, coarseBefore: Instant | undefined): Promise<void> {
    await this.dropOld(this.bucket, before);
    if (coarseBefore !== undefined) await this.dropOld(this.chronicleBucket, coarseBefore);
  }

  private async dropOld(bucket: string, before: Instant): Promise<void> {
    if (this.database !== undefined) {
      return dropOldShards(this.ask, this.database, bucket.split("/")[1] ?? "autogen", before);
    }
    const query = new URLSearchParams({ org: this.org, bucket });
    const body = { start: "1970-01-01T00:00:00Z", stop: new Date(holdable(before) - 1).toISOString() };
    await this.client.transport.request(`/api/v2/delete?${query}`, body, { method: "POST" });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private ours(span = ALWAYS): ReturnType<typeof fluxExpression> {
    return measurementsIn(this.bucket, span, ours);
  }

  private chronicle(span: ReturnType<typeof fluxExpression>): ReturnType<typeof fluxExpression> {
    return measurementsIn(this.chronicleBucket, span, chronicled);
  }

  private rows(query: ReturnType<typeof flux>): Promise<Row[]> {
    return this.client.getQueryApi(this.org).collectRows<Row>(query);
  }

  private async sendKept(bucket: string, points: readonly Point[]): Promise<void> {
    try {
      await this.send(bucket, points);
    } catch (problem) {
      if (!onlyTooOld(problem)) throw problem;
    }
  }

  /** One request, sent at once, whose failure is thrown and not tried again behind our back. */
  private async send(bucket: string, points: readonly Point[]): Promise<void> {
    let failed: { readonly problem: Error } | undefined;
    const api: WriteApi = this.client.getWriteApi(this.org, bucket, "ms", {
      batchSize: POINTS_A_REQUEST + 1,
      flushInterval: 0,
      maxRetries: 0,
      gzipThreshold: GZIP_BYTES,
      // Without an answer of ours the client writes its own line on the terminal.
      writeFailed: (problem) => {
        failed = { problem };
        return Promise.resolve();
      },
    });
    api.writePoints([...points]);
    await api.close();
    if (failed !== undefined) throw failed.problem;
  }

  private async buckets(name: string): Promise<boolean | "no buckets here"> {
    try {
      return (await this.bucketId(name)) !== undefined;
    } catch (problem) {
      if (!(problem instanceof HttpError) || problem.statusCode !== 404) throw problem;
      // InfluxDB 2.x says 404 for a bucket that it does not have, and says so in JSON; 1.8 knows no such address.
      return problem.json === undefined || problem.json === null ? "no buckets here" : false;
    }
  }

  private async bucketId(name = this.bucket): Promise<string | undefined> {
    const query = new URLSearchParams({ org: this.org, name });
    const { buckets = [] } = (await this.client.transport.request(`/api/v2/buckets?${query}`, "", {
      method: "GET",
    })) as { buckets?: readonly { id: string }[] };
    return buckets[0]?.id;
  }

  private async createBucket(name: string): Promise<void> {
    const { transport } = this.client;
    const query = new URLSearchParams({ org: this.org });
    const { orgs = [] } = (await transport.request(`/api/v2/orgs?${query}`, "", { method: "GET" })) as {
      orgs?: readonly { id: string }[];
    };
    await transport.request("/api/v2/buckets", { orgID: orgs[0]?.id, name, retentionRules: [] }, { method: "POST" });
  }

  /** InfluxQL, which 1.8 answers beside Flux and which alone can create and drop there. */
  private readonly ask: Ask = async (statements) => {
    const query = new URLSearchParams({ q: statements, epoch: "ms" });
    return resultsOf(await this.client.transport.request(`/query?${query}`, "", { method: "POST" }));
  };
}

const AGGREGATES = ["count", "mean", "min", "max", "first", "last"] as const;
/** Columns of a row that are no tags. */
const NO_TAG = /^(_.*|result|table)$/;

const tagsOf = (row: Row): Record<string, string> =>
  Object.fromEntries(
    Object.entries(row).flatMap(([key, value]) =>
      NO_TAG.test(key) || typeof value !== "string" || value === "" ? [] : [[key, value] as const],
    ),
  );

function pointOf(
  measurement: string,
  tags: Readonly<Record<string, string>>,
  fields: Readonly<Record<string, number | string>>,
  at: number,
): Point {
  const point = new Point(measurement).timestamp(at);
  for (const [tag, value] of Object.entries(tags)) point.tag(tag, value);
  for (const [field, value] of Object.entries(fields)) {
    if (typeof value === "number") point.floatField(field, value);
    else point.stringField(field, value);
  }
  return point;
}

const measurementsIn = (
  bucket: string,
  span: ReturnType<typeof fluxExpression>,
  measurements: string,
): ReturnType<typeof fluxExpression> =>
  fluxExpression(
    flux`from(bucket: ${bucket}) |> ${span} |> filter(fn: (r) => r._measurement =~ ${fluxRegExp(new RegExp(measurements))})`.toString(),
  );

const LONG_AGO = Number.NEGATIVE_INFINITY as Instant;
const FAR_AHEAD = Number.POSITIVE_INFINITY as Instant;

/** Flux of InfluxDB 1.8 takes the end of a range into it and that of 2.x does not: a nanosecond before, both mean the same. */
const between = (from: number, to: number): ReturnType<typeof fluxExpression> =>
  fluxExpression(`range(start: ${dated(from)}, stop: ${dated(to - 1).replace("Z", "999999Z")})`);
const dated = (ms: number): string => new Date(holdable(ms)).toISOString();
/** Everything: without an end Flux takes now, and a town's clock may be ahead of the server's. */
const ALWAYS = between(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);

const instantOf = (time: unknown): Instant => Date.parse(String(time)) as Instant;
