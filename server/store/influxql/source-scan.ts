import type { Expression, FieldType, Select, Source } from "./ast.ts";
import type { Read } from "./calls.ts";
import { asFloat, type ColumnSql } from "./column-sql.ts";
import { hasCall } from "./columns.ts";
import { conditionSql, textSql } from "./condition-sql.ts";
import { compile, type ValueType } from "./evaluate.ts";
import { innerOptions, type Options, type Ref, keptTags } from "./options.ts";
import { mapped, type Possible, type Relation, relationOf, union } from "./relation.ts";
import { withParts } from "./parts.ts";
import { columnNames, nameOf, spread } from "./resolve.ts";
import { type Scan, scanOf, seriesOf, SQL_TYPES } from "./scan.ts";

/** A scan with a column for all that was asked for, tags too: the driver first where there is one, then `options.aux`. */
export interface SourceScan {
  readonly scan: Scan;
  /** By column: it may be no number. */
  readonly hasNaN: readonly boolean[];
  /** How often its SQL reads a table. */
  readonly reads: number;
}

export const columnsOf = ({ scan, hasNaN }: SourceScan): ColumnSql[] =>
  scan.types.map((type, index) => ({ sql: `c${index}`, type, hasNaN: hasNaN[index] === true }));

/** The points of what a SELECT reads, which is measurements or one SELECT inside. */
export function sourceScan(
  from: readonly Source[],
  driver: Ref | undefined,
  options: Options,
  read: Read,
): Possible<SourceScan> {
  const [only] = from;
  if (from.length === 1 && only?.kind === "subquery") return nestedScan(only.select, driver, options, read);
  const measurements = from.flatMap((each) => (each.kind === "measurement" ? [each.name as string] : []));
  return measurements.length === from.length ? storedScan(measurements, driver, options, read) : undefined;
}

function storedScan(
  measurements: readonly string[],
  driver: Ref | undefined,
  options: Options,
  read: Read,
): Possible<SourceScan> {
  const series = seriesOf(read.catalogue, measurements, options, read.limits.series);
  const aux = options.aux.filter(({ type }) => type !== "tag" && type !== undefined);
  const relation: Read["relation"] = (from, to, ids) => read.relation(from, to, ids);
  const scan = scanOf({ series, driver, aux, options, relation });
  if (scan === undefined) return "nothing";
  if (aux.length === options.aux.length) return { scan, hasNaN: [], reads: 1 };
  const first = driver === undefined ? 0 : 1;
  const types: FieldType[] = driver === undefined ? [] : [scan.types[0] as FieldType];
  const columns = options.aux.map((ref) => {
    const place = aux.indexOf(ref);
    types.push(place >= 0 ? (scan.types[first + place] as FieldType) : ref.type === "tag" ? "string" : "float");
    if (place >= 0) return `c${first + place}`;
    if (ref.type !== "tag") return "NULL::DOUBLE";
    return textOf(
      scan.series.map((each) => each.series.tags.get(ref.name)),
      "s",
    );
  });
  const all = [...(driver === undefined ? [] : ["c0"]), ...columns].map((sql, index) => `${sql} AS c${index}`);
  return {
    scan: { ...scan, sql: `SELECT s, g, t, ${all.join(", ")} FROM (${scan.sql})`, types, plain: undefined },
    hasNaN: [],
    reads: 1,
  };
}

/** A text found by a place. */
const textOf = (texts: readonly (string | undefined)[], place: string): string =>
  `([${texts.map((text) => (text === undefined ? "NULL" : textSql(text))).join(",")}]::VARCHAR[])[${place} + 1]`;

/** SELECTs inside each other in one query: DuckDB takes twice as long to plan it for each one more. */
const MOST_LEVELS = 6;

const levelsOf = (select: Select): number =>
  1 + Math.max(0, ...select.from.map((each) => (each.kind === "subquery" ? levelsOf(each.select) : 0)));

