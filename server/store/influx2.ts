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
import { influxStore, REQUEST_TIMEOUT, SUM_UP_TIMEOUT } from "./influx-store.ts";
import {
  CHRONICLE_POLICY,
  createDatabase,
  MARKS_POLICY,
  type Policy,
  policiesOf,
  ROLLED_POLICIES,
} from "./influx-policies.ts";
import { hourOf, type HourNote, type NoteKind, type OpenHour } from "./influx-rollups.ts";
import { type Step, Steps } from "./influx-steps.ts";
import { Influx2Sums, type Row } from "./influx2-sums.ts";
import { ROLLED, type RolledPolicy } from "./influxql/rolled.ts";
import { type Ask, chronicled, dropOldShards, HOURS, MARKS, ours, resultsOf, shardBytes } from "./influxql-answers.ts";
import type { Retention } from "../keeping.ts";
import type { OwnPoint } from "../chronicle/point.ts";
import type { AggregateQuery, AggregateRow, OwnSummary, SeriesSummary, Store } from "./store.ts";

export interface Influx2Options extends InfluxOptions {
  readonly org: string;
  /**
   * The bucket of raw readings; on an InfluxDB 1.8 with Flux, `database/policy`. The marks, the server's own series and the
   * roll-ups go into one each beside it.
   */
  readonly bucket: string;
  /** On an InfluxDB 1.8 `user:password`. */
  readonly token?: string;
}

/** A store in an InfluxDB 2.x, through the client `@influxdata/influxdb-client`. Raises the faults of `influxStore`. */
export function influx2Store(options: Influx2Options): Store {
  return influxStore(new Influx2(options), options);
}

/** Stands for the readings' own bucket among the names of the others. */
const READINGS = "readings";

interface RetentionRule {
  readonly type: "expire";
  /** 0: for good. */
  readonly everySeconds: number;
  readonly shardGroupDurationSeconds: number;
}
interface Bucket {
  readonly id: string;
  readonly retentionRules?: readonly { readonly everySeconds: number }[];
}

const keptSeconds = ({ kept_h = 0 }: Policy): number => kept_h * 3600;
const rulesOf = (policy: Policy): readonly RetentionRule[] => [
  { type: "expire", everySeconds: keptSeconds(policy), shardGroupDurationSeconds: policy.shard_h * 3600 },
];

/** Request bodies of this many bytes and more are compressed. */
const GZIP_BYTES = 1000;

class Influx2 implements InfluxServer {
  readonly address: string;
  private readonly client: InfluxDB;
  /** The same for what takes its time. */
  private readonly patient: InfluxDB;
  private readonly org: string;
  private readonly bucket: string;
  private readonly marksBucket: string;
  private readonly chronicleBucket: string;
  /** What is known of hours lies beside what is kept of them for good. */
  private readonly hoursBucket: string;
  /** Of an InfluxDB 1.8, which answers the writes and queries of 2.x and nothing else of it. */
  private database: string | undefined;
  readonly sums: Influx2Sums = new Influx2Sums({
    rows: (query) => this.rows(query),
    points: (of, from, to) =>
      measurementsIn(of === "readings" ? this.bucket : this.beside(of), between(from, to), ours),
    tagsOf,
    write: (policy, points) => this.sendPoints(this.beside(policy), points),
  });

  constructor({ url, org, bucket, token, timeout = REQUEST_TIMEOUT }: Influx2Options) {
    this.address = `${url.replace(/\/$/, "")}/${org}/${bucket}`;
    this.org = org;
    this.bucket = bucket;
    this.marksBucket = this.beside(MARKS_POLICY);
    this.chronicleBucket = this.beside(CHRONICLE_POLICY);
    this.hoursBucket = this.beside("hour");
    const clientWith = (patience: number): InfluxDB =>
      new InfluxDB({ url, timeout: patience * 1000, ...(token !== undefined && { token }) });
    this.client = clientWith(timeout);
    this.patient = clientWith(SUM_UP_TIMEOUT);
  }

  async prepare(retention: Retention | undefined): Promise<void> {
    for (const policy of policiesOf(READINGS, retention ?? {})) {
      const name = policy.name === READINGS ? this.bucket : this.beside(policy.name);
      const has = await this.bucketNamed(name);
      if (has === "no buckets here") {
        const [database = "", readings = "autogen"] = this.bucket.split("/");
        this.database = database;
        return createDatabase(this.ask, database, readings, retention);
      }
      if (has === undefined) await this.createBucket(name, rulesOf(policy));
      else if (retention !== undefined && (has.retentionRules?.[0]?.everySeconds ?? 0) !== keptSeconds(policy)) {
        await this.keepFor(has.id, policy);
      }
    }
  }

