import { durationText } from "./duration.ts";
import type { Token } from "./lexer.ts";

/**
 * The words that bound parameters stand for. A value is a string, number, bigint (integer) or boolean, or an object of one
 * entry that names its type: `{"regex": "…"}`, duration, integer, float, string, identifier. What cannot be bound stays a
 * BOUNDPARAM whose text says why: it is an error only where it is used.
 */
export function boundTokens(parameters: Readonly<Record<string, unknown>>): Map<string, Token> {
  return new Map(Object.entries(parameters).map(([name, value]) => [name, tokenOf(value)]));
}

const token = (kind: string, text: string): Token => ({ kind, text, at: 0 });
const fault = (reason: string): Token => token("BOUNDPARAM", reason);

function tokenOf(value: unknown): Token {
  switch (typeof value) {
    case "number":
      return Number.isSafeInteger(value) ? token("INTEGER", String(value)) : token("NUMBER", plain(value));
    case "bigint":
      return token("INTEGER", String(value));
    case "string":
      return token("STRING", value);
    case "boolean":
      return token(value ? "TRUE" : "FALSE", "");
    case "function":
    case "object":
    case "symbol":
    case "undefined":
    default:
      if (typeof value === "object" && value !== null && !Array.isArray(value)) return typed(Object.entries(value));
      return fault(`unable to bind parameter with type ${Array.isArray(value) ? "[]interface {}" : "<nil>"}`);
  }
}

function typed(entries: readonly (readonly [string, unknown])[]): Token {
  const [entry, ...others] = entries;
  if (entry === undefined || others.length > 0) {
    return fault("bound object parameter value must have exactly one entry");
  }
  const [type, value] = entry;
  switch (type) {
    case "ident":
    case "identifier":
      return typeof value === "string" ? token("IDENT", value) : fault("identifier must be a string value");
    case "regex":
      return typeof value === "string" ? token("REGEX", value) : fault("regex literal must be a string value");
    case "string":
      return typeof value === "string" ? token("STRING", value) : fault("string literal must be a string value");
    case "float":
    case "number":
      if (typeof value === "bigint") return token("NUMBER", String(value));
      return typeof value === "number" ? token("NUMBER", plain(value)) : fault("number literal must be a float value");
    case "int":
    case "integer": {
      const isWhole = typeof value === "bigint" || Number.isSafeInteger(value);
      return isWhole ? token("INTEGER", String(value)) : fault("integer literal must be an integer value");
    }
    case "duration":
      if (typeof value === "string") return token("DURATIONVAL", value);
      if (typeof value === "bigint" || (typeof value === "number" && Number.isSafeInteger(value))) {
        return token("DURATIONVAL", durationText(BigInt(value)));
      }
      return fault("duration literal must be a string or integer value");
    default:
      return fault(`unknown bind object type: ${type}`);
  }
}

/** A number without an exponent. */
function plain(value: number): string {
  const text = String(value);
  return text.includes("e") ? value.toFixed(Math.abs(value) < 1 ? 100 : 0).replace(/\.?0+$/, "") : text;
}
