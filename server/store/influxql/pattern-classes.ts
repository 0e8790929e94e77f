/** What is wrong with a regular expression, as Go says it: a reason and the part that is wrong. */
export class PatternFault extends Error {
  constructor(reason: string, part: string) {
    super(`${reason}: \`${part}\``);
  }
}

/** A piece of a pattern in JavaScript's syntax, and where it ended in Go's. */
export interface Piece {
  readonly text: string;
  readonly end: number;
}

type Ranges = readonly (readonly [from: number, to: number])[];

/** Go's own: letters, digits and spaces of ASCII alone. */
const PERL: Readonly<Record<string, Ranges>> = {
  d: [[0x30, 0x39]],
  s: [
    [0x09, 0x0a],
    [0x0c, 0x0d],
    [0x20, 0x20],
  ],
  w: [
    [0x30, 0x39],
    [0x41, 0x5a],
    [0x5f, 0x5f],
    [0x61, 0x7a],
  ],
};

const POSIX: Readonly<Record<string, Ranges>> = {
  alnum: [
    [0x30, 0x39],
    [0x41, 0x5a],
    [0x61, 0x7a],
  ],
  alpha: [
    [0x41, 0x5a],
    [0x61, 0x7a],
  ],
  ascii: [[0, 0x7f]],
  blank: [
    [0x09, 0x09],
    [0x20, 0x20],
  ],
  cntrl: [
    [0, 0x1f],
    [0x7f, 0x7f],
  ],
  digit: [[0x30, 0x39]],
  graph: [[0x21, 0x7e]],
  lower: [[0x61, 0x7a]],
  print: [[0x20, 0x7e]],
  punct: [
    [0x21, 0x2f],
    [0x3a, 0x40],
    [0x5b, 0x60],
    [0x7b, 0x7e],
  ],
  space: [
    [0x09, 0x0d],
    [0x20, 0x20],
  ],
  upper: [[0x41, 0x5a]],
  word: [
    [0x30, 0x39],
    [0x41, 0x5a],
    [0x5f, 0x5f],
    [0x61, 0x7a],
  ],
  xdigit: [
    [0x30, 0x39],
    [0x41, 0x46],
    [0x61, 0x66],
  ],
};

const LAST = 0x10_ffff;

function inverted(ranges: Ranges): Ranges {
  const others: [number, number][] = [];
  let next = 0;
  for (const [from, to] of ranges) {
    if (from > next) others.push([next, from - 1]);
    next = to + 1;
  }
  if (next <= LAST) others.push([next, LAST]);
  return others;
}

const point = (code: number): string => `\\u{${code.toString(16)}}`;
const written = (ranges: Ranges): string => ranges.map(([from, to]) => `${point(from)}-${point(to)}`).join("");

/** `\d`, `\S` and their like: as ranges to stand in a class. */
function perlClass(source: string, at: number): Piece | undefined {
  const letter = source[at + 1] ?? "";
  const ranges = source[at] === "\\" ? PERL[letter.toLowerCase()] : undefined;
  if (ranges === undefined) return undefined;
  return { text: written(letter === letter.toLowerCase() ? ranges : inverted(ranges)), end: at + 2 };
}

/** `\pL`, `\p{Greek}`, `\P{^Lu}`: undefined where none stands. */
export function unicodeClass(source: string, at: number): Piece | undefined {
  const letter = source[at + 1];
  if (source[at] !== "\\" || (letter !== "p" && letter !== "P") || at + 2 >= source.length) return undefined;
  let end = at + 3;
  let name = String.fromCodePoint(source.codePointAt(at + 2) ?? 0);
  end = at + 2 + name.length;
  if (name === "{") {
    const brace = source.indexOf("}", at);
    if (brace < 0) throw new PatternFault("invalid character class range", source.slice(at));
    end = brace + 1;
    name = source.slice(at + 3, brace);
  }
  let isInverted = letter === "P";
  if (name.startsWith("^")) {
    isInverted = !isInverted;
    name = name.slice(1);
  }
  if (name === "Any") return { text: isInverted ? "[^\\u{0}-\\u{10ffff}]" : "[\\u{0}-\\u{10ffff}]", end };
  for (const property of [name, `Script=${name}`]) {
    if (!/^(?:[A-Z][a-z]?|Script=[A-Z][A-Za-z_]+)$/.test(property)) continue;
    try {
      const text = `\\${isInverted ? "P" : "p"}{${property}}`;
      return { text: new RegExp(text, "u").source, end };
    } catch {
      // Not this kind of property.
    }
  }
  throw new PatternFault("invalid character class range", source.slice(at, end));
}

