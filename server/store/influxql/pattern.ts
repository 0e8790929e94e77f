import { escapeAt, classAt, PatternFault, type Piece, unicodeClass } from "./pattern-classes.ts";
import { PatternMachine, type PatternNode } from "./pattern-machine.ts";

/** Whether a text holds a match. */
export interface Pattern {
  test(text: string): boolean;
}

const COMPILED = new Map<string, Pattern>();
const MOST_COMPILED = 500;

/**
 * A regular expression as InfluxDB reads it, in Go's RE2 syntax, which has neither look-around nor back references. Where
 * JavaScript's engine is sure to be quick it does the work, else a machine of ours, since that engine may take a time that
 * doubles with each character. Raises PatternFault in Go's words.
 */
export function compilePattern(source: string): Pattern {
  let pattern = COMPILED.get(source);
  if (pattern === undefined) {
    pattern = compiled(source);
    if (COMPILED.size >= MOST_COMPILED) COMPILED.clear();
    COMPILED.set(source, pattern);
  }
  return pattern;
}

/** Of this length and longer a text goes to the machine as soon as anything is repeated. */
const LONG = 500;

function compiled(source: string): Pattern {
  const { text, node, repeats } = new Translation(source).whole();
  const expression = new RegExp(text, "u");
  if (repeats === 0) return expression;
  const machine = new PatternMachine(node);
  if (repeats > 2) return machine;
  return { test: (each) => (each.length < LONG ? expression : machine).test(each) };
}

/** What is wrong with a regular expression, in Go's words; undefined: nothing. */
export function patternFault(source: string): string | undefined {
  try {
    compilePattern(source);
    return undefined;
  } catch (problem) {
    if (problem instanceof PatternFault) return `error parsing regexp: ${problem.message}`;
    // The machine and JavaScript have limits of their own, on the size of what they take.
    if (problem instanceof RangeError || problem instanceof SyntaxError) {
      return `error parsing regexp: expression too large: \`${source}\``;
    }
    throw problem;
  }
}

/** Go's own limits. */
const MOST_DEPTH = 1000;
const MOST_REPEATS = 1000;

interface Flags {
  readonly isFolded: boolean;
  readonly isMultiline: boolean;
  readonly doesDotMatchAll: boolean;
  readonly isLazy: boolean;
}

/** One atom with its quantifier. */
interface Atom {
  readonly text: string;
  readonly node: PatternNode;
  /** How often it may be repeated, with what it holds. */
  readonly repeats: number;
}

interface Group {
  readonly flags: Flags;
  readonly alternatives: Atom[][];
}

class Translation {
  readonly #source: string;
  readonly #groups: Group[] = [];
  #alternatives: Atom[][] = [[]];
  #flags: Flags = { isFolded: false, isMultiline: false, doesDotMatchAll: false, isLazy: false };
  #at = 0;
  /** Where the quantifier stands that was read last, if nothing came after it. */
  #lastRepeat = -1;
  /** How many ways there are for a search to go astray: a repeat counts one, a repeat of a repeat is beyond all. */
  #astray = 0;

  constructor(source: string) {
    this.#source = source;
  }

