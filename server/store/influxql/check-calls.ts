import type { Expression } from "./ast.ts";
import { checkColumn, type Findings, isLiteral } from "./check.ts";
import { fault, goType } from "./condition.ts";
import { durationText } from "./duration.ts";
import { isMathFunction } from "./fold.ts";
import { printExpression } from "./print.ts";

type Call = Extract<Expression, { kind: "call" }>;
type Check = (call: Call, findings: Findings, isWildcardAllowed: boolean) => void;

/** Checks the arguments of a function and notes what it means for the other columns. Raises InfluxError. */
export function checkCall(call: Call, findings: Findings, isWildcardAllowed: boolean): void {
  if (isMathFunction(call.name)) return checkMathematics(call, findings, isWildcardAllowed);
  findings.calls.push(call.name);
  const check = Object.hasOwn(CHECKS, call.name) ? CHECKS[call.name] : undefined;
  if (check === undefined) throw fault(`undefined function ${call.name}()`);
  check(call, findings, isWildcardAllowed);
}

const CHECKS: Readonly<Record<string, Check>> = {
  max: picks,
  min: picks,
  first: picks,
  last: picks,
  count: aggregates,
  sum: aggregates,
  mean: aggregates,
  median: aggregates,
  mode: aggregates,
  stddev: aggregates,
  spread: aggregates,
  percentile(call, findings, isWildcardAllowed) {
    exactly(call, 2);
    const [field, percent] = call.arguments;
    if (percent?.kind !== "number" && !isSigned(percent)) throw fault("expected float argument in percentile()");
    symbol(call.name, field, findings, isWildcardAllowed);
  },
  sample(call, findings, isWildcardAllowed) {
    exactly(call, 2);
    const [field, size] = call.arguments;
    if (!isSigned(size)) throw fault("expected integer argument in sample()");
    if (size.value <= 0n) throw fault(`sample window must be greater than 1, got ${size.value}`);
    symbol(call.name, field, findings, isWildcardAllowed);
  },
  distinct: (call, findings) => distinct(call, findings, false),
  top: topOrBottom,
  bottom: topOrBottom,
  derivative: overTime("duration"),
  non_negative_derivative: overTime("duration"),
  elapsed: overTime("duration"),
  difference: overTime("none"),
  non_negative_difference: overTime("none"),
  cumulative_sum: overTime("none"),
  moving_average: overTime("window"),
  exponential_moving_average: overTime("period"),
  double_exponential_moving_average: overTime("period"),
  triple_exponential_moving_average: overTime("period"),
  relative_strength_index: overTime("period"),
  triple_exponential_derivative: overTime("period"),
  kaufmans_efficiency_ratio: overTime("period"),
  kaufmans_adaptive_moving_average: overTime("period"),
  chande_momentum_oscillator: overTime("period"),
  integral(call, findings, isWildcardAllowed) {
    between(call, 1, 2);
    const [field, unit] = call.arguments;
    if (unit !== undefined) {
      if (unit.kind !== "duration") throw fault("second argument must be a duration");
      positive(unit.ns);
    }
    findings.isSelectorsOnly = false;
    symbol(call.name, field, findings, isWildcardAllowed);
  },
  holt_winters: holtWinters,
  holt_winters_with_fit: holtWinters,
};

function picks(call: Call, findings: Findings, isWildcardAllowed: boolean): void {
  exactly(call, 1);
  symbol(call.name, call.arguments[0], findings, isWildcardAllowed);
}

function aggregates(call: Call, findings: Findings, isWildcardAllowed: boolean): void {
  findings.isSelectorsOnly = false;
  exactly(call, 1);
  const [field] = call.arguments;
  if (call.name === "count" && isDistinct(field)) return distinct(field, findings, true);
  symbol(call.name, field, findings, isWildcardAllowed);
}

type Distinct = Extract<Expression, { kind: "call" | "distinct" }>;
const isDistinct = (part: Expression | undefined): part is Distinct =>
  part?.kind === "distinct" || (part?.kind === "call" && part.name === "distinct");

function distinct(part: Distinct, findings: Findings, isNested: boolean): void {
  if (part.kind === "call") {
    const [field, more] = part.arguments;
    if (field === undefined) throw fault("distinct function requires at least one argument");
    if (more !== undefined) throw fault("distinct function can only have one argument");
    if (field.kind !== "reference") throw fault("expected field argument in distinct()");
  }
  if (!isNested) findings.hasDistinct = true;
  findings.isSelectorsOnly = false;
}

/** A field, or many by a wildcard or regular expression. */
function symbol(name: string, field: Expression | undefined, findings: Findings, isWildcardAllowed: boolean): void {
  if (field?.kind === "reference") return;
  if (field?.kind === "wildcard" || field?.kind === "regex") {
    if (!isWildcardAllowed) {
      throw fault(`unsupported expression with ${field.kind === "regex" ? "regex field" : "wildcard"}: ${name}()`);
    }
    findings.isSelectorsOnly = false;
    return;
  }
  throw fault(`expected field argument in ${name}()`);
}

const MOST_SIGNED = 2n ** 63n - 1n;
const isSigned = (part: Expression | undefined): part is Extract<Expression, { kind: "integer" }> =>
  part?.kind === "integer" && part.value <= MOST_SIGNED;

const numberFault = (name: string, expected: string, got: number): Error =>
  fault(`invalid number of arguments for ${name}, expected ${expected}, got ${got}`);

function exactly(call: Call, expected: number): void {
  const got = call.arguments.length;
  if (got !== expected) throw numberFault(call.name, String(expected), got);
}

function between(call: Call, least: number, most: number): void {
  const got = call.arguments.length;
  if (got < least || got > most) throw numberFault(call.name, `at least ${least} but no more than ${most}`, got);
}

