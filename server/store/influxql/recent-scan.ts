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
  /** The same by the groups that they go to. */
  readonly groups: readonly (readonly RecentSeries<Each>[])[];
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
  const asked = askedOf(all, refs, hasDriver);
  if (asked === undefined) return undefined;
  const from = Number(-floor(-options.start, MS));
  const to = Number(floor(options.end, MS));
  const series: RecentSeries<ScannedSeries>[] = [];
  const groups: RecentSeries<ScannedSeries>[][] = [];
  for (const { each, slots, condition } of asked.series) {
    const columns = columnsOf(recent, slots, from);
    const looked = condition === undefined ? undefined : columnsOf(recent, condition.slots, from);
    if (columns === undefined || (condition !== undefined && looked === undefined)) return undefined;
    const found = { each, columns, condition: condition && looked && { columns: looked, holds: condition.holds } };
    series.push(found);
    const group = groups[each.group];
    if (group === undefined) groups[each.group] = [found];
    else group.push(found);
  }
  return { series, groups, types: asked.types, from, to };
}

/** Undefined: they are not all held. */
function columnsOf(
  recent: RecentValues,
  slots: readonly (Slot | undefined)[],
  from: number,
): (RecentColumn | undefined)[] | undefined {
  const columns: (RecentColumn | undefined)[] = [];
  for (const slot of slots) {
    if (slot === undefined) {
      columns.push(undefined);
      continue;
    }
    const held = slot.table === "readings" ? recent.readings : recent.points;
    if (held === undefined || held.from > from || !held.holds(slot.id)) return undefined;
    columns.push(held.column(slot.id));
  }
  return columns;
}

/** Where the values lie that a question asks for. */
interface Asked {
  readonly series: readonly {
    readonly each: ScannedSeries;
    readonly slots: readonly (Slot | undefined)[];
    readonly condition: { readonly slots: readonly (Slot | undefined)[]; readonly holds: Evaluate } | undefined;
  }[];
  readonly types: readonly FieldType[];
}

/** For series that are remembered, what was asked for of them, since a dashboard asks the same again and again. */
const ASKED = new WeakMap<readonly ScannedSeries[], Map<string, Asked | undefined>>();
/** Different fields that are remembered of the same series. */
const MOST_ASKED = 64;

/** Undefined: what is asked for is not of one kind, or of another than is held. */
function askedOf(all: readonly ScannedSeries[], refs: readonly Ref[], hasDriver: boolean): Asked | undefined {
  let known = ASKED.get(all);
  if (known === undefined) ASKED.set(all, (known = new Map()));
  const key = JSON.stringify([hasDriver, refs.map(({ name, type }) => [name, type])]);
  if (known.has(key)) return known.get(key);
  if (known.size >= MOST_ASKED) known.clear();
  const found = findAsked(all, refs, hasDriver);
  known.set(key, found);
  return found;
}

function findAsked(all: readonly ScannedSeries[], refs: readonly Ref[], hasDriver: boolean): Asked | undefined {
  const drivers = hasDriver ? refs.slice(0, 1) : refs;
  const isAsked = (each: ScannedSeries): boolean => drivers.some((ref) => slotsOf(each, ref).length > 0);
  const types: (FieldType | undefined)[] = refs.map(() => undefined);
  const series: Asked["series"][number][] = [];
  for (const each of regrouped(all.filter(isAsked))) {
    const slots = heldSlots(each, refs);
    if (slots === undefined) return undefined;
    for (const [index, slot] of slots.entries()) {
      types[index] ??= slot?.type;
      if (slot !== undefined && types[index] !== slot.type) return undefined;
    }
    if (each.condition === undefined) {
      series.push({ each, slots, condition: undefined });
      continue;
    }
    const condition = conditionOf(each, each.condition);
    if (condition === undefined) return undefined;
    series.push({ each, slots, condition });
  }
  return { series, types: types.map((type, index) => typeOfColumn(refs[index]?.type, type)) };
}

function heldSlots(each: ScannedSeries, refs: readonly Ref[]): (Slot | undefined)[] | undefined {
  const held: (Slot | undefined)[] = [];
  for (const ref of refs) {
    const slots = slotsOf(each, ref);
    const [slot] = slots;
    const isOther = ref.type !== undefined && ref.type !== "field" && slot?.type !== ref.type;
    if (slot !== undefined && (slots.length > 1 || isOther)) return undefined;
    held.push(slot);
  }
  return held;
}

function conditionOf(
  each: ScannedSeries,
  condition: Expression,
): { slots: readonly (Slot | undefined)[]; holds: Evaluate } | undefined {
  const fields = [...fieldsIn(condition).values()].map(({ name, type }): Ref => ({ name, type }));
  const slots = heldSlots(each, fields);
  if (slots === undefined) return undefined;
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
  return { slots, holds };
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
