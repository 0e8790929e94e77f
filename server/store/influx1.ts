import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ClientRequest, IncomingMessage } from "node:http";
import { InfluxDB } from "influx";
import type { Reading } from "#protocol/messages.ts";
import type { SeriesName } from "#protocol/series.ts";
import type { Instant } from "#protocol/units.ts";
import { onlyTooOld } from "./influx-faults.ts";
import { type InfluxPoint, POINTS_A_REQUEST } from "./influx-points.ts";
import type { InfluxMark, InfluxServer, LastValue, OneSeries } from "./influx-server.ts";
import { exactly, holdable } from "./influx-server.ts";
import type { InfluxOptions } from "./influx-store.ts";
import { influxStore, REQUEST_TIMEOUT, SUM_UP_TIMEOUT } from "./influx-store.ts";
import { CHRONICLE_POLICY, createDatabase, MARKS_POLICY, ROLLED_POLICIES } from "./influx-policies.ts";
import { hourOf, type HourNote, type NoteKind, type OpenHour } from "./influx-rollups.ts";
import { KEPT } from "./influx-steps.ts";
import { Influx1Sums } from "./influx1-sums.ts";
import { ROLLED, type RolledPolicy } from "./influxql/rolled.ts";
import type { Answer, Ask } from "./influxql-answers.ts";
import {
  chronicled,
  dropOldShards,
  floatFields,
  HOURS,
  MARKS,
  name,
  ours,
  resultsOf,
  shardBytes,
  text,
} from "./influxql-answers.ts";
import type { Retention } from "../keeping.ts";
import type { OwnPoint } from "../chronicle/point.ts";
import type { AggregateQuery, AggregateRow, OwnSummary, SeriesSummary, Store } from "./store.ts";

export interface Influx1Options extends InfluxOptions {
  readonly database: string;
  /** The retention policy of raw readings. */
  readonly policy?: string;
  readonly user?: string;
  readonly password?: string;
}

/** A store in an InfluxDB 1.x, through the client `influx`. Raises the faults of `influxStore`. */
export function influx1Store(options: Influx1Options): Store {
  return influxStore(new Influx1(options), options);
}

/** Where Node tells of every answer that one of its clients gets. */
const ANSWERED = "http.client.response.finish";
const NO_REST = { getDelay: () => 0, next: () => NO_REST, reset: () => NO_REST };

interface Line {
  readonly measurement: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, number | string>>;
  readonly at: number;
}

/** Statements of one request. */
const STATEMENTS = 50;

class Influx1 implements InfluxServer {
  readonly address: string;
  private readonly client: InfluxDB;
  /** The same for what takes its time. */
  private readonly patient: InfluxDB;
  private readonly database: string;
  private readonly policy: string;
  private readonly host: string;
  private words: string | undefined;
  readonly sums: Influx1Sums;

  constructor(options: Influx1Options) {
    const { url, database, policy = "raw", user, password, timeout = REQUEST_TIMEOUT } = options;
    const { protocol, hostname, port, pathname, host } = new URL(url);
    this.host = host;
    this.address = `${protocol}//${hostname}:${port || (protocol === "https:" ? "443" : "80")}/${database}`;
    this.database = database;
    this.policy = policy;
    const clientWith = (patience: number): InfluxDB =>
      new InfluxDB({
        protocol: protocol === "https:" ? "https" : "http",
        host: hostname,
        port: Number(port || (protocol === "https:" ? 443 : 80)),
        ...(pathname !== "/" && { path: pathname }),
        database,
        ...(user !== undefined && { username: user, password: password ?? "" }),
        pool: {
          // The client takes a server it could not reach out of its list for a while, and answers "No host available"
          // meanwhile. There is one server, and whoever commits rests by the clock: so no rest here, and one more try,
          // for a connection that the server has closed while it was idle.
          backoff: NO_REST,
          maxRetries: 1,
          requestTimeout: patience * 1000,
        },
      });
    this.client = clientWith(timeout);
    this.patient = clientWith(SUM_UP_TIMEOUT);
    this.sums = new Influx1Sums({
      database,
      policy,
      ask: this.ask,
      each: (things, statement) => this.each(things, statement),
      write: (rolled, points) => this.sendPoints(rolled, points),
    });
  }

  prepare(retention: Retention | undefined): Promise<void> {
    unsubscribe(ANSWERED, this.answered);
    subscribe(ANSWERED, this.answered);
    return createDatabase(this.ask, this.database, this.policy, retention);
  }

  write(points: readonly InfluxPoint[]): Promise<void> {
    return this.sendPoints(this.policy, points);
  }

