import { type Read, ranks } from "./calls.ts";
import type { Value } from "./evaluate.ts";
import { type Options, type Ref, keptTags } from "./options.ts";
import { gridOf, within64 } from "./grid.ts";
import { mode, type Point } from "./reduce.ts";
import { type Scan, type ScannedSeries, scanOf } from "./scan.ts";
import { type Stream, StreamBuilder } from "./stream.ts";
import { type ClockChange, changesOf, windowSql } from "./window-sql.ts";

export interface Aggregation {
  readonly name: string;
  /** Of percentile the percent, of top and bottom how many. */
  readonly argument: number;
  /** Tags whose values top and bottom tell apart. */
  readonly beside: readonly string[];
  readonly ref: Ref;
  readonly series: readonly ScannedSeries[];
  readonly options: Options;
  /** Only the window's time matters, not the point's own. */
  readonly isAtWindow: boolean;
  readonly read: Read;
}

const SUMS: Readonly<Record<string, (type: string) => string>> = {
  count: () => "count(c0)",
  sum: () => "sum(c0)",
  mean: (type) => (type === "integer" ? "sum(c0)::DOUBLE / count(c0)" : "avg(c0)"),
  median: () => "quantile_cont(c0, 0.5)",
  stddev: () => "coalesce(stddev_samp(c0), 'nan'::DOUBLE)",
  spread: (type) => (type === "integer" ? "max(c0)::HUGEINT - min(c0)::HUGEINT" : "max(c0) - min(c0)"),
};
const PICKS: Readonly<Record<string, (type: string) => string>> = {
  min: () => "c0 ASC, t ASC",
  max: () => "c0 DESC, t ASC",
  first: (type) => `t ASC, c0 ${type === "boolean" ? "ASC" : "DESC"}`,
  last: () => "t DESC, c0 DESC",
};

export const canAggregate = (name: string): boolean =>
  Object.hasOwn(SUMS, name) ||
  Object.hasOwn(PICKS, name) ||
  ["percentile", "top", "bottom", "distinct", "mode"].includes(name);

/** Lets DuckDB reduce: what comes back is one row for each point of the answer. */
export async function aggregated(aggregation: Aggregation): Promise<Stream> {
  const { name, ref, series, options, read } = aggregation;
  const columns = options.aux.filter(({ type }) => type !== "tag" && type !== undefined);
  const values = scanOf({
    series,
    driver: ref,
    aux: columns,
    options,
    relation: (from, to, ids) => read.relation(from, to, ids),
  });
  if (values === undefined) return [];
  const changes = await clockChanges(values, options, read);
  const start = (time: string): string => windowSql(time, options, values.unit_ns, changes);
  // About a change of the clock the start of a window may lie in the window before: InfluxDB looks twice.
  const isTwice = options.every !== 0n && changes.length > 1;
  const scan = isTwice ? { ...values, sql: `SELECT *, ${start("t")} AS begun FROM (${values.sql})` } : values;
  const window = options.every === 0n ? "0" : start(isTwice ? "begun" : "t");
  const isFlat = changes.length < 2 && options.aux.length === 0 && keptTags(options).length === options.order.length;
  const cell = isFlat ? cellSql(aggregation, scan) : undefined;
  const grid = cell === undefined ? undefined : gridOf(scan, cell, isNumber(name, scan.types[0] ?? "float"), options);
  if (grid !== undefined) {
    await read.each(grid.sql, ([cells = [], found = []]) => grid.put(cells, found));
    return grid.stream();
  }
  if (name === "mode") return modes(scan, window, aggregation);
  return streamed(reducedSql(aggregation, scan, window), scan, aggregation, columns);
}

