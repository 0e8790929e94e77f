import type { Aggregation } from "./pushdown.ts";
import { keptTags, type Options } from "./options.ts";
import { ranks } from "./calls.ts";
import { NotComputed, type Reducer, reducerOf } from "./recent-reducers.ts";
import type { RecentColumn } from "./recent-column.ts";
import { ConditionWalk, type RecentScan, recentScan, type RecentSeries } from "./recent-scan.ts";
import type { Value } from "./evaluate.ts";
import { EvenWindows, type RecentWindows, recentWindows } from "./recent-windows.ts";
import { type GrowingRun, type Stream, StreamBuilder } from "./stream.ts";

const MS = 1_000_000n;
/** Functions that give a value of one point, whose own time may be asked for. */
export const PICKS = new Set(["min", "max", "first", "last"]);

/**
 * Reduces what is held in memory; undefined: not all that is asked for is held, or the function is one that the database
 * computes. Same answers and order as the database's.
 */
export function recentAggregate(aggregation: Aggregation): Stream | undefined {
  const { beside, ref, series, options, read } = aggregation;
  if (read.recent === undefined || options.aux.length > 0 || beside.length > 0) return undefined;
  const scan = recentScan(read.recent, series, [ref], true, options);
  if (scan === undefined) return undefined;
  return unlessNotComputed(() => reducedScan(scan, recentWindows(options), aggregation));
}

/** Undefined where it comes out meanwhile that it cannot be computed so. */
export function unlessNotComputed<Found>(compute: () => Found): Found | undefined {
  try {
    return compute();
  } catch (problem) {
    if (problem instanceof NotComputed) return undefined;
    throw problem;
  }
}

/** Reduces the first column of a scan; undefined: the function is none of columns. Raises NotComputed. */
export function reducedScan(
  scan: RecentScan,
  windows: RecentWindows | undefined,
  aggregation: Omit<Aggregation, "series">,
): Stream | undefined {
  const { name, argument, options, isAtWindow } = aggregation;
  if (name === "percentile" && !isAtWindow) return undefined;
  const isFlat = keptTags(options).length === options.order.length;
  // In between other groups the rank's own time decides on the order.
  if (name === "percentile" && !isFlat) return undefined;
  const reducer = reducerOf(name, argument, scan.types[0] ?? "float");
  if (windows === undefined || reducer === undefined) return undefined;
  const isOwnTime = PICKS.has(name) && !isAtWindow;
  return isFlat
    ? inGroups(scan, windows, reducer, isOwnTime, options.isAscending)
    : acrossGroups(scan, windows, reducer, isOwnTime, options);
}

/** Takes all of a group. Raises NotComputed where its windows are too many. */
export function takeGroup(
  group: readonly RecentSeries[],
  { from, to }: RecentScan,
  windows: RecentWindows,
  reducer: Reducer,
): void {
  for (const { columns, condition } of group) {
    const [column] = columns;
    if (column === undefined) continue;
    const begin = column.placeOf(from);
    const end = column.placeOf(to + 1);
    if (condition !== undefined) takeWhere(column, begin, end, new ConditionWalk(condition, from), windows, reducer);
    else if (windows instanceof EvenWindows) takeEven(column, begin, end, windows, reducer);
    else takeStretches(column, begin, end, windows, reducer);
  }
}

function takeWhere(
  column: RecentColumn,
  begin: number,
  end: number,
  walk: ConditionWalk,
  windows: RecentWindows,
  reducer: Reducer,
): void {
  for (let index = begin; index < end; index++) {
    const at = column.times[index] as number;
    if (walk.holdsAt(at)) reducer.take(windows.placeOf(at), column, index, index + 1);
  }
}

function takeStretches(
  column: RecentColumn,
  begin: number,
  end: number,
  windows: RecentWindows,
  reducer: Reducer,
): void {
  for (let index = begin; index < end;) {
    const place = windows.placeOf(column.times[index] as number);
    const next = nextFrom(column, index, end, windows.until, 1);
    reducer.take(place, column, index, next);
    index = next;
  }
}

