import type { Slot } from "./catalogue.ts";
import type { FieldValue } from "./engine.ts";
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
  const [hasStart, hasEnd] = [start > MIN_NS, end < MAX_NS];
  const found: NewestPlace[] = [];
  for (const place of places) {
    const { latest_ns, latest, isSilent } = place.slot;
    if (isSilent) continue;
    if (latest_ns === undefined || latest === undefined || (hasEnd && latest_ns > end)) return undefined;
    if (hasStart && latest_ns < start) continue;
    const before = found.at(-1);
    if (before === undefined || before.each.group !== place.each.group) found.push(place);
    else if (isNewer(place.slot, before.slot)) found[found.length - 1] = place;
  }
  const isAsRemembered = aux.length === 0 && !isAtWindow;
  const times = isAtWindow ? [start] : undefined;
  const runs = found.map((place) => (isAsRemembered ? runOf(place) : shown(place, times, aux)));
  return isAscending ? runs : runs.toReversed();
}

/** Of values at one time the larger. */
function isNewer(one: Slot, other: Slot): boolean {
  const [at, known] = [one.latest_ns as bigint, other.latest_ns as bigint];
  return at > known || (at === known && (one.latest as FieldValue) > (other.latest as FieldValue));
}

/** Remembered until there is a newer value: of 10,000 devices few say something new between two questions. */
function runOf(place: NewestPlace): Run {
  const { run, slot } = place;
  if (run !== undefined && run.times[0] === slot.latest_ns && run.values[0] === slot.latest) return run;
  return (place.run = shown(place, undefined, []));
}

/** `times`: where it is not shown at its own. */
function shown({ each, slot }: NewestPlace, times: readonly bigint[] | undefined, aux: readonly Ref[]): Run {
  const { name, tags, series } = each;
  const run: Run = { name, tags, times: times ?? [slot.latest_ns as bigint], values: [slot.latest ?? null] };
  return aux.length === 0 ? run : { ...run, aux: [aux.map((ref) => series.tags.get(ref.name) ?? null)] };
}

interface NewestPlace {
  readonly each: ScannedSeries;
  readonly slot: Slot;
  run: Run | undefined;
}

/** For series that are remembered, where the newest values of a field are, so that 10,000 of them are not looked up each time. */
const PLACES = new WeakMap<readonly ScannedSeries[], Map<string, readonly NewestPlace[] | undefined>>();

function newestPlaces(series: readonly ScannedSeries[], ref: Ref): readonly NewestPlace[] | undefined {
  let known = PLACES.get(series);
  if (known === undefined) PLACES.set(series, (known = new Map()));
  const key = `${ref.name}::${ref.type ?? ""}`;
  if (known.has(key)) return known.get(key);
  const places = series.flatMap((each) =>
    slotsOf(each, ref).map((slot): NewestPlace => ({ each, slot, run: undefined })),
  );
  const isKnown = places.every(({ each, slot }) => each.condition === undefined && slot.type === ref.type);
  const found = isKnown ? places : undefined;
  known.set(key, found);
  return found;
}
