import { HOUR, instant, type Instant } from "#protocol/units.ts";
import type { Description } from "./describe.ts";
import { type InfluxPoint, POINTS_A_REQUEST } from "./influx-points.ts";
import { hourOf, type Rollups } from "./influx-rollups.ts";
import type { InfluxSumsServer } from "./influx-server.ts";
import { KEPT } from "./influx-steps.ts";
import { ROLLED, type RolledPolicy } from "./influxql/rolled.ts";
import type { Gone, Span, Sum, Sums, Tally } from "./sums.ts";

/** What it needs of the store that it belongs to. */
export interface InfluxSumsOwner {
  readonly server: InfluxSumsServer;
  readonly rollups: Rollups;
  open(): Promise<void>;
  /** One request. */
  ask<Answer>(request: () => Promise<Answer>): Promise<Answer>;
  descriptions(sums: readonly Sum[]): Promise<(device: string) => Description>;
}

/** Steps that are read at once, about. */
const STEPS_AT_ONCE = 20_000;

/** The quarters and hours of an InfluxDB, as another store reads them and hands its own over. */
export class InfluxSums implements Sums {
  private readonly owner: InfluxSumsOwner;
  private readonly server: InfluxSumsServer;

  constructor(owner: InfluxSumsOwner) {
    this.owner = owner;
    this.server = owner.server;
  }

  async gone(): Promise<Gone | undefined> {
    const { reading, step } = await this.owner.ask(() => this.server.oldest());
    if (step === undefined) return undefined;
    const first = instant(hourOf(step));
    // No reading at all: what is summed up is all that is left, and whatever comes is newer.
    if (reading === undefined) return this.withoutReadings(first);
    const hour = instant(hourOf(reading));
    const next = instant(hour + HOUR);
    const summed = await this.tally("hour", { from: hour, to: next });
    const has = await this.owner.ask(() => this.server.readings(hour, next));
    // Of the hour that was cut through, the sums know more readings than there are.
    const isCut = summed !== undefined && summed.count > has;
    const whole = isCut ? next : hour;
    return first < whole ? { readings: isCut ? reading : hour, whole, first } : undefined;
  }

  private async withoutReadings(first: Instant): Promise<Gone> {
    const newest = await this.owner.ask(() => this.server.newest());
    const whole = instant(hourOf(newest ?? first) + HOUR);
    return { readings: whole, whole, first };
  }

  tally(policy: RolledPolicy, { from, to }: Span): Promise<Tally | undefined> {
    return this.owner.ask(() => this.server.tally(policy, from, to));
  }

  /** Spans of a length that brings about as many steps as are wanted, since steps lie as far apart as they do. */
  async *read(policy: RolledPolicy, span: Span): AsyncGenerator<readonly Sum[]> {
    const { steps } = (await this.tally(policy, span)) ?? { steps: 0 };
    const step = ROLLED[policy];
    const pieces = Math.max(1, steps / STEPS_AT_ONCE);
    const length = Math.max(1, Math.floor((span.to - span.from) / step / pieces)) * step;
    for (let from: number = span.from; from < span.to; from += length) {
      const to = Math.min(from + length, span.to);
      const sums = await this.owner.ask(() => this.server.read(policy, from, to));
      if (sums.length > 0) yield sums;
    }
  }

  /** What it still has to sum up before then is summed up first, since it will not be summed up later. */
  async leave({ whole }: Gone): Promise<Instant> {
    await this.owner.open();
    await this.owner.rollups.sumUpBefore(whole);
    return whole;
  }

  async take(policy: RolledPolicy, _span: Span, pieces: AsyncIterable<readonly Sum[]>): Promise<number> {
    await this.owner.open();
    const hours = new Set<number>();
    let taken = 0;
    for await (const piece of pieces) {
      const describe = await this.owner.descriptions(piece.filter(({ description }) => description === undefined));
      for (let from = 0; from < piece.length; from += POINTS_A_REQUEST) {
        const points = piece.slice(from, from + POINTS_A_REQUEST).map((sum) => pointOf(sum, describe));
        await this.owner.ask(() => this.server.write(policy, points));
      }
      for (const { at } of piece) hours.add(hourOf(at));
      taken += piece.length;
    }
    if (policy === "hour" && hours.size > 0) await this.owner.rollups.taken([...hours]);
    return taken;
  }
}

function pointOf(sum: Sum, describe: (device: string) => Description): InfluxPoint {
  const { device, measure, at, description = describe(device) } = sum;
  const kept = { ...sum, mean: sum.sum / sum.count };
  return { description, at, fields: Object.fromEntries(KEPT.map((each) => [`${each}_${measure}`, kept[each]])) };
}

/** The steps of a point of one series, measure by measure, by the fields that it has. */
export function sumsOf(description: Description, at: Instant, fields: ReadonlyMap<string, number>): Sum[] {
  const device = description.tags["device"] ?? "";
  return [...fields].flatMap(([field, count]) => {
    if (!field.startsWith(COUNT)) return [];
    const measure = field.slice(COUNT.length);
    const kept = (what: (typeof KEPT)[number]): number => fields.get(`${what}_${measure}`) ?? Number.NaN;
    const [sum, min, max, first, last] = (["sum", "min", "max", "first", "last"] as const).map(kept);
    return [{ device, measure, at, count, sum, min, max, first, last, description } as Sum];
  });
}

/** How the field begins that says of how many readings a step is. */
export const COUNT = "count_";
