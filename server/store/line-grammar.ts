import type { FieldValue } from "./influxql/engine.ts";

/**
 * Reads one line of line protocol by the letter, as InfluxDB 1.8 does, for all that is not plain: escapes, quotes, odd
 * spaces, tags out of order, and every mistake, named in InfluxDB's words. Lines are taken as latin-1 strings, one character
 * a byte, and names and texts are decoded at the end.
 */
export interface CarefulLine {
  readonly measurement: string;
  readonly tags: readonly (readonly [key: string, value: string])[];
  readonly fields: readonly (readonly [key: string, value: FieldValue])[];
  /** In the unit of the body; undefined: none was written. */
  readonly time?: bigint;
  /** How many bytes the measurement and tags take. */
  readonly keyLength: number;
}

/** A line that is refused: `message` is InfluxDB's reason. */
export class LineError extends Error {}

/** The largest name of a series, its field included, in bytes: InfluxDB's limit. */
const MOST_KEY_BYTES = 65_535;
/** What stands between a series and its field in InfluxDB's files. */
const KEY_SEPARATOR_BYTES = 4;

/** The end of the line that begins at `from`: a line feed outside of quotes, or the end of the body. */
export function endOfLine(body: Uint8Array, from: number): number {
  let isQuoted = false;
  let isFields = false;
  let equals = 0;
  let commas = 0;
  let index = from;
  while (index < body.length) {
    const byte = body[index];
    if (byte === 0x5c && index + 2 < body.length) {
      index += 2;
      continue;
    }
    if (byte === 0x20) isFields = true;
    if (isFields) {
      if (!isQuoted && byte === 0x3d) equals++;
      else if (!isQuoted && byte === 0x2c) commas++;
      else if (byte === 0x22 && equals > commas) isQuoted = !isQuoted;
    }
    if (byte === 0x0a && !isQuoted) break;
    index++;
  }
  return index;
}

