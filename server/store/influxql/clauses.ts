import type { Dimension, Expression, Fill, Measurement, RegularExpression } from "./ast.ts";
import { expression, optionalPattern, segments, skipSpace } from "./expressions.ts";
import { asExpression, fold } from "./fold.ts";
import { refusal, type Words } from "./lexer.ts";

/** `WHERE …`, where it stands. */
export function condition(words: Words): Expression | undefined {
  return words.takes("WHERE") ? expression(words) : undefined;
}

/** `db.rp.name`, `/pattern/`, `db.rp./pattern/`. */
export function measurement(words: Words): Measurement {
  const pattern = optionalPattern(words);
  return pattern === undefined ? named(words) : { kind: "measurement", name: pattern };
}

/** A measurement that does not begin with a regular expression. */
export function named(words: Words): Measurement {
  const names = segments(words);
  const pattern = names.length === 3 ? undefined : optionalPattern(words);
  return place(pattern === undefined ? names.slice(0, -1) : names, pattern ?? names.at(-1) ?? "");
}

/** A measurement with what stands before its name: retention policy, or database and retention policy. */
export function place(before: readonly string[], name: string | RegularExpression): Measurement {
  const retention = before.at(-1) ?? "";
  const database = before.at(-2) ?? "";
  return {
    kind: "measurement",
    ...(database !== "" && { database }),
    ...(retention !== "" && { retention }),
    name,
  };
}

/** `GROUP BY …`, where it stands. */
export function dimensions(words: Words): Dimension[] {
  if (!words.takes("GROUP")) return [];
  words.expect("BY");
  const found: Dimension[] = [];
  do found.push(dimension(words));
  while (isComma(words));
  return found;
}

/** A comma right after: unlike elsewhere, a comment before it ends the list. */
export function isComma(words: Words): boolean {
  if (words.raw().kind === ",") return true;
  words.back();
  return false;
}

function dimension(words: Words): Dimension {
  const pattern = optionalPattern(words);
  if (pattern !== undefined) return { kind: "regex", pattern };
  const found = asExpression(fold(expression(words)));
  skipSpace(words);
  return dimensionOf(found);
}

function dimensionOf(found: Expression): Dimension {
  if (found.kind === "wildcard" && found.type === undefined) return { kind: "wildcard" };
  if (found.kind === "regex") return { kind: "regex", pattern: found };
  if (found.kind === "reference" && found.type === undefined && found.name.toLowerCase() !== "time") {
    return { kind: "tag", name: found.name };
  }
  if (found.kind === "call" && found.name === "time" && found.arguments.length < 3) {
    const [every, offset] = found.arguments;
    if (every?.kind === "duration" && every.ns !== 0n) {
      if (offset === undefined) return { kind: "time", every_ns: every.ns, offset_ns: 0n };
      if (offset.kind === "duration") return { kind: "time", every_ns: every.ns, offset_ns: offset.ns };
      if (offset.kind === "call" && offset.name === "now" && offset.arguments.length === 0) {
        return { kind: "time", every_ns: every.ns, offset_ns: "now" };
      }
    }
  }
  return { kind: "expression", expression: found };
}

const FILLS: readonly string[] = ["null", "none", "previous", "linear"];

/** `fill(…)`, where it stands. */
export function fill(words: Words): Fill {
  const found = functionNamed(words, "fill");
  if (found === undefined) return { kind: "auto" };
  if (found.kind !== "call") throw refusal("fill must be a function call");
  const [value, ...others] = found.arguments;
  if (value === undefined || others.length > 0) {
    throw refusal("fill requires an argument, e.g.: 0, null, none, previous, linear");
  }
  if (value.kind === "reference" && value.type === undefined && FILLS.includes(value.name)) {
    return { kind: value.name as "null" | "none" | "previous" | "linear" };
  }
  if (value.kind === "number" || (value.kind === "integer" && value.value < 2n ** 63n)) {
    return { kind: "number", value: value.value };
  }
  throw refusal("expected number argument in fill()");
}

/** `tz('…')`, where it stands: the name of the zone. */
export function zone(words: Words): string | undefined {
  const found = functionNamed(words, "tz");
  if (found === undefined) return undefined;
  if (found.kind !== "call") throw refusal("tz must be a function call");
  const [name, ...others] = found.arguments;
  if (name === undefined || others.length > 0) throw refusal("tz requires exactly one argument");
  if (name.kind !== "string") throw refusal("expected string argument in tz()");
  if (!isZone(name.value)) throw refusal(`unable to find time zone ${name.value}`);
  return name.value;
}

function functionNamed(words: Words, name: string): Expression | undefined {
  const token = words.next();
  words.back();
  return token.kind === "IDENT" && token.text.toLowerCase() === name ? expression(words) : undefined;
}

function isZone(name: string): boolean {
  // Go takes an empty name for UTC, and no offsets such as +01:00, which JavaScript would take.
  if (name === "" || name === "UTC") return true;
  if (/^[+-]/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

/** `ORDER BY time DESC`: the direction, undefined where nothing is said. */
export function order(words: Words): "asc" | "desc" | undefined {
  if (!words.takes("ORDER")) return undefined;
  words.expect("BY");
  const first = words.next();
  let direction: "asc" | "desc";
  if (first.kind === "ASC" || first.kind === "DESC") direction = first.kind === "ASC" ? "asc" : "desc";
  else if (first.kind === "IDENT") {
    direction = directionAfterName(words);
    if (first.text !== "time") throw refusal(ONLY_TIME);
  } else throw words.unexpected(first, ["identifier", "ASC", "DESC"]);
  let isAlone = true;
  while (words.takes(",")) {
    words.name();
    directionAfterName(words);
    isAlone = false;
  }
  if (!isAlone) throw refusal(ONLY_TIME);
  return direction;
}

const ONLY_TIME = "only ORDER BY time supported at this time";

function directionAfterName(words: Words): "asc" | "desc" {
  const { kind } = words.next();
  if (kind !== "ASC" && kind !== "DESC") words.back();
  return kind === "DESC" ? "desc" : "asc";
}

/** `LIMIT n` and its like; 0 where it does not stand. */
export function count(words: Words, word: "LIMIT" | "OFFSET" | "SLIMIT" | "SOFFSET"): number {
  if (!words.takes(word)) return 0;
  const token = words.next();
  if (token.kind !== "INTEGER") throw words.unexpected(token, ["integer"]);
  if (token.text.startsWith("-")) throw words.wrong(`${word} must be >= 0`, token.at);
  return Math.min(Number(token.text), Number.MAX_SAFE_INTEGER);
}