  private sendPoints(policy: string, points: readonly InfluxPoint[]): Promise<void> {
    return this.send(
      policy,
      points.map(({ description, at, fields }) => ({ ...description, at, fields })),
    );
  }

  private async send(retentionPolicy: string, points: readonly Line[]): Promise<void> {
    this.words = undefined;
    try {
      await this.client.writePoints(
        points.map(({ measurement, tags, at, fields }) => ({
          measurement,
          tags,
          fields,
          // As text: the client leaves a time of 0 out, and the server then says now.
          timestamp: String(at),
        })),
        { precision: "ms", retentionPolicy },
      );
    } catch (problem) {
      if (onlyTooOld(problem)) return;
      if (this.words !== undefined) throw new Error(this.words, { cause: problem });
      throw problem;
    }
  }

  async writeMarks(marks: readonly InfluxMark[]): Promise<void> {
    await this.client.writePoints(
      marks.map(({ station, epoch, upTo, order }) => ({
        measurement: MARKS,
        tags: { station, epoch },
        fields: { up_to: upTo, order },
        timestamp: "0",
      })),
      { precision: "ms", retentionPolicy: MARKS_POLICY },
    );
  }

  async marks(): Promise<InfluxMark[]> {
    const from = this.from(`"${MARKS}"`, MARKS_POLICY);
    const [marks] = await this.ask(`SELECT up_to, "order" FROM ${from} GROUP BY station, epoch`);
    return (marks ?? []).flatMap(({ tags, rows }) =>
      rows.map(([, upTo, order]) => ({
        station: tags["station"] ?? "",
        epoch: tags["epoch"] ?? "",
        upTo: upTo as number,
        order: order as number,
      })),
    );
  }

  async notes(): Promise<HourNote[]> {
    const [notes] = await this.ask(`SELECT opened, summed FROM ${this.from(name(HOURS), HOURS_POLICY)}`);
    return (notes ?? []).flatMap(({ rows }) =>
      rows.map(([at, opened, summed]): HourNote => [at as OpenHour, Number(opened), Number(summed)]),
    );
  }

  async note(hours: readonly OpenHour[], are: NoteKind, number: number): Promise<void> {
    for (let index = 0; index < hours.length; index += POINTS_A_REQUEST) {
      const some = hours.slice(index, index + POINTS_A_REQUEST);
      await this.send(
        HOURS_POLICY,
        some.map((at) => ({ measurement: HOURS, tags: {}, fields: { [are]: number }, at })),
      );
    }
  }

  async span(): Promise<readonly [OpenHour, OpenHour] | undefined> {
    const from = this.from(`/${ours}/`);
    const ends = await this.ask(`SELECT * FROM ${from} ORDER BY time LIMIT 1; SELECT * FROM ${from} ORDER BY time DESC LIMIT 1`); // prettier-ignore
    const [first = [], last = []] = ends.map((answer) => answer.map(({ rows }) => hourOf(rows[0]?.[0] as number)));
    return first.length === 0 ? undefined : [Math.min(...first), Math.max(...last)];
  }

  /** By the database itself, field by field: no reading comes here. */
  async sumUp(from: OpenHour, to: OpenHour): Promise<void> {
    for (const [measurement, field] of await floatFields(this.ask, this.database, this.policy)) {
      for (const policy of ROLLED_POLICIES) {
        const columns = KEPT.map(
          // A count would be a whole number, and no other field is.
          (each) => `${each}(${name(field)})${each === "count" ? " * 1.0" : ""} AS ${name(`${each}_${field}`)}`,
        );
        await this.work(
          `SELECT ${columns.join(", ")} INTO ${this.from(name(measurement), policy)} FROM ${this.from(name(measurement))}
           WHERE ${between(from, to)} GROUP BY time(${ROLLED[policy]}ms), * fill(none)`,
        ).catch(unlessTooOld);
      }
    }
  }

  async latest(): Promise<LastValue[]> {
    const fields = await floatFields(this.ask, this.database, this.policy);
    const answers = await this.each(
      fields,
      ([measurement, field]) => `SELECT last(${name(field)}) FROM ${this.from(name(measurement))} GROUP BY *`,
    );
    return answers.flatMap((series, index) => {
      const [measurement, measure] = fields[index] as [string, string];
      return series.flatMap(({ tags, rows }) =>
        rows.map(([at, value]) => ({
          description: { measurement, tags: Object.fromEntries(Object.entries(tags).filter(([, tag]) => tag !== "")) },
          measure,
          at: at as Instant,
          value: value as number,
        })),
      );
    });
  }

