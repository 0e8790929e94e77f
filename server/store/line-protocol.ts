import type { FieldValue, Point } from "./influxql/engine.ts";
import { carefulLine, endOfLine, LineError, skipSpace } from "./line-grammar.ts";
import { FNV_START, FNV_STEP, type LineSeries, SeriesTable, type Spelling } from "./line-series.ts";

/** The unit of the times in a body, as InfluxDB's addresses name it. */
export type Precision = "n" | "u" | "ms" | "s" | "m" | "h";

const UNIT_NS: Readonly<Record<Precision, bigint>> = {
  n: 1n,
  u: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** What a value is, in `Columns.types`. */
export const VALUE_TYPES = ["float", "integer", "string", "boolean"] as const;
const FLOAT = 0;
const INTEGER = 1;
const STRING = 2;
const BOOLEAN = 3;

/** The values of a body as columns: one row a value, in the order of the text. */
export class Columns {
  /** How many rows. */
  length = 0;
  /** How many points, that is good lines. */
  points = 0;
  /** Index into the slots of the SeriesTable: which field of which series. */
  slots = new Int32Array(4096);
  /** Index into VALUE_TYPES. */
  types = new Uint8Array(4096);
  /** The value of a float; 0 or 1 of a boolean; index into `strings` of a string; of an integer what a double holds of it. */
  numbers = new Float64Array(4096);
  /** The value of an integer. */
  integers = new BigInt64Array(4096);
  /** Nanoseconds since 1970. */
  times = new BigInt64Array(4096);
  /** Which point, counted from 0, the value belongs to. */
  pointOf = new Int32Array(4096);
  strings: string[] = [];
  /** `unable to parse 'LINE': reason` for each bad line. */
  errors: string[] = [];

  /** The value of a row. */
  value(row: number): FieldValue {
    const number = this.numbers[row] ?? 0;
    switch (this.types[row]) {
      case INTEGER:
        return this.integers[row] ?? 0n;
      case STRING:
        return this.strings[number] ?? "";
      case BOOLEAN:
        return number === 1;
      case undefined:
      default:
        return number;
    }
  }

  clear(): void {
    this.length = 0;
    this.points = 0;
    this.strings = [];
    this.errors = [];
  }

  /** Doubles the room. */
  grow(): void {
    const room = this.types.length * 2;
    this.slots = larger(this.slots, new Int32Array(room));
    this.types = larger(this.types, new Uint8Array(room));
    this.numbers = larger(this.numbers, new Float64Array(room));
    this.integers = larger(this.integers, new BigInt64Array(room));
    this.times = larger(this.times, new BigInt64Array(room));
    this.pointOf = larger(this.pointOf, new Int32Array(room));
  }
}

function larger<Column extends { set(from: Column): void }>(from: Column, to: Column): Column {
  to.set(from);
  return to;
}

/**
 * Reads bodies of line protocol. Lines of series and fields that are known go byte by byte into columns, with nothing made
 * on the way; all others, and all that is not plain, go through `carefulLine`. The columns are the reader's own: they hold
 * until the next `read`.
 */
export class LineReader {
  readonly table: SeriesTable;
  readonly columns = new Columns();
  #defaultTime_ns = 0n;
  #unit_ns = 1n;
  /** Where the line stands that the fast reader is in. */
  #at = 0;

  constructor(table: SeriesTable = new SeriesTable()) {
    this.table = table;
  }

  /**
   * Reads a body. `default_ns` is the time of lines that say none, cut to the precision. Good lines are kept where others
   * are bad: see `errors` of the columns.
   */
  read(body: Uint8Array, precision: Precision, default_ns: bigint): Columns {
    const unit_ns = UNIT_NS[precision];
    this.#unit_ns = unit_ns;
    this.#defaultTime_ns = default_ns - (((default_ns % unit_ns) + unit_ns) % unit_ns);
    this.columns.clear();
    this.#at = 0;
    while (this.#at < body.length) {
      if (!this.#plainLine(body, precision)) this.#carefulLine(body);
    }
    return this.columns;
  }

  /** Reads a line of a known series, known fields and plain values; false leaves all as it was. */
  #plainLine(body: Uint8Array, precision: Precision): boolean {
    const columns = this.columns;
    const from = this.#at;
    let at = from;
    let hash = FNV_START;
    let byte = body[at];
    while (byte !== 0x20) {
      if (byte === undefined || byte === 0x5c || byte === 0x0a) return false;
      hash = Math.imul(hash ^ byte, FNV_STEP);
      byte = body[++at];
    }
    const spelling = this.table.find(body, from, at, hash);
    if (spelling === undefined) return false;
    let row = columns.length;
    for (let position = 0; ; position++) {
      at++;
      const field = fieldAt(spelling, position, body, at);
      if (field < 0) return false;
      at += (spelling.names[field] as Uint8Array).length + 1;
      if (row >= columns.types.length) columns.grow();
      at = this.#plainValue(body, at, row);
      if (at < 0) return false;
      columns.slots[row] = spelling.slots[field] as number;
      columns.pointOf[row] = columns.points;
      row++;
      byte = body[at];
      if (byte === 0x2c) continue;
      break;
    }
    const rows = row - columns.length;
    if (byte === 0x20) {
      at = plainTime(body, at + 1, precision, TIME);
      if (at < 0) return false;
      const words = new Int32Array(columns.times.buffer, columns.length * 8, rows * 2);
      for (let word = 0; word < rows * 2; word += 2) {
        words[word] = TIME[0] as number;
        words[word + 1] = TIME[1] as number;
      }
    } else columns.times.fill(this.#defaultTime_ns, columns.length, row);
    columns.length = row;
    columns.points++;
    this.#at = at + 1;
    return true;
  }

  /** Reads a number, boolean or plain text into a row; gives where it ends, or -1. */
  #plainValue(body: Uint8Array, from: number, row: number): number {
    const columns = this.columns;
    const first = body[from];
    let at = from;
    if (first === 0x22) {
      do at++;
      while (body[at] !== 0x22 && body[at] !== 0x5c && body[at] !== undefined);
      if (body[at] !== 0x22 || !isValueEnd(body[at + 1])) return -1;
      columns.types[row] = STRING;
      columns.numbers[row] = columns.strings.length;
      columns.strings.push(utf8(body, from + 1, at));
      return at + 1;
    }
    const isNegative = first === 0x2d;
    if (isNegative) at++;
    let mantissa = 0;
    let digits = 0;
    let point = -1;
    let byte = body[at];
    for (; ; byte = body[++at]) {
      if (byte !== undefined && byte >= 0x30 && byte <= 0x39) {
        mantissa = mantissa * 10 + (byte - 0x30);
        digits++;
      } else if (byte === 0x2e && point < 0) point = digits;
      else break;
    }
    if (digits === 0) return this.#plainBoolean(body, from, row);
    if (byte === 0x69) {
      if (point >= 0 || digits > EXACT_DIGITS || !isValueEnd(body[at + 1])) return -1;
      columns.types[row] = INTEGER;
      columns.numbers[row] = isNegative ? -mantissa : mantissa;
      columns.integers[row] = BigInt(isNegative ? -mantissa : mantissa);
      return at + 1;
    }
    if (!isValueEnd(byte)) return -1;
    columns.types[row] = FLOAT;
    if (digits > EXACT_DIGITS) columns.numbers[row] = Number(latin1(body, from, at));
    else {
      // Both are exact as doubles, so that their quotient is the nearest double to the text (Clinger 1990).
      const value = point < 0 ? mantissa : mantissa / (TENS[digits - point] as number);
      columns.numbers[row] = isNegative ? -value : value;
    }
    return at;
  }

  #plainBoolean(body: Uint8Array, from: number, row: number): number {
    const first = body[from];
    const isTrue = first === 0x74 || first === 0x54;
    if ((!isTrue && first !== 0x66 && first !== 0x46) || !isValueEnd(body[from + 1])) return -1;
    this.columns.types[row] = BOOLEAN;
    this.columns.numbers[row] = isTrue ? 1 : 0;
    return from + 1;
  }

  #carefulLine(body: Uint8Array): void {
    const from = this.#at;
    const end = endOfLine(body, from);
    this.#at = end + 1;
    // A line that ends in an open quote holds the line feed that ends the body.
    const line = latin1(body, from, body[end - 1] === 0x0a && end > from ? end - 1 : end);
    const start = skipSpace(line, 0);
    if (start >= line.length || line[start] === "#") return;
    try {
      const found = carefulLine(line.slice(start));
      const time_ns = found.time === undefined ? this.#defaultTime_ns : timeIn(found.time, this.#unit_ns);
      const series = this.table.seriesOf(found.measurement, found.tags);
      const isPlain = start === 0 && !line.slice(0, found.keyLength).includes("\\");
      const spelling = isPlain ? this.table.learn(body, from, from + found.keyLength, series) : undefined;
      for (const [field, value] of found.fields) this.#push(series, field, value, time_ns, spelling);
      this.columns.points++;
    } catch (problem) {
      if (!(problem instanceof LineError)) throw problem;
      this.columns.errors.push(`unable to parse '${utf8(body, from + start, from + line.length)}': ${problem.message}`);
    }
  }

  #push(series: LineSeries, field: string, value: FieldValue, time_ns: bigint, spelling: Spelling | undefined): void {
    const columns = this.columns;
    if (columns.length >= columns.types.length) columns.grow();
    const row = columns.length++;
    const slot = this.table.slotOf(series, field);
    if (spelling !== undefined) this.table.learnField(spelling, field, slot);
    columns.slots[row] = slot;
    columns.times[row] = time_ns;
    columns.pointOf[row] = columns.points;
    if (typeof value === "string") {
      columns.types[row] = STRING;
      columns.numbers[row] = columns.strings.length;
      columns.strings.push(value);
    } else {
      columns.types[row] = typeof value === "bigint" ? INTEGER : typeof value === "boolean" ? BOOLEAN : FLOAT;
      columns.numbers[row] = Number(value);
      if (typeof value === "bigint") columns.integers[row] = value;
    }
  }
}

