import type { Expression, FieldType, Operator, RegularExpression } from "./ast.ts";
import { durationOf } from "./duration.ts";
import { refusal, type Token, type Words } from "./lexer.ts";
import { patternFault } from "./pattern.ts";
import { printName } from "./print.ts";

const PRECEDENCE: Readonly<Record<Operator, number>> = {
  OR: 1,
  AND: 2,
  "=": 3,
  "!=": 3,
  "=~": 3,
  "!~": 3,
  "<": 3,
  "<=": 3,
  ">": 3,
  ">=": 3,
  "+": 4,
  "-": 4,
  "|": 4,
  "^": 4,
  "*": 5,
  "/": 5,
  "%": 5,
  "&": 5,
};
const isOperator = (kind: string): kind is Operator => Object.hasOwn(PRECEDENCE, kind);

type Binary = Extract<Expression, { kind: "binary" }>;
type Growing = { -readonly [Key in keyof Binary]: Binary[Key] };

/** Any expression of InfluxQL: arithmetic, comparison, logic, calls. Raises InfluxError with the position. */
export function expression(words: Words): Expression {
  return words.nested(() => {
    let root = operand(words);
    for (;;) {
      const token = words.next();
      if (!isOperator(token.kind)) {
        words.back();
        return root;
      }
      words.countOperator(token.at);
      const right = token.kind === "=~" || token.kind === "!~" ? requiredPattern(words) : operand(words);
      root = joined(root, token.kind, right);
    }
  });
}

/** Hangs an operator into the tree: as far down its right side as the precedence allows. */
function joined(root: Expression, operator: Operator, right: Expression): Expression {
  let above: Growing | undefined;
  let here = root;
  while (here.kind === "binary" && PRECEDENCE[here.operator] < PRECEDENCE[operator]) {
    above = here;
    here = here.right;
  }
  const added: Expression = { kind: "binary", operator, left: here, right };
  if (above === undefined) return added;
  above.right = added;
  return root;
}

function operand(words: Words): Expression {
  const token = words.next();
  switch (token.kind) {
    case "(": {
      const inner = expression(words);
      words.expect(")");
      return { kind: "parentheses", inner };
    }
    case "IDENT":
      if (words.raw().kind === "(") return call(words, token.text);
      words.back();
      words.back();
      return reference(words);
    case "DISTINCT":
      return distinct(words);
    case "STRING":
      return { kind: "string", value: token.text };
    case "NUMBER":
      return { kind: "number", value: numberOf(words, token) };
    case "INTEGER":
      return { kind: "integer", value: integerOf(words, token) };
    case "TRUE":
    case "FALSE":
      return { kind: "boolean", value: token.kind === "TRUE" };
    case "DURATIONVAL": {
      const ns = durationOf(token.text);
      if (typeof ns === "string") throw refusal(ns);
      const duration = { kind: "duration", ns } as const;
      words.durations.set(token.at, { text: token.text, expression: duration });
      return duration;
    }
    case "*":
      return wildcard(words);
    case "REGEX":
      return patternOf(words, token);
    case "BOUNDPARAM":
      throw refusal(parameterFault(token.text));
    case "+":
    case "-":
      return signed(words, token.kind === "-");
    default:
      throw words.unexpected(token, ["identifier", "string", "number", "bool"]);
  }
}

/** A bound parameter that has no value, or a value that cannot be bound: its text then says why. */
const parameterFault = (text: string): string =>
  text === "$" ? "empty bound parameter" : `missing parameter: ${text.replace(/^\$/, "")}`;

const MOST_SIGNED = 2n ** 63n - 1n;
const MOST_UNSIGNED = 2n ** 64n - 1n;

function integerOf(words: Words, token: Token): bigint {
  const value = BigInt(token.text);
  if (value > MOST_UNSIGNED || value < -MOST_SIGNED - 1n) throw words.wrong("unable to parse integer", token.at);
  return value;
}

function numberOf(words: Words, token: Token): number {
  const value = Number(token.text);
  if (!Number.isFinite(value)) throw words.wrong("unable to parse number", token.at);
  return value;
}

/** A sign belongs to a literal; before anything else it multiplies by one or minus one. */
function signed(words: Words, isNegative: boolean): Expression {
  const token = words.next();
  if (!["NUMBER", "INTEGER", "DURATIONVAL", "(", "IDENT"].includes(token.kind)) {
    throw words.unexpected(token, ["identifier", "number", "duration", "("]);
  }
  words.back();
  const value = operand(words);
  if (value.kind === "number") return { kind: "number", value: isNegative ? -value.value : value.value };
  if (value.kind === "duration") return { kind: "duration", ns: isNegative ? -value.ns : value.ns };
  if (value.kind === "integer") {
    if (isNegative && value.value > MOST_SIGNED + 1n) throw refusal(`constant -${value.value} underflows int64`);
    return { kind: "integer", value: isNegative ? -value.value : value.value };
  }
  words.countOperator(token.at);
  return { kind: "binary", operator: "*", left: { kind: "integer", value: isNegative ? -1n : 1n }, right: value };
}