  async range(
    { measurement, device, measure }: OneSeries,
    from: number,
    to: number,
    limit: number,
  ): Promise<Reading[]> {
    const most = Number.isSafeInteger(limit) ? ` LIMIT ${limit}` : "";
    const [series] = await this.ask(
      `SELECT ${name(measure)} FROM ${this.from(name(measurement))}
       WHERE device = ${text(device)} AND ${between(from, to)}${most}`,
    );
    return (series ?? []).flatMap(({ rows }) =>
      rows.map(([at, value]) => ({ device, measure, at: at as Instant, value: value as number })),
    );
  }

  async during(from: number, to: number, most: number): Promise<Reading[] | undefined> {
    const span = `WHERE ${between(from, to)}`;
    if ((await this.count(span)) > most) return undefined;
    const measures = Map.groupBy(
      await floatFields(this.ask, this.database, this.policy),
      ([measurement]) => measurement,
    );
    const answers = await this.each([...measures], ([measurement, fields]) => {
      const columns = fields.map(([, field]) => name(field)).join(", ");
      return `SELECT ${columns} FROM ${this.from(name(measurement))} ${span} GROUP BY device`;
    });
    const readings: Reading[] = [];
    for (const { tags, columns, rows } of answers.flat()) {
      const device = tags["device"] ?? "";
      for (const [at, ...values] of rows) {
        for (const [place, value] of values.entries()) {
          if (typeof value !== "number") continue;
          readings.push({ device, measure: columns[place + 1] as string, at: at as Instant, value });
        }
      }
    }
    return readings;
  }

  record(points: readonly OwnPoint[]): Promise<void> {
    return this.send(CHRONICLE_POLICY, points);
  }

  async recorded(from: number, to: number): Promise<OwnPoint[]> {
    const [series] = await this.ask(`SELECT * FROM ${this.chronicle} WHERE ${between(from, to)} GROUP BY *`);
    return (series ?? []).flatMap(({ name: measurement, tags, columns, rows }) => {
      const known = Object.fromEntries(Object.entries(tags).filter(([, tag]) => tag !== ""));
      return rows.map(([at, ...values]) => {
        const fields = values.flatMap((value, place) =>
          typeof value === "number" || typeof value === "string"
            ? [[columns[place + 1] as string, value] as const]
            : [],
        );
        return {
          measurement: measurement as SeriesName,
          tags: known,
          fields: Object.fromEntries(fields),
          at: at as Instant,
        };
      });
    });
  }

  async recordings(): Promise<OwnSummary[]> {
    const from = `FROM ${this.chronicle}`;
    const [counts = [], first = [], last = []] = await this.ask(
      `SELECT count(*) ${from}; SELECT * ${from} ORDER BY time LIMIT 1; SELECT * ${from} ORDER BY time DESC LIMIT 1`,
    );
    const timeIn = (answer: Answer, measurement: string): Instant =>
      answer.find((each) => each.name === measurement)?.rows[0]?.[0] as Instant;
    return counts.map(({ name: measurement, rows }) => ({
      measurement: measurement as SeriesName,
      values: (rows[0] ?? []).slice(1).reduce<number>((sum, count) => sum + Number(count), 0),
      first: timeIn(first, measurement),
      last: timeIn(last, measurement),
    }));
  }

  async aggregate(measurement: string, query: AggregateQuery, of: RolledPolicy | "readings"): Promise<AggregateRow[]> {
    const { devices, measure, from, to, by } = query;
    const period = Math.ceil(query.every * 1000);
    const offset = ((holdable(from) % period) + period) % period;
    const field = (kept: string): string => name(of === "readings" ? measure : `${kept}_${measure}`);
    const columns = [
      of === "readings" ? `count(${field("")}), sum(${field("")})` : `sum(${field("count")}), sum(${field("sum")})`,
      ...["min", "max", "first", "last"].map((each) => `${each}(${field(each)})`),
    ];
    const source = this.from(name(measurement), of === "readings" ? this.policy : of);
    const [series] = await this.ask(
      `SELECT ${columns.join(", ")} FROM ${source} WHERE device =~ /${exactly(devices)}/ AND ${between(from, to)}
       GROUP BY time(${period}ms, ${offset}ms)${by === "device" ? ", device" : ""} fill(none)`,
    );
    return (series ?? []).flatMap(({ tags, rows }) =>
      rows.map(([at, count, sum, min, max, first, last]) => ({
        at: at as Instant,
        ...(by === "device" && { device: tags["device"] ?? "" }),
        count: count as number,
        mean: (sum as number) / (count as number),
        min: min as number,
        max: max as number,
        first: first as number,
        last: last as number,
      })),
    );
  }

