import type { Fill } from "./ast.ts";
import { type Evaluate, type Value } from "./evaluate.ts";
import type { Options } from "./options.ts";
import { takeGroup } from "./recent-aggregate.ts";
import { RecentColumn } from "./recent-column.ts";
import { NotComputed, type Reducer } from "./recent-reducers.ts";
import type { RecentScan, RecentSeries } from "./recent-scan.ts";
import type { RecentWindows } from "./recent-windows.ts";
import type { ColumnTransformation } from "./recent-transform.ts";
import type { TagSet } from "./tags.ts";
import { MIN_NS, windowOf } from "./window.ts";

export interface ComputedGroup {
  readonly name: string;
  readonly tags: TagSet;
}

/** Numbers that are computed group by group, each group's in the order of time. A column stands until the next one is asked for. */
export interface Computed {
  readonly type: "float" | "integer";
  readonly groups: readonly ComputedGroup[];
  /** No value is earlier; milliseconds since 1970. */
  readonly lowest: number;
  /** Raises NotComputed. */
  column(group: number): RecentColumn;
}

/** Remembers the last column, which several may ask for. */
abstract class Columns implements Computed {
  readonly type: Computed["type"];
  abstract readonly groups: readonly ComputedGroup[];
  abstract readonly lowest: number;
  readonly #column: RecentColumn;
  #group = -1;

  constructor(type: Computed["type"]) {
    this.type = type;
    this.#column = new RecentColumn(type);
  }

  column(group: number): RecentColumn {
    if (group !== this.#group) {
      this.#column.reset(0);
      this.compute(group, this.#column);
      this.#group = group;
    }
    return this.#column;
  }

  protected abstract compute(group: number, column: RecentColumn): void;
}

/** What a function gives of the windows of a scan's groups. */
export class ReducedColumns extends Columns {
  readonly groups: readonly ComputedGroup[];
  readonly lowest: number;
  readonly #scan: RecentScan;
  readonly #windows: RecentWindows;
  readonly #reducer: Reducer;
  readonly #options: Options;
  readonly #isOwnTime: boolean;

  constructor(
    type: Computed["type"],
    scan: RecentScan,
    windows: RecentWindows,
    reducer: Reducer,
    options: Options,
    isOwnTime: boolean,
  ) {
    super(type);
    this.groups = scan.groups.map(([first]) => (first as RecentSeries).each);
    // Where windows are found as they are needed, or are one, there is no telling.
    this.lowest =
      options.every === 0n || windows.inOrder() !== undefined ? Number.NEGATIVE_INFINITY : windows.startMsOf(0);
    this.#scan = scan;
    this.#windows = windows;
    this.#reducer = reducer;
    this.#options = options;
    this.#isOwnTime = isOwnTime;
  }