/** Reads one line. Raises LineError. */
export function carefulLine(line: string): CarefulLine {
  const start = skipSpace(line, 0);
  const { end, parts } = keyOf(line, start);
  const keyLength = end - start;
  if (keyLength > MOST_KEY_BYTES) throw new LineError(`max key length exceeded: ${keyLength} > ${MOST_KEY_BYTES}`);
  const fieldStart = skipSpace(line, end);
  const fieldEnd = endOfFields(line, fieldStart);
  if (fieldEnd === fieldStart) throw new LineError("missing fields");
  const fields = fieldsOf(line.slice(fieldStart, fieldEnd), keyLength);
  const time = timeOf(line, fieldEnd);
  return {
    measurement: decoded(parts.measurement.replaceAll(/\\([," =])/g, "$1")),
    tags: parts.tags.map(([key, value]) => [decoded(key), decoded(value)] as const),
    fields,
    ...(time !== undefined && { time }),
    keyLength,
  };
}

const unescaped = (text: string): string => text.replaceAll(/\\([, =])/g, "$1");
const decoded = (text: string): string => (isPlain(text) ? text : Buffer.from(text, "latin1").toString("utf8"));

function isPlain(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x7e) return false;
  return true;
}

export function skipSpace(line: string, from: number): number {
  let index = from;
  while (line[index] === " " || line[index] === "\t" || line[index] === "\0") index++;
  return index;
}

interface Key {
  readonly measurement: string;
  readonly tags: [key: string, value: string][];
}

function keyOf(line: string, start: number): { end: number; parts: Key } {
  let index = start;
  if (index >= line.length || line[index] === ",") throw new LineError("missing measurement");
  do index++;
  while (index < line.length && (line[index - 1] === "\\" || (line[index] !== "," && line[index] !== " ")));
  if (index >= line.length) throw new LineError("missing fields");
  const measurement = line.slice(start, index);
  const tags: [string, string][] = [];
  while (line[index] === ",") {
    const keyStart = index + 1;
    const equals = endOfTagKey(line, keyStart);
    index = endOfTagValue(line, equals + 1);
    tags.push([unescaped(line.slice(keyStart, equals)), unescaped(line.slice(equals + 1, index))]);
  }
  // Bytes in their order, as latin-1 strings compare.
  tags.sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
  for (let each = 1; each < tags.length; each++) {
    if (tags[each]?.[0] === tags[each - 1]?.[0]) throw new LineError("duplicate tags");
  }
  return { end: index, parts: { measurement, tags } };
}

function endOfTagKey(line: string, start: number): number {
  let index = start;
  if (index >= line.length || " ,=".includes(line[index] ?? "")) throw new LineError("missing tag key");
  for (;;) {
    index++;
    const isEscaped = line[index - 1] === "\\";
    if (index >= line.length || ((line[index] === " " || line[index] === ",") && !isEscaped)) {
      throw new LineError("missing tag value");
    }
    if (line[index] === "=" && !isEscaped) return index;
  }
}

function endOfTagValue(line: string, start: number): number {
  let index = start;
  if (index >= line.length || line[index] === "," || line[index] === " ") throw new LineError("missing tag value");
  for (;;) {
    index++;
    if (index >= line.length) throw new LineError("missing fields");
    if (line[index - 1] === "\\") continue;
    if (line[index] === "=") throw new LineError("invalid tag format");
    if (line[index] === "," || line[index] === " ") return index;
  }
}

function endOfFields(line: string, start: number): number {
  let isQuoted = false;
  let equals = 0;
  let commas = 0;
  let index = start;
  while (index < line.length) {
    const letter = line[index];
    if (letter === "\\" && index + 1 < line.length) {
      index += 2;
      continue;
    }
    if (letter === '"' && equals > commas) {
      isQuoted = !isQuoted;
      index++;
      continue;
    }
    if (letter === "=" && !isQuoted) {
      equals++;
      const before = line[index - 1];
      if ((before === " " || before === ",") && line[index - 2] !== "\\") throw new LineError("missing field key");
      const next = line[index + 1];
      if (next === undefined || next === "," || next === " ") throw new LineError("missing field value");
      if (/[0-9.\-Nn]/.test(next)) {
        index = endOfNumber(line, index + 1);
        continue;
      }
      if (next !== '"') {
        index = endOfBoolean(line, index + 1);
        continue;
      }
    }
    if (letter === "," && !isQuoted) commas++;
    if (letter === " " && !isQuoted) break;
    index++;
  }
  if (isQuoted) throw new LineError("unbalanced quotes");
  if (equals === 0 || commas !== equals - 1) throw new LineError("invalid field format");
  return index;
}

function endOfWord(line: string, start: number): number {
  let index = start;
  while (index < line.length && line[index] !== "," && line[index] !== " ") index++;
  return index;
}

const LARGEST_INTEGER = 2n ** 63n - 1n;

function endOfNumber(line: string, start: number): number {
  const end = endOfWord(line, start);
  const text = line.slice(start, end);
  if (/^-?\d+i$/.test(text)) {
    const digits = text.slice(0, -1);
    const value = BigInt(digits);
    if (value > LARGEST_INTEGER || value < -LARGEST_INTEGER - 1n) {
      const reason = `strconv.ParseInt: parsing "${digits}": value out of range`;
      throw new LineError(`unable to parse integer ${digits}: ${reason}`);
    }
    return end;
  }
  // Of an exponent InfluxDB checks the letters first, and only then whether they are a number.
  const isWritten = /^-?(?:[\d.]|(?<=.)[eE][+-]?)+$/.test(text) && (text.match(/\./g) ?? []).length < 2;
  if (!isWritten || !/[\deE]/.test(text)) throw new LineError("invalid number");
  const isNumber = /^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text);
  if (!isNumber || !Number.isFinite(Number(text))) throw new LineError("invalid float");
  return end;
}

const BOOLEANS = new Map([
  ...["t", "T", "true", "TRUE", "True"].map((text) => [text, true] as const),
  ...["f", "F", "false", "FALSE", "False"].map((text) => [text, false] as const),
]);

function endOfBoolean(line: string, start: number): number {
  const end = endOfWord(line, start);
  if (!BOOLEANS.has(line.slice(start, end))) throw new LineError("invalid boolean");
  return end;
}

function fieldsOf(text: string, keyLength: number): (readonly [string, FieldValue])[] {
  const fields: (readonly [string, FieldValue])[] = [];
  let index = 0;
  while (index < text.length) {
    const keyStart = index;
    while (index < text.length && !(text[index] === "=" && (index === keyStart || text[index - 1] !== "\\"))) index++;
    const key = text.slice(keyStart, index);
    if (index > text.length - 2) throw new LineError(`invalid value: field-key=${key}`);
    const end = endOfValue(text, index + 1);
    const length = keyLength + KEY_SEPARATOR_BYTES + key.length;
    if (length > MOST_KEY_BYTES) throw new LineError(`max key length exceeded: ${length} > ${MOST_KEY_BYTES}`);
    fields.push([decoded(key.replaceAll(/\\([," =])/g, "$1")), valueOf(text.slice(index + 1, end))]);
    index = end + 1;
  }
  return fields;
}

function endOfValue(text: string, start: number): number {
  let isQuoted = false;
  let index = start;
  while (index < text.length) {
    const letter = text[index];
    if (letter === "\\" && (text[index + 1] === '"' || text[index + 1] === "\\")) {
      index += 2;
      continue;
    }
    if (letter === '"') isQuoted = !isQuoted;
    else if (letter === "," && !isQuoted) break;
    index++;
  }
  return Math.min(index, text.length);
}

function valueOf(text: string): FieldValue {
  if (text.startsWith('"')) return decoded(text.slice(1, -1).replaceAll(/\\(["\\])/g, "$1"));
  if (!/^[-0-9.]/.test(text)) return BOOLEANS.get(text) ?? false;
  return text.endsWith("i") ? BigInt(text.slice(0, -1)) : Number(text);
}

function timeOf(line: string, from: number): bigint | undefined {
  const start = skipSpace(line, from);
  let index = start;
  while (index < line.length && line[index] !== " " && line[index] !== "\n") {
    const isSign = index === start && line[index] === "-";
    if (!isSign && !/[0-9]/.test(line[index] ?? "")) throw new LineError("bad timestamp");
    index++;
  }
  const text = line.slice(start, index);
  if (text === "") return undefined;
  if (text === "-") throw new LineError('strconv.ParseInt: parsing "-": invalid syntax');
  const time = BigInt(text);
  if (time > LARGEST_INTEGER || time < -LARGEST_INTEGER - 1n) {
    throw new LineError(`strconv.ParseInt: parsing "${text}": value out of range`);
  }
  for (; index < line.length; index++) if (line[index] !== " ") throw new LineError("point is invalid");
  return time;
}