const EXACT_DIGITS = 15;
const TENS = Array.from({ length: EXACT_DIGITS + 1 }, (_, index) => 10 ** index);
const isValueEnd = (byte: number | undefined): boolean =>
  byte === 0x2c || byte === 0x20 || byte === 0x0a || byte === undefined;

/** Which of the spelling's fields stands at `at`, most likely the one at the same position as before; -1: none. */
function fieldAt(spelling: Spelling, position: number, body: Uint8Array, at: number): number {
  if (isField(spelling.names[position], body, at)) return position;
  return spelling.names.findIndex((name) => isField(name, body, at));
}

function isField(name: Uint8Array | undefined, body: Uint8Array, at: number): boolean {
  if (name === undefined || body[at + name.length] !== 0x3d) return false;
  for (let index = 0; index < name.length; index++) if (name[index] !== body[at + index]) return false;
  return true;
}

/** The two halves, low and high, of the time that was read last. */
const TIME = new Int32Array(2);
/** More seconds than this since 1970 do not fit 64 bits of nanoseconds. */
const MOST_SECONDS = 9_223_372_035;

/** Reads digits up to the end of the line into `halves`; gives where it ends, or -1. */
function plainTime(body: Uint8Array, from: number, precision: Precision, halves: Int32Array): number {
  let at = from;
  // Nine digits and ten are exact on their own: seconds and nanoseconds, if the unit is a nanosecond.
  let high = 0;
  let low = 0;
  let byte = body[at];
  for (; byte !== undefined && byte >= 0x30 && byte <= 0x39; byte = body[++at]) {
    const digit = byte - 0x30;
    if (at - from < 10) high = high * 10 + digit;
    else low = low * 10 + digit;
  }
  const digits = at - from;
  if ((byte !== 0x0a && byte !== undefined) || digits === 0 || digits > 19) return -1;
  let seconds = high;
  let rest_ns = low;
  if (precision !== "n" || digits < 19) {
    if (digits > 15) return -1;
    const value = digits <= 10 ? high : high * (TENS[digits - 10] as number) + low;
    const unit_s = SECONDS[precision];
    if (unit_s >= 1) {
      seconds = value * unit_s;
      rest_ns = 0;
    } else {
      const parts = Math.round(1 / unit_s);
      seconds = Math.floor(value / parts);
      rest_ns = (value - seconds * parts) * Math.round(1e9 / parts);
    }
  }
  if (seconds > MOST_SECONDS) return -1;
  // seconds × 10⁹ in two exact products of less than 2⁵³.
  const upper = Math.floor(seconds / 65_536) * 1e9;
  const lower = (seconds % 65_536) * 1e9 + (upper % 65_536) * 65_536 + rest_ns;
  halves[0] = (lower % 4_294_967_296) | 0;
  halves[1] = Math.floor(upper / 65_536) + Math.floor(lower / 4_294_967_296);
  return at;
}

