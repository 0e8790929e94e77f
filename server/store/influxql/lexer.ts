import { InfluxError } from "./engine.ts";
import type { Written } from "./shapes.ts";

/**
 * The words of InfluxQL. Kinds are InfluxDB's own names, because its error texts print them where a word has no text:
 * `found EOF, expected FROM`.
 */
export interface Token {
  /** A keyword in capitals, an operator, or IDENT, NUMBER, INTEGER, DURATIONVAL, STRING, REGEX, BOUNDPARAM, WS, COMMENT, EOF… */
  readonly kind: string;
  /** What a name, literal or bad word says; empty for keywords and operators. */
  readonly text: string;
  /** Index of its first character, as InfluxDB counts it. */
  readonly at: number;
}

const KEYWORDS = new Set(
  (
    "ALL ALTER ANALYZE ANY AS ASC BEGIN BY CARDINALITY CREATE CONTINUOUS DATABASE DATABASES DEFAULT DELETE DESC " +
    "DESTINATIONS DIAGNOSTICS DISTINCT DROP DURATION END EVERY EXACT EXPLAIN FIELD FOR FROM GRANT GRANTS GROUP GROUPS IN " +
    "INF INSERT INTO KEY KEYS KILL LIMIT MEASUREMENT MEASUREMENTS NAME OFFSET ON ORDER PASSWORD POLICY POLICIES " +
    "PRIVILEGES QUERIES QUERY READ REPLICATION RESAMPLE RETENTION REVOKE SELECT SERIES SET SHOW SHARD SHARDS SLIMIT " +
    "SOFFSET STATS SUBSCRIPTION SUBSCRIPTIONS TAG TO USER USERS VALUES WHERE WITH WRITE AND OR TRUE FALSE"
  ).split(" "),
);

/** Whether a name is a word of the language, and so must be quoted. */
export const isKeyword = (name: string): boolean => KEYWORDS.has(name.toUpperCase());

/** Longest first, so that `=~` is not read as `=`. */
const OPERATORS = ["::", "=~", "!=", "!~", ">=", "<=", "<>", ..."+ - * / % & | ^ = < > ( ) , ; : .".split(" ")];
/** Kinds that InfluxDB gives no name to. */
const NAMELESS = new Set(["INTEGER", "COMMENT", "BOUNDPARAM", "BADREGEX"]);

const SPACE = /[ \t\n]+/y;
const NAME = /[A-Za-z0-9_]+/y;
const DIGITS = /[0-9]*/y;
const UNITS = /[A-Za-zµ]+[A-Za-zµ0-9]*/y;

/** Reads one text word by word. Its positions reproduce InfluxDB's, whose reader takes the end of a text for one more character. */
export class Lexer {
  readonly #text: string;
  #at = 0;
  /** The end was read as a character by a word that ran into it: whatever is found there afterwards lies one further. */
  #isEndRead = false;

  constructor(text: string) {
    const nul = text.indexOf("\0");
    this.#text = (nul < 0 ? text : text.slice(0, nul)).replaceAll(/\r\n?/g, "\n");
  }

