import type { Dimension, Expression, Select } from "./ast.ts";
import { checkCall } from "./check-calls.ts";
import { conditionOf, fault } from "./condition.ts";
import { asExpression, fold, isMathFunction } from "./fold.ts";
import { printExpression } from "./print.ts";
import { looksLikeTime, timeOf } from "./time.ts";

/** What is known of a SELECT while its columns are checked one by one. */
export interface Findings {
  /** Nanoseconds of `GROUP BY time(…)`; 0: none. */
  interval_ns: bigint;
  /** The interval is that of the outer SELECT. */
  isInherited: boolean;
  readonly calls: string[];
  /** Only max, min, first, last, percentile, sample, top or bottom so far: those that pick points. */
  isSelectorsOnly: boolean;
  hasDistinct: boolean;
  /** A field or tag stands on its own. */
  hasBare: boolean;
  topOrBottom: string | undefined;
  /** Columns but for `time`. */
  columns: number;
  readonly limit: number;
  readonly hasTarget: boolean;
}

/**
 * Refuses what reads well and cannot be run, as InfluxDB does before it looks at any data: aggregates mixed with fields,
 * arguments of the wrong number or kind, groups that are none. Raises InfluxError with InfluxDB's words, which belong to
 * the one statement.
 */
export function checkSelect(select: Select, now_ns: bigint): void {
  const findings = begun(select, now_ns);
  checkRest(select, findings, now_ns);
}

function begun(select: Select, now_ns: bigint): Findings {
  const { where } = conditionOf(select.where, now_ns, select.zone);
  if (where !== undefined) checkCondition(where);
  return {
    interval_ns: intervalOf(select.group, select.zone),
    isInherited: false,
    calls: [],
    isSelectorsOnly: true,
    hasDistinct: false,
    hasBare: false,
    topOrBottom: undefined,
    columns: 0,
    limit: select.limit,
    hasTarget: select.into !== undefined,
  };
}

function checkRest(select: Select, findings: Findings, now_ns: bigint): void {
  for (const { expression } of select.columns) {
    if (expression.kind === "reference" && expression.name === "time") continue;
    findings.columns++;
    checkColumn(asExpression(fold(expression, { isMath: true })), findings, true);
  }
  checkTogether(select, findings);
  for (const source of select.from) {
    if (source.kind === "subquery") checkInner(source.select, select, findings, now_ns);
  }
}

function checkInner(inner: Select, outer: Select, above: Findings, now_ns: bigint): void {
  const findings = begun(inner, now_ns);
  if (inner.isOrderWritten && inner.order !== outer.order) {
    throw fault("subqueries must be ordered in the same direction as the query itself");
  }
  if (above.interval_ns !== 0n && findings.interval_ns === 0n) {
    findings.interval_ns = above.interval_ns;
    findings.isInherited = true;
  }
  checkRest({ ...inner, order: outer.order }, findings, now_ns);
}

/** One column, or a part of one. In arithmetic no wildcard may stand, since it is many columns. */
export function checkColumn(part: Expression, findings: Findings, isWildcardAllowed: boolean): void {
  switch (part.kind) {
    case "reference":
      findings.hasBare = true;
      return;
    case "wildcard":
      if (!isWildcardAllowed) throw fault("unable to use wildcard in a binary expression");
      findings.hasBare = true;
      return;
    case "regex":
      if (!isWildcardAllowed) throw fault("unable to use regex in a binary expression");
      findings.hasBare = true;
      return;
    case "call":
      checkCall(part, findings, isWildcardAllowed);
      return;
    case "distinct":
      findings.calls.push("distinct");
      findings.hasDistinct = true;
      findings.isSelectorsOnly = false;
      return;
    case "binary": {
      const [left, right] = [isLiteral(part.left), isLiteral(part.right)];
      if (left && right) throw fault("cannot perform a binary expression on two literals");
      if (!left) checkColumn(part.left, findings, false);
      if (!right) checkColumn(part.right, findings, false);
      return;
    }
    case "parentheses":
      checkColumn(part.inner, findings, isWildcardAllowed);
      return;
    case "boolean":
    case "duration":
    case "integer":
    case "number":
    case "string":
    default:
      throw fault("field must contain at least one variable");
  }
}

