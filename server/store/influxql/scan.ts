import type { Expression, FieldType } from "./ast.ts";
import type { Catalogue, SeriesEntry, Slot, ValueTable } from "./catalogue.ts";
import { conditionSql } from "./condition-sql.ts";
import { InfluxError } from "./engine.ts";
import type { ValueType } from "./evaluate.ts";
import { type Options, type Ref, keptTags } from "./options.ts";
import { printExpression } from "./print.ts";
import { compareText, TagSet } from "./tags.ts";
import { decide, fieldsIn, simplified } from "./where.ts";

/** A series that a SELECT reads, and where its points go. */
export interface ScannedSeries {
  readonly series: SeriesEntry;
  readonly name: string;
  /** The tags that its points keep. */
  readonly tags: TagSet;
  /** Place of its group in the order of names and tags. */
  readonly group: number;
  readonly condition: Expression | undefined;
}

/** Where values come from: SQL that gives `s` (index into `series`), `g`, `t` (times `unit_ns`), and a column for each field. */
export interface Scan {
  readonly sql: string;
  readonly series: readonly ScannedSeries[];
  /** By `g`: groups that keep the same tags, in order. */
  readonly groups: readonly { readonly name: string; readonly tags: TagSet; readonly order: TagSet }[];
  /** Columns `c0`, `c1`… in the order in which they were asked for. */
  readonly types: readonly FieldType[];
  readonly unit_ns: bigint;
  /** No group has two points at one time. */
  readonly isSingle: boolean;
  /** Where one column of one table is read and tags alone decide: the parts of which the SQL is made. */
  readonly plain: Plain | undefined;
}

export interface Plain {
  readonly from: string;
  readonly time: string;
  readonly value: string;
  /** Further conditions, each after an AND. */
  readonly bounds: string;
  /** Numbers of series in the table, and the group of each. */
  readonly ids: readonly number[];
  readonly groups: readonly number[];
}

export const SQL_TYPES: Readonly<Record<FieldType, string>> = {
  float: "DOUBLE",
  integer: "BIGINT",
  unsigned: "BIGINT",
  string: "VARCHAR",
  boolean: "BOOLEAN",
};

/** Which series a SELECT from these measurements reads, after WHERE on tags, SLIMIT and SOFFSET. */
export function seriesOf(
  catalogue: Catalogue,
  measurements: readonly string[],
  options: Options,
  maxSeries: number,
): readonly ScannedSeries[] {
  const { order, groups, condition, slimit, soffset } = options;
  const key = JSON.stringify([
    measurements,
    order,
    groups,
    condition === undefined ? "" : printExpression(condition),
    slimit,
    soffset,
  ]);
  const found = catalogue.remembered(key, () => findSeries(catalogue, measurements, options));
  if (maxSeries > 0 && found.length > maxSeries) {
    throw new InfluxError(400, `max-select-series limit exceeded: (${found.length}/${maxSeries})`);
  }
  return found;
}

function findSeries(catalogue: Catalogue, measurements: readonly string[], options: Options): ScannedSeries[] {
  const found: { series: SeriesEntry; order: TagSet; tags: TagSet; condition: Expression | undefined }[] = [];
  const kept = keptTags(options);
  for (const name of measurements) {
    const measurement = catalogue.measurements.get(name);
    if (measurement === undefined) continue;
    const matched: typeof found = [];
    const shared = new Map<string, TagSet>();
    for (const series of measurement.series) {
      const outcome = options.condition === undefined ? true : decide(options.condition, series);
      if (outcome === false) continue;
      matched.push({
        series,
        order: subsetOf(series, options.order, shared),
        tags: subsetOf(series, kept, shared),
        condition: outcome === true ? undefined : simplified(outcome),
      });
    }
    for (const each of limited(matched, options)) found.push(each);
  }
  found.sort(
    (a, b) =>
      compareText(a.series.measurement.name, b.series.measurement.name) ||
      compareText(a.order.id, b.order.id) ||
      compareText(a.tags.id, b.tags.id) ||
      compareText(a.series.key, b.series.key),
  );
  let group = -1;
  return found.map(({ series, tags, condition }, index) => {
    const before = found[index - 1];
    if (before === undefined || before.tags !== tags || before.series.measurement !== series.measurement) group++;
    return { series, name: series.measurement.name, tags, group, condition };
  });
}