/** SQL for the points that an aggregate gives of a scan: `g`, `w` (as `window` has it), `t`, `s`, `v`, and what stands beside. */
export function reducedSql(aggregation: Aggregation, scan: Scan, window: string): string {
  const { name, options } = aggregation;
  const type = scan.types[0] ?? "float";
  const sum = SUMS[name];
  if (sum !== undefined) {
    const own = isSingleOwn(name, type) ? "CASE WHEN count(c0) = 1 THEN min(t) ELSE w END" : "NULL";
    return `SELECT g, w, ${own} AS t, NULL AS s, ${sum(type)} AS v FROM (SELECT g, ${window} AS w, t, c0 FROM (${scan.sql})) GROUP BY g, w`;
  }
  const pick = PICKS[name];
  if (pick !== undefined) return pickSql(aggregation, scan, window, pick(type), type);
  if (name === "distinct") {
    const first = options.isAscending ? "min" : "max";
    return `SELECT g, w, ${first}(t) AS t, NULL AS s, c0 AS v FROM (SELECT g, ${window} AS w, t, c0 FROM (${scan.sql})) GROUP BY g, w, c0`;
  }
  return rankedSql(aggregation, scan, window);
}

/** Whether an aggregate gives floats. */
const isNumber = (name: string, type: string): boolean =>
  name === "mean" || name === "median" || name === "stddev" || (type === "float" && name !== "count");

/** What a cell of a grid is reduced by; undefined: more than its own values must be known. */
export function cellSql({ name, isAtWindow }: Aggregation, scan: Scan): string | undefined {
  const sum = SUMS[name];
  if (sum !== undefined) return sum(scan.types[0] ?? "float");
  if (!isAtWindow) return undefined;
  if (name === "min" || name === "max") return `${name}(c0)`;
  if (!scan.isSingle) return undefined;
  return name === "first" ? "arg_min(c0, t)" : name === "last" ? "arg_max(c0, t)" : undefined;
}

/** In InfluxDB, of a single float its median keeps the time, and of a single value its mode. */
const isSingleOwn = (name: string, type: string): boolean => name === "mode" || (name === "median" && type === "float");

async function clockChanges(scan: Scan, options: Options, read: Read): Promise<readonly ClockChange[]> {
  if (options.zone === undefined || options.every === 0n) return [];
  let { start, end } = options;
  if (start < -(2n ** 62n) || end > 2n ** 62n) {
    const [[first = null] = [], [last = null] = []] = await read.fetch(`SELECT min(t), max(t) FROM (${scan.sql})`);
    if (typeof first !== "bigint" || typeof last !== "bigint") return [];
    start = first * scan.unit_ns;
    end = last * scan.unit_ns;
  }
  return changesOf(options.zone, start - 2n * options.every, end + 2n * options.every);
}

const auxSql = (scan: Scan): string =>
  scan.types
    .slice(1)
    .map((_, index) => `, c${index + 1}`)
    .join("");

function pickSql(
  { name, isAtWindow, options }: Aggregation,
  scan: Scan,
  window: string,
  order: string,
  type: string,
): string {
  const rows = `SELECT s, g, ${window} AS w, t, c0${auxSql(scan)} FROM (${scan.sql})`;
  if (options.aux.length > 0) {
    return `SELECT g, w, t, s, c0 AS v${auxSql(scan)} FROM (${rows}) QUALIFY row_number() OVER (PARTITION BY g, w ORDER BY ${order}, s) = 1`;
  }
  const from = `FROM (${rows}) GROUP BY g, w`;
  const isOrdered = name === "min" || name === "max";
  if (isAtWindow && isOrdered && !isOrderedByTime(options))
    return `SELECT g, w, NULL AS t, NULL AS s, ${name}(c0) AS v ${from}`;
  if (!isOrdered && scan.isSingle) {
    const [by, time] = name === "first" ? ["arg_min", "min"] : ["arg_max", "max"];
    return `SELECT g, w, ${time}(t) AS t, NULL AS s, ${by}(c0, t) AS v ${from}`;
  }
  const [best, at] =
    name === "min"
      ? ["min({'v': c0, 't': t})", "x.t"]
      : name === "max"
        ? ["max({'v': c0, 't': -t})", "-x.t"]
        : name === "last"
          ? ["max({'t': t, 'v': c0})", "x.t"]
          : type === "boolean"
            ? ["min({'t': t, 'v': c0})", "x.t"]
            : ["max({'t': -t, 'v': c0})", "-x.t"];
  return `SELECT g, w, ${at} AS t, NULL AS s, x.v AS v FROM (SELECT g, w, ${best} AS x ${from})`;
}

