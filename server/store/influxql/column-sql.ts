import type { Expression, FieldType } from "./ast.ts";
import { numberSql } from "./condition-sql.ts";

/** A column of SQL: NULL where there is no value. */
export interface ColumnSql {
  readonly sql: string;
  readonly type: FieldType;
  /** It may be no number (NaN), which DuckDB orders above all numbers and InfluxDB not at all. */
  readonly hasNaN: boolean;
}

/** The column that stands for a part of an expression as a whole; undefined: none does. */
export type ColumnOfPart = (part: Expression) => ColumnSql | undefined;

/**
 * An expression between columns of numbers as SQL, with InfluxDB's arithmetic: what has no value gives none, a division by
 * zero gives 0, integers divide into floats and wrap around. Undefined: it holds something else than numbers.
 */
export function columnSql(part: Expression, columnOf: ColumnOfPart): ColumnSql | undefined {
  const known = columnOf(part);
  if (known !== undefined) return known;
  switch (part.kind) {
    case "number":
      return { sql: numberSql(part.value), type: "float", hasNaN: false };
    case "integer":
      return { sql: `(${part.value}::BIGINT)`, type: "integer", hasNaN: false };
    case "parentheses":
      return columnSql(part.inner, columnOf);
    case "binary":
      return arithmetic(part, columnOf);
    case "call":
      return mathematics(part, columnOf);
    case "boolean":
    case "distinct":
    case "duration":
    case "reference":
    case "regex":
    case "string":
    case "wildcard":
    default:
      return undefined;
  }
}

/** A whole number of up to 127 bits, wrapped around to 64 as in Go. */
export const wrapped64 = (sql: string): string =>
  `((((${sql}::HUGEINT + ${TWO_63}) % ${TWO_64} + ${TWO_64}) % ${TWO_64} - ${TWO_63})::BIGINT)`;
const TWO_63 = `${2n ** 63n}::HUGEINT`;
const TWO_64 = `${2n ** 64n}::HUGEINT`;

const isNumber = (column: ColumnSql | undefined): column is ColumnSql =>
  column !== undefined && (column.type === "float" || column.type === "integer");

/** As a float. */
export const asFloat = ({ sql, type }: Pick<ColumnSql, "sql" | "type">): string =>
  type === "float" ? sql : `${sql}::DOUBLE`;

function arithmetic(
  { operator, left, right }: Extract<Expression, { kind: "binary" }>,
  columnOf: ColumnOfPart,
): ColumnSql | undefined {
  const [a, b] = [columnSql(left, columnOf), columnSql(right, columnOf)];
  if (!isNumber(a) || !isNumber(b)) return undefined;
  const isWhole = a.type === "integer" && b.type === "integer";
  const hasNaN = a.hasNaN || b.hasNaN;
  const [x, y] = [asFloat(a), asFloat(b)];
  switch (operator) {
    case "+":
    case "-":
    case "*":
      if (isWhole) {
        return { sql: wrapped64(`(${a.sql}::HUGEINT ${operator} ${b.sql})`), type: "integer", hasNaN };
      }
      return { sql: `(${x} ${operator} ${y})`, type: "float", hasNaN };
    case "/":
      return { sql: `(CASE WHEN ${x} IS NOT NULL AND ${y} = 0 THEN 0 ELSE ${x} / ${y} END)`, type: "float", hasNaN };
    case "%":
      if (isWhole) {
        const sql = `(CASE WHEN ${a.sql} IS NOT NULL AND ${b.sql} = 0 THEN 0 ELSE ${a.sql} % ${b.sql} END)`;
        return { sql, type: "integer", hasNaN };
      }
      return { sql: `(${x} % ${y})`, type: "float", hasNaN: hasNaN || !isNonZero(right) };
    case "!=":
    case "!~":
    case "&":
    case "<":
    case "<=":
    case "=":
    case "=~":
    case ">":
    case ">=":
    case "AND":
    case "OR":
    case "^":
    case "|":
    default:
      return undefined;
  }
}

const isNonZero = (part: Expression): boolean =>
  (part.kind === "number" || part.kind === "integer") && Number(part.value) !== 0;

const SAME = new Set(["abs", "floor", "ceil", "round"]);
/** What DuckDB refuses to compute is no number or no end of it in InfluxDB. */
const GUARDED: Readonly<Record<string, (x: string) => string>> = {
  sqrt: (x) => `(CASE WHEN ${x} < 0 THEN 'nan'::DOUBLE ELSE sqrt(${x}) END)`,
  ln: (x) => logarithm("ln", x),
  log2: (x) => logarithm("log2", x),
  log10: (x) => logarithm("log10", x),
};
const logarithm = (name: string, x: string): string =>
  `(CASE WHEN ${x} < 0 THEN 'nan'::DOUBLE WHEN ${x} = 0 THEN '-inf'::DOUBLE ELSE ${name}(${x}) END)`;

function mathematics(
  { name, arguments: given }: Extract<Expression, { kind: "call" }>,
  columnOf: ColumnOfPart,
): ColumnSql | undefined {
  const [first] = given;
  const input = first === undefined ? undefined : columnSql(first, columnOf);
  if (!isNumber(input) || given.length !== 1) return undefined;
  const { hasNaN } = input;
  if (SAME.has(name)) {
    if (input.type === "float") return { sql: `${name}(${input.sql})`, type: "float", hasNaN };
    return name === "abs" ? { ...input, sql: wrapped64(`abs(${input.sql}::HUGEINT)`) } : input;
  }
  const guarded = GUARDED[name];
  if (guarded !== undefined) return { sql: guarded(asFloat(input)), type: "float", hasNaN: true };
  return name === "exp" ? { sql: `exp(${asFloat(input)})`, type: "float", hasNaN } : undefined;
}
