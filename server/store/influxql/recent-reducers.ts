import type { FieldType } from "./ast.ts";
import type { Value } from "./evaluate.ts";
import type { RecentColumn } from "./recent-column.ts";
import { nthSmallest } from "./nth-smallest.ts";
import { compareText } from "./tags.ts";

/** Reduces the values of each window of one group, stretch by stretch, as a question's function has it. */
export interface Reducer {
  /** Takes what stands in a column at [from, to), all of it in the window at `place`. */
  take(place: number, column: RecentColumn, from: number, to: number): void;
  has(place: number): boolean;
  /** Null: of so few values there is none. */
  value(place: number): Value;
  /** The time of the value's own point; undefined: it is of many. */
  time?(place: number): number | undefined;
  /** For the next group. */
  clear(): void;
}

/** The reducer of a function over values of a type; undefined: the database does that. */
export function reducerOf(name: string, argument: number, type: FieldType): Reducer | undefined {
  switch (name) {
    case "count":
      return new Count();
    case "first":
    case "last":
      return new End(name === "first" ? -1 : 1, type === "boolean" && name === "first" ? -1 : 1);
    default:
  }
  if (type !== "float") return undefined;
  switch (name) {
    case "sum":
    case "mean":
      return new Sum(name === "mean");
    case "min":
    case "max":
      return new Extreme(name === "min" ? -1 : 1);
    case "spread":
      return new Spread();
    case "stddev":
      return new Deviation();
    case "median":
      return new Ranked(median, true);
    case "percentile":
      return new Ranked(percentile(argument), false);
    default:
      return undefined;
  }
}

class Count implements Reducer {
  protected counts: number[] = [];

  take(place: number, _: RecentColumn, from: number, to: number): void {
    this.counts[place] = (this.counts[place] ?? 0) + to - from;
  }

  has(place: number): boolean {
    return (this.counts[place] ?? 0) > 0;
  }

  value(place: number): Value {
    return BigInt(this.counts[place] ?? 0);
  }

  clear(): void {
    this.counts = [];
  }
}

class Sum implements Reducer {
  readonly #isMean: boolean;
  #sums: number[] = [];
  #counts: number[] = [];

  constructor(isMean: boolean) {
    this.#isMean = isMean;
  }

  take(place: number, { numbers }: RecentColumn, from: number, to: number): void {
    let sum = this.#sums[place] ?? 0;
    for (let index = from; index < to; index++) sum += numbers[index] as number;
    this.#sums[place] = sum;
    this.#counts[place] = (this.#counts[place] ?? 0) + to - from;
  }

  has(place: number): boolean {
    return (this.#counts[place] ?? 0) > 0;
  }

  value(place: number): Value {
    const sum = this.#sums[place] as number;
    return this.#isMean ? sum / (this.#counts[place] as number) : sum;
  }

  clear(): void {
    this.#sums = [];
    this.#counts = [];
  }
}

/** The smallest or largest, and of equal ones the earliest. */
class Extreme implements Reducer {
  readonly #sign: number;
  #best: number[] = [];
  #times: number[] = [];

  constructor(sign: -1 | 1) {
    this.#sign = sign;
  }

