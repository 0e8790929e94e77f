import type { Options } from "./options.ts";
import { NotComputed } from "./recent-reducers.ts";
import { windowOf } from "./window.ts";

const MS = 1_000_000n;
/** Windows of one question that are worked on at once; with more of them the database is asked. */
const MOST_WINDOWS = 100_000;
const BOUND = 2n ** 62n;

/** Where times in milliseconds fall among the windows of a question, counted from 0. */
export interface RecentWindows {
  /** How many there are, or were found so far. */
  readonly count: number;
  /** After `placeOf`: the first time that is in another window. */
  readonly until: number;
  /** Raises NotComputed where there are too many. */
  placeOf(at: number): number;
  /** Nanoseconds since 1970, where the window begins. */
  startOf(place: number): bigint;
  /** The same in milliseconds; of a whole span that begins in between, not a whole number. */
  startMsOf(place: number): number;
  /** Places in the order of time. */
  inOrder(): readonly number[] | undefined;
}

/** Undefined: windows are cut finer than times are held. */
export function recentWindows(options: Options): RecentWindows | undefined {
  const { every, offset, zone, start, end } = options;
  if (every === 0n) return new OneWindow(options.start);
  if (every % MS !== 0n || offset % MS !== 0n) return undefined;
  if (zone !== undefined || start < -BOUND || end > BOUND || end < start) return new FoundWindows(options);
  const [first] = windowOf(start, options);
  const [last] = windowOf(end, options);
  const count = Number((last - first) / every) + 1;
  return count > MOST_WINDOWS ? undefined : new EvenWindows(first, every, count);
}

class OneWindow implements RecentWindows {
  readonly count = 1;
  readonly until = Number.POSITIVE_INFINITY;
  readonly #start: bigint;

  constructor(start: bigint) {
    this.#start = start;
  }

  placeOf(): number {
    return 0;
  }

  startOf(): bigint {
    return this.#start;
  }

  startMsOf(): number {
    return Number(this.#start) / 1e6;
  }

  inOrder(): undefined {
    return undefined;
  }
}

/** A bounded span in windows of one length. */
export class EvenWindows implements RecentWindows {
  readonly count: number;
  until = 0;
  /** Milliseconds: where the first one begins, and how long each is. */
  readonly first: number;
  readonly every: number;
  readonly #first_ns: bigint;
  readonly #every_ns: bigint;
  /** Those that were asked for. */
  readonly #starts: (bigint | undefined)[] = [];

  constructor(first: bigint, every: bigint, count: number) {
    this.count = count;
    this.first = Number(first / MS);
    this.every = Number(every / MS);
    this.#first_ns = first;
    this.#every_ns = every;
  }

  placeOf(at: number): number {
    const place = Math.floor((at - this.first) / this.every);
    this.until = this.first + (place + 1) * this.every;
    return place;
  }

  startOf(place: number): bigint {
    return (this.#starts[place] ??= this.#first_ns + BigInt(place) * this.#every_ns);
  }

  startMsOf(place: number): number {
    return this.first + place * this.every;
  }

  inOrder(): undefined {
    return undefined;
  }
}

/** A stretch of time of which it is known that it lies in one window. */
interface Stretch {
  from: number;
  readonly until: number;
  readonly place: number;
}

/** Windows that are found as points fall into them: of a zone whose clock changes, or without bounds. */
class FoundWindows implements RecentWindows {
  until = 0;
  readonly #options: Options;
  readonly #starts: bigint[] = [];
  readonly #byStart = new Map<bigint, number>();
  /** In the order of time. */
  readonly #stretches: Stretch[] = [];
  #order: readonly number[] = [];
  #last: Stretch | undefined;

  constructor(options: Options) {
    this.#options = options;
  }

  get count(): number {
    return this.#starts.length;
  }

  placeOf(at: number): number {
    let found = this.#last;
    if (found === undefined || at < found.from || at >= found.until) {
      found = this.#find(at);
      this.#last = found;
    }
    this.until = found.until;
    return found.place;
  }

  startOf(place: number): bigint {
    return this.#starts[place] as bigint;
  }

  startMsOf(place: number): number {
    return Number(this.startOf(place) / MS);
  }

  inOrder(): readonly number[] {
    if (this.#order.length < this.count) {
      const places = this.#starts.map((_, place) => place);
      this.#order = places.sort((a, b) => (this.startOf(a) < this.startOf(b) ? -1 : 1));
    }
    return this.#order;
  }

  #find(at: number): Stretch {
    const next = this.#after(at);
    const known = this.#stretches[next];
    if (known !== undefined && at >= known.from) return known;
    const [from, until_ns] = windowOf(BigInt(at) * MS, this.#options);
    // About a change of the clock the start of a window may lie in the window before: InfluxDB looks twice.
    const [start] = this.#options.zone === undefined ? [from] : windowOf(from, this.#options);
    const until = Number(until_ns / MS);
    let place = this.#byStart.get(start);
    if (place === undefined) {
      if (this.#starts.length >= MOST_WINDOWS) throw new NotComputed();
      place = this.#starts.push(start) - 1;
      this.#byStart.set(start, place);
    }
    if (known !== undefined && known.until === until && known.place === place) {
      known.from = at;
      return known;
    }
    const found = { from: at, until, place };
    this.#stretches.splice(next, 0, found);
    return found;
  }

  /** The place of the first stretch that ends after `at`. */
  #after(at: number): number {
    let low = 0;
    let high = this.#stretches.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#stretches[middle] as Stretch).until <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
