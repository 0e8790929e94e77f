import { OF_ONE, OF_TWO } from "./mathematics.ts";
import type { Expression, Operator } from "./ast.ts";
import { looksLikeTime, rfc3339, timeOf } from "./time.ts";

/** A moment that came out of folding, such as `now() - 1h`: InfluxQL has no literal for it. */
export interface Moment {
  readonly kind: "moment";
  readonly at_ns: bigint;
}
export type Folded = Expression | Moment;

export interface FoldOptions {
  /** What `now()` is; undefined: it stays a call. */
  readonly now_ns?: bigint;
  readonly zone?: string | undefined;
  /** Whether functions such as `abs` of a literal are computed. */
  readonly isMath?: boolean;
}

/** Computes what consists of literals alone, as InfluxDB does before it runs a query, and drops parentheses around the whole. */
export function fold(expression: Expression, options: FoldOptions = {}): Folded {
  const folded = folding(expression, options);
  return folded.kind === "parentheses" ? folded.inner : folded;
}

/** As an expression again: a moment that is left among fields and tags is a text, which no number equals. */
export const asExpression = (folded: Folded): Expression =>
  folded.kind === "moment" ? { kind: "string", value: rfc3339(folded.at_ns) } : folded;

function folding(expression: Expression, options: FoldOptions): Folded {
  switch (expression.kind) {
    case "binary":
      return operation(
        expression.operator,
        folding(expression.left, options),
        folding(expression.right, options),
        options.zone,
      );
    case "parentheses": {
      const inner = folding(expression.inner, options);
      return inner.kind === "binary" ? { kind: "parentheses", inner } : inner;
    }
    case "call":
      return callOf(expression, options);
    case "boolean":
    case "distinct":
    case "duration":
    case "integer":
    case "number":
    case "reference":
    case "regex":
    case "string":
    case "wildcard":
    default:
      return expression;
  }
}

function callOf(call: Extract<Expression, { kind: "call" }>, options: FoldOptions): Folded {
  if (call.name === "now" && call.arguments.length === 0 && options.now_ns !== undefined) {
    return { kind: "moment", at_ns: options.now_ns };
  }
  const folded = call.arguments.map((each) => asExpression(folding(each, options)));
  const numbers = folded.map((each) => (each.kind === "number" || each.kind === "integer" ? each.value : undefined));
  if (options.isMath === true && numbers.every((each) => each !== undefined)) {
    const value = mathematics(call.name, numbers);
    if (typeof value === "bigint") return { kind: "integer", value };
    if (value !== undefined) return { kind: "number", value };
  }
  return { kind: "call", name: call.name, arguments: folded };
}

/** Functions that are no aggregates: they work value by value. */
export const isMathFunction = (name: string): boolean => Object.hasOwn(OF_ONE, name) || Object.hasOwn(OF_TWO, name);
const KEEPS_INTEGERS = new Set(["floor", "ceil", "round"]);

function mathematics(name: string, values: readonly (number | bigint)[]): number | bigint | undefined {
  const [first, second] = values;
  if (first === undefined) return undefined;
  if (values.length === 1 && Object.hasOwn(OF_ONE, name)) {
    if (typeof first === "bigint" && KEEPS_INTEGERS.has(name)) return first;
    if (typeof first === "bigint" && name === "abs") return first < 0n ? -first : first;
    return OF_ONE[name]?.(Number(first));
  }
  if (second === undefined || values.length !== 2 || !Object.hasOwn(OF_TWO, name)) return undefined;
  return OF_TWO[name]?.(Number(first), Number(second));
}

const boolean = (value: boolean): Folded => ({ kind: "boolean", value });

function operation(operator: Operator, left: Folded, right: Folded, zone: string | undefined): Folded {
  if (operator === "AND" || operator === "OR") {
    // One side that settles it settles it, and one that says nothing is left out.
    const settles = operator === "OR";
    for (const [side, other] of [
      [left, right],
      [right, left],
    ] as const) {
      if (side.kind === "boolean" && side.value === settles) return side;
      if (side.kind === "boolean" && side.value !== settles && other.kind !== "boolean") return other;
    }
  }
  return (
    computed(operator, left, right, zone) ?? {
      kind: "binary",
      operator,
      left: asExpression(left),
      right: asExpression(right),
    }
  );
}

