import type {
  Column,
  Dimension,
  Expression,
  Fill,
  Measurement,
  RegularExpression,
  Select,
  Show,
  Statement,
} from "./ast.ts";
import { durationText } from "./duration.ts";
import { isKeyword } from "./lexer.ts";

/**
 * A statement as canonical text: what `parse` reads back as the same tree, and what InfluxDB would print, but for numbers,
 * which keep all their digits, and names after DISTINCT, which are quoted where they must be. Of a refused statement only
 * its first words are known.
 */
export function print(statement: Statement): string {
  switch (statement.kind) {
    case "select":
      return printSelect(statement);
    case "show":
      return printShow(statement);
    case "refused":
      return statement.what;
  }
}

function printSelect(select: Select): string {
  const parts = [`SELECT ${select.columns.map(printColumn).join(", ")}`];
  if (select.into !== undefined) {
    // An empty name after INTO stands for the name of each source.
    parts.push(`INTO ${printMeasurement(select.into).replace(/\.""$/, ".:MEASUREMENT")}`);
  }
  const sources = select.from.map((each) =>
    each.kind === "subquery" ? `(${printSelect(each.select)})` : printMeasurement(each),
  );
  parts.push(`FROM ${sources.join(", ")}`);
  if (select.where !== undefined) parts.push(`WHERE ${printExpression(select.where)}`);
  if (select.group.length > 0) parts.push(`GROUP BY ${select.group.map(printDimension).join(", ")}`);
  if (select.fill.kind !== "auto") parts.push(printFill(select.fill));
  if (select.isOrderWritten) parts.push(`ORDER BY time ${select.order.toUpperCase()}`);
  parts.push(...printLimits(select));
  if (select.zone !== undefined) parts.push(`TZ(${printString(select.zone)})`);
  return parts.join(" ");
}

function printShow(show: Show): string {
  const words = show.what.toUpperCase().split(" ");
  if (show.isExact) words.splice(-1, 0, "EXACT");
  const parts = [`SHOW ${words.join(" ")}`];
  if (show.of !== undefined) {
    parts.push(show.what === "grants" ? `FOR ${printName(show.of)}` : `FOR ${printString(show.of)}`);
  }
  if (show.database !== undefined) parts.push(`ON ${printName(show.database)}`);
  if (show.from.length > 0) parts.push(`FROM ${show.from.map(printMeasurement).join(", ")}`);
  if (typeof show.withMeasurement === "string") parts.push(`WITH MEASUREMENT = ${printName(show.withMeasurement)}`);
  else if (show.withMeasurement !== undefined) parts.push(`WITH MEASUREMENT =~ ${printPattern(show.withMeasurement)}`);
  if (show.withKey !== undefined) {
    const { operator, keys } = show.withKey;
    const names = "kind" in keys ? printPattern(keys) : keys.map(printName).join(", ");
    parts.push(`WITH KEY ${operator} ${operator === "IN" ? `(${names})` : names}`);
  }
  if (show.where !== undefined) parts.push(`WHERE ${printExpression(show.where)}`);
  if (show.group !== undefined) parts.push(`GROUP BY ${show.group.map(printDimension).join(", ")}`);
  if (show.order === "desc") parts.push("ORDER BY time DESC");
  parts.push(...printLimits(show));
  return parts.join(" ");
}

function printLimits(statement: Select | Show): string[] {
  const limits = (["limit", "offset", "slimit", "soffset"] as const).filter((each) => statement[each] > 0);
  return limits.map((each) => `${each.toUpperCase()} ${statement[each]}`);
}

function printColumn(column: Column): string {
  const expression = printExpression(column.expression);
  return column.alias === undefined ? expression : `${expression} AS ${printName(column.alias)}`;
}

export function printMeasurement({ database, retention, name }: Measurement): string {
  const before = database === undefined ? "" : `${printName(database)}.`;
  const policy = retention === undefined ? (database === undefined ? "" : ".") : `${printName(retention)}.`;
  if (typeof name !== "string") return `${before}${policy}${printPattern(name)}`;
  return `${before}${policy}${printName(name)}`;
}

export function printDimension(dimension: Dimension): string {
  switch (dimension.kind) {
    case "time": {
      const every = durationText(dimension.every_ns);
      if (dimension.offset_ns === 0n) return `time(${every})`;
      return `time(${every}, ${dimension.offset_ns === "now" ? "now()" : durationText(dimension.offset_ns)})`;
    }
    case "tag":
      return printName(dimension.name);
    case "regex":
      return printPattern(dimension.pattern);
    case "wildcard":
      return "*";
    case "expression":
      return printExpression(dimension.expression);
  }
}

const printFill = (fill: Fill): string =>
  `fill(${fill.kind !== "number" ? fill.kind : typeof fill.value === "bigint" ? fill.value : printNumber(fill.value)})`;

export function printExpression(expression: Expression): string {
  switch (expression.kind) {
    case "number":
      return printNumber(expression.value);
    case "integer":
    case "boolean":
      return String(expression.value);
    case "string":
      return printString(expression.value);
    case "duration":
      return durationText(expression.ns);
    case "regex":
      return printPattern(expression);
    case "reference":
      return printName(expression.name) + (expression.type === undefined ? "" : `::${expression.type}`);
    case "wildcard":
      return expression.type === undefined ? "*" : `*::${expression.type}`;
    case "call":
      return `${printName(expression.name)}(${expression.arguments.map(printExpression).join(", ")})`;
    case "distinct":
      return `DISTINCT ${printName(expression.name)}`;
    case "binary":
      return `${printExpression(expression.left)} ${expression.operator} ${printExpression(expression.right)}`;
    case "parentheses":
      return `(${printExpression(expression.inner)})`;
  }
}

/** At least three decimals, as InfluxDB prints them, and never an exponent, which it does not read. */
function printNumber(value: number): string {
  const [mantissa = "0", exponent = "0"] = Math.abs(value).toExponential().split("e");
  const digits = mantissa.replace(".", "");
  const point = Number(exponent) + 1;
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, "0") : "0";
  const fraction = point > 0 ? digits.slice(point) : "0".repeat(-point) + digits;
  return `${value < 0 || Object.is(value, -0) ? "-" : ""}${whole}.${fraction.padEnd(3, "0")}`;
}

/** Between slashes; a backslash at the end could not stand before one. */
const printPattern = ({ source }: RegularExpression): string =>
  `/${source.replace(/\\\\$/, "\\x5c").replaceAll("/", "\\/")}/`;

export const printString = (text: string): string =>
  `'${text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("'", "\\'")}'`;

/** A name, quoted where it is no plain word. */
export function printName(name: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !isKeyword(name)) return name;
  return `"${name.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"')}"`;
}