  write(points: readonly InfluxPoint[]): Promise<void> {
    return this.sendPoints(this.bucket, points);
  }

  private sendPoints(bucket: string, points: readonly InfluxPoint[]): Promise<void> {
    return this.sendKept(
      bucket,
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

  async notes(): Promise<HourNote[]> {
    const rows = await this.rows(
      flux`from(bucket: ${this.hoursBucket}) |> ${ALWAYS} |> filter(fn: (r) => r._measurement == ${HOURS})`,
    );
    const notes = new Map<OpenHour, Record<NoteKind, number>>();
    for (const row of rows) {
      const at = instantOf(row["_time"]);
      const note = notes.get(at) ?? { opened: 0, summed: 0 };
      notes.set(at, note);
      note[row["_field"] as NoteKind] = Number(row["_value"]);
    }
    return [...notes].map(([at, { opened, summed }]): HourNote => [at, opened, summed]);
  }

  async note(hours: readonly OpenHour[], are: NoteKind, number: number): Promise<void> {
    for (let index = 0; index < hours.length; index += POINTS_A_REQUEST) {
      const some = hours.slice(index, index + POINTS_A_REQUEST);
      await this.send(
        this.hoursBucket,
        some.map((at) => pointOf(HOURS, {}, { [are]: number }, at)),
      );
    }
  }

  async span(): Promise<readonly [OpenHour, OpenHour] | undefined> {
    const rows = await this.rows(
      flux`${this.ours()} |> first() |> keep(columns: ["_time"]) |> group() |> sort(columns: ["_time"]) |> limit(n: 1) |> yield(name: "first")
      ${this.ours()} |> last() |> keep(columns: ["_time"]) |> group() |> sort(columns: ["_time"], desc: true) |> limit(n: 1) |> yield(name: "last")`,
    );
    const at = (end: string): OpenHour | undefined => {
      const row = rows.find(({ result }) => result === end);
      return row && hourOf(instantOf(row["_time"]));
    };
    const [first, last] = [at("first"), at("last")];
    return first === undefined || last === undefined ? undefined : [first, last];
  }

  /**
   * The readings come here once, a row at a time, series by series in the order of time, and are summed up on the way: most
   * quarters of an hour hold fewer readings than what is kept of them.
   */
  async sumUp(from: OpenHour, to: OpenHour): Promise<void> {
    const rollups = ROLLED_POLICIES.map((policy) => ({ policy, points: [] as Point[] }));
    const send = async (least: number): Promise<void> => {
      for (const { policy, points } of rollups) {
        if (points.length >= least) await this.sendKept(this.beside(policy), points.splice(0));
      }
    };
    let table: unknown;
    let end = (): void => {};
    let take = (_at: number, _value: number): void => {};
    for await (const { values, tableMeta } of this.patient
      .getQueryApi(this.org)
      .iterateRows(this.ours(between(from, to)))) {
      if (tableMeta.get(values, "table") !== table) {
        end();
        table = tableMeta.get(values, "table");
        const row = tableMeta.toObject(values) as Row;
        const [measurement, tags] = [String(row["_measurement"]), tagsOf(row)];
        const sums = rollups.map(({ policy, points }) => {
          const steps = new Steps(ROLLED[policy], String(row["_field"]));
          const keep = (step: Step | undefined): void => {
            if (step !== undefined) points.push(pointOf(measurement, tags, step.fields, step.at));
          };
          return { steps, keep };
        });
        take = (at, value) => {
          for (const { steps, keep } of sums) keep(steps.add(at, value));
        };
        end = () => {
          for (const { steps, keep } of sums) keep(steps.end());
        };
      }
      take(instantOf(tableMeta.get(values, "_time")), Number(tableMeta.get(values, "_value")));
      await send(POINTS_A_REQUEST);
    }
    end();
    await send(1);
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

  async aggregate(measurement: string, query: AggregateQuery, of: RolledPolicy | "readings"): Promise<AggregateRow[]> {
    const { devices, measure, from, to, by } = query;
    if (!(from < to)) return [];
    const period = Math.ceil(query.every * 1000);
    const offset = ((holdable(from) % period) + period) % period;
    const group = fluxExpression(by === "device" ? `group(columns: ["device"])` : "group()");
    const duration = (ms: number) => fluxExpression(`${ms}ms`);
    const steps = (field: string): string =>
      flux`from(bucket: ${of === "readings" ? this.bucket : this.beside(of)})
      |> ${between(from, to)} |> filter(fn: (r) => r._measurement == ${measurement} and r._field == ${field})
      |> filter(fn: (r) => r.device =~ ${fluxRegExp(new RegExp(exactly(devices)))})
      |> ${group} |> sort(columns: ["_time"]) |> window(every: ${duration(period)}, offset: ${duration(offset)})`.toString();
    const questions =
      of === "readings"
        ? [`data = ${steps(measure)}`, ...AGGREGATES.map((each) => `data |> ${each}() |> yield(name: "${each}")`)]
        : AGGREGATES.map((each) => {
            const [kept, call] = OF_ROLLED[each];
            return `${steps(`${kept}_${measure}`)} |> ${call}() |> yield(name: "${each}")`;
          });
    const rows = await this.rows(fluxExpression(questions.join("\n")));
    const found = new Map<string, { -readonly [Key in keyof AggregateRow]: AggregateRow[Key] }>();
    for (const row of rows) {
      const at = instantOf(row["_start"]);
      const device = by === "device" ? String(row["device"]) : undefined;
      const key = `${at}\n${device}`;
      let step = found.get(key);
      if (step === undefined) {
        step = { at, ...(device !== undefined && { device }), count: 0, mean: 0, min: 0, max: 0, first: 0, last: 0 };
        found.set(key, step);
      }
      step[row["result"] as (typeof AGGREGATES)[number]] = Number(row["_value"]);
    }
    if (of !== "readings") for (const step of found.values()) step.mean /= step.count;
    return [...found.values()];
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
    const found = await this.bucketNamed(this.bucket);
    const id = typeof found === "object" ? found.id : "";
    const metrics = await this.client.transport.request("/metrics", "", { method: "GET" }).catch(() => "");
    return String(metrics)
      .split("\n")
      .filter((line) => line.startsWith("storage_shard_disk_size") && line.includes(`bucket="${id}"`))
      .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  }

  async prune(before: Instant, coarseBefore: Instant | undefined): Promise<void> {
    await this.dropOld(this.bucket, before);
    if (coarseBefore === undefined) return;
    for (const bucket of [this.chronicleBucket, this.beside("quarter")]) await this.dropOld(bucket, coarseBefore);
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

  private async bucketNamed(name: string): Promise<Bucket | "no buckets here" | undefined> {
    const query = new URLSearchParams({ org: this.org, name });
    try {
      const { buckets = [] } = (await this.client.transport.request(`/api/v2/buckets?${query}`, "", {
        method: "GET",
      })) as { buckets?: readonly Bucket[] };
      return buckets[0];
    } catch (problem) {
      if (!(problem instanceof HttpError) || problem.statusCode !== 404) throw problem;
      // InfluxDB 2.x says 404 for a bucket that it does not have, and says so in JSON; 1.8 knows no such address.
      return problem.json === undefined || problem.json === null ? "no buckets here" : undefined;
    }
  }

  private async createBucket(name: string, retentionRules: readonly RetentionRule[]): Promise<void> {
    const { transport } = this.client;
    const query = new URLSearchParams({ org: this.org });
    const { orgs = [] } = (await transport.request(`/api/v2/orgs?${query}`, "", { method: "GET" })) as {
      orgs?: readonly { id: string }[];
    };
    await transport.request("/api/v2/buckets", { orgID: orgs[0]?.id, name, retentionRules }, { method: "POST" });
  }

  /** Where the token may not change buckets, things are left to those who may. */
  private async keepFor(id: string, policy: Policy): Promise<void> {
    try {
      await this.client.transport.request(
        `/api/v2/buckets/${id}`,
        { retentionRules: rulesOf(policy) },
        { method: "PATCH" },
      );
    } catch (problem) {
      if (!(problem instanceof HttpError) || ![401, 403].includes(problem.statusCode)) throw problem;
    }
  }

  /** The bucket of a policy beside the readings'. */
  private beside(policy: string): string {
    return this.bucket.includes("/") ? `${this.bucket.split("/")[0]}/${policy}` : `${this.bucket}-${policy}`;
  }

  /** InfluxQL, which 1.8 answers beside Flux and which alone can create and drop there. */
  private readonly ask: Ask = async (statements) => {
    const query = new URLSearchParams({ q: statements, epoch: "ms" });
    return resultsOf(await this.client.transport.request(`/query?${query}`, "", { method: "POST" }));
  };
}

const AGGREGATES = ["count", "mean", "min", "max", "first", "last"] as const;
/** The same of what was summed up: which of its fields, and what of them. The mean is a sum that is still to be divided. */
const OF_ROLLED = {
  count: ["count", "sum"],
  mean: ["sum", "sum"],
  min: ["min", "min"],
  max: ["max", "max"],
  first: ["first", "first"],
  last: ["last", "last"],
} as const satisfies Record<(typeof AGGREGATES)[number], readonly [string, string]>;
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
