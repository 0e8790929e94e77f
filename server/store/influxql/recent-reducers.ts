import type { FieldType } from "./ast.ts";
import type { Value } from "./evaluate.ts";
import { nthSmallest } from "./nth-smallest.ts";
import type { RecentColumn } from "./recent-column.ts";
import { compareText } from "./tags.ts";

/** Reduces the values of each window of one group, stretch by stretch, as a question's function has it. */
export interface Reducer {
  /** The first and the last place of which there is anything; before the first one, none. */
  readonly low: number;
  readonly high: number;
  /** Takes what stands in a column at [from, to), all of it in the window at `place`. Raises NotComputed. */
  take(place: number, column: RecentColumn, from: number, to: number): void;
  has(place: number): boolean;
  /** Null: of so few values there is none. */
  value(place: number): Value;
  /** The time of the value's own point; undefined: it is of many. */
  time?(place: number): number | undefined;
  /** For the next group. */
  clear(): void;
}

/** It comes out while numbers are computed that they are not those of a column, or too many: another way must be gone. */
export class NotComputed extends Error {}

/** The reducer of a function over values of a type; undefined: it is gone point by point. */
export function reducerOf(name: string, argument: number, type: FieldType): Reducer | undefined {
  switch (name) {
    case "count":
      return new Count();
    case "first":
    case "last": {
      const sign = name === "first" ? -1 : 1;
      return type === "float" || type === "integer"
        ? new NumberAtEnd(sign, type)
        : new AtEnd(sign, type === "boolean" && name === "first" ? -1 : 1);
    }
    case "min":
    case "max":
      return type === "string" ? undefined : new Extreme(name === "min" ? -1 : 1, type);
    default:
  }
  if (type !== "float" && type !== "integer") return undefined;
  switch (name) {
    case "sum":
    case "mean":
      return new Sum(name === "mean", type);
    case "spread":
      return new Spread(type);
    case "stddev":
      return new Deviation();
    case "median":
      return new Ranked(median, type === "float", "float");
    case "percentile":
      return new Ranked(percentile(argument), false, type);
    default:
      return undefined;
  }
}

/** What a number of a column stands for. */
const valueOf = (number: number, type: FieldType): Value =>
  type === "float" ? number : type === "boolean" ? number === 1 : BigInt(number);

/** Windows that are worked on at first; there may be more. */
const ROOM = 128;

/** Counts the values of each window; what else is kept of them is kept beside. */
class Count implements Reducer {
  low = Number.POSITIVE_INFINITY;
  high = -1;
  counts = new Int32Array(ROOM);

  /** Has room at a place, and says how many values it had. */
  protected count(place: number, values: number): number {
    if (place >= this.counts.length) {
      this.counts = larger(this.counts, new Int32Array(Math.max(place + 1, 2 * this.counts.length)));
      this.grow();
    }
    if (place < this.low) this.low = place;
    if (place > this.high) this.high = place;
    const known = this.counts[place] as number;
    this.counts[place] = known + values;
    return known;
  }

  /** Makes as much room for what is kept beside. */
  protected grow(): void {}

  protected beside(list: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
    return larger(list, new Float64Array(this.counts.length));
  }

  take(place: number, _: RecentColumn, from: number, to: number): void {
    this.count(place, to - from);
  }

  has(place: number): boolean {
    return (this.counts[place] as number) > 0;
  }

  value(place: number): Value {
    return BigInt(this.counts[place] as number);
  }

  clear(): void {
    if (this.high >= 0) this.counts.fill(0, this.low, this.high + 1);
    this.low = Number.POSITIVE_INFINITY;
    this.high = -1;
  }
}

function larger<List extends Int32Array<ArrayBuffer> | Float64Array<ArrayBuffer>>(list: List, room: List): List {
  room.set(list);
  return room;
}

class Sum extends Count {
  readonly #isMean: boolean;
  readonly #isWhole: boolean;
  #sums = new Float64Array(ROOM);