/** The rows of a SELECT inside another, as the points that the outer one reads. */
export function nestedScan(select: Select, driver: Ref | undefined, outer: Options, read: Read): Possible<SourceScan> {
  if (levelsOf(select) > MOST_LEVELS) return undefined;
  const isRaw = !select.columns.some(({ expression }) => hasCall(expression));
  const relation = relationOf(select, innerOptions(select, outer, read.now_ns, isRaw), read);
  if (typeof relation !== "object") return relation;
  const condition = outer.condition === undefined ? ALL : kept(outer.condition, select, relation);
  if (condition === undefined) return undefined;
  const refs = driver === undefined ? outer.aux : [driver, ...outer.aux];
  const columns = refs.map((ref) => found(select, ref, relation));
  if (driver !== undefined && columns[0] === undefined) return "nothing";
  const tags = keptTags(outer);
  const groups = relation.groups.map((group) => ({
    name: group.name,
    tags: group.tags.subset(tags),
    order: group.tags.subset(outer.order),
  }));
  const all = union([groups]);
  const [places = []] = all.maps;
  const g = mapped(places);
  const where = [...condition, ...(driver === undefined ? [] : [`${columns[0]?.sql} IS NOT NULL`])];
  const values = columns.map((column, index) => `${(column ?? NEVER).sql} AS c${index}`);
  const sql = `SELECT g AS s, ${[`${g} AS g`, "t", ...values].join(", ")} FROM (${relation.sql})${where.length === 0 ? "" : ` WHERE ${where.join(" AND ")}`}`;
  const scan: Scan = {
    sql,
    series: [],
    groups: all.groups,
    types: columns.map((column) => (column ?? NEVER).type),
    unit_ns: 1n,
    isSingle: relation.isSingle && all.groups.length === groups.length,
    plain: undefined,
  };
  return { scan, hasNaN: columns.map((column) => column?.hasNaN === true), reads: relation.reads };
}

const ALL: readonly string[] = [];
const NEVER: ColumnSql = { sql: "NULL::DOUBLE", type: "float", hasNaN: false };

/** Where a name of the outer SELECT is found in the inner one: among its columns, or its tags. */
function found(select: Select, ref: Ref, { columns, groups }: Relation): ColumnSql | undefined {
  const index = select.columns.findIndex((column) => nameOf(column) === ref.name);
  const column = columns[index];
  if (column !== undefined) return typed(column, ref.type);
  if (!select.group.some((each) => each.kind === "tag" && each.name === ref.name)) return undefined;
  return {
    sql: textOf(
      groups.map(({ tags }) => tags.values.get(ref.name) ?? ""),
      "g",
    ),
    type: "string",
    hasNaN: false,
  };
}

/** In the type that is asked for; of another kind it has no value for who asks. */
function typed(column: ColumnSql, type: ValueType): ColumnSql {
  const wanted = type === undefined || type === "field" ? column.type : type === "tag" ? "string" : type;
  if (wanted === column.type) return column;
  if (wanted === "float" && column.type === "integer") return { ...column, sql: asFloat(column), type: "float" };
  if (wanted === "integer" && column.type === "float") {
    return { ...column, sql: `trunc(${column.sql})::BIGINT`, type: "integer" };
  }
  return { sql: `NULL::${SQL_TYPES[wanted]}`, type: wanted, hasNaN: false };
}

/**
 * The conditions of an outer SELECT on the rows of an inner one: on columns as SQL, on tags by the groups for which they hold.
 * Undefined: one looks at both.
 */
function kept(condition: Expression, select: Select, { columns, groups }: Relation): readonly string[] | undefined {
  const names = columnNames(spread(select.columns));
  const conditions: string[] = [];
  for (const part of conjuncts(condition)) {
    const refs = referencesIn(part);
    const places = refs.map(({ name }) => names.indexOf(name));
    if (places.some((place) => place >= 0 && columns[place]?.hasNaN === true)) return undefined;
    if (places.every((place) => place < 0)) {
      const index = new Map(refs.map(({ name }, at) => [name, at]));
      const holds = compile(part, (each) => (each.kind === "reference" ? index.get(each.name) : undefined), false);
      const held = groups.map(({ tags }) => holds(refs.map(({ name }) => tags.values.get(name) ?? "")) === true);
      if (held.every((each) => each)) continue;
      conditions.push(held.some((each) => each) ? `([${held.join(",")}])[g + 1]` : "false");
      continue;
    }
    if (places.some((place) => place < 0)) return undefined;
    conditions.push(conditionSql(part, ({ name, type }) => cast(columns[names.indexOf(name)] as ColumnSql, type)));
  }
  return conditions;
}

/** A number in the type of another; all else stays what it is. */
const cast = (column: ColumnSql, type: ValueType): ColumnSql =>
  (type === "float" && column.type === "integer") || (type === "integer" && column.type === "float")
    ? typed(column, type)
    : column;

function conjuncts(part: Expression): Expression[] {
  if (part.kind === "parentheses") return conjuncts(part.inner);
  if (part.kind !== "binary" || part.operator !== "AND") return [part];
  return [...conjuncts(part.left), ...conjuncts(part.right)];
}

type Reference = Extract<Expression, { kind: "reference" }>;

function referencesIn(part: Expression): Reference[] {
  const all: Reference[] = [];
  withParts(part.kind === "reference" ? { kind: "parentheses", inner: part } : part, (each) => {
    if (each.kind === "reference") all.push(each);
    else all.push(...referencesIn(each));
    return each;
  });
  return all;
}
