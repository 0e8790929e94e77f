import type { Expression, FieldType } from "./ast.ts";
import type { Slot } from "./catalogue.ts";
import { compile, type Evaluate, type Value } from "./evaluate.ts";
import type { Options, Ref } from "./options.ts";
import type { Recent } from "./recent.ts";
import type { RecentColumn } from "./recent-column.ts";
import { floor, regrouped, type ScannedSeries, slotsOf, typeOfColumn } from "./scan.ts";
import { fieldsIn } from "./where.ts";

/** What is held in memory: of our own readings, and of points. */
export interface RecentValues {
  readonly readings: Recent | undefined;
  readonly points: Recent | undefined;
}

/** Where the points of a series go. */
export type Place = Pick<ScannedSeries, "name" | "tags" | "group">;

/** One series of a question: a column for each field that was asked for, and what must hold of its values. */
export interface RecentSeries<Each extends Place = Place> {
  readonly each: Each;
  /** In the order of the fields asked for; undefined: no value. */
  readonly columns: readonly (RecentColumn | undefined)[];
  readonly condition: RecentCondition | undefined;
}

export interface RecentCondition {
  readonly columns: readonly (RecentColumn | undefined)[];
  /** What stands in the place of a column that is none. */
  readonly constants?: readonly Value[];
  readonly holds: Evaluate;
}

export interface RecentScan<Each extends Place = Place> {
  readonly series: readonly RecentSeries<Each>[];
  /** Types of the fields asked for. */
  readonly types: readonly FieldType[];
  /** Milliseconds since 1970, both included. */
  readonly from: number;
  readonly to: number;
}

const MS = 1_000_000n;

/**
 * Finds all values of a question in memory; undefined: some of it lies before what is held, or is of another kind than is
 * held, and the database must be asked. `refs`: the fields that are read, the first of them `driver` where there is one.
 */
export function recentScan(
  recent: RecentValues | undefined,
  all: readonly ScannedSeries[],
  refs: readonly Ref[],
  hasDriver: boolean,
  options: Options,
): RecentScan<ScannedSeries> | undefined {
  if (recent === undefined) return undefined;
  const from = Number(-floor(-options.start, MS));
  const to = Number(floor(options.end, MS));
  const isAsked = (each: ScannedSeries): boolean =>
    (hasDriver ? refs.slice(0, 1) : refs).some((ref) => slotsOf(each, ref).length > 0);
  const asked = all.filter(isAsked);
  const types: (FieldType | undefined)[] = refs.map(() => undefined);
  const series: RecentSeries<ScannedSeries>[] = [];
  for (const each of regrouped(asked)) {
    const columns = columnsOf(recent, each, refs, from);
    if (columns === undefined) return undefined;
    for (let index = 0; index < refs.length; index++) {
      const slot = slotsOf(each, refs[index] as Ref)[0];
      if (slot === undefined) continue;
      types[index] ??= slot.type;
      if (types[index] !== slot.type) return undefined;
    }
    const condition = each.condition === undefined ? undefined : conditionOf(recent, each, each.condition, from);
    if (condition === null) return undefined;
    series.push({ each, columns, condition });
  }
  return { series, types: types.map((type, index) => typeOfColumn(refs[index]?.type, type)), from, to };
}

/** Undefined: they are not all held. */
function columnsOf(
  recent: RecentValues,
  each: ScannedSeries,
  refs: readonly Ref[],
  from: number,
): (RecentColumn | undefined)[] | undefined {
  const columns: (RecentColumn | undefined)[] = [];
  for (const ref of refs) {
    const slots = slotsOf(each, ref);
    const [slot] = slots;
    if (slot === undefined) {
      columns.push(undefined);
      continue;
    }
    if (slots.length > 1 || (ref.type !== undefined && ref.type !== "field" && slot.type !== ref.type))
      return undefined;
    const held = heldOf(recent, slot);
    if (held === undefined || held.from > from || !held.holds(slot.id)) return undefined;
    columns.push(held.column(slot.id));
  }
  return columns;
}

const heldOf = (recent: RecentValues, { table }: Slot): Recent | undefined =>
  table === "readings" ? recent.readings : recent.points;

/** Null: what it looks at is not all held. */
function conditionOf(
  recent: RecentValues,
  each: ScannedSeries,
  condition: Expression,
  from: number,
): RecentCondition | null {
  const fields = [...fieldsIn(condition).values()].map(({ name, type }): Ref => ({ name, type }));
  const columns = columnsOf(recent, each, fields, from);
  if (columns === undefined) return null;
  const holds = compile(
    condition,
    (part) => {
      if (part.kind !== "reference") return undefined;
      const place = fields.findIndex(({ name, type }) => name === part.name && type === part.type);
      return place < 0 ? undefined : place;
    },
    false,
    true,
  );
  return { columns, holds };
}

/** Walks along a series' columns by time and says whether its condition holds there. */
export class ConditionWalk {
  readonly #condition: RecentCondition;
  readonly #places: number[];
  readonly #values: Value[];

  constructor(condition: RecentCondition, from: number) {
    this.#condition = condition;
    this.#places = condition.columns.map((column) => column?.placeOf(from) ?? 0);
    this.#values = condition.columns.map((_, index) => condition.constants?.[index] ?? null);
  }

  /** `at` must not be before the one of the last call. */
  holdsAt(at: number): boolean {
    const { columns, holds } = this.#condition;
    for (let index = 0; index < columns.length; index++) {
      const column = columns[index];
      if (column === undefined) continue;
      let place = this.#places[index] as number;
      while (place < column.length && (column.times[place] as number) < at) place++;
      this.#places[index] = place;
      this.#values[index] = place < column.length && column.times[place] === at ? column.value(place) : null;
    }
    return holds(this.#values) === true;
  }
}
