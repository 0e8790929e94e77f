import type { Slot } from "./catalogue.ts";
import { keptTags, type Ref } from "./options.ts";
import type { Aggregation } from "./pushdown.ts";
import { type ScannedSeries, slotsOf } from "./scan.ts";
import type { Run, Stream } from "./stream.ts";
import { MAX_NS, MIN_NS } from "./window.ts";

/**
 * The newest values, which the catalogue keeps of every series, where nothing but tags decides which series they are of;
 * undefined where a newest value lies behind the end of the span, since the last one before it is known to the database alone.
 */
export function newestOf({ name, ref, series, options, isAtWindow }: Aggregation): Stream | undefined {
  const { aux, start, end, isAscending, every } = options;
  if (name !== "last" || every !== 0n) return undefined;
  if (aux.some(({ type }) => type !== "tag") || keptTags(options).length !== options.order.length) return undefined;
  const places = newestPlaces(series, ref);
  if (places === undefined) return undefined;
  const [hasStart, hasEnd, hasAux] = [start > MIN_NS, end < MAX_NS, aux.length > 0];
  const runs: Run[] = [];
  let group = -1;
  // Of what was written at one time, as the newest values of devices often are, runs share it.
  let time = start;
  let times = [start];
  for (const { each, slot } of places) {
    const { latest_ns, latest: value } = slot;
    if (latest_ns === undefined || value === undefined || (hasEnd && latest_ns > end)) return undefined;
    if (hasStart && latest_ns < start) continue;
    if (each.group === group) {
      const known = runs.at(-1) as Run;
      const last = known.times[0] as bigint;
      if (latest_ns < last || (latest_ns === last && value <= (known.values[0] ?? value))) continue;
      runs.pop();
    }
    group = each.group;
    if (latest_ns !== time) {
      time = latest_ns;
      times = [time];
    }
    const { name, tags } = each;
    if (hasAux) {
      const beside = aux.map((ref) => each.series.tags.get(ref.name) ?? null);
      runs.push({ name, tags, times, values: [value], aux: [beside] });
    } else runs.push({ name, tags, times, values: [value] });
  }
  const found = isAtWindow ? runs.map((run): Run => ({ ...run, times: [start] })) : runs;
  return isAscending ? found : found.toReversed();
}

interface NewestPlace {
  readonly each: ScannedSeries;
  readonly slot: Slot;
}

/** For series that are remembered, where the newest values of a field are, so that 10,000 of them are not looked up each time. */
const PLACES = new WeakMap<readonly ScannedSeries[], Map<string, readonly NewestPlace[] | undefined>>();

function newestPlaces(series: readonly ScannedSeries[], ref: Ref): readonly NewestPlace[] | undefined {
  let known = PLACES.get(series);
  if (known === undefined) PLACES.set(series, (known = new Map()));
  const key = `${ref.name}::${ref.type ?? ""}`;
  if (known.has(key)) return known.get(key);
  const places = series.flatMap((each) => slotsOf(each, ref).map((slot) => ({ each, slot })));
  const isKnown = places.every(({ each, slot }) => each.condition === undefined && slot.type === ref.type);
  const found = isKnown ? places : undefined;
  known.set(key, found);
  return found;
}
