import type { Expression, FieldType, Operator } from "./ast.ts";
import type { FieldValue } from "./engine.ts";
import { isMathFunction } from "./fold.ts";
import { OF_ONE, OF_TWO } from "./mathematics.ts";
import { compilePattern } from "./pattern.ts";
import { printExpression } from "./print.ts";

export type Value = FieldValue | null;
/** Gives the value of a column from the values of its parts. */
export type Evaluate = (parts: readonly Value[]) => Value;

/** What a part of an expression stands for, if it is looked up as a whole: its place among the parts. */
export type PlaceOf = (part: Expression) => number | undefined;

/**
 * Makes a function of an expression, with InfluxDB's arithmetic: what has no value gives none, a division by zero gives 0,
 * integers divide into floats where `dividesToFloat`, and a comparison of what cannot be compared is false. A missing boolean
 * counts as false, unless `isStored`: of stored points it equals nothing and differs from nothing.
 */
export function compile(expression: Expression, placeOf: PlaceOf, dividesToFloat = true, isStored = false): Evaluate {
  const place = placeOf(expression);
  if (place !== undefined) return (parts) => parts[place] ?? null;
  switch (expression.kind) {
    case "number":
    case "integer":
    case "string":
    case "boolean": {
      const { value } = expression;
      return () => value;
    }
    case "duration": {
      const { ns } = expression;
      return () => ns;
    }
    case "parentheses":
      return compile(expression.inner, placeOf, dividesToFloat, isStored);
    case "binary": {
      const { operator } = expression;
      const left = compile(expression.left, placeOf, dividesToFloat, isStored);
      if (expression.right.kind === "regex") {
        const pattern = compilePattern(expression.right.source);
        const isWanted = operator === "=~";
        return (parts) => {
          const text = left(parts);
          return typeof text === "string" && pattern.test(text) === isWanted;
        };
      }
      const right = compile(expression.right, placeOf, dividesToFloat, isStored);
      if (isStored && (operator === "=" || operator === "!=" || operator === "^")) {
        return (parts) => {
          const [a, b] = [left(parts), right(parts)];
          return a === null || b === null ? false : operate(operator, a, b, dividesToFloat);
        };
      }
      return (parts) => operate(operator, left(parts), right(parts), dividesToFloat);
    }
    case "call": {
      if (!isMathFunction(expression.name)) return () => null;
      const { name } = expression;
      const inputs = expression.arguments.map((each) => compile(each, placeOf, dividesToFloat, isStored));
      return (parts) =>
        mathematics(
          name,
          inputs.map((each) => each(parts)),
        );
    }
    case "distinct":
    case "reference":
    case "regex":
    case "wildcard":
    default:
      return () => null;
  }
}

const wrapped = (value: bigint): bigint => BigInt.asIntN(64, value);
const COMPARISONS = new Set<Operator>(["=", "!=", "<", "<=", ">", ">="]);

export function operate(operator: Operator, left: Value, right: Value, dividesToFloat: boolean): Value {
  if (left === null && typeof right === "boolean") left = false;
  else if (right === null && typeof left === "boolean") right = false;
  if (typeof left === "boolean") return ofBooleans(operator, left, right);
  if (typeof left === "number") {
    if (typeof right === "number") return ofNumbers(operator, left, right);
    if (typeof right === "bigint") return ofNumbers(operator, left, Number(right));
    return COMPARISONS.has(operator) ? false : null;
  }
  if (typeof left === "bigint") {
    if (typeof right === "number") return ofNumbers(operator, Number(left), right);
    if (typeof right === "bigint") return ofIntegers(operator, left, right, dividesToFloat);
  }
  if (typeof left === "string" && typeof right === "string") {
    if (operator === "=") return left === right;
    if (operator === "!=") return left !== right;
  }
  return COMPARISONS.has(operator) ? false : null;
}

function ofBooleans(operator: Operator, left: boolean, right: Value): Value {
  const isBoth = typeof right === "boolean";
  switch (operator) {
    case "AND":
    case "&":
      return isBoth && left && right;
    case "OR":
    case "|":
      return isBoth && (left || right);
    case "^":
    case "!=":
      return isBoth && left !== right;
    case "=":
      return left === right;
    case "!~":
    case "%":
    case "*":
    case "+":
    case "-":
    case "/":
    case "<":
    case "<=":
    case "=~":
    case ">":
    case ">=":
    default:
      return COMPARISONS.has(operator) ? false : null;
  }
}

function ofNumbers(operator: Operator, left: number, right: number): Value {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return right === 0 ? 0 : left / right;
    case "%":
      return left % right;
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
      return compared(operator, left, right);
  }
}

function ofIntegers(operator: Operator, left: bigint, right: bigint, dividesToFloat: boolean): Value {
  switch (operator) {
    case "+":
      return wrapped(left + right);
    case "-":
      return wrapped(left - right);
    case "*":
      return wrapped(left * right);
    case "/":
      if (dividesToFloat) return right === 0n ? 0 : Number(left) / Number(right);
      return right === 0n ? 0n : wrapped(left / right);
    case "%":
      return right === 0n ? 0n : left % right;
    case "&":
      return wrapped(left & right);
    case "|":
      return wrapped(left | right);
    case "^":
      return wrapped(left ^ right);
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
      return compared(operator, left, right);
  }
}

