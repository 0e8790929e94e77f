import type { Slot } from "./catalogue.ts";
import { keptTags, type Ref } from "./options.ts";
import type { Aggregation } from "./pushdown.ts";
import { type ScannedSeries, slotsOf } from "./scan.ts";
import type { Run, Stream } from "./stream.ts";

/**
 * The newest values, which the catalogue keeps of every series, where nothing but tags decides which series they are of; undefined where a newest value lies
 * behind the end of the span, since the last one before it is known to the database alone.
 */
export function newestOf({ name, ref, series, options, isAtWindow }: Aggregation): Stream | undefined {
  const { aux, start, end, isAscending, every } = options;
  if (name !== "last" || every !== 0n) return undefined;
  if (aux.some(({ type }) => type !== "tag") || keptTags(options).length !== options.order.length) return undefined;
  const places = newestPlaces(series, ref);
  if (places === undefined) return undefined;
  const runs: Run[] = [];
  let group = -1;
  for (const { each, slot } of places) {
    const { latest_ns, latest: value } = slot;
    if (latest_ns === undefined || value === undefined || latest_ns > end) return undefined;
    if (latest_ns < start) continue;
    const known = each.group === group ? runs.at(-1) : undefined;
    const last = known?.times[0];
    if (last !== undefined && (latest_ns < last || (latest_ns === last && value <= (known?.values[0] ?? value))))
      continue;
    if (known !== undefined) runs.pop();
    group = each.group;
    const run: Run = { name: each.name, tags: each.tags, times: [latest_ns], values: [value] };
    if (aux.length === 0) runs.push(run);
    else runs.push({ ...run, aux: [aux.map(({ name }) => each.series.tags.get(name) ?? null)] });
  }
  if (isAtWindow) for (const { times } of runs) times[0] = start;
  return isAscending ? runs : runs.toReversed();
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