/** One object for equal tags, so that they are compared by identity. */
function subsetOf(series: SeriesEntry, keys: readonly string[], shared: Map<string, TagSet>): TagSet {
  if (keys.length === 0) return TagSet.NONE;
  const id = [...keys, ...keys.map((key) => series.tags.get(key) ?? "")].join("\0");
  let tags = shared.get(id);
  if (tags === undefined) {
    tags = new TagSet(new Map(keys.map((key) => [key, series.tags.get(key) ?? ""])));
    shared.set(id, tags);
  }
  return tags;
}

function limited<Each extends { order: TagSet }>(found: Each[], { slimit, soffset }: Options): Each[] {
  if (slimit === 0 && soffset === 0) return found;
  // InfluxDB counts groups in another order than it shows them in: those that lack tags stand by the tags that they have.
  const places = new Map(found.map(({ order }) => [order.id, placeOf(order)]));
  const ids = [...places].sort(([, a], [, b]) => compareText(a, b)).map(([id]) => id);
  // As in InfluxDB, SOFFSET without SLIMIT leaves nothing.
  const chosen = new Set(ids.slice(soffset, soffset + slimit));
  return found.filter(({ order }) => chosen.has(order.id));
}

function placeOf({ values }: TagSet): string {
  const present = [...values].filter(([, value]) => value !== "");
  return [...present.map(([key]) => key), ...present.map(([, value]) => value)].join("|");
}

export interface ScanRequest {
  readonly series: readonly ScannedSeries[];
  /** What must have a value in each row; without it any of `aux` must. */
  readonly driver: Ref | undefined;
  readonly aux: readonly Ref[];
  readonly options: Options;
  /** What stands behind FROM for our own readings. */
  readonly relation: (from_ms: number, to_ms: number, ids: readonly number[]) => string;
}

/** The SQL of a reading; undefined: none of these series has such a field. */
export function scanOf({ series: all, driver, aux, options, relation }: ScanRequest): Scan | undefined {
  const refs: Ref[] = [...(driver === undefined ? [] : [driver]), ...aux];
  const wanted = refs.length;
  const series = regrouped(
    all.filter((each) =>
      driver === undefined ? aux.some((ref) => slotsOf(each, ref).length > 0) : slotsOf(each, driver).length > 0,
    ),
  );
  if (series.length === 0) return undefined;
  const conditions = conditionsOf(series);
  for (const { condition } of conditions) {
    if (condition === undefined) continue;
    for (const { name, type } of fieldsIn(condition).values()) {
      if (!refs.some((ref) => ref.name === name && ref.type === type)) refs.push({ name, type });
    }
  }
  const columns = refs.map((ref) => columnOf(series, ref));
  const isOwn = columns.every((each) => each.slots.every(({ slot }) => slot.table === "readings"));
  const unit_ns = isOwn && options.every % MS === 0n && options.offset % MS === 0n ? MS : 1n;
  const isPlain = columns.length === 1;
  const used = columns.flatMap((column, place) => (column.slots.length === 0 ? [] : [{ ...column, place }]));
  let sql: string;
  if (isPlain) sql = rowsSql(columns[0] as Column, series, options, unit_ns, relation, (value) => `${value} AS c0`);
  else {
    const parts = used.map(({ place, ...column }) =>
      rowsSql(column, series, options, unit_ns, relation, (value) =>
        columns
          .map(({ type }, other) => `${other === place ? value : `NULL::${SQL_TYPES[type]}`} AS c${other}`)
          .join(", "),
      ),
    );
    const needed = driver === undefined ? aux.map((_, index) => `c${index}`) : ["c0"];
    const kept = columns.map((_, index) => `max(c${index}) AS c${index}`);
    sql = `SELECT s, any_value(g) AS g, t, ${kept.join(", ")} FROM (${parts.join(" UNION ALL ")}) GROUP BY s, t`;
    sql = `SELECT * FROM (${sql}) WHERE coalesce(${needed.join(", ")}${needed.length === 1 ? ", NULL" : ""}) IS NOT NULL`;
    if (driver === undefined) {
      sql = sql.replace(/coalesce\(.*\) IS NOT NULL$/, `(${needed.map((each) => `${each} IS NOT NULL`).join(" OR ")})`);
    }
  }
  const filter = filterSql(conditions, refs, columns);
  if (filter !== undefined) sql = `SELECT * FROM (${sql}) WHERE ${filter}`;
  const groups: { name: string; tags: TagSet; order: TagSet }[] = [];
  for (const { name, tags, group } of series) groups[group] = { name, tags, order: tags.subset(options.order) };
  const types = columns.slice(0, wanted).map(({ type }) => type);
  const [only] = columns;
  const plain =
    isPlain && filter === undefined && only !== undefined ? plainOf(only, series, options, relation) : undefined;
  return { sql, series, groups, types, unit_ns, isSingle: groups.length === series.length, plain };
}