  /** The next word; at the end EOF, again and again. */
  next(): Token {
    const at = this.#at;
    const letter = this.#text[at];
    if (letter === undefined) return this.#end();
    if (this.#take(SPACE) !== "") return this.#closed("WS", this.#text.slice(at, this.#at), at);
    if (/[A-Za-z_"]/.test(letter)) return this.#name(at, true);
    if (/[0-9]/.test(letter)) return this.#number(at);
    if (letter === "'") return this.#string(at);
    if (letter === ".") {
      if (/[0-9]/.test(this.#text[at + 1] ?? "")) return this.#number(at);
    } else if (letter === "$") {
      this.#at++;
      const name = this.#name(this.#at, false);
      return { kind: name.kind === "IDENT" ? "BOUNDPARAM" : name.kind, text: `$${name.text}`, at };
    } else if (this.#text.startsWith("--", at)) return this.#comment("\n", 2, at);
    else if (this.#text.startsWith("/*", at)) return this.#comment("*/", 2, at);
    const operator = OPERATORS.find((each) => this.#text.startsWith(each, at));
    if (operator !== undefined) {
      this.#at += operator.length;
      return { kind: operator === "<>" ? "!=" : operator, text: "", at };
    }
    const character = String.fromCodePoint(this.#text.codePointAt(at) ?? 0);
    this.#at += character.length;
    return { kind: "ILLEGAL", text: character, at };
  }

  /** A regular expression between slashes, from here on. */
  regex(): Token {
    const at = Math.max(0, this.#at - 1);
    let source = "";
    for (let index = this.#at + 1; ; index++) {
      const letter = this.#text[index];
      if (letter === undefined || letter === "\n") {
        this.#at = index + (letter === undefined ? 0 : 1);
        this.#isEndRead ||= letter === undefined;
        return { kind: "BADREGEX", text: "", at };
      }
      if (letter === "/") {
        this.#at = index + 1;
        return { kind: "REGEX", text: source, at };
      }
      if (letter === "\\" && this.#text[index + 1] === "/") index++;
      source += letter === "\\" && this.#text[index] === "/" ? "/" : letter;
    }
  }

  /** The next character, unread; empty at the end. */
  peek(): string {
    const letter = this.#text[this.#at];
    if (letter === undefined) this.#isEndRead = true;
    return letter ?? "";
  }

  /** Line and character of an index, both from one; characters are code points. */
  position(at: number): { line: number; character: number } {
    const before = this.#text.slice(0, at);
    const lineStart = before.lastIndexOf("\n") + 1;
    const beyond = Math.max(0, at - this.#text.length);
    let line = 1;
    for (let index = before.indexOf("\n"); index >= 0; index = before.indexOf("\n", index + 1)) line++;
    return { line, character: Array.from(before.slice(lineStart)).length + beyond + 1 };
  }

  #end(): Token {
    const at = this.#text.length + (this.#isEndRead ? 1 : 0);
    this.#isEndRead = true;
    return { kind: "EOF", text: "", at };
  }

  /** A word that ends only where something else begins: at the end of the text it has read that end. */
  #closed(kind: string, text: string, at: number): Token {
    if (this.#at >= this.#text.length) this.#isEndRead = true;
    return { kind, text, at };
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += found.length;
    return found;
  }

  /** A bare or quoted name. Of `ab"cd"` InfluxDB keeps `cd` alone. */
  #name(at: number, isLookedUp: boolean): Token {
    const name = this.#take(NAME);
    if (this.#text[this.#at] === '"') {
      const quoted = this.#string(this.#at);
      return quoted.kind === "STRING" ? { kind: "IDENT", text: quoted.text, at } : quoted;
    }
    if (isLookedUp && isKeyword(name)) return this.#closed(name.toUpperCase(), "", at);
    return this.#closed("IDENT", name, at);
  }

  #string(start: number): Token {
    // InfluxDB places a string where the character before it stands.
    const at = Math.max(0, start - 1);
    const quote = this.#text[start];
    let value = "";
    for (let index = start + 1; ; index++) {
      const letter = this.#text[index];
      if (letter === undefined || letter === "\n") {
        this.#at = index + (letter === undefined ? 0 : 1);
        this.#isEndRead ||= letter === undefined;
        return { kind: "BADSTRING", text: value, at };
      }
      if (letter === quote) {
        this.#at = index + 1;
        return { kind: "STRING", text: value, at };
      }
      if (letter !== "\\") {
        value += letter;
        continue;
      }
      index++;
      const escaped = ESCAPES[this.#text[index] ?? ""];
      if (escaped === undefined) {
        this.#at = Math.min(index + 1, this.#text.length);
        if (index >= this.#text.length) this.#isEndRead = true;
        const wrong = String.fromCodePoint(this.#text.codePointAt(index) ?? 0);
        return { kind: "BADESCAPE", text: `\\${wrong}`, at: index };
      }
      value += escaped;
    }
  }

  /** `12`, `1.5`, `.5`, `1h30m`. A dot after the digits makes a number of them even when nothing follows it. */
  #number(at: number): Token {
    let text = this.#take(DIGITS);
    if (this.#text[this.#at] === ".") {
      this.#at++;
      const fraction = this.#take(DIGITS);
      if (fraction !== "") text += `.${fraction}`;
      return { kind: "NUMBER", text, at };
    }
    const units = this.#take(UNITS);
    return units === "" ? { kind: "INTEGER", text, at } : { kind: "DURATIONVAL", text: text + units, at };
  }

  #comment(end: string, skip: number, at: number): Token {
    const found = this.#text.indexOf(end, at + skip);
    this.#at = found < 0 ? this.#text.length : found + end.length;
    if (found < 0) this.#isEndRead = true;
    return { kind: found < 0 && end === "*/" ? "ILLEGAL" : "COMMENT", text: "", at };
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", "\\": "\\", '"': '"', "'": "'" };

/** How many times a word can be put back: what the grammar needs, and no more. */
const KEPT = 3;

/** The words of a text with one step back, bound parameters put in their places, and errors in InfluxDB's words. */
export class Words {
  /** The durations that were read as operands, by where they stand. */
  readonly durations = new Map<number, Written>();
  readonly #lexer: Lexer;
  readonly #parameters: ReadonlyMap<string, Token>;
  readonly #kept: Token[] = [];
  #back = 0;
  /** Operators and nesting so far: both are limited, since walking a tree takes stack. */
  #operators = 0;
  #depth = 0;

  constructor(text: string, parameters: ReadonlyMap<string, Token>) {
    this.#lexer = new Lexer(text);
    this.#parameters = parameters;
  }

  /** The next word, white space and comments included. */
  raw(): Token {
    return this.#scan(() => this.#lexer.next());
  }

  /** The next word that is neither white space nor a comment. */
  next(): Token {
    for (;;) {
      const token = this.raw();
      if (token.kind !== "WS" && token.kind !== "COMMENT") return token;
    }
  }

  /** A regular expression from here on, or the word that was put back. */
  regex(): Token {
    return this.#scan(() => this.#lexer.regex());
  }

  /** Puts the last word back. */
  back(): void {
    this.#back++;
  }

  /** The character after the last word that was read from the text, whether put back or not. */
  peek(): string {
    return this.#lexer.peek();
  }

  /** Takes the next word if it is this one. */
  takes(kind: string): boolean {
    if (this.next().kind === kind) return true;
    this.back();
    return false;
  }

  /** Takes these words; anything else is an error. */
  expect(...kinds: readonly string[]): void {
    for (const kind of kinds) {
      const token = this.next();
      if (token.kind !== kind) throw this.unexpected(token, [kind]);
    }
  }

  /** The text of the next word, which must be of this kind; `name` is what the error calls it. */
  text(kind: string, name: string): string {
    const token = this.next();
    if (token.kind !== kind) throw this.unexpected(token, [name]);
    return token.text;
  }

  name(): string {
    return this.text("IDENT", "identifier");
  }

  unexpected(token: Token, expected: readonly string[]): InfluxError {
    const found = token.text === "" ? (NAMELESS.has(token.kind) ? "" : token.kind) : token.text;
    return this.wrong(`found ${found}, expected ${expected.join(", ")}`, token.at);
  }

  /** What is wrong, where, and what may be said after the place. */
  wrong(reason: string, at: number, more = ""): InfluxError {
    const { line, character } = this.#lexer.position(at);
    return refusal(`${reason} at line ${line}, char ${character}${more}`);
  }

  /** Counts one operator; beyond the limit the text is refused. */
  countOperator(at: number): void {
    if (++this.#operators > LARGEST.operators) throw this.wrong(`more than ${LARGEST.operators} operators`, at);
  }

  /** Runs a part of the grammar one level deeper; beyond the limit the text is refused. */
  nested<Part>(read: () => Part): Part {
    if (++this.#depth > LARGEST.depth) throw refusal(`nested deeper than ${LARGEST.depth}`);
    const part = read();
    this.#depth--;
    return part;
  }

  #scan(read: () => Token): Token {
    if (this.#back === 0) {
      this.#kept.push(read());
      if (this.#kept.length > KEPT) this.#kept.shift();
    } else this.#back--;
    const token = this.#kept[this.#kept.length - 1 - this.#back];
    if (token === undefined) throw new Error("a word was put back that was never read");
    if (token.kind !== "BOUNDPARAM") return token;
    const bound = this.#parameters.get(token.text.slice(1));
    return bound === undefined || token.text === "$" ? token : { ...bound, at: token.at };
  }
}

/** The largest text that is taken: InfluxDB has no such limits, but each level of a tree takes stack when it is walked. */
export const LARGEST = { operators: 4000, depth: 100, statements: 1000 } as const;

/** The error of a text that is no InfluxQL. */
export const refusal = (reason: string): InfluxError => new InfluxError(400, `error parsing query: ${reason}`);
