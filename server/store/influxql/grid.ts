import type { Value } from "./evaluate.ts";
import type { Options } from "./options.ts";
import { idsSql, type Scan } from "./scan.ts";
import type { GrowingRun, Stream } from "./stream.ts";
import { windowOf } from "./window.ts";

/** Groups times windows of a grid that is worked on at once: a value each. */
const MOST_CELLS = 8_000_000;
/** Series whose numbers span more than this are told apart by a join. */
const MOST_SPAN = 50_000;

/** The windows of a bounded span as a grid: every group has the same. */
export interface Grid {
  /** SQL that gives `cell` and `v`. */
  readonly sql: string;
  put(cells: readonly Value[], values: readonly Value[]): void;
  stream(): Stream;
}

/** The cells of a grid, row by row one for each window. */
interface Cells {
  /** SQL that gives `cell` and `v`. */
  readonly sql: string;
  /** Start of the first window, in nanoseconds. */
  readonly first: bigint;
  readonly windows: number;
  readonly rows: number;
  /** By row: its group, where every group has a row of its own; undefined: rows are groups. */
  readonly groupOf: readonly (number | undefined)[] | undefined;
}

/**
 * Reduces by one whole number that holds both group and window, which DuckDB does several times faster than by two columns.
 * Undefined where the question is not of that kind: bounded, in windows of equal length, of one field, with a condition on tags
 * alone.
 */
function cellsOf(scan: Scan, aggregate: string, options: Options): Cells | undefined {
  const { plain, unit_ns, groups } = scan;
  const { start, end, every } = options;
  if (plain === undefined || every === 0n || start < -(2n ** 62n) || end > 2n ** 62n || end < start) return undefined;
  const [first] = windowOf(start, options);
  const [last] = windowOf(end, options);
  const windows = Number((last - first) / every) + 1;
  const low = plain.ids.reduce((a, b) => Math.min(a, b));
  const span = plain.ids.reduce((a, b) => Math.max(a, b)) - low + 1;
  const isOneToOne = plain.ids.length === groups.length;
  const rows = isOneToOne ? span : groups.length;
  if (span > MOST_SPAN || rows * windows > MOST_CELLS || first % unit_ns !== 0n) return undefined;
  const groupOf: (number | undefined)[] = [];
  plain.ids.forEach((id, index) => (groupOf[id - low] = plain.groups[index]));
  const series = low === 0 ? "d.series" : `(d.series - ${low})`;
  const row = isOneToOne ? series : groups.length === 1 ? "0" : `${listSql(groupOf, span)}[${series} + 1]`;
  const isDense = span === plain.ids.length;
  const members = isDense ? "" : ` AND d.series IN (${plain.ids.join(",")})`;
  const window = `(${plain.time} - ${first / unit_ns}) // ${every / unit_ns}`;
  const sql = `SELECT cell, ${aggregate} AS v FROM (SELECT (${row} * ${windows} + ${window})::INTEGER AS cell, ${plain.time} AS t, ${plain.value} AS c0 FROM ${plain.from} d WHERE ${idsSql(plain.ids)}${members}${plain.bounds}) GROUP BY cell`;
  return { sql, first, windows, rows, groupOf: isOneToOne ? groupOf : undefined };
}

const listSql = (places: readonly (number | undefined)[], length: number): string =>
  `([${Array.from({ length }, (_, index) => places[index] ?? "NULL").join(",")}]::INTEGER[])`;

/** The same as points for SQL to go on with: `g`, `t` (nanoseconds) and as `c0` what `value` makes of `v`. */
export function gridPointsSql(scan: Scan, aggregate: string, value: string, options: Options): string | undefined {
  const cells = cellsOf(scan, aggregate, options);
  if (cells === undefined) return undefined;
  const { sql, first, windows, rows, groupOf } = cells;
  const row = `cell // ${windows}`;
  const group = groupOf === undefined ? `(${row})` : `${listSql(groupOf, rows)}[${row} + 1]`;
  return `SELECT ${group} AS g, ${first} + (cell % ${windows})::BIGINT * ${options.every} AS t, ${value} AS c0 FROM (${sql})`;
}

/** Puts what comes back in its place without sorting. */
export function gridOf(scan: Scan, aggregate: string, isFloat: boolean, options: Options): Grid | undefined {
  const found = cellsOf(scan, aggregate, options);
  if (found === undefined) return undefined;
  const { sql, first, windows, rows, groupOf } = found;
  const { groups } = scan;
  const { every, isAscending } = options;
  // Floats side by side and not each in a box of its own: there may be millions.
  const taken = new Uint8Array(rows * windows);
  const cells: Float64Array | Value[] = isFloat
    ? new Float64Array(rows * windows)
    : Array.from({ length: rows * windows });
  return {
    sql,
    put(at, values) {
      for (let index = 0; index < at.length; index++) {
        const place = at[index] as number;
        taken[place] = 1;
        cells[place] = (isFloat ? values[index] : within64(values[index] ?? null)) as number;
      }
    },
    stream() {
      const times = Array.from({ length: windows }, (_, index) => first + BigInt(index) * every);
      const runs: GrowingRun[] = [];
      const places = groupOf === undefined ? groups.map((_, index) => index) : placesOf(groupOf, groups.length);
      for (let index = 0; index < groups.length; index++) {
        const at = isAscending ? index : groups.length - 1 - index;
        const group = groups[at];
        if (group === undefined) continue;
        const from = (places[at] as number) * windows;
        const run: GrowingRun = { name: group.name, tags: group.tags, times: [], values: [] };
        for (let step = 0; step < windows; step++) {
          const window = isAscending ? step : windows - 1 - step;
          if (taken[from + window] === 0) continue;
          run.times.push(times[window] as bigint);
          run.values.push(cells[from + window] as Value);
        }
        if (run.times.length > 0) runs.push(run);
      }
      return runs;
    },
  };
}

/** Integers wrap around, as in InfluxDB, where their sum does not fit. */
export const within64 = (value: Value): Value => (typeof value === "bigint" ? BigInt.asIntN(64, value) : value);

function placesOf(groupOf: readonly (number | undefined)[], groups: number): number[] {
  const places = Array.from({ length: groups }, () => 0);
  groupOf.forEach((group, place) => {
    if (group !== undefined) places[group] = place;
  });
  return places;
}