function computed(operator: Operator, left: Folded, right: Folded, zone: string | undefined): Folded | undefined {
  switch (left.kind) {
    case "boolean":
      return right.kind === "boolean" ? ofBooleans(operator, left.value, right.value) : undefined;
    case "number":
      if (right.kind !== "number" && right.kind !== "integer") return undefined;
      return ofNumbers(operator, left.value, Number(right.value));
    case "integer":
      return ofInteger(operator, left.value, right, zone);
    case "duration":
      return ofDuration(operator, left.ns, right, zone);
    case "moment":
      return ofMoment(operator, left.at_ns, right, zone);
    case "string":
      return ofString(operator, left.value, right, zone);
    case "binary":
    case "call":
    case "distinct":
    case "parentheses":
    case "reference":
    case "regex":
    case "wildcard":
    default:
      return undefined;
  }
}

function ofBooleans(operator: string, left: boolean, right: boolean): Folded | undefined {
  switch (operator) {
    case "=":
      return boolean(left === right);
    case "!=":
    case "^":
      return boolean(left !== right);
    case "AND":
    case "&":
      return boolean(left && right);
    case "OR":
    case "|":
      return boolean(left || right);
    default:
      return undefined;
  }
}

function compared(operator: string, left: number | bigint, right: number | bigint): Folded | undefined {
  switch (operator) {
    case "=":
      return boolean(left === right);
    case "!=":
      return boolean(left !== right);
    case "<":
      return boolean(left < right);
    case "<=":
      return boolean(left <= right);
    case ">":
      return boolean(left > right);
    case ">=":
      return boolean(left >= right);
    default:
      return undefined;
  }
}

function ofNumbers(operator: string, left: number, right: number): Folded | undefined {
  const number = (value: number): Folded => ({ kind: "number", value });
  switch (operator) {
    case "+":
      return number(left + right);
    case "-":
      return number(left - right);
    case "*":
      return number(left * right);
    case "/":
      return number(right === 0 ? 0 : left / right);
    case "%":
      return number(left % right);
    default:
      return compared(operator, left, right);
  }
}

const wrapped = (value: bigint): bigint => BigInt.asIntN(64, value);
const MOST_SIGNED = 2n ** 63n - 1n;

function ofInteger(operator: Operator, left: bigint, right: Folded, zone: string | undefined): Folded | undefined {
  switch (right.kind) {
    case "number":
      return ofNumbers(operator, Number(left), right.value);
    case "integer":
      return left > MOST_SIGNED || right.value > MOST_SIGNED
        ? ofUnsigned(operator, left, right.value)
        : ofIntegers(operator, left, right.value);
    case "duration":
      if (operator === "+") return { kind: "moment", at_ns: wrapped(left + right.ns) };
      if (operator === "-") return { kind: "moment", at_ns: wrapped(left - right.ns) };
      return undefined;
    case "moment":
      return ofDuration(operator, left, right, zone);
    case "string": {
      const at_ns = timeOf(right.value, zone);
      return at_ns === undefined ? undefined : ofDuration(operator, left, { kind: "moment", at_ns }, zone);
    }
    case "binary":
    case "boolean":
    case "call":
    case "distinct":
    case "parentheses":
    case "reference":
    case "regex":
    case "wildcard":
    default:
      return undefined;
  }
}

function ofIntegers(operator: string, left: bigint, right: bigint): Folded | undefined {
  const integer = (value: bigint): Folded => ({ kind: "integer", value: wrapped(value) });
  switch (operator) {
    case "+":
      return integer(left + right);
    case "-":
      return integer(left - right);
    case "*":
      return integer(left * right);
    case "/":
      return { kind: "number", value: right === 0n ? 0 : Number(left) / Number(right) };
    case "%":
      return integer(right === 0n ? 0n : left % right);
    case "&":
      return integer(left & right);
    case "|":
      return integer(left | right);
    case "^":
      return integer(left ^ right);
    default:
      return compared(operator, left, right);
  }
}

