import type { Expression, FieldType } from "./ast.ts";

interface Typed {
  readonly sql: string;
  /** Undefined: no value at all. */
  readonly type: FieldType | undefined;
}

/** The column of a field and its type. */
export type ColumnOf = (ref: Extract<Expression, { kind: "reference" }>) => Typed;

/**
 * A condition on fields as SQL that is true or false, never null: what cannot be compared does not match, integers divide to integers, and a division by zero gives zero, as in InfluxDB.
 */
export function conditionSql(condition: Expression, columnOf: ColumnOf): string {
  const { sql, type } = translate(condition, columnOf);
  return type === "boolean" ? `coalesce(${sql}, false)` : "false";
}

const NONE: Typed = { sql: "NULL", type: undefined };
const bool = (sql: string): Typed => ({ sql, type: "boolean" });

function translate(part: Expression, columnOf: ColumnOf): Typed {
  switch (part.kind) {
    case "reference":
      return columnOf(part);
    case "number":
      return { sql: numberSql(part.value), type: "float" };
    case "integer":
      return { sql: `(${part.value}::BIGINT)`, type: "integer" };
    case "string":
      return { sql: textSql(part.value), type: "string" };
    case "boolean":
      return bool(String(part.value));
    case "parentheses":
      return translate(part.inner, columnOf);
    case "call":
      return callSql(part, columnOf);
    case "binary":
      return binarySql(part, columnOf);
    case "distinct":
    case "duration":
    case "regex":
    case "wildcard":
    default:
      return NONE;
  }
}

export const textSql = (text: string): string => `'${text.replaceAll("'", "''")}'`;

export function numberSql(value: number): string {
  if (Number.isFinite(value)) return `(${value.toExponential()}::DOUBLE)`;
  return `('${Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf"}'::DOUBLE)`;
}

type Binary = Extract<Expression, { kind: "binary" }>;
const COMPARISONS: Readonly<Record<string, string>> = {
  "=": "=",
  "!=": "<>",
  "<": "<",
  "<=": "<=",
  ">": ">",
  ">=": ">=",
};

function binarySql({ operator, left: a, right: b }: Binary, columnOf: ColumnOf): Typed {
  const left = translate(a, columnOf);
  if (b.kind === "regex") {
    if (left.type !== "string") return bool("false");
    // DuckDB reads regular expressions by RE2, as Go does.
    const match = `regexp_matches(${left.sql}, ${textSql(b.source)})`;
    return bool(`coalesce(${operator === "=~" ? match : `NOT ${match}`}, false)`);
  }
  const right = translate(b, columnOf);
  const types = [left.type, right.type];
  const comparison = COMPARISONS[operator];
  if (types.includes("boolean")) return booleansSql(operator, left, right);
  if (types.includes(undefined)) return comparison === undefined ? NONE : bool("false");
  if (types.includes("string")) {
    if (left.type !== right.type || (operator !== "=" && operator !== "!=")) {
      return comparison === undefined ? NONE : bool("false");
    }
    return bool(`coalesce(${left.sql} ${comparison} ${right.sql}, false)`);
  }
  const isInteger = left.type === "integer" && right.type === "integer";
  const [x, y] = isInteger ? [left.sql, right.sql] : [`${left.sql}::DOUBLE`, `${right.sql}::DOUBLE`];
  if (comparison !== undefined) return bool(`coalesce(${x} ${comparison} ${y}, false)`);
  const type = isInteger ? "integer" : "float";
  switch (operator) {
    case "+":
    case "-":
    case "*":
      return { sql: `(${x} ${operator} ${y})`, type };
    case "/":
      return { sql: `(CASE WHEN ${y} = 0 THEN 0 ELSE ${x} ${isInteger ? "//" : "/"} ${y} END)`, type };
    case "%":
      return isInteger
        ? { sql: `(CASE WHEN ${y} = 0 THEN 0 ELSE ${x} % ${y} END)`, type }
        : { sql: `(${x} % ${y})`, type };
    case "&":
    case "|":
    case "^":
      if (!isInteger) return NONE;
      return { sql: operator === "^" ? `xor(${x}, ${y})` : `(${x} ${operator} ${y})`, type };
    case "!=":
    case "!~":
    case "<":
    case "<=":
    case "=":
    case "=~":
    case ">":
    case ">=":
    case "AND":
    case "OR":
    default:
      return bool("false");
  }
}

function booleansSql(operator: string, left: Typed, right: Typed): Typed {
  const isBoth = left.type === "boolean" && right.type === "boolean";
  if (!isBoth && left.type !== undefined && right.type !== undefined) return bool("false");
  const [x, y] = [left, right].map(({ sql, type }) => (type === undefined ? "NULL::BOOLEAN" : sql));
  const [p, q] = [`coalesce(${x}, false)`, `coalesce(${y}, false)`];
  switch (operator) {
    case "AND":
    case "&":
      return bool(`(${p} AND ${q})`);
    case "OR":
    case "|":
      return bool(`(${p} OR ${q})`);
    case "=":
      return bool(`coalesce(${x} = ${y}, false)`);
    case "!=":
    case "^":
      return bool(`coalesce(${x} <> ${y}, false)`);
    default:
      return bool("false");
  }
}

const SAME = new Set(["abs", "floor", "ceil", "round"]);
const OF_ONE = new Set(["sin", "cos", "tan", "asin", "acos", "atan", "exp", "ln", "log2", "log10", "sqrt"]);

function callSql(call: Extract<Expression, { kind: "call" }>, columnOf: ColumnOf): Typed {
  const inputs = call.arguments.map((each) => translate(each, columnOf));
  const [first, second] = inputs;
  if (first === undefined || inputs.some(({ type }) => type !== "float" && type !== "integer")) return NONE;
  if (SAME.has(call.name)) {
    if (first.type === "integer" && call.name !== "abs") return first;
    return { sql: `${call.name}(${first.sql})`, type: first.type };
  }
  const a = `${first.sql}::DOUBLE`;
  if (OF_ONE.has(call.name)) return { sql: `${call.name}(${a})`, type: "float" };
  if (second === undefined) return NONE;
  const b = `${second.sql}::DOUBLE`;
  if (call.name === "log") return { sql: `(ln(${a}) / ln(${b}))`, type: "float" };
  return call.name === "pow" || call.name === "atan2" ? { sql: `${call.name}(${a}, ${b})`, type: "float" } : NONE;
}
