import { Catalogue, type Slot } from "./catalogue.ts";

/** The policies that sum readings up. */
export type RolledPolicy = "quarter" | "hour";
export const ROLLED: Readonly<Record<RolledPolicy, number>> = { quarter: 900_000, hour: 3_600_000 };
export const isRolled = (policy: string): policy is RolledPolicy => Object.hasOwn(ROLLED, policy);

/** What such a policy keeps of a measure `x`: how the field begins (`mean_x`), and what it is of a row of the roll-up. */
const KEPT = [
  ["mean", "total / n"],
  ["min", "low"],
  ["max", "high"],
  ["first", "first"],
  ["last", "last"],
  ["sum", "total"],
  ["count", "n::DOUBLE"],
] as const;

/** The names of what is summed up: the same series as of the readings, and for each measure the fields that are kept of it. */
export class Rolled {
  readonly catalogue = new Catalogue();

  /** Adds what is kept of the readings of a slot. */
  add({ id, series: { measurement, tags }, field }: Slot): void {
    const series = this.catalogue.seriesOf(measurement.name, [...tags]);
    KEPT.forEach(([name], place) => {
      this.catalogue.add(series, `${name}_${field}`, "float", "readings", id * KEPT.length + place);
    });
  }
}

/**
 * What to write behind FROM for these slots of a roll-up (`relation` of whole steps): as of readings, a row has one value.
 * Whatever is not asked for is not reckoned.
 */
export function rolledRelation(
  policy: RolledPolicy,
  relation: (policy: RolledPolicy, from_ms: number, to_ms: number) => string,
  from_ms: number,
  to_ms: number,
  ids: readonly number[],
): string {
  const step = ROLLED[policy];
  const rows = relation(policy, Math.floor(from_ms / step) * step, Math.ceil(to_ms / step) * step);
  const count = KEPT.length;
  const places = [...new Set(ids.map((id) => id % count))].sort((a, b) => a - b);
  const series = ids.map((id) => Math.floor(id / count));
  const [least, most] = series.reduce(
    ([low, high], id) => [Math.min(low, id), Math.max(high, id)],
    [Number.MAX_SAFE_INTEGER, 0],
  );
  const values = places.map((place) => KEPT[place]?.[1] ?? "NULL");
  const where = `WHERE series BETWEEN ${least} AND ${most}`;
  if (places.length === 1) {
    return `(SELECT series * ${count} + ${places[0]} AS series, instant, ${values[0]} AS value FROM ${rows} ${where})`;
  }
  return `(SELECT series * ${count} + place AS series, instant, value FROM (
    SELECT series, instant, unnest([${places.join(",")}]) AS place, unnest([${values.join(",")}]) AS value FROM ${rows} ${where}))`;
}