/** Where one side is beyond 63 bits both are taken for unsigned. */
function ofUnsigned(operator: string, left: bigint, right: bigint): Folded | undefined {
  const unsigned = (value: bigint): Folded => ({ kind: "integer", value: BigInt.asUintN(64, value) });
  switch (operator) {
    case "+":
      return unsigned(left + right);
    case "-":
      return unsigned(left - right);
    case "*":
      return unsigned(left * right);
    case "/":
      return unsigned(right === 0n ? 0n : BigInt.asUintN(64, left) / BigInt.asUintN(64, right));
    case "%":
      return unsigned(right === 0n ? 0n : BigInt.asUintN(64, left) % BigInt.asUintN(64, right));
    default:
      return compared(operator, left, right);
  }
}

function ofDuration(operator: Operator, left: bigint, right: Folded, zone: string | undefined): Folded | undefined {
  const duration = (ns: bigint): Folded => ({ kind: "duration", ns: wrapped(ns) });
  switch (right.kind) {
    case "duration":
      if (operator === "+") return duration(left + right.ns);
      if (operator === "-") return duration(left - right.ns);
      return compared(operator, left, right.ns);
    case "number":
    case "integer": {
      // A number is cut to a whole one first.
      const times = typeof right.value === "bigint" ? right.value : whole(right.value);
      if (operator === "*") return duration(left * times);
      if (operator === "/" && (times !== 0n || Number(right.value) === 0))
        return duration(times === 0n ? 0n : left / times);
      return undefined;
    }
    case "moment":
      return operator === "+" ? { kind: "moment", at_ns: right.at_ns + left } : undefined;
    case "string": {
      const at_ns = timeOf(right.value, zone);
      return at_ns === undefined ? undefined : ofDuration(operator, left, { kind: "moment", at_ns }, zone);
    }
    case "binary":
    case "boolean":
    case "call":
    case "distinct":
    case "parentheses":
    case "reference":
    case "regex":
    case "wildcard":
    default:
      return undefined;
  }
}

const whole = (value: number): bigint => (Number.isFinite(value) ? wrapped(BigInt(Math.trunc(value))) : 0n);

function ofMoment(operator: Operator, left: bigint, right: Folded, zone: string | undefined): Folded | undefined {
  switch (right.kind) {
    case "duration":
    case "integer": {
      const ns = right.kind === "duration" ? right.ns : right.value;
      if (operator === "+") return { kind: "moment", at_ns: left + ns };
      return operator === "-" ? { kind: "moment", at_ns: left - ns } : undefined;
    }
    case "moment":
      if (operator === "-") return { kind: "duration", ns: left - right.at_ns };
      return compared(operator, left, right.at_ns);
    case "string": {
      const at_ns = timeOf(right.value, zone);
      return at_ns === undefined ? undefined : ofMoment(operator, left, { kind: "moment", at_ns }, zone);
    }
    case "binary":
    case "boolean":
    case "call":
    case "distinct":
    case "number":
    case "parentheses":
    case "reference":
    case "regex":
    case "wildcard":
    default:
      return undefined;
  }
}

function ofString(operator: Operator, left: string, right: Folded, zone: string | undefined): Folded | undefined {
  if (right.kind === "string") {
    if (operator === "+") return { kind: "string", value: left + right.value };
    if (operator === "=" || operator === "!=") {
      // Two times are equal if they are the same moment, however they are written.
      const areTimes = looksLikeTime(left) && looksLikeTime(right.value);
      const [a, b] = areTimes ? [timeOf(left, zone), timeOf(right.value, zone)] : [];
      const isEqual = a !== undefined && b !== undefined ? a === b : left === right.value;
      return boolean(isEqual === (operator === "="));
    }
  } else if (right.kind !== "duration" && right.kind !== "moment" && right.kind !== "integer") return undefined;
  const at_ns = timeOf(left, zone);
  return at_ns === undefined ? undefined : ofMoment(operator, at_ns, right, zone);
}