/** An escape outside of a class. */
export function escapeAt(source: string, at: number): Piece {
  const perl = perlClass(source, at);
  if (perl !== undefined) return { text: `[${perl.text}]`, end: perl.end };
  const { code, end } = escapedCharacter(source, at);
  return { text: point(code), end };
}

const CONTROL: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

function escapedCharacter(source: string, at: number): { code: number; end: number } {
  const code = source.codePointAt(at + 1);
  if (code === undefined) throw new PatternFault("trailing backslash at end of expression", "");
  const letter = String.fromCodePoint(code);
  const rest = source.slice(at + 1);
  const octal = /^(?:0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(rest)?.[0];
  if (octal !== undefined) return { code: Number.parseInt(octal, 8), end: at + 1 + octal.length };
  if (letter === "x") return hexadecimal(source, at);
  const control = CONTROL[letter];
  if (control !== undefined) return { code: control, end: at + 2 };
  if (code < 0x80 && !/[A-Za-z0-9]/.test(letter)) return { code, end: at + 2 };
  throw new PatternFault("invalid escape sequence", `\\${letter}`);
}

function hexadecimal(source: string, at: number): { code: number; end: number } {
  const found = /^\\x(?:\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{2}))/.exec(source.slice(at));
  const code = Number.parseInt(found?.[1] ?? found?.[2] ?? "", 16);
  if (found === null || code > LAST) {
    // Go stops at the first character that does not belong.
    const part = /^\\x(?:\{[0-9A-Fa-f]*|[0-9A-Fa-f]?)[^]?/u.exec(source.slice(at))?.[0] ?? "\\x";
    throw new PatternFault("invalid escape sequence", part);
  }
  return { code, end: at + found[0].length };
}

/** `[…]` from its opening bracket. */
export function classAt(source: string, start: number): Piece {
  let at = start + 1;
  const isInverted = source[at] === "^";
  if (isInverted) at++;
  let text = "";
  for (let isFirst = true; source[at] !== "]" || isFirst; isFirst = false) {
    if (at >= source.length) throw new PatternFault("missing closing ]", source.slice(start));
    const named = posixClass(source, at) ?? unicodeClass(source, at) ?? perlClass(source, at);
    if (named !== undefined) {
      text += named.text.replace(/^\[(?!\^)(.*)\]$/, "$1");
      at = named.end;
      continue;
    }
    const from = at;
    const low = classCharacter(source, at, start);
    at = low.end;
    let high = low.code;
    if (source[at] === "-" && at + 1 < source.length && source[at + 1] !== "]") {
      const last = classCharacter(source, at + 1, start);
      at = last.end;
      high = last.code;
      if (high < low.code) throw new PatternFault("invalid character class range", source.slice(from, at));
    }
    text += `${point(low.code)}-${point(high)}`;
  }
  return { text: `[${isInverted ? "^" : ""}${text}]`, end: at + 1 };
}

function classCharacter(source: string, at: number, start: number): { code: number; end: number } {
  const code = source.codePointAt(at);
  if (code === undefined) throw new PatternFault("missing closing ]", source.slice(start));
  if (code === 0x5c) return escapedCharacter(source, at);
  return { code, end: at + (code > 0xffff ? 2 : 1) };
}

function posixClass(source: string, at: number): Piece | undefined {
  if (!source.startsWith("[:", at)) return undefined;
  const close = source.indexOf(":]", at + 2);
  if (close < 0) return undefined;
  const name = source.slice(at + 2, close);
  const ranges = POSIX[name.replace(/^\^/, "")];
  if (ranges === undefined) throw new PatternFault("invalid character class range", source.slice(at, close + 2));
  return { text: written(name.startsWith("^") ? inverted(ranges) : ranges), end: close + 2 };
}