  take(place: number, { numbers, times }: RecentColumn, from: number, to: number): void {
    const sign = this.#sign;
    let best = from;
    for (let index = from + 1; index < to; index++) {
      if (sign * (numbers[index] as number) > sign * (numbers[best] as number)) best = index;
    }
    const [value, time] = [numbers[best] as number, times[best] as number];
    const known = this.#best[place];
    const isBetter =
      known === undefined || sign * value > sign * known || (value === known && time < (this.#times[place] as number));
    if (!isBetter) return;
    this.#best[place] = value;
    this.#times[place] = time;
  }

  has(place: number): boolean {
    return this.#best[place] !== undefined;
  }

  value(place: number): Value {
    return this.#best[place] as number;
  }

  time(place: number): number | undefined {
    return this.#times[place];
  }

  clear(): void {
    this.#best = [];
    this.#times = [];
  }
}

/** The first or last; of several at one time the larger, or of booleans asked for their first the smaller. */
class End implements Reducer {
  readonly #sign: number;
  readonly #prefers: number;
  #values: Value[] = [];
  #times: number[] = [];

  constructor(sign: -1 | 1, prefers: -1 | 1) {
    this.#sign = sign;
    this.#prefers = prefers;
  }

  take(place: number, column: RecentColumn, from: number, to: number): void {
    const at = this.#sign < 0 ? from : to - 1;
    const time = column.times[at] as number;
    const known = this.#times[place];
    if (known !== undefined) {
      const later = this.#sign * (time - known);
      if (later < 0) return;
      if (later === 0 && this.#prefers * compared(column.value(at), this.#values[place] ?? null) <= 0) return;
    }
    this.#times[place] = time;
    this.#values[place] = column.value(at);
  }

  has(place: number): boolean {
    return this.#times[place] !== undefined;
  }

  value(place: number): Value {
    return this.#values[place] ?? null;
  }

  time(place: number): number | undefined {
    return this.#times[place];
  }

  clear(): void {
    this.#values = [];
    this.#times = [];
  }
}

function compared(a: Value, b: Value): number {
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  return Number(a) - Number(b);
}

class Spread implements Reducer {
  #low: number[] = [];
  #high: number[] = [];

  take(place: number, { numbers }: RecentColumn, from: number, to: number): void {
    let low = this.#low[place] ?? Number.POSITIVE_INFINITY;
    let high = this.#high[place] ?? Number.NEGATIVE_INFINITY;
    for (let index = from; index < to; index++) {
      const value = numbers[index] as number;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    this.#low[place] = low;
    this.#high[place] = high;
  }

  has(place: number): boolean {
    return this.#low[place] !== undefined;
  }

  value(place: number): Value {
    return (this.#high[place] as number) - (this.#low[place] as number);
  }

  clear(): void {
    this.#low = [];
    this.#high = [];
  }
}

/** Of a sample, by Welford (1962), so that large means cost no digits. */
class Deviation implements Reducer {
  #counts: number[] = [];
  #means: number[] = [];
  #squares: number[] = [];

  take(place: number, { numbers }: RecentColumn, from: number, to: number): void {
    let count = this.#counts[place] ?? 0;
    let mean = this.#means[place] ?? 0;
    let squares = this.#squares[place] ?? 0;
    for (let index = from; index < to; index++) {
      const value = numbers[index] as number;
      const change = value - mean;
      mean += change / ++count;
      squares += change * (value - mean);
    }
    this.#counts[place] = count;
    this.#means[place] = mean;
    this.#squares[place] = squares;
  }

  has(place: number): boolean {
    return this.#counts[place] !== undefined;
  }

  /** Of one value, no number. */
  value(place: number): Value {
    const count = this.#counts[place] as number;
    return count < 2 ? Number.NaN : Math.sqrt((this.#squares[place] as number) / (count - 1));
  }

  clear(): void {
    this.#counts = [];
    this.#means = [];
    this.#squares = [];
  }
}

/** By where a value would stand among the others in order of their size. */
class Ranked implements Reducer {
  readonly #pick: (values: Float64Array) => Value;
  readonly #isSingleOwn: boolean;
  #values: number[][] = [];
  #times: number[] = [];

  constructor(pick: (values: Float64Array) => Value, isSingleOwn: boolean) {
    this.#pick = pick;
    this.#isSingleOwn = isSingleOwn;
  }

  take(place: number, { numbers, times }: RecentColumn, from: number, to: number): void {
    const known = (this.#values[place] ??= []);
    for (let index = from; index < to; index++) known.push(numbers[index] as number);
    this.#times[place] = times[from] as number;
  }

  has(place: number): boolean {
    return this.#values[place] !== undefined;
  }

  value(place: number): Value {
    return this.#pick(Float64Array.from(this.#values[place] ?? []));
  }

  /** InfluxDB leaves a single value its time. */
  time(place: number): number | undefined {
    return this.#isSingleOwn && this.#values[place]?.length === 1 ? this.#times[place] : undefined;
  }

  clear(): void {
    this.#values = [];
    this.#times = [];
  }
}

/** By the nearest rank; null: there is none so low. */
const percentile =
  (percent: number) =>
  (values: Float64Array): Value => {
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