/** percentile, top and bottom: rows by their rank. */
function rankedSql({ name, argument, beside, options, isAtWindow }: Aggregation, scan: Scan, window: string): string {
  const rows = `SELECT s, g, ${window} AS w, t, c0${auxSql(scan)} FROM (${scan.sql})`;
  const columns = `g, w, t, s, c0 AS v${auxSql(scan)}`;
  if (name === "percentile") {
    if (isAtWindow && options.aux.length === 0 && !isOrderedByTime(options)) {
      const place = `floor(count(c0) * ${argument} / 100.0 + 0.5)::BIGINT`;
      return `SELECT * FROM (SELECT g, w, NULL AS t, NULL AS s, CASE WHEN ${place} < 1 THEN NULL ELSE list_sort(list(c0))[${place}] END AS v FROM (${rows}) GROUP BY g, w) WHERE v IS NOT NULL`;
    }
    const rank = `floor(count(*) OVER (PARTITION BY g, w) * ${argument} / 100.0 + 0.5)`;
    // Of equal values, the one that was read first.
    const direction = options.isAscending ? "ASC" : "DESC";
    return `SELECT ${columns} FROM (${rows}) QUALIFY row_number() OVER (PARTITION BY g, w ORDER BY c0, t ${direction}, s ${direction}) = ${rank}`;
  }
  const order = `c0 ${name === "top" ? "DESC" : "ASC"}, t ASC, s`;
  let from = rows;
  if (beside.length > 0) {
    const keys = [...new Set([...beside, ...keptTags(options)])].sort();
    const ids = new Map<string, number>();
    const places = scan.series.map(({ series }) => {
      const id = keys.map((key) => series.tags.get(key) ?? "").join("\0");
      let place = ids.get(id);
      if (place === undefined) ids.set(id, (place = ids.size));
      return place;
    });
    const finer = `[${places.join(",")}][s + 1]`;
    from = `SELECT * FROM (${rows}) QUALIFY row_number() OVER (PARTITION BY g, w, ${finer} ORDER BY ${order}) = 1`;
  }
  return `SELECT ${columns} FROM (${from}) QUALIFY row_number() OVER (PARTITION BY g, w ORDER BY ${order}) <= ${argument}`;
}

/** The most frequent values of each window; which of several it is depends on where in time they lie. */
export async function modes(scan: Scan, window: string, aggregation: Aggregation): Promise<Stream> {
  const { options, read } = aggregation;
  if (scan.types[0] === "boolean") {
    const sql = `SELECT g, w, NULL AS t, NULL AS s, count(*) FILTER (c0) * 2 >= count(*) AS v FROM (SELECT g, ${window} AS w, c0 FROM (${scan.sql})) GROUP BY g, w`;
    return streamed(sql, scan, aggregation, []);
  }
  const counted = `SELECT g, w, c0, count(*) AS n, min(t) AS a, max(t) AS b, CASE WHEN sum(count(*)) OVER (PARTITION BY g, w) = 1 THEN min(t) ELSE w END AS t FROM (SELECT g, ${window} AS w, t, c0 FROM (${scan.sql})) GROUP BY g, w, c0`;
  // Where all values are single, the smallest is taken.
  const most = `SELECT * FROM (${counted}) QUALIFY n = max(n) OVER (PARTITION BY g, w) AND (n > 1 OR row_number() OVER (PARTITION BY g, w ORDER BY c0) = 1)`;
  const order = orderSql(scan, options, isOrderedByTime(options));
  const [g = [], w = [], c0 = [], a = [], b = []] = await read.fetch(
    `SELECT g, w, c0, a, b FROM (${most}) ORDER BY ${order}, c0`,
  );
  const out = new StreamBuilder(false);
  for (let row = 0; row < g.length;) {
    const points: Point[] = [];
    const from = row;
    for (; row < g.length && g[row] === g[from] && w[row] === w[from]; row++) {
      const times = options.isAscending ? [a[row], b[row]] : [b[row], a[row]];
      for (const time of times) points.push({ time: time as bigint, value: c0[row] ?? null });
    }
    const group = scan.groups[g[from] as number];
    if (group !== undefined) out.add(group.name, group.tags, windowTime(w[from], scan, options), mode(points));
  }
  return out.runs;
}