  constructor(isMean: boolean, type: FieldType) {
    super();
    this.#isMean = isMean;
    this.#isWhole = type === "integer";
  }

  protected override grow(): void {
    this.#sums = this.beside(this.#sums);
  }

  override take(place: number, { numbers }: RecentColumn, from: number, to: number): void {
    const known = this.count(place, to - from);
    let sum = known === 0 ? 0 : (this.#sums[place] as number);
    let most = 0;
    for (let index = from; index < to; index++) {
      sum += numbers[index] as number;
      if (this.#isWhole) most = Math.max(most, Math.abs(sum));
    }
    if (most > Number.MAX_SAFE_INTEGER) throw new NotComputed();
    this.#sums[place] = sum;
  }

  override value(place: number): Value {
    const sum = this.#sums[place] as number;
    if (this.#isMean) return sum / (this.counts[place] as number);
    return this.#isWhole ? BigInt(sum) : sum;
  }
}

/** A number of one point of each place, with its time. */
abstract class OnePoint extends Count {
  protected readonly sign: number;
  readonly #type: FieldType;
  protected numbers = new Float64Array(ROOM);
  protected times = new Float64Array(ROOM);

  constructor(sign: -1 | 1, type: FieldType) {
    super();
    this.sign = sign;
    this.#type = type;
  }

  protected override grow(): void {
    this.numbers = this.beside(this.numbers);
    this.times = this.beside(this.times);
  }

  override value(place: number): Value {
    return valueOf(this.numbers[place] as number, this.#type);
  }

  time(place: number): number | undefined {
    return this.times[place];
  }
}

/** The smallest or largest, and of equal ones the earliest. */
class Extreme extends OnePoint {
  override take(place: number, { numbers, times }: RecentColumn, from: number, to: number): void {
    const { sign } = this;
    let best = from;
    for (let index = from + 1; index < to; index++) {
      if (sign * (numbers[index] as number) > sign * (numbers[best] as number)) best = index;
    }
    const [value, time] = [numbers[best] as number, times[best] as number];
    if (this.count(place, to - from) > 0) {
      const known = this.numbers[place] as number;
      if (sign * value < sign * known || (value === known && time >= (this.times[place] as number))) return;
    }
    this.numbers[place] = value;
    this.times[place] = time;
  }
}

/** The first or last number; of several at one time the larger. */
class NumberAtEnd extends OnePoint {
  override take(place: number, { numbers, times }: RecentColumn, from: number, to: number): void {
    const at = this.sign < 0 ? from : to - 1;
    const [number, time] = [numbers[at] as number, times[at] as number];
    if (this.count(place, to - from) > 0) {
      const later = this.sign * (time - (this.times[place] as number));
      if (later < 0 || (later === 0 && number <= (this.numbers[place] as number))) return;
    }
    this.times[place] = time;
    this.numbers[place] = number;
  }
}

/** The first or last text or boolean; of several at one time the larger, or of booleans asked for their first the smaller. */
class AtEnd extends Count {
  readonly #sign: number;
  readonly #prefers: number;
  #values: Value[] = [];
  #times: number[] = [];

  constructor(sign: -1 | 1, prefers: -1 | 1) {
    super();
    this.#sign = sign;
    this.#prefers = prefers;
  }

  override take(place: number, column: RecentColumn, from: number, to: number): void {
    const at = this.#sign < 0 ? from : to - 1;
    const [value, time] = [column.value(at), column.times[at] as number];
    if (this.count(place, to - from) > 0) {
      const later = this.#sign * (time - (this.#times[place] as number));
      if (later < 0 || (later === 0 && this.#prefers * compared(value, this.#values[place] ?? null) <= 0)) return;
    }
    this.#times[place] = time;
    this.#values[place] = value;
  }

  override value(place: number): Value {
    return this.#values[place] ?? null;
  }

  time(place: number): number | undefined {
    return this.#times[place];
  }
}

function compared(a: Value, b: Value): number {
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  return Number(a) - Number(b);
}

class Spread extends Count {
  readonly #isWhole: boolean;
  #lows = new Float64Array(ROOM);
  #highs = new Float64Array(ROOM);

  constructor(type: FieldType) {
    super();
    this.#isWhole = type === "integer";
  }

  protected override grow(): void {
    this.#lows = this.beside(this.#lows);
    this.#highs = this.beside(this.#highs);
  }

  override take(place: number, { numbers }: RecentColumn, from: number, to: number): void {
    const isFirst = this.count(place, to - from) === 0;
    let low = isFirst ? Number.POSITIVE_INFINITY : (this.#lows[place] as number);
    let high = isFirst ? Number.NEGATIVE_INFINITY : (this.#highs[place] as number);
    for (let index = from; index < to; index++) {
      const value = numbers[index] as number;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    if (this.#isWhole && high - low > Number.MAX_SAFE_INTEGER) throw new NotComputed();
    this.#lows[place] = low;
    this.#highs[place] = high;
  }

  override value(place: number): Value {
    const spread = (this.#highs[place] as number) - (this.#lows[place] as number);
    return this.#isWhole ? BigInt(spread) : spread;
  }
}

/** Of a sample, by Welford (1962), so that large means cost no digits. */
class Deviation extends Count {
  #means = new Float64Array(ROOM);
  #squares = new Float64Array(ROOM);

  protected override grow(): void {
    this.#means = this.beside(this.#means);
    this.#squares = this.beside(this.#squares);
  }

  override take(place: number, { numbers }: RecentColumn, from: number, to: number): void {
    let count = this.count(place, to - from);
    let mean = count === 0 ? 0 : (this.#means[place] as number);
    let squares = count === 0 ? 0 : (this.#squares[place] as number);
    for (let index = from; index < to; index++) {
      const value = numbers[index] as number;
      const change = value - mean;
      mean += change / ++count;
      squares += change * (value - mean);
    }
    this.#means[place] = mean;
    this.#squares[place] = squares;
  }

  /** Of one value, no number. */
  override value(place: number): Value {
    const count = this.counts[place] as number;
    return count < 2 ? Number.NaN : Math.sqrt((this.#squares[place] as number) / (count - 1));
  }
}

/** By where a value would stand among the others in order of their size. */
class Ranked extends Count {
  readonly #pick: (values: Float64Array) => number | null;
  readonly #isSingleOwn: boolean;
  readonly #type: FieldType;
  #values: number[][] = [];
  #times: number[] = [];

  constructor(pick: (values: Float64Array) => number | null, isSingleOwn: boolean, type: FieldType) {
    super();
    this.#pick = pick;
    this.#isSingleOwn = isSingleOwn;
    this.#type = type;
  }

  override take(place: number, { numbers, times }: RecentColumn, from: number, to: number): void {
    this.count(place, to - from);
    const known = (this.#values[place] ??= []);
    for (let index = from; index < to; index++) known.push(numbers[index] as number);
    this.#times[place] = times[from] as number;
  }

  override value(place: number): Value {
    const found = this.#pick(Float64Array.from(this.#values[place] ?? []));
    return found === null ? null : valueOf(found, this.#type);
  }

  /** InfluxDB leaves a single value its time. */
  time(place: number): number | undefined {
    return this.#isSingleOwn && this.counts[place] === 1 ? this.#times[place] : undefined;
  }

  override clear(): void {
    super.clear();
    this.#values = [];
    this.#times = [];
  }
}

/** By the nearest rank; null: there is none so low. */
const percentile =
  (percent: number) =>
  (values: Float64Array): number | null => {
    const place = Math.floor((values.length * percent) / 100 + 0.5) - 1;
    return place < 0 || place >= values.length ? null : nthSmallest(values, place);
  };

function median(values: Float64Array): number {
  const middle = values.length >> 1;
  const upper = nthSmallest(values, middle);
  if (values.length % 2 === 1) return upper;
  // What stands before the middle is not larger; the largest of it is its neighbour.
  return (values.subarray(0, middle).reduce((a, b) => Math.max(a, b)) + upper) / 2;
}