  /** The whole as JavaScript writes it, as a tree, and how many repeats it has that can go astray. */
  whole(): { text: string; node: PatternNode; repeats: number } {
    while (this.#at < this.#source.length) {
      const from = this.#at;
      const isRepeat = this.#step(this.#source[from] as string);
      this.#lastRepeat = isRepeat ? from : -1;
    }
    if (this.#groups.length > 0) throw new PatternFault("missing closing )", this.#source);
    return { text: joined(this.#alternatives), node: choice(this.#alternatives), repeats: this.#astray };
  }

  /** Reads what stands here; says whether it was a quantifier. */
  #step(letter: string): boolean {
    switch (letter) {
      case "(":
        this.#open();
        return false;
      case ")":
        this.#close();
        return false;
      case "|":
        this.#at++;
        this.#alternatives.push([]);
        return false;
      case "^":
        this.#at++;
        this.#anchor(this.#flags.isMultiline ? LINE_START : TEXT_START);
        return false;
      case "$":
        this.#at++;
        this.#anchor(this.#flags.isMultiline ? LINE_END : TEXT_END);
        return false;
      case ".":
        this.#at++;
        this.#push(this.#flags.doesDotMatchAll ? "[^]" : "[^\\n]");
        return false;
      case "[":
        this.#piece(classAt(this.#source, this.#at));
        return false;
      case "*":
      case "+":
      case "?":
        this.#at++;
        this.#repeat(letter, this.#at - 1, letter === "+" ? 1 : 0, letter === "?" ? 1 : -1);
        return true;
      case "{":
        return this.#counted();
      case "\\":
        this.#escape();
        return false;
      default: {
        const character = String.fromCodePoint(this.#source.codePointAt(this.#at) ?? 0);
        this.#at += character.length;
        this.#push(this.#folded(quoted(character)));
        return false;
      }
    }
  }

  /** A pattern of one character. */
  #push(text: string): void {
    const node: PatternNode = { kind: "set", matches: new RegExp(`^(?:${text})$`, "u") };
    this.#alternatives.at(-1)?.push({ text, node, repeats: 1 });
  }

  #anchor({ text, holds }: Anchor): void {
    this.#alternatives.at(-1)?.push({ text, node: { kind: "anchor", holds }, repeats: 1 });
  }

  #piece(piece: Piece): void {
    this.#at = piece.end;
    this.#push(this.#folded(piece.text));
  }

