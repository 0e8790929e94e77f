import type { Expression, FieldType, Source } from "./ast.ts";
import { earlier, type Read } from "./calls.ts";
import { wrapped64 } from "./column-sql.ts";
import type { ValueType } from "./evaluate.ts";
import { integralSql } from "./integral-sql.ts";
import { gridPointsSql } from "./grid.ts";
import type { Options, Ref } from "./options.ts";
import { canAggregate, cellSql, reducedSql } from "./pushdown.ts";
import type { Possible, Relation } from "./relation.ts";
import { columnsOf, sourceScan } from "./source-scan.ts";
import { transformationSql, TRANSFORMATIONS } from "./transform-sql.ts";
import { evenWindowSql, windowsSql } from "./window-sql.ts";

type Call = Extract<Expression, { kind: "call" }>;

/** The points of a call inside a SELECT, its value as `c0`, then what stands beside: as `calls` in calls.ts computes them, without fill. */
export function callRelation(
  call: Call,
  options: Options,
  isSelector: boolean,
  from: readonly Source[],
  read: Read,
): Possible<Relation> {
  if (call.name === "integral") return integralRelation(call, options, from, read);
  if (TRANSFORMATIONS.has(call.name)) return transformedRelation(call, options, from, read);
  return reducedRelation(call, options, isSelector, from, read);
}

const isNumber = (type: ValueType): boolean => type === "float" || type === "integer";

function transformedRelation(call: Call, options: Options, from: readonly Source[], read: Read): Possible<Relation> {
  const [field] = call.arguments;
  const input = { ...(call.name === "cumulative_sum" ? options : earlier(options)), aux: [] };
  let found: Possible<Relation>;
  if (field?.kind === "call") found = callRelation(field, input, false, from, read);
  else if (field?.kind === "reference") {
    const source = sourceScan(from, refOf(field), input, read);
    if (typeof source !== "object") return source;
    const { sql, unit_ns, groups, isSingle } = source.scan;
    const { reads } = source;
    found = {
      sql: `SELECT g, t * ${unit_ns} AS t, c0 FROM (${sql})`,
      groups,
      columns: columnsOf(source),
      isSingle,
      reads,
    };
  }
  if (typeof found !== "object") return found;
  const [column] = found.columns;
  if (!found.isSingle || column === undefined || !isNumber(column.type)) return undefined;
  const made = transformationSql(call, found.sql, column.type, options);
  if (made === undefined) return undefined;
  return { ...found, sql: made.sql, columns: [{ sql: "c0", type: made.type, hasNaN: column.hasNaN }] };
}

const refOf = ({ name, type }: Extract<Expression, { kind: "reference" }>): Ref => ({ name, type });

/** The points of `integral`, in ascending order of time. */
function integralRelation(
  { arguments: [field, unit] }: Call,
  options: Options,
  from: readonly Source[],
  read: Read,
): Possible<Relation> {
  if (field?.kind !== "reference" || !options.isAscending || !isNumber(field.type)) return undefined;
  const source = sourceScan(from, refOf(field), { ...options, aux: [] }, read);
  if (typeof source !== "object") return source;
  const { scan } = source;
  const window = evenWindowSql("t", options, scan.unit_ns);
  if (window === undefined) return undefined;
  const made = integralSql(scan, window, options, unit?.kind === "duration" ? unit.ns : 1_000_000_000n);
  return {
    sql: made,
    groups: scan.groups,
    columns: [{ sql: "c0", type: "float", hasNaN: source.hasNaN[0] === true }],
    isSingle: true,
    reads: source.reads,
  };
}

/** What these give of values that may be no numbers does not depend on how those are ordered. */
export const TAKES_NAN = new Set(["count", "sum", "mean"]);
/** What is no number can be counted and picked by its time. */
const OF_ANY_TYPE = new Set(["count", "first", "last", "distinct"]);
/** They show points at their own times, and several of them. */
const SEVERAL = new Set(["top", "bottom"]);

function reducedRelation(
  call: Call,
  options: Options,
  isSelector: boolean,
  from: readonly Source[],
  read: Read,
): Possible<Relation> {
  const { name } = call;
  const [inner] = call.arguments;
  const isCountOfDistinct = name === "count" && inner?.kind === "call" && inner.name === "distinct";
  const field = isCountOfDistinct ? inner.arguments[0] : inner;
  if (field?.kind !== "reference" || name === "mode" || !canAggregate(name)) return undefined;
  if (SEVERAL.has(name) && call.arguments.length !== 2) return undefined;
  if (!isNumber(field.type) && !OF_ANY_TYPE.has(name)) return undefined;
  const ref = refOf(field);
  const source = sourceScan(from, ref, options, read);
  if (typeof source !== "object") return source;
  const { hasNaN } = source;
  if (hasNaN[0] === true && !TAKES_NAN.has(name)) return undefined;
  const windows = windowsSql(source.scan.sql, options, source.scan.unit_ns);
  if (windows === undefined) return undefined;
  const { window, isEven } = windows;
  const scan = { ...source.scan, sql: windows.rows };
  const last = call.arguments.at(-1);
  const argument = last?.kind === "integer" || last?.kind === "number" ? Number(last.value) : 0;
  const isAtWindow = !SEVERAL.has(name) && name !== "distinct" && (!isSelector || options.every !== 0n);
  const aggregation = { name, argument, beside: [], ref, series: [], options, isAtWindow, read };
  const type = typeOfResult(name, scan.types[0] ?? "float");
  const value = type === "integer" && (name === "sum" || name === "spread") ? wrapped64("v") : "v";
  const beside = columnsOf(source).slice(1);
  const relation: Omit<Relation, "sql"> = {
    groups: scan.groups,
    columns: [{ sql: "c0", type, hasNaN: name === "stddev" || (hasNaN[0] === true && name !== "count") }, ...beside],
    isSingle: !SEVERAL.has(name) && name !== "distinct",
    reads: source.reads,
  };
  const cell = !isEven || isCountOfDistinct || options.aux.length > 0 ? undefined : cellSql(aggregation, scan);
  const grid = cell === undefined ? undefined : gridPointsSql(scan, cell, value, options);
  if (grid !== undefined) return { ...relation, sql: grid };
  const sql = isCountOfDistinct
    ? `SELECT g, w, count(DISTINCT c0) AS v FROM (SELECT g, ${window} AS w, c0 FROM (${scan.sql})) GROUP BY g, w`
    : reducedSql(aggregation, scan, window);
  const isOwnTime = SEVERAL.has(name) || (isSelector && options.every === 0n);
  const time = isOwnTime ? `t * ${scan.unit_ns}` : windowTime(options, scan.unit_ns);
  const values = [`${value} AS c0`, ...beside.map((each) => each.sql)].join(", ");
  return { ...relation, sql: `SELECT g, ${time} AS t, ${values} FROM (${sql})` };
}

/** Windows without a start begin at 0. */
function windowTime({ every, start }: Options, unit_ns: bigint): string {
  if (every !== 0n) return `w * ${unit_ns}`;
  return `${start < -(2n ** 62n) ? 0n : start}::BIGINT`;
}

const FLOATS = new Set(["mean", "median", "stddev"]);
const typeOfResult = (name: string, type: FieldType): FieldType =>
  name === "count" ? "integer" : FLOATS.has(name) ? "float" : type;