const windowTime = (w: Value | undefined, scan: Scan, options: Options): bigint =>
  options.every === 0n ? options.start : (w as bigint) * scan.unit_ns;

function orderSql(scan: Scan, options: Options, hasOwnTime = false): string {
  const direction = options.isAscending ? "ASC" : "DESC";
  const isFiner = keptTags(options).length !== options.order.length;
  const rank = isFiner ? `[${ranks(scan.groups).join(",")}][g + 1]` : "g";
  return [`${rank} ${direction}`, `w ${direction}`, ...(hasOwnTime ? [`t ${direction}`] : []), `g ${direction}`].join(
    ", ",
  );
}

/** Points of several groups in one window stand in the order of their own times, though they are shown at the window's. */
const isOrderedByTime = (options: Options): boolean =>
  options.isOrdered && keptTags(options).length !== options.order.length;

/** The points that SQL gives as a stream; `isByTags`: in each window by tags, whatever times of their own they have. */
export async function streamed(
  sql: string,
  scan: Scan,
  aggregation: Aggregation,
  columns: readonly Ref[],
  isByTags = false,
): Promise<Stream> {
  const { name, options, read, isAtWindow } = aggregation;
  const { aux } = options;
  const isOwnTime = !isAtWindow && !Object.hasOwn(SUMS, name);
  const isTimed = !Object.hasOwn(SUMS, name) || isSingleOwn(name, scan.types[0] ?? "float");
  const isByTime = !isByTags && isTimed && (isOwnTime || isOrderedByTime(options));
  const last = name === "top" ? ", v DESC" : name === "bottom" || name === "distinct" ? ", v ASC" : "";
  const order = orderSql(scan, options, isByTime);
  const rows = await read.fetch(`SELECT g, w, t, s, v${auxSql(scan)} FROM (${sql}) ORDER BY ${order}${last}`);
  const [g = [], w = [], t = [], s = [], v = []] = rows;
  const beside = rows.slice(5);
  const places = aux.map((ref) => columns.indexOf(ref));
  const out = new StreamBuilder(aux.length > 0);
  const times = new Map<Value, bigint>();
  for (let row = 0; row < g.length; row++) {
    const group = scan.groups[g[row] as number];
    if (group === undefined) continue;
    let time: bigint;
    if (isOwnTime) time = (t[row] as bigint) * scan.unit_ns;
    else {
      const start = w[row] ?? null;
      const known = times.get(start);
      if (known === undefined) times.set(start, (time = windowTime(start, scan, options)));
      else time = known;
    }
    const value = within64(v[row] ?? null);
    if (aux.length === 0) {
      out.add(group.name, group.tags, time, value);
      continue;
    }
    const each = scan.series[s[row] as number];
    const values = aux.map((ref, index) => {
      const place = places[index] as number;
      if (place >= 0) return beside[place]?.[row] ?? null;
      return ref.type === "tag" ? (each?.series.tags.get(ref.name) ?? null) : null;
    });
    out.add(group.name, group.tags, time, value, values);
  }
  return out.runs;
}
