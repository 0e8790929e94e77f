import { flux, type FluxParameterLike, fluxExpression, fluxRegExp } from "@influxdata/influxdb-client";
import type { Instant } from "#protocol/units.ts";
import { ROLLED_POLICIES } from "./influx-policies.ts";
import type { InfluxPoint } from "./influx-points.ts";
import type { InfluxSumsServer } from "./influx-server.ts";
import { COUNT, sumsOf } from "./influx-sums.ts";
import type { RolledPolicy } from "./influxql/rolled.ts";
import type { Sum, Tally } from "./sums.ts";

/** A row of an answer: what is missing in it is null. */
export type Row = Readonly<Record<string, string | number | null>>;

/** What it needs of the database that it is about. */
export interface Influx2Database {
  rows(query: ReturnType<typeof flux>): Promise<Row[]>;
  /** The points of devices in [from, to), of readings or of a policy. */
  points(of: RolledPolicy | "readings", from: number, to: number): FluxParameterLike;
  tagsOf(row: Row): Record<string, string>;
  write(policy: RolledPolicy, points: readonly InfluxPoint[]): Promise<void>;
}

/** What is summed up in an InfluxDB 2.x, in Flux. */
export class Influx2Sums implements InfluxSumsServer {
  private readonly of: Influx2Database;

  constructor(of: Influx2Database) {
    this.of = of;
  }

  async oldest(): Promise<{ reading: Instant | undefined; step: Instant | undefined }> {
    const steps = await Promise.all(ROLLED_POLICIES.map((policy) => this.end(policy, "first")));
    return { reading: await this.end("readings", "first"), step: extreme(steps, (at, than) => at < than) };
  }

  async newest(): Promise<Instant | undefined> {
    const steps = await Promise.all(ROLLED_POLICIES.map((policy) => this.end(policy, "last")));
    return extreme(steps, (at, than) => at > than);
  }

  private async end(of: RolledPolicy | "readings", end: "first" | "last"): Promise<Instant | undefined> {
    const rows = await this.of.rows(
      flux`${this.of.points(of, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)} |> ${fluxExpression(`${end}()`)}
        |> keep(columns: ["_time"]) |> group() |> sort(columns: ["_time"], desc: ${end === "last"}) |> limit(n: 1)`,
    );
    return rows[0] && instantOf(rows[0]["_time"]);
  }

  async readings(from: number, to: number): Promise<number> {
    const rows = await this.of.rows(flux`${this.of.points("readings", from, to)} |> count() |> group() |> sum()`);
    return Number(rows[0]?.["_value"] ?? 0);
  }

  /** A device that has moved has two series: of one step there may be two points, and they are one step. */
  async tally(policy: RolledPolicy, from: number, to: number): Promise<Tally | undefined> {
    const rows = await this.of.rows(
      flux`data = ${this.of.points(policy, from, to)}
      counts = data |> filter(fn: (r) => r._field =~ ${fluxRegExp(new RegExp(`^${COUNT}`))})
      counts |> group(columns: ["_measurement", "device", "_field"]) |> unique(column: "_time") |> count() |> group() |> sum() |> yield(name: "steps")
      counts |> group() |> sum() |> yield(name: "count")
      data |> filter(fn: (r) => r._field =~ /^sum_/) |> group() |> sum() |> yield(name: "sum")
      counts |> first() |> keep(columns: ["_time"]) |> group() |> sort(columns: ["_time"]) |> limit(n: 1) |> yield(name: "first")
      counts |> last() |> keep(columns: ["_time"]) |> group() |> sort(columns: ["_time"], desc: true) |> limit(n: 1) |> yield(name: "last")`,
    );
    const found = new Map(rows.map((row) => [row["result"], row]));
    const number = (what: string): number => Number(found.get(what)?.["_value"] ?? 0);
    const at = (end: string): Instant => instantOf(found.get(end)?.["_time"]);
    if (number("steps") === 0) return undefined;
    const [steps, count, sum] = [number("steps"), number("count"), number("sum")];
    return { steps, count, sum, first: at("first"), last: at("last") };
  }

  async read(policy: RolledPolicy, from: number, to: number): Promise<Sum[]> {
    const rows = await this.of.rows(
      flux`${this.of.points(policy, from, to)} |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")`,
    );
    return rows.flatMap((row) => {
      const fields = Object.entries(row).flatMap(([field, value]) =>
        typeof value === "number" ? [[field, value] as const] : [],
      );
      const description = { measurement: String(row["_measurement"]), tags: this.of.tagsOf(row) };
      return sumsOf(description, instantOf(row["_time"]), new Map(fields));
    });
  }

  write(policy: RolledPolicy, points: readonly InfluxPoint[]): Promise<void> {
    return this.of.write(policy, points);
  }
}

function extreme(
  instants: readonly (Instant | undefined)[],
  isBetter: (at: Instant, than: Instant) => boolean,
): Instant | undefined {
  return instants.reduce(
    (best, at) => (best === undefined || (at !== undefined && isBetter(at, best)) ? at : best),
    undefined,
  );
}

const instantOf = (time: unknown): Instant => Date.parse(String(time)) as Instant;
