import type { Value, ValueType } from "./evaluate.ts";
import type { Options } from "./options.ts";
import type { Run, Stream } from "./stream.ts";
import { compareText, type TagSet } from "./tags.ts";

/** Rows of one series as they come out of a SELECT: the time first. */
export interface Rows {
  readonly name: string;
  readonly tags: TagSet;
  readonly rows: Value[][];
}

/** What stands where a point has no value; undefined: what stood there before. */
export type Filling = { readonly value: Value | undefined };
export const fillingOf = ({ fill }: Options): Filling => {
  if (fill.kind === "previous") return { value: undefined };
  return { value: fill.kind === "number" ? fill.value : null };
};

/** A number in the type of another; all else stays what it is. */
export function cast(value: Value, type: ValueType): Value {
  if (typeof value === "bigint" && type === "float") return Number(value);
  if (typeof value === "number" && type === "integer") return BigInt(Math.trunc(value));
  return value;
}

/** Goes through a stream point by point and puts what it finds into the places. */
export class Scanner {
  readonly #stream: Stream;
  readonly #driver: { place: number; type: ValueType } | undefined;
  readonly #aux: readonly { place: number; type: ValueType }[];
  readonly #filling: Filling;
  #run = 0;
  #index = 0;

  constructor(
    stream: Stream,
    driver: { place: number; type: ValueType } | undefined,
    aux: readonly { place: number; type: ValueType }[],
    filling: Filling,
  ) {
    this.#stream = stream;
    this.#driver = driver;
    this.#aux = aux;
    this.#filling = filling;
  }

  get run(): Run | undefined {
    return this.#stream[this.#run];
  }

  get time(): bigint {
    return this.run?.times[this.#index] as bigint;
  }

  scanAt(name: string, tags: TagSet, time: bigint, places: Value[]): void {
    const { run } = this;
    if (run === undefined || this.time !== time || run.name !== name || run.tags.id !== tags.id) {
      if (this.#driver !== undefined) this.#fill(places, this.#driver);
      for (const each of this.#aux) this.#fill(places, each);
      return;
    }
    if (this.#driver !== undefined) {
      const value = run.values[this.#index] ?? null;
      if (value === null) this.#fill(places, this.#driver);
      else places[this.#driver.place] = value;
    }
    const aux = run.aux?.[this.#index];
    if (aux !== undefined) {
      this.#aux.forEach((each, index) => {
        const value = aux[index] ?? null;
        if (value === null) this.#fill(places, each);
        else places[each.place] = value;
      });
    }
    if (++this.#index >= run.times.length) {
      this.#run++;
      this.#index = 0;
    }
  }

  /** The rows of a SELECT that shows what this gives and nothing else. */
  rows(): Rows[] {
    return this.runs().map(({ name, tags, times, values }) => ({
      name,
      tags,
      rows: values.map((value, index): Value[] => [times[index] as bigint, value]),
    }));
  }

  /** The same as they are. */
  runs(): Stream {
    const { value: filling } = this.#filling;
    if (filling === null) return this.#stream;
    const type = this.#driver?.type;
    return this.#stream.map((run) => {
      let last: Value = null;
      return {
        ...run,
        values: run.values.map((value) => (last = value ?? (filling === undefined ? last : cast(filling, type)))),
      };
    });
  }

  #fill(places: Value[], { place, type }: { place: number; type: ValueType }): void {
    const { value } = this.#filling;
    if (value !== undefined) places[place] = cast(value, type);
  }
}

/** Goes through all streams side by side, in the order of names, tags and times, and computes a row wherever any has a point. */
export function scanned(
  scanners: readonly Scanner[],
  evaluations: readonly ((parts: readonly Value[]) => Value)[],
  size: number,
  isAscending: boolean,
): Rows[] {
  const out: Rows[] = [];
  const places: Value[] = Array.from({ length: size }, () => null);
  const direction = isAscending ? 1 : -1;
  let current: Rows | undefined;
  for (;;) {
    let first: Scanner | undefined;
    for (const each of scanners) {
      if (each.run !== undefined && (first === undefined || direction * compareHeads(each, first) < 0)) first = each;
    }
    const run = first?.run;
    if (first === undefined || run === undefined) return out;
    const { name, tags } = run;
    const { time } = first;
    if (current === undefined || current.name !== name || current.tags.id !== tags.id) {
      places.fill(null);
      out.push((current = { name, tags, rows: [] }));
    }
    for (const each of scanners) each.scanAt(name, tags, time, places);
    const row: Value[] = [time];
    for (const each of evaluations) row.push(each(places));
    current.rows.push(row);
  }
}

function compareHeads(a: Scanner, b: Scanner): number {
  const [x, y] = [a.run as Run, b.run as Run];
  if (x.name !== y.name) return compareText(x.name, y.name);
  if (x.tags !== y.tags && x.tags.id !== y.tags.id) return compareText(x.tags.id, y.tags.id);
  const [at, other] = [a.time, b.time];
  return at === other ? 0 : at < other ? -1 : 1;
}
