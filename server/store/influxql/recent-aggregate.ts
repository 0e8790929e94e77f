import type { Aggregation } from "./pushdown.ts";
import { keptTags, type Options } from "./options.ts";
import { ranks } from "./calls.ts";
import { type Reducer, reducerOf } from "./recent-reducers.ts";
import { ConditionWalk, type RecentScan, recentScan, type RecentSeries } from "./recent-scan.ts";
import type { Value } from "./evaluate.ts";
import { type RecentWindows, recentWindows } from "./recent-windows.ts";
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
  return scan && reducedScan(scan, recentWindows(options), aggregation);
}

/** Reduces the first column of a scan; undefined: the function is one that the database computes. */
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

/** Takes all of a group; false: its windows are too many. */
export function takeGroup(
  group: readonly RecentSeries[],
  scan: RecentScan,
  windows: RecentWindows,
  reducer: Reducer,
): boolean {
  const { from, to } = scan;
  for (const { columns, condition } of group) {
    const [column] = columns;
    if (column === undefined) continue;
    const { times } = column;
    const end = column.placeOf(to + 1);
    let index = column.placeOf(from);
    const walk = condition === undefined ? undefined : new ConditionWalk(condition, from);
    while (index < end) {
      const place = windows.placeOf(times[index] as number);
      if (place < 0) return false;
      const { until } = windows;
      if (walk !== undefined) {
        if (walk.holdsAt(times[index] as number)) reducer.take(place, column, index, index + 1);
        index++;
        continue;
      }
      let next = end;
      if (until <= (times[end - 1] as number)) {
        next = index + 1;
        while ((times[next] as number) < until) next++;
      }
      reducer.take(place, column, index, next);
      index = next;
    }
  }
  return true;
}

export function groupsOf({ series }: RecentScan): RecentSeries[][] {
  const groups: RecentSeries[][] = [];
  for (const each of series) {
    const known = groups[each.each.group];
    if (known === undefined) groups[each.each.group] = [each];
    else known.push(each);
  }
  return groups;
}

/** Where groups are what the answer shows: one after the other, each in the order of time. */
function inGroups(
  scan: RecentScan,
  windows: RecentWindows,
  reducer: Reducer,
  isOwnTime: boolean,
  isAscending: boolean,
): Stream | undefined {
  const runs: GrowingRun[] = [];
  const groups = groupsOf(scan);
  if (!isAscending) groups.reverse();
  for (const group of groups) {
    const [first] = group;
    if (first === undefined) continue;
    reducer.clear();
    if (!takeGroup(group, scan, windows, reducer)) return undefined;
    const { name, tags } = first.each;
    const run: GrowingRun = { name, tags, times: [], values: [] };
    const order = windows.inOrder();
    for (let step = 0; step < windows.count; step++) {
      const index = isAscending ? step : windows.count - 1 - step;
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
): Stream | undefined {
  const groups = groupsOf(scan);
  const shown = groups.map(([first]) => {
    const { name, tags } = (first as RecentSeries).each;
    return { name, tags, order: tags.subset(options.order) };
  });
  const rankOf = ranks(shown);
  /** By rank and place. */
  const cells: Cell[][][] = [];
  for (const [group, members] of groups.entries()) {
    reducer.clear();
    if (!takeGroup(members, scan, windows, reducer)) return undefined;
    const byPlace = (cells[rankOf[group] as number] ??= []);
    for (let place = 0; place < windows.count; place++) {
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
