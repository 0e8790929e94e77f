import type { FieldValue } from "./engine.ts";
import { type ColumnType, RecentColumn } from "./recent-column.ts";

/** Held beside its values by each series that has any: the objects themselves. */
const COLUMN_BYTES = 240;
/** A column of the past is made so much larger than it is, for what comes next. */
const ROOM_TO_GROW = 1.1;
/** So much of what it may hold is filled at first. */
const FILLED = 0.75;

/** Rows of the past, each time of a series once. */
export interface PastRows {
  readonly series: readonly number[];
  /** Milliseconds since 1970. */
  readonly times: readonly number[];
  readonly values: readonly FieldValue[];
}

/** How many values of the past there is room for in so many bytes. */
export const roomOf = (most_B: number): number => Math.floor((most_B * FILLED) / 16);

/**
 * The newest values of every series in memory, by columns, so that a dashboard that is looked at every ten seconds costs no
 * reading of the disk: all that was written at `from` or later is here. It holds at most `most_B` bytes; beyond them it lets
 * go of the oldest, and `from` moves on. What is older is the database's to answer.
 */
export class Recent {
  /** Milliseconds since 1970; infinite until it is filled, and where nothing older exists, minus infinity. */
  from = Number.POSITIVE_INFINITY;
  readonly #most_B: number;
  readonly #columns: (RecentColumn | undefined)[] = [];
  /** Series whose values or times do not fit into a column: integers beyond 2⁵³, times finer than a millisecond. */
  readonly #unfit = new Set<number>();
  /** What was written while the past was read. */
  #written: { id: number; at: number; value: FieldValue }[] | undefined = [];
  #bytes = 0;

  constructor(most_B: number) {
    this.#most_B = most_B;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The values of a series; undefined: there are none. */
  column(id: number): RecentColumn | undefined {
    return this.#columns[id];
  }

  /** Whether all values of a series since `from` are here. */
  holds(id: number): boolean {
    return !this.#unfit.has(id);
  }

  /** Takes a value as it is written; of two at one time the last counts. */
  put(id: number, at: number, value: FieldValue): void {
    if (this.#written !== undefined) this.#written.push({ id, at, value });
    else if (at >= this.from) this.#keep(id, at, value);
  }

  /** Of this series nothing is held: its values do not fit. */
  refuse(id: number): void {
    this.#unfit.add(id);
    const column = this.#columns[id];
    if (column === undefined) return;
    this.#bytes -= column.bytes + COLUMN_BYTES;
    this.#columns[id] = undefined;
  }

  /** Takes a piece of the past, in any order. `counts`: by series how many values there will be, so that a column is made once. */
  takePast({ series, times, values }: PastRows, counts: ReadonlyMap<number, number>): void {
    for (let row = 0; row < series.length; row++) {
      const id = series[row] as number;
      this.#add(id, times[row] as number, values[row] as FieldValue, counts.get(id));
    }
  }

  /** The past from `from` on is here; now counts what was written meanwhile. */
  begin(from: number): void {
    for (const column of this.#columns) column?.settle();
    const written = this.#written ?? [];
    this.#written = undefined;
    this.from = from;
    for (const { id, at, value } of written) this.put(id, at, value);
    this.#limit();
  }

  /** Lets go of what is before `at`: it was removed from the database. */
  forget(at: number): void {
    if (at <= this.from) return;
    if (this.#written !== undefined) return;
    this.from = at;
    this.#columns.forEach((column, id) => {
      if (column === undefined) return;
      this.#bytes -= column.bytes;
      column.dropBefore(at);
      this.#bytes += column.bytes;
      if (column.length > 0) return;
      this.#bytes -= column.bytes + COLUMN_BYTES;
      this.#columns[id] = undefined;
    });
  }

  #keep(id: number, at: number, value: FieldValue): void {
    const column = this.#columnFor(id, value);
    if (column === undefined) return;
    const before = column.bytes;
    column.put(at, value);
    if (column.bytes === before) return;
    this.#bytes += column.bytes - before;
    if (this.#bytes > this.#most_B) this.#limit();
  }

  #add(id: number, at: number, value: FieldValue, count: number | undefined): void {
    const column = this.#columnFor(id, value, count);
    if (column === undefined) return;
    this.#bytes -= column.bytes;
    column.add(at, value);
    this.#bytes += column.bytes;
  }

  #columnFor(id: number, value: FieldValue, count?: number): RecentColumn | undefined {
    if (this.#unfit.has(id)) return undefined;
    const known = this.#columns[id];
    if (typeof value === "bigint" && !isSafe(value)) {
      this.refuse(id);
      return undefined;
    }
    if (known !== undefined) return known;
    const column = new RecentColumn(TYPES[typeof value] ?? "float", count && Math.ceil(count * ROOM_TO_GROW));
    this.#columns[id] = column;
    this.#bytes += column.bytes + COLUMN_BYTES;
    return column;
  }

  #limit(): void {
    while (this.#bytes > this.#most_B) {
      const at = this.#olderQuarter();
      if (at === undefined || at <= this.from) {
        // Not even the newest of so many series fit: what is written from now on has no room either.
        this.forget(Number.MAX_SAFE_INTEGER);
        return;
      }
      this.forget(at);
    }
  }

  /** A time before which lies about a quarter of what is held. */
  #olderQuarter(): number | undefined {
    const quarters = this.#columns.flatMap((column) =>
      column === undefined || column.length === 0
        ? []
        : [{ at: column.times[column.length >> 2] as number, weight: column.length }],
    );
    quarters.sort((a, b) => a.at - b.at);
    const half = quarters.reduce((sum, { weight }) => sum + weight, 0) / 2;
    let sum = 0;
    for (const { at, weight } of quarters) if ((sum += weight) >= half) return at + 1;
    return undefined;
  }
}

const TYPES: Readonly<Record<string, ColumnType>> = { bigint: "integer", string: "string", boolean: "boolean" };
const isSafe = (value: bigint): boolean => BigInt.asIntN(54, value) === value;