function distinct(words: Words): Expression {
  const token = words.raw();
  if (token.kind === "(") return call(words, "distinct");
  if (token.kind === "WS") return { kind: "distinct", name: words.name() };
  throw words.unexpected(token, ["(", "identifier"]);
}

function wildcard(words: Words): Expression {
  if (words.raw().kind !== "::") {
    words.back();
    return { kind: "wildcard" };
  }
  const token = words.raw();
  if (token.kind === "FIELD") return { kind: "wildcard", type: "field" };
  if (token.kind === "TAG") return { kind: "wildcard", type: "tag" };
  throw words.unexpected(token, ["field", "tag"]);
}

const FIELD_TYPES: readonly string[] = ["float", "integer", "unsigned", "string", "boolean"] satisfies FieldType[];

function reference(words: Words): Expression {
  const name = segments(words).join(".");
  if (words.raw().kind !== "::") {
    words.back();
    return { kind: "reference", name };
  }
  const token = words.raw();
  if (token.kind === "FIELD") return { kind: "reference", name, type: "field" };
  if (token.kind === "TAG") return { kind: "reference", name, type: "tag" };
  const type = token.text.toLowerCase();
  if (token.kind === "IDENT" && FIELD_TYPES.includes(type)) return { kind: "reference", name, type: type as FieldType };
  const signedTypes = FIELD_TYPES.filter((each) => each !== "unsigned" || token.kind === "IDENT");
  throw words.unexpected(token, [...signedTypes, "field", "tag"]);
}

/** `db.rp.name`, `db..name`; stops before a regular expression or a colon. */
export function segments(words: Words): string[] {
  const names = [words.name()];
  while (words.raw().kind === ".") {
    const letter = words.peek();
    if (letter === "/" || letter === ":") return few(words, names);
    names.push(letter === "." ? "" : words.name());
  }
  words.back();
  return few(words, names);
}

function few(words: Words, names: string[]): string[] {
  if (names.length > 3) throw words.wrong(`too many segments in ${quotedNames(names)}`, 0);
  return names;
}

function quotedNames(names: readonly string[]): string {
  const last = names.length - 1;
  return names.map((name, index) => (index === last ? printName(name) : name === "" ? "" : `"${name}"`)).join(".");
}

/** The arguments of a call whose name and opening parenthesis are read. */
function call(words: Words, name: string): Expression {
  return words.nested(() => {
    const found: Expression[] = [];
    const pattern = optionalPattern(words);
    if (pattern !== undefined) found.push(pattern);
    else {
      if (words.raw().kind === ")") return { kind: "call", name: name.toLowerCase(), arguments: [] };
      words.back();
      found.push(expression(words));
    }
    while (words.takes(",")) found.push(optionalPattern(words) ?? expression(words));
    const token = words.raw();
    if (token.kind !== ")") throw words.unexpected(token, [")"]);
    return { kind: "call", name: name.toLowerCase(), arguments: found };
  });
}

/** A regular expression, where one may stand. */
export function optionalPattern(words: Words): RegularExpression | undefined {
  const letter = words.peek();
  if (letter === " " || letter === "\t" || letter === "\n") skipSpace(words);
  const next = words.peek();
  if (next === "$") {
    const { kind } = words.raw();
    words.back();
    if (kind !== "REGEX") return undefined;
  } else if (next !== "/") return undefined;
  const token = words.regex();
  if (token.kind === "BADREGEX") throw words.wrong("bad regex: ", token.at);
  if (token.kind !== "REGEX") throw words.unexpected(token, ["regex"]);
  return patternOf(words, token);
}

export function requiredPattern(words: Words): RegularExpression {
  const pattern = optionalPattern(words);
  if (pattern === undefined) throw words.unexpected(words.next(), ["regex"]);
  return pattern;
}

function patternOf(words: Words, token: Token): RegularExpression {
  const fault = patternFault(token.text);
  if (fault !== undefined) throw words.wrong(fault, token.at);
  return { kind: "regex", source: token.text };
}

/** Takes white space, if it is next. */
export function skipSpace(words: Words): void {
  if (words.raw().kind !== "WS") words.back();
}
