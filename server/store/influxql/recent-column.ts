import type { FieldValue } from "./engine.ts";

/** How values lie in a column; integers as floats, which they fit into up to 2⁵³. */
export type ColumnType = "float" | "integer" | "boolean" | "string";

const FIRST_ROOM = 16;
/** A column that grows by half is copied a few times a week. */
const GROWTH = 1.5;
const TEXT_BYTES = 32;
/** How far from where it is guessed a time is looked for first. */
const NEAR = 4;

/** The values of one field of one series, in the order of their times, each time once. */
export class RecentColumn {
  /** Milliseconds since 1970, the first `length` of them. */
  times: Float64Array<ArrayBuffer>;
  /** Numbers; of a series of texts, nothing. */
  numbers: Float64Array<ArrayBuffer>;
  readonly texts: string[] | undefined;
  readonly type: ColumnType;
  length = 0;
  bytes: number;
  #isSettled = true;

  /** `room`: for how many values at first. */
  constructor(type: ColumnType, room = FIRST_ROOM) {
    const isText = type === "string";
    this.type = type;
    this.texts = isText ? [] : undefined;
    this.times = new Float64Array(room);
    this.numbers = new Float64Array(isText ? 0 : room);
    this.bytes = this.times.byteLength + this.numbers.byteLength;
  }

  value(index: number): FieldValue {
    if (this.texts !== undefined) return this.texts[index] as string;
    const number = this.numbers[index] as number;
    return this.type === "float" ? number : this.type === "integer" ? BigInt(number) : number === 1;
  }

  /** Empty again, with room for so many values. */
  reset(room: number): void {
    this.length = 0;
    if (this.times.length >= room) return;
    this.times = new Float64Array(room);
    this.numbers = new Float64Array(room);
  }

  put(at: number, value: FieldValue): void {
    const { length } = this;
    if (length === 0 || at > (this.times[length - 1] as number)) return this.#insert(length, at, value);
    const place = this.placeOf(at);
    if (place >= length || this.times[place] !== at) return this.#insert(place, at, value);
    if (this.texts === undefined) {
      this.numbers[place] = Number(value);
      return;
    }
    this.bytes += 2 * ((value as string).length - (this.texts[place] as string).length);
    this.texts[place] = value as string;
  }

  /** Adds a value of the past in any order; `settle` puts what was added in order. */
  add(at: number, value: FieldValue): void {
    this.#isSettled &&= this.length === 0 || at > (this.times[this.length - 1] as number);
    this.#insert(this.length, at, value);
  }

  settle(): void {
    if (this.#isSettled) return;
    const order = Array.from({ length: this.length }, (_, place) => place);
    order.sort((a, b) => (this.times[a] as number) - (this.times[b] as number));
    const { times, numbers, texts } = this;
    this.times = times.slice();
    this.numbers = numbers.slice();
    const sorted = texts === undefined ? undefined : order.map((from) => texts[from] as string);
    order.forEach((from, place) => {
      this.times[place] = times[from] as number;
      if (texts === undefined) this.numbers[place] = numbers[from] as number;
      else texts[place] = sorted?.[place] as string;
    });
    this.#isSettled = true;
  }

  /** The place of the first value that is not before `at`. */
  placeOf(at: number): number {
    const { times, length } = this;
    if (length === 0 || at <= (times[0] as number)) return 0;
    const last = times[length - 1] as number;
    if (at > last) return length;
    let low = 1;
    let high = length - 1;
    // Where it would be if all came at one pace, it mostly is.
    const first = times[0] as number;
    const guess = Math.floor(((at - first) / (last - first)) * (length - 1));
    const [below, above] = [Math.max(0, guess - NEAR), Math.min(length - 1, guess + NEAR)];
    if ((times[below] as number) < at) low = below + 1;
    else high = below;
    if ((times[above] as number) >= at) high = Math.min(high, above);
    else low = Math.max(low, above + 1);
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((times[middle] as number) < at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  dropBefore(at: number): void {
    const place = this.placeOf(at);
    if (place === 0) return;
    const left = this.length - place;
    const room = Math.max(FIRST_ROOM, Math.ceil(left * GROWTH));
    this.times = resized(this.times, place, this.length, room);
    if (this.texts === undefined) this.numbers = resized(this.numbers, place, this.length, room);
    else this.texts.splice(0, place);
    this.length = left;
    this.bytes = this.#arrays() + (this.texts?.reduce((sum, text) => sum + textBytes(text), 0) ?? 0);
  }

  #insert(place: number, at: number, value: FieldValue): void {
    const { length } = this;
    if (length === this.times.length) {
      const before = this.#arrays();
      const room = Math.ceil(length * GROWTH) + FIRST_ROOM;
      this.times = resized(this.times, 0, length, room);
      if (this.texts === undefined) this.numbers = resized(this.numbers, 0, length, room);
      this.bytes += this.#arrays() - before;
    }
    if (place < length) {
      this.times.copyWithin(place + 1, place, length);
      if (this.texts === undefined) this.numbers.copyWithin(place + 1, place, length);
    }
    this.times[place] = at;
    if (this.texts === undefined) this.numbers[place] = Number(value);
    else {
      if (place === length) this.texts.push(value as string);
      else this.texts.splice(place, 0, value as string);
      this.bytes += textBytes(value as string);
    }
    this.length = length + 1;
  }

  #arrays(): number {
    return this.times.byteLength + this.numbers.byteLength;
  }
}

const textBytes = (text: string): number => TEXT_BYTES + 2 * text.length;

function resized(array: Float64Array<ArrayBuffer>, from: number, to: number, room: number): Float64Array<ArrayBuffer> {
  const made = new Float64Array(room);
  made.set(array.subarray(from, to));
  return made;
}