  #folded(text: string): string {
    return this.#flags.isFolded ? `(?i:${text})` : text;
  }

  #escape(): void {
    const letter = this.#source[this.#at + 1];
    const anchor = letter === undefined ? undefined : ANCHORS[letter];
    if (anchor !== undefined) {
      this.#at += 2;
      this.#anchor(anchor);
    } else if (letter === "C") throw new PatternFault("invalid escape sequence", "\\C");
    else if (letter === "Q") {
      const end = this.#source.indexOf("\\E", this.#at + 2);
      const literal = this.#source.slice(this.#at + 2, end < 0 ? undefined : end);
      this.#at = end < 0 ? this.#source.length : end + 2;
      for (const character of literal) this.#push(this.#folded(quoted(character)));
    } else this.#piece(unicodeClass(this.#source, this.#at) ?? escapeAt(this.#source, this.#at));
  }

  #open(): void {
    if (this.#groups.length >= MOST_DEPTH) throw new PatternFault("expression nests too deeply", this.#source);
    const group = { flags: this.#flags, alternatives: this.#alternatives };
    if (this.#source[this.#at + 1] !== "?") this.#at++;
    else if (!this.#flagsOrName()) return;
    this.#groups.push(group);
    this.#alternatives = [[]];
  }

  /** Reads `(?P<name>`, `(?<name>`, `(?i:` or `(?i)`; false for the last, which opens no group. */
  #flagsOrName(): boolean {
    const rest = this.#source.slice(this.#at);
    if ((rest.startsWith("(?P<") && rest.length > 4) || (rest.startsWith("(?<") && rest.length > 3)) {
      const end = rest.indexOf(">");
      const name = rest.slice(rest.indexOf("<") + 1, Math.max(end, 0));
      if (end < 0) throw new PatternFault("invalid named capture", rest);
      if (!/^[A-Za-z0-9_]+$/.test(name)) throw new PatternFault("invalid named capture", rest.slice(0, end + 1));
      this.#at += end + 1;
      return true;
    }
    const found = /^\(\?([imsU]*)(?:-([imsU]+))?([:)])/.exec(rest);
    if (found === null) {
      const wrong = /^\(\?[imsU]*(?:-[imsU]*)?/.exec(rest)?.[0] ?? "(?";
      const next = rest.codePointAt(wrong.length);
      throw new PatternFault(
        "invalid or unsupported Perl syntax",
        wrong + (next === undefined ? "" : String.fromCodePoint(next)),
      );
    }
    const [all, on = "", off = "", end] = found;
    const flag = (letter: string, before: boolean): boolean => !off.includes(letter) && (on.includes(letter) || before);
    this.#at += all.length;
    const before = this.#flags;
    const flags = {
      isFolded: flag("i", before.isFolded),
      isMultiline: flag("m", before.isMultiline),
      doesDotMatchAll: flag("s", before.doesDotMatchAll),
      isLazy: flag("U", before.isLazy),
    };
    this.#flags = flags;
    return end === ":";
  }

  #close(): void {
    const group = this.#groups.pop();
    if (group === undefined) throw new PatternFault("unexpected )", this.#source);
    this.#at++;
    const text = `(?:${joined(this.#alternatives)})`;
    const node = choice(this.#alternatives);
    const repeats = Math.max(
      1,
      ...this.#alternatives.map((atoms) => Math.max(1, ...atoms.map((each) => each.repeats))),
    );
    this.#alternatives = group.alternatives;
    this.#flags = group.flags;
    this.#alternatives.at(-1)?.push({ text, node, repeats });
  }

  /** `{2}`, `{2,}`, `{2,5}`; anything else is a brace. */
  #counted(): boolean {
    const found = /^\{(0|[1-9]\d*)(?:(,)(0|[1-9]\d*)?)?\}/.exec(this.#source.slice(this.#at));
    const from = this.#at;
    if (found === null) {
      this.#at++;
      this.#push("\\{");
      return false;
    }
    const [text, least = "", comma, most] = found;
    const min = Number(least);
    const max = comma === undefined ? min : most === undefined ? -1 : Number(most);
    if (min > MOST_REPEATS || max > MOST_REPEATS || (max >= 0 && min > max)) {
      throw new PatternFault("invalid repeat count", text);
    }
    this.#at += text.length;
    this.#repeat(text, from, min, max);
    return true;
  }

  #repeat(quantifier: string, from: number, min: number, max: number): void {
    const isTurned = this.#source[this.#at] === "?";
    if (isTurned) this.#at++;
    if (this.#lastRepeat >= 0) {
      throw new PatternFault("invalid nested repetition operator", this.#source.slice(this.#lastRepeat, this.#at));
    }
    const text = this.#source.slice(from, this.#at);
    const atoms = this.#alternatives.at(-1);
    const atom = atoms?.pop();
    if (atom === undefined) throw new PatternFault("missing argument to repetition operator", text);
    const times = max < 0 ? min : max;
    const repeats = atom.repeats * Math.max(1, times);
    if (quantifier.startsWith("{") && times >= 2 && repeats > MOST_REPEATS)
      throw new PatternFault("invalid repeat count", text);
    const lazy = isTurned === this.#flags.isLazy ? "" : "?";
    if (min !== max) this.#astray += atom.node.kind === "set" || atom.node.kind === "anchor" ? 1 : ASTRAY;
    const node: PatternNode = { kind: "repeat", part: atom.node, min, max };
    atoms?.push({ text: `(?:${atom.text})${quantifier}${lazy}`, node, repeats });
  }
}

const joined = (alternatives: readonly (readonly Atom[])[]): string =>
  alternatives.map((atoms) => atoms.map((each) => each.text).join("")).join("|");

/** A character for itself. */
const quoted = (character: string): string => (/[\\^$.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character);

const choice = (alternatives: readonly (readonly Atom[])[]): PatternNode => {
  const parts = alternatives.map((atoms): PatternNode => ({ kind: "sequence", parts: atoms.map((each) => each.node) }));
  return parts.length === 1 ? (parts[0] as PatternNode) : { kind: "choice", parts };
};

/** What a repeat of more than one character counts for: enough to be left to the machine. */
const ASTRAY = 10;

interface Anchor {
  readonly text: string;
  readonly holds: (before: number | undefined, after: number | undefined) => boolean;
}
const NEW_LINE = 10;
const isWord = (code: number | undefined): boolean => code !== undefined && /^\w$/.test(String.fromCodePoint(code));
const TEXT_START: Anchor = { text: "(?:^)", holds: (before) => before === undefined };
const TEXT_END: Anchor = { text: "(?:$)", holds: (_, after) => after === undefined };
const LINE_START: Anchor = {
  text: "(?:^|(?<=\\n))",
  holds: (before) => before === undefined || before === NEW_LINE,
};
const LINE_END: Anchor = { text: "(?:$|(?=\\n))", holds: (_, after) => after === undefined || after === NEW_LINE };
const ANCHORS: Readonly<Record<string, Anchor>> = {
  A: TEXT_START,
  z: TEXT_END,
  b: { text: "(?:\\b)", holds: (before, after) => isWord(before) !== isWord(after) },
  B: { text: "(?:\\B)", holds: (before, after) => isWord(before) === isWord(after) },
};
