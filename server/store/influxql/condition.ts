import type { Expression, Operator } from "./ast.ts";
import { InfluxError } from "./engine.ts";
import { asExpression, fold, type Folded } from "./fold.ts";
import { printExpression } from "./print.ts";
import { EARLIEST_NS, LATEST_NS, looksLikeTime, rfc3339, timeOf } from "./time.ts";

/** WHERE in two parts: between which times, both included, and what else must hold. */
export interface Condition {
  readonly from_ns?: bigint;
  readonly to_ns?: bigint;
  readonly where?: Expression;
}

/** A fault that InfluxDB finds only when it makes a plan of a statement that reads well: the statement's own error. */
export const fault = (reason: string): InfluxError => new InfluxError(400, reason);

/**
 * Splits WHERE. As in InfluxDB, every comparison with `time` narrows the span, even behind OR. `zone` is that of `tz()`.
 * Raises InfluxError in its words.
 */
export function conditionOf(where: Expression | undefined, now_ns: bigint, zone: string | undefined): Condition {
  if (where === undefined) return {};
  const found = split(where, now_ns, zone);
  const rest = found.where?.kind === "parentheses" ? found.where.inner : found.where;
  if (rest === undefined || (rest.kind === "boolean" && rest.value)) return spanOf(found);
  return { ...spanOf(found), where: rest };
}

function spanOf({ from_ns, to_ns }: Condition): Condition {
  return { ...(from_ns !== undefined && { from_ns }), ...(to_ns !== undefined && { to_ns }) };
}

const MIRRORED: Partial<Readonly<Record<Operator, Operator>>> = { "<": ">", ">": "<", "<=": ">=", ">=": "<=" };

function split(where: Expression, now_ns: bigint, zone: string | undefined): Condition {
  switch (where.kind) {
    case "binary": {
      const { operator, left, right } = where;
      if (operator === "AND" || operator === "OR")
        return both(operator, split(left, now_ns, zone), split(right, now_ns, zone));
      if (isTime(left)) return span(operator, right, now_ns, zone);
      if (isTime(right)) return span(MIRRORED[operator] ?? operator, left, now_ns, zone);
      return { where: asExpression(fold(where, { now_ns, zone })) };
    }
    case "parentheses": {
      const inner = split(where.inner, now_ns, zone);
      if (inner.where?.kind !== "binary") return inner;
      return { ...spanOf(inner), where: { kind: "parentheses", inner: inner.where } };
    }
    case "boolean":
      return { where };
    case "call":
    case "distinct":
    case "duration":
    case "integer":
    case "number":
    case "reference":
    case "regex":
    case "string":
    case "wildcard":
    default:
      throw fault(`invalid condition expression: ${printExpression(where)}`);
  }
}

const isTime = (side: Expression): boolean => side.kind === "reference" && side.name.toLowerCase() === "time";

function both(operator: "AND" | "OR", left: Condition, right: Condition): Condition {
  const from_ns = latest(left.from_ns, right.from_ns);
  const to_ns = earliest(left.to_ns, right.to_ns);
  const bounds = { ...(from_ns !== undefined && { from_ns }), ...(to_ns !== undefined && { to_ns }) };
  if (left.where === undefined || right.where === undefined) {
    const where = left.where ?? right.where;
    return where === undefined ? bounds : { ...bounds, where };
  }
  const where = asExpression(fold({ kind: "binary", operator, left: left.where, right: right.where }));
  return { ...bounds, where };
}

const latest = (a: bigint | undefined, b: bigint | undefined): bigint | undefined =>
  a === undefined || (b !== undefined && b > a) ? b : a;
const earliest = (a: bigint | undefined, b: bigint | undefined): bigint | undefined =>
  a === undefined || (b !== undefined && b < a) ? b : a;

function span(operator: string, side: Expression, now_ns: bigint, zone: string | undefined): Condition {
  const at_ns = momentOf(side, now_ns, zone);
  switch (operator) {
    case ">":
      return { from_ns: at_ns + 1n };
    case ">=":
      return { from_ns: at_ns };
    case "<":
      return { to_ns: at_ns - 1n };
    case "<=":
      return { to_ns: at_ns };
    case "=":
      return { from_ns: at_ns, to_ns: at_ns };
    default:
      throw fault(`invalid time comparison operator: ${operator}`);
  }
}

function momentOf(side: Expression, now_ns: bigint, zone: string | undefined): bigint {
  let folded: Folded;
  if (side.kind === "string" && looksLikeTime(side.value)) {
    const at_ns = timeOf(side.value, zone);
    if (at_ns === undefined) throw fault("invalid timestamp string");
    folded = { kind: "moment", at_ns };
  } else folded = fold(side, { now_ns, zone });
  switch (folded.kind) {
    case "moment":
      if (folded.at_ns > LATEST_NS)
        throw fault(`time ${rfc3339(folded.at_ns).replace(/\.\d+/, "")} overflows time literal`);
      if (folded.at_ns < EARLIEST_NS + 1n) {
        throw fault(`time ${rfc3339(folded.at_ns).replace(/\.\d+/, "")} underflows time literal`);
      }
      return folded.at_ns;
    case "duration":
      return folded.ns;
    case "number":
      return BigInt.asIntN(64, BigInt(Math.trunc(folded.value)));
    case "integer":
      if (folded.value < 2n ** 63n) return folded.value;
      throw incompatible(folded);
    case "binary":
    case "boolean":
    case "call":
    case "distinct":
    case "parentheses":
    case "reference":
    case "regex":
    case "string":
    case "wildcard":
    default:
      throw incompatible(folded);
  }
}

const incompatible = (side: Expression): InfluxError =>
  fault(`invalid operation: time and ${goType(side)} are not compatible`);

const GO_TYPES: Readonly<Record<Expression["kind"], string>> = {
  number: "NumberLiteral",
  integer: "IntegerLiteral",
  string: "StringLiteral",
  boolean: "BooleanLiteral",
  duration: "DurationLiteral",
  regex: "RegexLiteral",
  reference: "VarRef",
  wildcard: "Wildcard",
  call: "Call",
  distinct: "Distinct",
  binary: "BinaryExpr",
  parentheses: "ParenExpr",
};

/** What InfluxDB's error texts call a part of a query. */
export function goType(part: Expression): string {
  return `*influxql.${part.kind === "integer" && part.value >= 2n ** 63n ? "UnsignedLiteral" : GO_TYPES[part.kind]}`;
}