function positive(ns: bigint): void {
  if (ns <= 0n) throw fault(`duration argument must be positive, got ${durationText(ns)}`);
}

/** Functions of one value and those before it. What else they take: a unit of time, a number of values, or a period. */
function overTime(takes: "none" | "duration" | "window" | "period"): Check {
  return (call, findings, isWildcardAllowed) => {
    if (takes === "none") exactly(call, 1);
    else if (takes === "duration") checkUnit(call);
    else if (takes === "window") checkWindow(call);
    else checkPeriod(call);
    findings.isSelectorsOnly = false;
    const [field] = call.arguments;
    if (field?.kind === "call") {
      if (findings.interval_ns === 0n) throw fault(`${call.name} aggregate requires a GROUP BY interval`);
      nested(field, findings, isWildcardAllowed, takes !== "period");
      return;
    }
    if (findings.interval_ns !== 0n && !findings.isInherited) {
      throw fault(`aggregate function required inside the call to ${call.name}`);
    }
    symbol(call.name, field, findings, isWildcardAllowed);
  };
}

function nested(call: Call, findings: Findings, isWildcardAllowed: boolean, isDistinctAllowed: boolean): void {
  if (isDistinctAllowed && call.name === "distinct") distinct(call, findings, true);
  else checkColumn(call, findings, isWildcardAllowed);
}

function checkUnit(call: Call): void {
  between(call, 1, 2);
  const unit = call.arguments[1];
  if (unit === undefined) return;
  if (unit.kind !== "duration") {
    throw fault(`second argument to ${call.name} must be a duration, got ${goType(unit)}`);
  }
  positive(unit.ns);
}

function checkWindow(call: Call): void {
  exactly(call, 2);
  const size = call.arguments[1] as Expression;
  if (!isSigned(size)) throw fault(`second argument for moving_average must be an integer, got ${goType(size)}`);
  if (size.value <= 1n) throw fault(`moving_average window must be greater than 1, got ${size.value}`);
}

function checkPeriod(call: Call): void {
  const { name } = call;
  const isKaufman = name.startsWith("kaufmans");
  between(call, 2, isKaufman ? 3 : 4);
  const [, period, hold, warmUp] = call.arguments;
  if (!isSigned(period)) throw fault(`${name} period must be an integer`);
  if (period.value < 1n) throw fault(`${name} period must be greater than or equal to 1`);
  if (hold !== undefined) {
    if (!isSigned(hold)) throw fault(`${name} hold period must be an integer`);
    const least = name === "triple_exponential_derivative" ? 1n : 0n;
    if (hold.value < least && hold.value !== -1n) {
      throw fault(`${name} hold period must be greater than or equal to ${least}`);
    }
  }
  if (warmUp === undefined) return;
  if (warmUp.kind !== "string") throw fault(`${name} warmup type must be a string`);
  const kinds = name === "chande_momentum_oscillator" ? ["none", "exponential", "simple"] : ["exponential", "simple"];
  if (!kinds.includes(warmUp.value)) {
    throw fault(`${name} warmup type must be one of: ${kinds.map((each) => `'${each}'`).join(" ")}`);
  }
}

function holtWinters(call: Call, findings: Findings, isWildcardAllowed: boolean): void {
  const { name } = call;
  exactly(call, 3);
  const [inner, count, season] = call.arguments;
  if (!isSigned(count)) throw fault(`expected integer argument as second arg in ${name}`);
  if (count.value <= 0n) throw fault(`second arg to ${name} must be greater than 0, got ${count.value}`);
  if (!isSigned(season)) throw fault(`expected integer argument as third arg in ${name}`);
  if (season.value < 0n) throw fault(`third arg to ${name} cannot be negative, got ${season.value}`);
  findings.isSelectorsOnly = false;
  if (inner?.kind !== "call") throw fault(`must use aggregate function with ${name}`);
  if (findings.interval_ns === 0n) throw fault(`${name} aggregate requires a GROUP BY interval`);
  nested(inner, findings, isWildcardAllowed, true);
}

function topOrBottom(call: Call, findings: Findings): void {
  const { name } = call;
  if (findings.topOrBottom !== undefined) {
    throw fault(`selector function ${findings.topOrBottom}() cannot be combined with other functions`);
  }
  const got = call.arguments.length;
  if (got < 2) throw numberFault(name, "at least 2", got);
  const limit = call.arguments.at(-1) as Expression;
  const [field, ...between] = call.arguments.slice(0, -1);
  if (!isSigned(limit)) {
    throw fault(`expected integer as last argument in ${name}(), found ${printExpression(limit)}`);
  }
  if (limit.value <= 0n) throw fault(`limit (${limit.value}) in ${name} function must be at least 1`);
  if (findings.limit > 0 && limit.value > findings.limit) {
    throw fault(
      `limit (${limit.value}) in ${name} function can not be larger than the LIMIT (${findings.limit}) in the select statement`,
    );
  }
  if (field?.kind !== "reference") {
    const found = field === undefined ? "" : printExpression(field);
    throw fault(`expected first argument to be a field in ${name}(), found ${found}`);
  }
  for (const each of between) {
    if (each.kind !== "reference") {
      throw fault(`only fields or tags are allowed in ${name}(), found ${printExpression(each)}`);
    }
    if (!findings.hasTarget) findings.hasBare = true;
  }
  findings.topOrBottom = name;
}

function checkMathematics(call: Call, findings: Findings, isWildcardAllowed: boolean): void {
  exactly(call, ["atan2", "pow", "log"].includes(call.name) ? 2 : 1);
  for (const each of call.arguments) if (!isLiteral(each)) checkColumn(each, findings, isWildcardAllowed);
}
