import type { Instant } from "#protocol/units.ts";
import { ROLLED_POLICIES } from "./influx-policies.ts";
import type { InfluxPoint } from "./influx-points.ts";
import { holdable, type InfluxSumsServer } from "./influx-server.ts";
import { COUNT, sumsOf } from "./influx-sums.ts";
import { ROLLED, type RolledPolicy } from "./influxql/rolled.ts";
import { type Answer, type Ask, floatFields, name, ours } from "./influxql-answers.ts";
import type { Sum, Tally } from "./sums.ts";

/** What it needs of the database that it is about. */
export interface Influx1Database {
  readonly database: string;
  /** The policy of readings. */
  readonly policy: string;
  readonly ask: Ask;
  /** One statement for each, several to a request; one answer for each. */
  each<Thing>(things: readonly Thing[], statement: (thing: Thing) => string): Promise<Answer[]>;
  write(policy: string, points: readonly InfluxPoint[]): Promise<void>;
}

/** What is summed up in an InfluxDB 1.x, in InfluxQL. */
export class Influx1Sums implements InfluxSumsServer {
  private readonly of: Influx1Database;

  constructor(of: Influx1Database) {
    this.of = of;
  }

  async oldest(): Promise<{ reading: Instant | undefined; step: Instant | undefined }> {
    const [readings, ...steps] = await this.ends("ASC");
    return { reading: least(readings ?? []), step: least(steps.flat()) };
  }

  async newest(): Promise<Instant | undefined> {
    const [, ...steps] = await this.ends("DESC");
    return steps
      .flat()
      .reduce<Instant | undefined>((most, at) => (most === undefined || at > most ? at : most), undefined);
  }

  /** Of the readings, and of each policy, the ends of every measurement. */
  private async ends(order: "ASC" | "DESC"): Promise<Instant[][]> {
    const statements = [this.of.policy, ...ROLLED_POLICIES].map(
      (policy) => `SELECT * FROM ${this.from(policy, `/${ours}/`)} ORDER BY time ${order} LIMIT 1`,
    );
    const answers = await this.of.ask(statements.join("; "));
    return answers.map((answer) => answer.flatMap(({ rows }) => rows.map(([at]) => at as Instant)));
  }

  async readings(from: number, to: number): Promise<number> {
    const [series] = await this.of.ask(`SELECT count(*) FROM ${this.from(this.of.policy, `/${ours}/`)} WHERE ${between(from, to)}`); // prettier-ignore
    return (series ?? []).flatMap(({ rows }) => rows.flatMap(([, ...counts]) => counts)).reduce<number>((sum, count) => sum + Number(count), 0); // prettier-ignore
  }

  /** A device that has moved has two series: of one step there may be two points, and they are one step. */
  async tally(policy: RolledPolicy, from: number, to: number): Promise<Tally | undefined> {
    const counts = await this.counts(policy);
    const inSpan = `WHERE ${between(from, to)}`;
    const sums = await this.of.each(
      counts,
      ([measurement, measure]) => `SELECT count(n), sum(n), sum(total) FROM
        (SELECT sum(${name(COUNT + measure)}) AS n, sum(${name(`sum_${measure}`)}) AS total
         FROM ${this.from(policy, name(measurement))} ${inSpan} GROUP BY time(${ROLLED[policy]}ms), device fill(none))`,
    );
    const [first, last] = await Promise.all(
      (["first", "last"] as const).map((end) =>
        this.of.each(
          counts,
          ([measurement, measure]) =>
            `SELECT ${end}(${name(COUNT + measure)}) FROM ${this.from(policy, name(measurement))} ${inSpan}`,
        ),
      ),
    );
    let tally: Tally | undefined;
    for (const [index, answer] of sums.entries()) {
      const [, steps, count, sum] = (answer[0]?.rows[0] ?? []) as number[];
      const [begins, ends] = [first, last].map((each) => each?.[index]?.[0]?.rows[0]?.[0] as Instant | undefined);
      if (!steps || begins === undefined || ends === undefined) continue;
      tally = {
        steps: (tally?.steps ?? 0) + steps,
        count: (tally?.count ?? 0) + Number(count),
        sum: (tally?.sum ?? 0) + Number(sum),
        first: tally === undefined || begins < tally.first ? begins : tally.first,
        last: tally === undefined || ends > tally.last ? ends : tally.last,
      };
    }
    return tally;
  }

  async read(policy: RolledPolicy, from: number, to: number): Promise<Sum[]> {
    const measurements = new Set((await this.counts(policy)).map(([measurement]) => measurement));
    const answers = await this.of.each(
      [...measurements],
      (measurement) => `SELECT * FROM ${this.from(policy, name(measurement))} WHERE ${between(from, to)} GROUP BY *`,
    );
    return answers.flat().flatMap(({ name: measurement, tags, columns, rows }) => {
      const known = Object.fromEntries(Object.entries(tags).filter(([, tag]) => tag !== ""));
      const description = { measurement, tags: known };
      return rows.flatMap(([at, ...values]) => {
        const fields = values.flatMap((value, place) =>
          typeof value === "number" ? [[columns[place + 1] as string, value] as const] : [],
        );
        return sumsOf(description, at as Instant, new Map(fields));
      });
    });
  }

  write(policy: RolledPolicy, points: readonly InfluxPoint[]): Promise<void> {
    return this.of.write(policy, points);
  }

  /** Of what there are steps: measurement and measure. */
  private async counts(policy: RolledPolicy): Promise<(readonly [measurement: string, measure: string])[]> {
    return (await floatFields(this.of.ask, this.of.database, policy)).flatMap(([measurement, field]) =>
      field.startsWith(COUNT) ? [[measurement, field.slice(COUNT.length)] as const] : [],
    );
  }

  private from(policy: string, measurement: string): string {
    return `${name(this.of.database)}.${name(policy)}.${measurement}`;
  }
}

const least = (instants: readonly Instant[]): Instant | undefined =>
  instants.reduce<Instant | undefined>((before, at) => (before === undefined || at < before ? at : before), undefined);

const between = (from: number, to: number): string => `time >= ${holdable(from)}ms AND time < ${holdable(to)}ms`;