function compared<Each extends number | bigint>(operator: Operator, left: Each, right: Each): Value {
  switch (operator) {
    case "=":
      return left === right;
    case "!=":
      return left !== right;
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    case ">=":
      return left >= right;
    case "!~":
    case "%":
    case "&":
    case "*":
    case "+":
    case "-":
    case "/":
    case "=~":
    case "AND":
    case "OR":
    case "^":
    case "|":
    default:
      return null;
  }
}

function mathematics(name: string, values: readonly Value[]): Value {
  const [first, second] = values;
  if (typeof first !== "number" && typeof first !== "bigint") return null;
  if (values.length === 1) {
    if (typeof first === "bigint") {
      if (name === "abs") return first < 0n ? wrapped(-first) : first;
      if (name === "floor" || name === "ceil" || name === "round") return first;
    }
    return OF_ONE[name]?.(Number(first)) ?? null;
  }
  if (typeof second !== "number" && typeof second !== "bigint") return null;
  return OF_TWO[name]?.(Number(first), Number(second)) ?? null;
}

export type ValueType = FieldType | "tag" | "field" | undefined;

const FLOATS = new Set([
  "mean",
  "median",
  "integral",
  "stddev",
  "derivative",
  "non_negative_derivative",
  "moving_average",
]);
const NUMBERS = new Set<ValueType>(["float", "integer", "unsigned", "field"]);
const KEEPS_TYPE = new Set(["abs", "floor", "ceil", "round"]);

const ZEROS: Readonly<Record<string, Value>> = {
  float: 0,
  integer: 0n,
  unsigned: 0n,
  string: "",
  tag: "",
  boolean: false,
};

/** What is wrong with the types in an expression, in InfluxDB's words; undefined: nothing. */
export function typeFault(expression: Expression): string | undefined {
  const found = checkedType(expression);
  return typeof found === "object" ? found.fault : undefined;
}

/** The type that InfluxDB takes an expression to be of while it checks: a function has that of its first argument. */
function checkedType(expression: Expression): ValueType | { readonly fault: string } {
  if (expression.kind === "parentheses") return checkedType(expression.inner);
  if (expression.kind === "call") {
    const [first] = expression.arguments.map(checkedType);
    if (typeof first === "object") return first;
    return isMathFunction(expression.name) ? first : typeOf(expression);
  }
  if (expression.kind !== "binary") return typeOf(expression);
  const { operator, left, right } = expression;
  const [a, b] = [checkedType(left), checkedType(right)];
  if (typeof a === "object") return a;
  if (typeof b === "object") return b;
  if (a === undefined || b === undefined) return a ?? b;
  const result = operate(operator, ZEROS[a] ?? null, ZEROS[b] ?? null, false);
  if (result === null) return { fault: `type error: ${printed(expression)}: incompatible types: ${a} and ${b}` };
  if (typeof result === "number") return "float";
  return typeof result === "bigint" ? "integer" : typeof result === "boolean" ? "boolean" : "string";
}

/** InfluxDB quotes no names of functions, not even where they are keywords. */
const printed = (part: Expression): string => printExpression(part).replaceAll('"distinct"(', "distinct(");

/**
 * The type of what an expression gives; undefined where it has no value at all. Who asks around a SELECT for a column of it
 * takes integers divided by each other for integers (`dividesToFloat` false), though what is computed there is a float.
 */
export function typeOf(expression: Expression, dividesToFloat = true): ValueType {
  switch (expression.kind) {
    case "number":
      return "float";
    case "integer":
      return "integer";
    case "string":
    case "boolean":
      return expression.kind;
    case "duration":
      return "integer";
    case "reference":
      return expression.type;
    case "parentheses":
      return typeOf(expression.inner, dividesToFloat);
    case "call": {
      const { name } = expression;
      if (FLOATS.has(name)) return "float";
      if (name === "count" || name === "elapsed") return "integer";
      const [first] = expression.arguments;
      const type = first === undefined ? undefined : typeOf(first, dividesToFloat);
      return isMathFunction(name) && !KEEPS_TYPE.has(name) ? "float" : type;
    }
    case "binary": {
      const [left, right] = [typeOf(expression.left, dividesToFloat), typeOf(expression.right, dividesToFloat)];
      if (COMPARISONS.has(expression.operator)) return "boolean";
      if (left === undefined || right === undefined) return left ?? right;
      if (!NUMBERS.has(left) || !NUMBERS.has(right))
        return left === "boolean" && right === "boolean" ? left : undefined;
      if (left === "integer" && right === "integer")
        return expression.operator === "/" && dividesToFloat ? "float" : "integer";
      return left === "float" || right === "float" ? "float" : left;
    }
    case "distinct":
    case "regex":
    case "wildcard":
    default:
      return undefined;
  }
}