const SECONDS: Readonly<Record<Precision, number>> = { n: 1e-9, u: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };

const FARTHEST_NS = 2n ** 63n - 2n;

function timeIn(time: bigint, unit_ns: bigint): bigint {
  const at_ns = time * unit_ns;
  if (at_ns > FARTHEST_NS || at_ns < -FARTHEST_NS) {
    throw new LineError(`time outside range ${-FARTHEST_NS} - ${FARTHEST_NS}`);
  }
  return at_ns;
}

const latin1 = (body: Uint8Array, from: number, to: number): string =>
  Buffer.from(body.buffer, body.byteOffset + from, to - from).toString("latin1");
const utf8 = (body: Uint8Array, from: number, to: number): string =>
  Buffer.from(body.buffer, body.byteOffset + from, to - from).toString("utf8");

/** Reads a body into points, one by one: for few lines. What LineReader says of times and bad lines holds here, too. */
export function parseLines(
  body: Uint8Array,
  precision: Precision,
  default_ns: bigint,
): { readonly points: Point[]; readonly errors: readonly string[] } {
  const reader = new LineReader();
  const columns = reader.read(body, precision, default_ns);
  const points: (Point & { fields: [string, FieldValue][] })[] = [];
  for (let row = 0; row < columns.length; row++) {
    const slot = reader.table.slots[columns.slots[row] ?? 0];
    if (slot === undefined) throw new Error("a value of no field");
    const { measurement, tags } = slot.series;
    const point = (points[columns.pointOf[row] ?? 0] ??= {
      measurement,
      tags,
      fields: [],
      at_ns: columns.times[row] ?? 0n,
    });
    point.fields.push([slot.field, columns.value(row)]);
  }
  return { points, errors: columns.errors };
}

/** A point as one line of line protocol, times in nanoseconds, without a line feed. Names may hold no line feed. */
export function lineOf(point: Point): string {
  const tags = point.tags
    .filter(([, value]) => value !== "")
    .map(([key, value]) => `,${key.replaceAll(/[, =]/g, "\\$&")}=${value.replaceAll(/[, =]/g, "\\$&")}`);
  const fields = point.fields.map(([key, value]) => `${key.replaceAll(/[," =]/g, "\\$&")}=${fieldText(value)}`);
  return `${point.measurement.replaceAll(/[, ]/g, "\\$&")}${tags.join("")} ${fields.join(",")} ${point.at_ns}`;
}

function fieldText(value: FieldValue): string {
  if (typeof value === "string") return `"${value.replaceAll(/["\\]/g, "\\$&")}"`;
  if (typeof value === "bigint") return `${value}i`;
  return Object.is(value, -0) ? "-0" : String(value);
}