function takeEven(
  column: RecentColumn,
  begin: number,
  end: number,
  { first, every }: EvenWindows,
  reducer: Reducer,
): void {
  let pace = 1;
  for (let index = begin; index < end;) {
    const place = Math.floor(((column.times[index] as number) - first) / every);
    const next = nextFrom(column, index, end, first + (place + 1) * every, pace);
    reducer.take(place, column, index, next);
    pace = next - index;
    index = next;
  }
}

/** The place of the first value at or behind `until`. Points mostly come at one pace: it is looked for `pace` places on first. */
function nextFrom({ times }: RecentColumn, index: number, end: number, until: number, pace: number): number {
  let next = index + pace;
  if (next > end || (times[next - 1] as number) >= until) next = index + 1;
  while (next < end && (times[next] as number) < until) next++;
  return next;
}

/** Where groups are what the answer shows: one after the other, each in the order of time. */
function inGroups(
  scan: RecentScan,
  windows: RecentWindows,
  reducer: Reducer,
  isOwnTime: boolean,
  isAscending: boolean,
): Stream {
  const runs: GrowingRun[] = [];
  for (const group of turned(scan.groups, isAscending)) {
    const [first] = group;
    if (first === undefined) continue;
    reducer.clear();
    takeGroup(group, scan, windows, reducer);
    const { name, tags } = first.each;
    const run: GrowingRun = { name, tags, times: [], values: [] };
    const order = windows.inOrder();
    const [low, high] = order === undefined ? [reducer.low, reducer.high] : [0, order.length - 1];
    for (let step = low; step <= high; step++) {
      const index = isAscending ? step : low + high - step;
      const place = order?.[index] ?? index;
      if (!reducer.has(place)) continue;
      const value = reducer.value(place);
      if (value === null) continue;
      const own = isOwnTime ? reducer.time?.(place) : undefined;
      run.times.push(own === undefined ? windows.startOf(place) : BigInt(own) * MS);
      run.values.push(value);
    }
    if (run.times.length > 0) runs.push(run);
  }
  return runs;
}

/** What one group gives in one window. */
interface Cell {
  readonly group: number;
  /** Of the value's own point; undefined: of the window. */
  readonly time: number | undefined;
  readonly value: Value;
}

/** Where the answer shows coarser groups than these: window by window, in each of them group by group. */
function acrossGroups(
  scan: RecentScan,
  windows: RecentWindows,
  reducer: Reducer,
  isOwnTime: boolean,
  options: Options,
): Stream {
  const { groups } = scan;
  const shown = groups.map(([first]) => {
    const { name, tags } = (first as RecentSeries).each;
    return { name, tags, order: tags.subset(options.order) };
  });
  const rankOf = ranks(shown);
  /** By rank and place. */
  const cells: Cell[][][] = [];
  for (const [group, members] of groups.entries()) {
    reducer.clear();
    takeGroup(members, scan, windows, reducer);
    const byPlace = (cells[rankOf[group] as number] ??= []);
    for (let place = reducer.low; place <= reducer.high; place++) {
      if (reducer.has(place))
        (byPlace[place] ??= []).push({ group, time: reducer.time?.(place), value: reducer.value(place) });
    }
  }
  const isByTime = (isOwnTime || options.isOrdered) && reducer.time !== undefined;
  const { isAscending } = options;
  const order = windows.inOrder() ?? Array.from({ length: windows.count }, (_, place) => place);
  const out = new StreamBuilder(false);
  for (const byPlace of turned(cells, isAscending)) {
    for (const place of turned(order, isAscending)) {
      const found = byPlace[place];
      if (found === undefined) continue;
      const start = windows.startOf(place);
      if (isByTime && found.length > 1) {
        const start_ms = Number(start / MS);
        found.sort((a, b) => (a.time ?? start_ms) - (b.time ?? start_ms) || a.group - b.group);
      }
      for (const { group, time, value } of turned(found, isAscending)) {
        const { name, tags } = shown[group] as (typeof shown)[number];
        out.add(name, tags, isOwnTime && time !== undefined ? BigInt(time) * MS : start, value);
      }
    }
  }
  return out.runs;
}

const turned = <Each>(list: readonly Each[], isAscending: boolean): readonly Each[] =>
  isAscending ? list : list.toReversed();