  async series(): Promise<SeriesSummary[]> {
    const fields = await floatFields(this.ask, this.database, this.policy);
    const found = new Map<string, { -readonly [Key in keyof SeriesSummary]: SeriesSummary[Key] }>();
    const each = async (select: (field: string) => string): Promise<[measure: string, Answer][]> =>
      (
        await this.each(
          fields,
          ([measurement, field]) =>
            `SELECT ${select(name(field))} FROM ${this.from(name(measurement))} GROUP BY device`,
        )
      ).map((answer, index) => [(fields[index] as [string, string])[1], answer]);
    const visit = (
      answers: [string, Answer][],
      take: (key: string, measure: string, device: string, row: readonly unknown[]) => void,
    ) => {
      for (const [measure, series] of answers) {
        for (const { tags, rows } of series) {
          const device = tags["device"] ?? "";
          for (const row of rows) take(`${device}\n${measure}`, measure, device, row);
        }
      }
    };
    visit(await each((field) => `count(${field}), sum(${field})`), (key, measure, device, [, count, sum]) => {
      found.set(key, {
        device,
        measure,
        count: count as number,
        sum: sum as number,
        first: 0 as Instant,
        last: 0 as Instant,
      });
    });
    for (const end of ["first", "last"] as const) {
      visit(await each((field) => `${end}(${field})`), (key, _measure, _device, [at]) => {
        const summary = found.get(key);
        if (summary !== undefined) summary[end] = at as Instant;
      });
    }
    return [...found.values()];
  }

  async count(span = ""): Promise<number> {
    const [series] = await this.ask(`SELECT count(*) FROM ${this.from(`/${ours}/`)} ${span}`);
    return (series ?? []).reduce(
      (sum, { rows }) => sum + rows.flatMap(([, ...counts]) => counts as number[]).reduce((a, b) => a + b, 0),
      0,
    );
  }

  bytes(): Promise<number> {
    return shardBytes(this.ask, this.database);
  }

  async prune(before: Instant, coarseBefore: Instant | undefined): Promise<void> {
    await dropOldShards(this.ask, this.database, this.policy, before);
    if (coarseBefore === undefined) return;
    for (const policy of [CHRONICLE_POLICY, "quarter"]) {
      await dropOldShards(this.ask, this.database, policy, coarseBefore);
    }
  }

  close(): Promise<void> {
    unsubscribe(ANSWERED, this.answered);
    return Promise.resolve();
  }

  /**
   * The client throws away what comes with a status of 500 and above, which alone says that a disk is full or that memory
   * ran out. The server says it in a header, too.
   */
  private readonly answered = (message: unknown): void => {
    const { request, response } = message as { request: ClientRequest; response: IncomingMessage };
    if ((response.statusCode ?? 0) < 500 || request.getHeader("host") !== this.host) return;
    const words = response.headers["x-influxdb-error"];
    if (typeof words === "string") this.words = words;
  };

  /** The server's own series. */
  private get chronicle(): string {
    return this.from(`/${chronicled}/`, CHRONICLE_POLICY);
  }

  private from(measurement: string, retention = this.policy): string {
    return `${name(this.database)}.${name(retention)}.${measurement}`;
  }

  /** One statement for each, several to a request; one answer for each. */
  private async each<Thing>(things: readonly Thing[], statement: (thing: Thing) => string): Promise<Answer[]> {
    const answers: Answer[] = [];
    for (let index = 0; index < things.length; index += STATEMENTS) {
      const some = things.slice(index, index + STATEMENTS);
      const found = await this.ask(some.map(statement).join(";"));
      answers.push(...some.map((_, place) => found[place] ?? []));
    }
    return answers;
  }

  private readonly work: Ask = async (statements) =>
    resultsOf(await this.patient.queryRaw(statements, { method: "POST", precision: "ms" }));

  /** POST, because a statement that names a thousand devices is too long for an address. */
  private readonly ask: Ask = async (statements) =>
    resultsOf(await this.client.queryRaw(statements, { method: "POST", precision: "ms" }));
}

/** What is known of hours lies beside what is kept of them for good. */
const HOURS_POLICY = "hour";

function unlessTooOld(problem: unknown): void {
  if (!onlyTooOld(problem)) throw problem;
}

const between = (from: number, to: number): string => `time >= ${holdable(from)}ms AND time < ${holdable(to)}ms`;