/** Counts the groups anew, without those of which no series is left. */
export function regrouped(series: readonly ScannedSeries[]): ScannedSeries[] {
  let group = -1;
  let last: number | undefined;
  return series.map((each) => {
    if (each.group !== last) group++;
    last = each.group;
    return { ...each, group };
  });
}

interface Column {
  readonly type: FieldType;
  readonly slots: readonly { readonly slot: Slot; readonly place: number }[];
}

function columnOf(series: readonly ScannedSeries[], ref: Ref): Column {
  const slots = series.flatMap((each, place) => slotsOf(each, ref).map((slot) => ({ slot, place })));
  return { type: typeOfColumn(ref.type, slots[0]?.slot.type), slots };
}

export const typeOfColumn = (asked: ValueType, stored: FieldType | undefined): FieldType =>
  asked === undefined || asked === "field" || asked === "tag" ? (stored ?? "float") : asked;

const NONE: readonly Slot[] = [];
const NUMBERS = new Set<ValueType>(["float", "integer", "unsigned"]);

/** The slots of a field, if it is of the type that is asked for or can be made so. */
export function slotsOf({ series }: ScannedSeries, { name, type }: Ref): readonly Slot[] {
  if (type === "tag") return NONE;
  const slots = series.slots.get(name);
  if (slots === undefined) return NONE;
  if (slots.length === 1 && slots[0]?.type === type) return slots;
  if (type === undefined || type === "field") return slots;
  return slots.filter((slot) => slot.type === type || (NUMBERS.has(slot.type) && NUMBERS.has(type)));
}

const MS = 1_000_000n;

/** More slots than this are joined, fewer listed. */
const LISTED = 8;

function rowsSql(
  { slots, type }: Column,
  series: readonly ScannedSeries[],
  options: Options,
  unit_ns: bigint,
  relation: ScanRequest["relation"],
  columnsSql: (value: string) => string,
): string {
  const tables = new Map<ValueTable, (typeof slots)[number][]>();
  for (const each of slots) {
    const known = tables.get(each.slot.table);
    if (known === undefined) tables.set(each.slot.table, [each]);
    else known.push(each);
  }
  const parts = [...tables].map(([table, own]) => {
    const perUnit = table === "readings" ? 1_000_000n : 1n;
    const time = perUnit === unit_ns ? "d.instant" : `d.instant * ${perUnit / unit_ns}`;
    const stored = own[0]?.slot.type ?? type;
    const value = stored === type ? "d.value" : castSql("d.value", stored, type);
    const ids = own.map(({ slot }) => slot.id);
    const bounds = boundsSql(options, perUnit);
    const from = table === "readings" ? relation(...spanOf(options), ids) : table;
    const groups = own.map(({ place }) => (series[place] as ScannedSeries).group);
    const [only] = own;
    if (own.length === 1 && only !== undefined) {
      return `SELECT ${only.place} AS s, ${groups[0]} AS g, ${time} AS t, ${columnsSql(value)} FROM ${from} d WHERE d.series = ${only.slot.id}${bounds}`;
    }
    const map = `(SELECT unnest([${ids.join(",")}]::INTEGER[]) AS slot, unnest([${own.map(({ place }) => place).join(",")}]::INTEGER[]) AS s, unnest([${groups.join(",")}]::INTEGER[]) AS g)`;
    return `SELECT m.s AS s, m.g AS g, ${time} AS t, ${columnsSql(value)} FROM ${from} d JOIN ${map} m ON m.slot = d.series WHERE ${idsSql(ids)}${bounds}`;
  });
  return parts.join(" UNION ALL ");
}

