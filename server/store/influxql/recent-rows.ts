import type { Value } from "./evaluate.ts";
import { ranks } from "./calls.ts";
import { type Options, type Ref, keptTags } from "./options.ts";
import { ConditionWalk, type RecentScan, recentScan, type RecentSeries, type RecentValues } from "./recent-scan.ts";
import type { ScannedSeries } from "./scan.ts";
import type { TagSet } from "./tags.ts";

/** More values than these are left to the database, which goes through them on more than one core and beside the others. */
const MOST_ROWS = 50_000;
const MS = 1_000_000n;

/** A point of the answer before it is put into its group. */
export interface RecentRow {
  readonly series: ScannedSeries;
  readonly at: number;
  /** In the order of the fields asked for. */
  readonly values: readonly Value[];
}

/**
 * Points as they are held in memory, in the order in which the database would give them; undefined: it must be asked. `most`
 * of each group are enough; 0: all of them.
 */
export function recentRows(
  recent: RecentValues | undefined,
  all: readonly ScannedSeries[],
  refs: readonly Ref[],
  hasDriver: boolean,
  options: Options,
  most: number,
): RecentRow[] | undefined {
  const scan = recentScan(recent, all, refs, hasDriver, options);
  if (scan === undefined) return undefined;
  let size = 0;
  for (const { columns } of scan.series) {
    for (const column of columns) {
      if (column !== undefined) size += column.placeOf(scan.to + 1) - column.placeOf(scan.from);
    }
  }
  if (size > MOST_ROWS) return undefined;
  const rows = scan.series.flatMap((each) => rowsOf(each, scan, hasDriver, options.isAscending, most));
  const direction = options.isAscending ? 1 : -1;
  const order = orderOf(scan, options);
  const places = new Map(scan.series.map(({ each }, place) => [each, place]));
  const place = (row: RecentRow): number => places.get(row.series) as number;
  rows.sort(
    (a, b) =>
      direction *
      ((order[a.series.group] as number) - (order[b.series.group] as number) || a.at - b.at || place(a) - place(b)),
  );
  return most === 0 ? rows : firstOf(rows, most);
}

/** By group: its place among those that the answer shows. */
function orderOf({ series }: RecentScan, options: Options): number[] {
  const groups: { name: string; order: TagSet }[] = [];
  for (const { each } of series) groups[each.group] = { name: each.name, order: each.tags.subset(options.order) };
  return keptTags(options).length === options.order.length ? groups.map((_, group) => group) : ranks(groups);
}

function rowsOf(
  { each, columns, condition }: RecentSeries<ScannedSeries>,
  { from, to }: RecentScan,
  hasDriver: boolean,
  isAscending: boolean,
  most: number,
): RecentRow[] {
  const places = columns.map((column) => column?.placeOf(from) ?? 0);
  const walk = condition === undefined ? undefined : new ConditionWalk(condition, from);
  const rows: RecentRow[] = [];
  for (;;) {
    let at = Number.POSITIVE_INFINITY;
    const drivers = hasDriver ? 1 : columns.length;
    for (let index = 0; index < drivers; index++) {
      const column = columns[index];
      const place = places[index] as number;
      if (column !== undefined && place < column.length) at = Math.min(at, column.times[place] as number);
    }
    if (at > to) break;
    const values = columns.map((column, index): Value => {
      if (column === undefined) return null;
      let place = places[index] as number;
      while (place < column.length && (column.times[place] as number) < at) place++;
      const isThere = place < column.length && column.times[place] === at;
      places[index] = isThere ? place + 1 : place;
      return isThere ? column.value(place) : null;
    });
    if (walk === undefined || walk.holdsAt(at)) rows.push({ series: each, at, values });
  }
  if (most === 0 || rows.length <= most) return rows;
  return isAscending ? rows.slice(0, most) : rows.slice(-most);
}

function firstOf(rows: readonly RecentRow[], most: number): RecentRow[] {
  const counts = new Map<number, number>();
  return rows.filter(({ series: { group } }) => {
    const count = (counts.get(group) ?? 0) + 1;
    counts.set(group, count);
    return count <= most;
  });
}

export const timeOf = ({ at }: RecentRow): bigint => BigInt(at) * MS;
