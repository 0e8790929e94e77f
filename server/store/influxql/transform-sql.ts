import type { Expression, FieldType } from "./ast.ts";
import { asFloat, wrapped64 } from "./column-sql.ts";
import type { Options } from "./options.ts";

type Call = Extract<Expression, { kind: "call" }>;

/** Functions that go from one point to the next and give a point each. */
export const TRANSFORMATIONS = new Set([
  "derivative",
  "non_negative_derivative",
  "difference",
  "non_negative_difference",
  "cumulative_sum",
  "moving_average",
  "elapsed",
]);

/** What a function from one point to the next gives, as SQL: `g`, `t` and `c0`. */
export interface TransformationSql {
  readonly sql: string;
  readonly type: FieldType;
}

/**
 * A function that goes from one point to the next, as windows of SQL over points `g`, `t` (nanoseconds) and `c0`, of which no
 * group has two at one time and none is NULL. Undefined: another function.
 */
export function transformationSql(
  { name, arguments: given }: Call,
  points: string,
  type: FieldType,
  { every, isAscending }: Options,
): TransformationSql | undefined {
  const [, second] = given;
  const own_ns = second?.kind === "duration" ? second.ns : undefined;
  const order = `PARTITION BY g ORDER BY t ${isAscending ? "ASC" : "DESC"}`;
  const over = (value: string): string => `SELECT g, t, ${value} AS c0 FROM (${points}) WINDOW o AS (${order})`;
  const change = type === "integer" ? wrapped64("(c0::HUGEINT - lag(c0) OVER o)") : "c0 - lag(c0) OVER o";
  switch (name) {
    case "difference":
      return { sql: known(over(change)), type };
    case "non_negative_difference":
      return { sql: `SELECT * FROM (${over(change)}) WHERE c0 >= 0`, type };
    case "derivative":
    case "non_negative_derivative": {
      const unit_ns = own_ns ?? (every > 0n ? every : 1_000_000_000n);
      const span = `${isAscending ? "" : "-"}(t - lag(t) OVER o)`;
      const sql = over(`(${asFloat({ sql: `(${change})`, type })}) / (${span}::DOUBLE / ${unit_ns}::DOUBLE)`);
      return {
        sql: `SELECT * FROM (${sql}) WHERE ${name === "derivative" ? "c0 IS NOT NULL" : "c0 >= 0"}`,
        type: "float",
      };
    }
    case "elapsed":
      return { sql: known(over(`(t - lag(t) OVER o) // ${own_ns ?? 1n}`)), type: "integer" };
    case "cumulative_sum": {
      const total = "sum(c0) OVER (o ROWS UNBOUNDED PRECEDING)";
      return { sql: over(type === "integer" ? wrapped64(total) : total), type };
    }
    case "moving_average": {
      const size = second?.kind === "integer" ? Number(second.value) : 2;
      const rows = `OVER (o ROWS ${size - 1} PRECEDING)`;
      const average =
        type === "integer" ? `${wrapped64(`sum(c0) ${rows}`)}::DOUBLE / ${size}` : `sum(c0) ${rows} / ${size}`;
      return { sql: known(over(`CASE WHEN count(c0) ${rows} = ${size} THEN ${average} END`)), type: "float" };
    }
    default:
      return undefined;
  }
}

const known = (sql: string): string => `SELECT * FROM (${sql}) WHERE c0 IS NOT NULL`;