function plainOf(
  { slots, type }: Column,
  series: readonly ScannedSeries[],
  options: Options,
  relation: ScanRequest["relation"],
): Plain | undefined {
  const [first] = slots;
  if (first === undefined || slots.some(({ slot }) => slot.table !== first.slot.table || slot.type !== type))
    return undefined;
  const isOwn = first.slot.table === "readings";
  if (isOwn && (options.every % MS !== 0n || options.offset % MS !== 0n)) return undefined;
  const ids = slots.map(({ slot }) => slot.id);
  return {
    from: isOwn ? relation(...spanOf(options), ids) : first.slot.table,
    time: "d.instant",
    value: "d.value",
    bounds: boundsSql(options, isOwn ? MS : 1n),
    ids,
    groups: slots.map(({ place }) => (series[place] as ScannedSeries).group),
  };
}

/** The span in milliseconds, its end not included. */
const spanOf = ({ start, end }: Options): [from: number, to: number] => [
  start > MIN_64 ? Number(floor(start, MS)) : Number.NEGATIVE_INFINITY,
  end < 2n ** 63n - 10n ? Number(floor(end, MS)) + 1 : Number.POSITIVE_INFINITY,
];

function castSql(value: string, from: FieldType, to: FieldType): string {
  if (to === "float") return `${value}::DOUBLE`;
  return from === "float" ? `trunc(${value})::BIGINT` : value;
}

/** Ids as ranges where they are dense, so that the tables' statistics apply. */
export function idsSql(ids: readonly number[]): string {
  const sorted = [...ids].sort((a, b) => a - b);
  const ranges: [number, number][] = [];
  for (const id of sorted) {
    const last = ranges.at(-1);
    if (last !== undefined && id <= last[1] + 1) last[1] = id;
    else ranges.push([id, id]);
  }
  if (ranges.length <= LISTED) {
    const parts = ranges.map(([from, to]) =>
      from === to ? `d.series = ${from}` : `d.series BETWEEN ${from} AND ${to}`,
    );
    return parts.length === 1 ? (parts[0] as string) : `(${parts.join(" OR ")})`;
  }
  return `d.series BETWEEN ${sorted[0]} AND ${sorted.at(-1)}`;
}

const MIN_64 = -(2n ** 63n) + 10n;

function boundsSql({ start, end }: Options, perUnit: bigint): string {
  const from = perUnit === 1n ? start : ceiling(start, perUnit);
  const to = perUnit === 1n ? end : floor(end, perUnit);
  return `${start > MIN_64 ? ` AND d.instant >= ${from}` : ""}${end < 2n ** 63n - 10n ? ` AND d.instant <= ${to}` : ""}`;
}

export const floor = (a: bigint, b: bigint): bigint => a / b - (a % b < 0n ? 1n : 0n);
const ceiling = (a: bigint, b: bigint): bigint => -floor(-a, b);

/** The different conditions that are left for values, and which series each is for. */
function conditionsOf(series: readonly ScannedSeries[]): { condition: Expression | undefined; places: number[] }[] {
  const found = new Map<string, { condition: Expression | undefined; places: number[] }>();
  series.forEach(({ condition }, place) => {
    const text = condition === undefined ? "" : printExpression(condition);
    const known = found.get(text);
    if (known === undefined) found.set(text, { condition, places: [place] });
    else known.places.push(place);
  });
  return [...found.values()];
}

function filterSql(
  conditions: readonly { condition: Expression | undefined; places: number[] }[],
  refs: readonly Ref[],
  columns: readonly Column[],
): string | undefined {
  if (conditions.every(({ condition }) => condition === undefined)) return undefined;
  const parts = conditions.map(({ condition, places }) => {
    const own = conditions.length === 1 ? undefined : `s IN (${places.join(",")})`;
    const sql =
      condition === undefined
        ? undefined
        : conditionSql(condition, (ref) => {
            const index = refs.findIndex((each) => each.name === ref.name && each.type === ref.type);
            const column = columns[index];
            if (column === undefined || column.slots.length === 0) {
              const typed = ref.type === "field" || ref.type === "tag" ? undefined : ref.type;
              return typed === "boolean" ? { sql: "NULL::BOOLEAN", type: typed } : { sql: "NULL", type: undefined };
            }
            return { sql: `c${index}`, type: column.type };
          });
    return [own, sql].filter((each) => each !== undefined).join(" AND ") || "true";
  });
  return parts.map((each) => `(${each})`).join(" OR ");
}