  protected compute(group: number, column: RecentColumn): void {
    const [windows, reducer] = [this.#windows, this.#reducer];
    reducer.clear();
    takeGroup(this.#scan.groups[group] ?? [], this.#scan, windows, reducer);
    column.reset(windows.count);
    const order = windows.inOrder();
    const [low, high] = order === undefined ? [reducer.low, reducer.high] : [0, order.length - 1];
    for (let index = low; index <= high; index++) {
      const place = order?.[index] ?? index;
      if (!reducer.has(place)) continue;
      const value = reducer.value(place);
      if (value === null) continue;
      const number = Number(value);
      if (Number.isNaN(number)) throw new NotComputed();
      column.times[column.length] = this.#timeOf(place);
      column.numbers[column.length++] = number;
    }
    if (column.length > 0) this.#fill(column);
  }

  #timeOf(place: number): number {
    const { every, zone } = this.#options;
    const own = this.#isOwnTime ? this.#reducer.time?.(place) : undefined;
    if (own !== undefined) return own;
    if (every !== 0n) {
      const start = this.#windows.startOf(place);
      return zone === undefined
        ? this.#windows.startMsOf(place)
        : Number(windowOf(start, this.#options)[0] / 1_000_000n);
    }
    // A span without a start begins at 0.
    return this.#windows.startOf(place) === MIN_NS ? 0 : this.#windows.startMsOf(place);
  }

  #fill(column: RecentColumn): void {
    const { fill, every } = this.#options;
    if (every === 0n || fill.kind === "none") return;
    const filled = fillingOf(fill, this.type);
    const { count } = this.#windows;
    const { times, numbers } = column;
    // From the last one on, so that nothing is overwritten before it is moved.
    let from = column.length - 1;
    for (let place = count - 1; place >= 0; place--) {
      const at = this.#windows.startMsOf(place);
      const isThere = from >= 0 && times[from] === at;
      numbers[place] = isThere ? (numbers[from--] as number) : Number.NaN;
      times[place] = at;
    }
    column.length = 0;
    for (let place = 0; place < count; place++) {
      const number = numbers[place] as number;
      const last = column.length === 0 ? undefined : numbers[column.length - 1];
      const value = Number.isNaN(number) ? (filled === undefined ? last : filled) : number;
      if (value === undefined) continue;
      times[column.length] = times[place] as number;
      numbers[column.length++] = value;
    }
  }
}

/** Whether empty windows of a fill can be filled in columns, from the past on. */
export const isFilledInColumns = ({ fill, zone, isAscending }: Options): boolean =>
  fill.kind === "none" || (zone === undefined && (fill.kind === "number" || (fill.kind === "previous" && isAscending)));

const fillingOf = (fill: Fill, type: Computed["type"]): number | undefined =>
  fill.kind !== "number" ? undefined : type === "integer" ? Math.trunc(Number(fill.value)) : Number(fill.value);

/** What a function from one point to the next gives of other columns. */
export class TransformedColumns extends Columns {
  readonly groups: readonly ComputedGroup[];
  readonly lowest: number;
  readonly #from: Computed;
  readonly #transformation: ColumnTransformation;

  constructor(type: Computed["type"], from: Computed, transformation: ColumnTransformation, every_ns: bigint) {
    super(type);
    this.groups = from.groups;
    this.lowest = from.lowest + transformation.skips * Number(every_ns / 1_000_000n);
    this.#from = from;
    this.#transformation = transformation;
  }

  protected compute(group: number, column: RecentColumn): void {
    const from = this.#from.column(group);
    column.reset(from.length);
    this.#transformation.run(from, column);
  }
}

/** What an expression gives of other columns, wherever one of them has a value. */
export class ExpressedColumns extends Columns {
  readonly groups: readonly ComputedGroup[];
  readonly lowest: number;
  readonly #parts: readonly ((group: number) => RecentColumn | undefined)[];
  readonly #evaluate: Evaluate;

  constructor(
    type: Computed["type"],
    groups: readonly ComputedGroup[],
    lowest: number,
    parts: readonly ((group: number) => RecentColumn | undefined)[],
    evaluate: Evaluate,
  ) {
    super(type);
    this.groups = groups;
    this.lowest = lowest;
    this.#parts = parts;
    this.#evaluate = evaluate;
  }

  protected compute(group: number, column: RecentColumn): void {
    const parts = this.#parts.map((part) => part(group));
    const places = parts.map(() => 0);
    const values: Value[] = parts.map(() => null);
    column.reset(parts.reduce((sum, part) => sum + (part?.length ?? 0), 0));
    for (;;) {
      let at = Number.POSITIVE_INFINITY;
      for (let index = 0; index < parts.length; index++) {
        const part = parts[index];
        const place = places[index] as number;
        if (part !== undefined && place < part.length) at = Math.min(at, part.times[place] as number);
      }
      if (at === Number.POSITIVE_INFINITY) return;
      for (let index = 0; index < parts.length; index++) {
        const part = parts[index];
        const place = places[index] as number;
        const isThere = part !== undefined && place < part.length && part.times[place] === at;
        values[index] = isThere ? part.value(place) : null;
        if (isThere) places[index] = place + 1;
      }
      const value = this.#evaluate(values);
      if (value === null) continue;
      const number = Number(value);
      if (Number.isNaN(number) || (typeof value === "bigint" && !Number.isSafeInteger(number))) throw new NotComputed();
      column.times[column.length] = at;
      column.numbers[column.length++] = number;
    }
  }
}