const LITERALS = new Set<Expression["kind"]>(["number", "integer", "string", "boolean", "duration", "regex"]);
export const isLiteral = (part: Expression): boolean => LITERALS.has(part.kind);

function checkTogether(select: Select, findings: Findings): void {
  if (findings.columns === 0) throw fault("at least 1 non-time field must be queried");
  if (findings.calls.length > 1 && findings.topOrBottom !== undefined) {
    throw fault(`selector function ${findings.topOrBottom}() cannot be combined with other functions`);
  }
  if (findings.calls.length === 0) {
    const { kind } = select.fill;
    if (kind === "none" || kind === "linear") throw fault(`fill(${kind}) must be used with a function`);
    if (findings.interval_ns !== 0n && !findings.isInherited) {
      throw fault("GROUP BY requires at least one aggregate function");
    }
  }
  if (findings.hasDistinct && (findings.calls.length !== 1 || findings.hasBare)) {
    throw fault("aggregate function distinct() cannot be combined with other functions or fields");
  }
  if (findings.hasBare && !findings.isSelectorsOnly) {
    throw fault("mixing aggregate and non-aggregate queries is not supported");
  }
  if (findings.hasBare && findings.calls.length > 1) {
    throw fault("mixing multiple selector functions with tags or fields is not supported");
  }
}

function checkCondition(part: Expression): void {
  if (part.kind === "binary") {
    checkCondition(part.left);
    checkCondition(part.right);
  } else if (part.kind === "call") {
    if (!isMathFunction(part.name)) throw fault(`invalid function call in condition: ${printExpression(part)}`);
    const expected = part.name === "atan2" || part.name === "pow" ? 2 : 1;
    if (part.arguments.length !== expected) {
      const got = part.arguments.length;
      throw fault(`invalid number of arguments for ${part.name}, expected ${expected}, got ${got}`);
    }
    for (const each of part.arguments) checkCondition(each);
  }
}

/** The interval of the groups; each group is checked. */
function intervalOf(group: readonly Dimension[], zone: string | undefined): bigint {
  let interval_ns = 0n;
  for (const dimension of group) {
    if (dimension.kind === "time") {
      if (interval_ns !== 0n) throw fault("multiple time dimensions not allowed");
      interval_ns = dimension.every_ns;
    } else if (dimension.kind === "expression") {
      const reason = groupFault(dimension.expression, interval_ns, zone);
      if (reason !== undefined) throw fault(reason);
    }
  }
  return interval_ns;
}

function groupFault(found: Expression, interval_ns: bigint, zone: string | undefined): string | undefined {
  if (found.kind === "reference") {
    const isTime = found.name.toLowerCase() === "time";
    return isTime ? "time() is a function and expects at least one argument" : undefined;
  }
  if (found.kind === "wildcard") return undefined;
  if (found.kind !== "call") return "only time and tag dimensions allowed";
  if (found.name !== "time") return "only time() calls allowed in dimensions";
  const [every, offset, more] = found.arguments;
  if (every === undefined || more !== undefined) return "time dimension expected 1 or 2 arguments";
  if (every.kind !== "duration") return "time dimension must have duration argument";
  if (interval_ns !== 0n) return "multiple time dimensions not allowed";
  if (offset === undefined) return undefined;
  if (offset.kind === "call") {
    if (offset.name !== "now") return "time dimension offset function must be now()";
    if (offset.arguments.length > 0) return "time dimension offset now() function requires no arguments";
    return undefined;
  }
  if (offset.kind === "string" && looksLikeTime(offset.value)) {
    // InfluxDB takes a time here, and then fails on it.
    return timeOf(offset.value, zone) === undefined
      ? "invalid timestamp string"
      : `invalid time dimension offset: ${printExpression(offset)}`;
  }
  return offset.kind === "duration" ? undefined : "time dimension offset must be duration or now()";
}
