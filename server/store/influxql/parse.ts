import type { Column, Measurement, Select, Source, Statement } from "./ast.ts";
import { condition, count, dimensions, fill, isComma, named, order, place, zone } from "./clauses.ts";
import { expression, optionalPattern, segments, skipSpace } from "./expressions.ts";
import { LARGEST, type Token, Words } from "./lexer.ts";
import { boundTokens } from "./parameters.ts";
import { refused } from "./refused.ts";
import { Shapes } from "./shapes.ts";
import { show } from "./show-statements.ts";

/**
 * Reads a text of statements separated by semicolons, with bound parameters (`$name`) in their places. Raises InfluxError
 * 400 with what was found, what was expected, and where, in InfluxDB's words.
 */
export function parse(text: string, parameters?: Readonly<Record<string, unknown>>): Statement[] {
  if (parameters !== undefined) return statementsIn(new Words(text, boundTokens(parameters)));
  const known = shapes.statementsOf(text);
  if (known !== undefined) return known;
  const words = new Words(text, new Map());
  const statements = statementsIn(words);
  shapes.keep(text, statements, words.durations);
  return statements;
}

const shapes = new Shapes();

function statementsIn(words: Words): Statement[] {
  const statements: Statement[] = [];
  let isParted = true;
  for (;;) {
    const token = words.next();
    if (token.kind === "EOF") return statements;
    if (token.kind === ";") isParted = true;
    else {
      if (!isParted) throw words.unexpected(token, [";"]);
      if (statements.length >= LARGEST.statements)
        throw words.wrong(`more than ${LARGEST.statements} statements`, token.at);
      statements.push(statement(words, token));
      isParted = false;
    }
  }
}

const FIRST_WORDS = [
  "SELECT",
  "DELETE",
  "SHOW",
  "CREATE",
  "DROP",
  "EXPLAIN",
  "GRANT",
  "REVOKE",
  "ALTER",
  "SET",
  "KILL",
] as const;

function statement(words: Words, first: Token): Statement {
  const word = FIRST_WORDS.find((each) => each === first.kind);
  if (word === undefined) throw words.unexpected(first, FIRST_WORDS);
  if (word === "SELECT") return select(words);
  return word === "SHOW" ? show(words) : refused(words, word, select);
}

/** What stands after SELECT. Where `INTO` is required, as in a continuous query, its absence is an error. */
function select(words: Words, into: "may" | "must" = "may"): Select {
  const columns = columnsOf(words);
  const target = targetOf(words, into);
  words.expect("FROM");
  const from: Source[] = [];
  do from.push(source(words));
  while (words.takes(","));
  const where = condition(words);
  const group = dimensions(words);
  const filling = fill(words);
  const direction = order(words);
  const limit = count(words, "LIMIT");
  const offset = count(words, "OFFSET");
  const slimit = count(words, "SLIMIT");
  const soffset = count(words, "SOFFSET");
  const timeZone = zone(words);
  return {
    kind: "select",
    columns,
    ...(target && { into: target }),
    from,
    ...(where && { where }),
    group,
    fill: filling,
    order: direction ?? "asc",
    ...(direction && { isOrderWritten: true }),
    limit,
    offset,
    slimit,
    soffset,
    ...(timeZone !== undefined && { zone: timeZone }),
  };
}

function columnsOf(words: Words): Column[] {
  const columns: Column[] = [];
  do columns.push(column(words));
  while (isComma(words));
  return columns;
}

function column(words: Words): Column {
  const found = optionalPattern(words) ?? columnExpression(words);
  const alias = words.takes("AS") ? words.name() : "";
  skipSpace(words);
  return { expression: found, ...(alias !== "" && { alias }) };
}

function columnExpression(words: Words): Column["expression"] {
  const { at } = words.next();
  words.back();
  const found = expression(words);
  const comparison = comparisonIn(found);
  if (comparison !== undefined) {
    const operator = `invalid operator ${comparison} in SELECT clause`;
    throw words.wrong(operator, at, "; operator is intended for WHERE clause");
  }
  return found;
}

const COMPARISONS = new Set(["=", "!=", "=~", "!~", "<", "<=", ">", ">=", "AND", "OR"]);

function comparisonIn(found: Column["expression"]): string | undefined {
  if (found.kind === "parentheses") return comparisonIn(found.inner);
  if (found.kind === "call") return firstOf(found.arguments);
  if (found.kind !== "binary") return undefined;
  return COMPARISONS.has(found.operator) ? found.operator : firstOf([found.left, found.right]);
}

function firstOf(parts: readonly Column["expression"][]): string | undefined {
  for (const part of parts) {
    const comparison = comparisonIn(part);
    if (comparison !== undefined) return comparison;
  }
  return undefined;
}

function targetOf(words: Words, into: "may" | "must"): Measurement | undefined {
  const token = words.next();
  if (token.kind !== "INTO") {
    if (into === "must") throw words.unexpected(token, ["INTO"]);
    words.back();
    return undefined;
  }
  const names = segments(words);
  if (names.length < 3 && words.peek() === ":") {
    // `INTO db.rp.:MEASUREMENT`: under the name that it comes from.
    words.expect(":", "MEASUREMENT");
    names.push("");
  }
  return place(names.slice(0, -1), names.at(-1) ?? "");
}

function source(words: Words): Source {
  const pattern = optionalPattern(words);
  if (pattern !== undefined) return { kind: "measurement", name: pattern };
  if (!words.takes("(")) return named(words);
  return words.nested(() => {
    words.expect("SELECT");
    const inner = select(words);
    words.expect(")");
    return { kind: "subquery", select: inner };
  });
}
