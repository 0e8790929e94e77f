import type { Expression, Select, Source } from "./ast.ts";
import { earlier, type Read } from "./calls.ts";
import { hasCall, Parts, SELECTORS } from "./columns.ts";
import { compile, typeOf, type ValueType } from "./evaluate.ts";
import { innerOptions, keptTags, type Options, type Ref } from "./options.ts";
import type { Aggregation } from "./pushdown.ts";
import { PICKS, reducedScan, unlessNotComputed } from "./recent-aggregate.ts";
import type { RecentColumn } from "./recent-column.ts";
import {
  type Computed,
  type ComputedGroup,
  ExpressedColumns,
  isFilledInColumns,
  ReducedColumns,
  TransformedColumns,
} from "./recent-computed.ts";
import { reducerOf } from "./recent-reducers.ts";
import { type Place, type RecentCondition, type RecentScan, recentScan, type RecentSeries } from "./recent-scan.ts";
import { columnTransformation } from "./recent-transform.ts";
import { type RecentWindows, recentWindows } from "./recent-windows.ts";
import { withParts } from "./parts.ts";
import { columnNames, nameOf } from "./resolve.ts";
import { seriesOf } from "./scan.ts";
import type { Stream } from "./stream.ts";
import { compareText, type TagSet } from "./tags.ts";

type Call = Extract<Expression, { kind: "call" }>;
type Reference = Extract<Expression, { kind: "reference" }>;

/**
 * An aggregate over one SELECT inside whose columns are aggregates themselves, computed from memory column by column: no row
 * is made but those of the answer. Undefined: not all of it is held, or another way must be gone.
 */
export function nestedInMemory(aggregation: Omit<Aggregation, "series">, from: readonly Source[]): Stream | undefined {
  const { ref, beside, options, read } = aggregation;
  if (read.recent === undefined || options.aux.length > 0 || beside.length > 0) return undefined;
  return unlessNotComputed(() => {
    const source = sourceColumns(from, ref, options, read);
    return source && reducedScan(source.scan, windowsOver(options, source.lowest), aggregation);
  });
}

/**
 * The windows of options, which begin earlier where what falls into them does: windows of a SELECT inside may be longer.
 * Undefined: there is no telling where they begin.
 */
function windowsOver(options: Options, lowest: number): RecentWindows | undefined {
  const windows = recentWindows(options);
  if (windows === undefined || options.every === 0n || windows.inOrder() !== undefined) return windows;
  if (lowest >= windows.startMsOf(0)) return windows;
  // What is filled is filled from the start on.
  if (lowest === Number.NEGATIVE_INFINITY || options.fill.kind !== "none") return undefined;
  return recentWindows({ ...options, start: BigInt(lowest) * 1_000_000n });
}

interface SourceColumns {
  readonly scan: RecentScan;
  /** No value is earlier; milliseconds since 1970. */
  readonly lowest: number;
}

function sourceColumns(from: readonly Source[], ref: Ref, options: Options, read: Read): SourceColumns | undefined {
  const [only] = from;
  if (from.length !== 1 || only?.kind !== "subquery") return undefined;
  const { select } = only;
  const inner = innerOptions(select, options, read.now_ns, false);
  const columns = selectColumns(select, inner, read);
  const driver = columns?.[select.columns.findIndex((column) => nameOf(column) === ref.name)];
  if (columns === undefined || driver === undefined || !isOfType(driver, ref.type)) return undefined;
  const condition = options.condition === undefined ? ALWAYS : conditionOver(options.condition, select, columns);
  if (condition === undefined) return undefined;
  const groups = placed(driver.groups, options).map(({ each, members }) =>
    members.map((group) => new ComputedSeries(each, group, driver, condition)),
  );
  const all = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
  return { scan: { series: groups.flat(), groups, types: [driver.type], ...all }, lowest: driver.lowest };
}

const isOfType = ({ type }: Computed, asked: ValueType): boolean =>
  asked === undefined || asked === "field" || asked === type;

type ConditionOf = (group: number, of: ComputedGroup) => RecentCondition | undefined;
const ALWAYS: ConditionOf = () => undefined;

/** One group of a SELECT inside as a series, whose column is computed when it is asked for. */
class ComputedSeries implements RecentSeries {
  readonly each: Place;
  readonly #group: number;
  readonly #driver: Computed;
  readonly #condition: ConditionOf;

  constructor(each: Place, group: number, driver: Computed, condition: ConditionOf) {
    this.each = each;
    this.#group = group;
    this.#driver = driver;
    this.#condition = condition;
  }

  get columns(): readonly RecentColumn[] {
    return [this.#driver.column(this.#group)];
  }

  get condition(): RecentCondition | undefined {
    return this.#condition(this.#group, this.#driver.groups[this.#group] as ComputedGroup);
  }
}

/** Which groups around each group inside goes to, in the order of those around. */
function placed(groups: readonly ComputedGroup[], options: Options): { each: Place; members: readonly number[] }[] {
  const kept = keptTags(options);
  const around = new Map<string, { name: string; tags: TagSet; order: TagSet; members: number[] }>();
  groups.forEach(({ name, tags: all }, group) => {
    const tags = all.subset(kept);
    const key = `${name}\0${tags.id}`;
    const known = around.get(key);
    if (known === undefined) around.set(key, { name, tags, order: tags.subset(options.order), members: [group] });
    else known.members.push(group);
  });
  const sorted = [...around.values()].sort(
    (a, b) => compareText(a.name, b.name) || compareText(a.order.id, b.order.id) || compareText(a.tags.id, b.tags.id),
  );
  return sorted.map(({ name, tags, members }, group) => ({ each: { name, tags, group }, members }));
}

/** What a condition around says of columns and tags; undefined: it takes numbers for others than they are. */
function conditionOver(condition: Expression, select: Select, columns: readonly Computed[]): ConditionOf | undefined {
  const names = columnNames(select.columns);
  const looked = [...referencesIn(condition)].map(({ name, type }) => ({
    name,
    type,
    column: columns[names.indexOf(name)],
  }));
  if (looked.some(({ type, column }) => column !== undefined && !isOfType(column, type))) return undefined;
  const holds = compile(
    condition,
    (part) => (part.kind === "reference" ? looked.findIndex(({ name }) => name === part.name) : undefined),
    false,
  );
  return (group, { tags }) => ({
    columns: looked.map(({ column }) => column?.column(group)),
    constants: looked.map(({ name, column }) => (column === undefined ? (tags.values.get(name) ?? "") : null)),
    holds,
  });
}

function referencesIn(part: Expression, found: Reference[] = []): Reference[] {
  if (part.kind === "reference") found.push(part);
  else withParts(part, (each) => (referencesIn(each, found), each));
  return found;
}

/** The columns of a SELECT whose names are resolved; undefined: it is not computed so. */
function selectColumns(select: Select, options: Options, read: Read): Computed[] | undefined {
  const parts = new Parts(select.columns);
  if (parts.calls.length === 0 || parts.refs.length > 0) return undefined;
  const { limit, offsetRows, slimit, soffset } = options;
  if (limit !== 0 || offsetRows !== 0 || slimit !== 0 || soffset !== 0 || !isFilledInColumns(options)) return undefined;
  const [only] = parts.calls;
  const isSelector = parts.calls.length === 1 && only !== undefined && SELECTORS.has(only.call.name);
  const found: Computed[] = [];
  for (const { call, place } of parts.calls) {
    const column = callColumns(call, options, isSelector, select.from, read);
    if (column === undefined) return undefined;
    found[place] = column;
  }
  const groups = found.length === 1 ? undefined : allGroups(found);
  const columns: Computed[] = [];
  for (const { expression } of select.columns) {
    const place = parts.placeOf(expression);
    const bare = place === undefined ? undefined : found[place];
    if (bare !== undefined && groups === undefined) {
      columns.push(bare);
      continue;
    }
    const type = typeOf(expression);
    if (options.fill.kind !== "none" || !hasCall(expression) || (type !== "float" && type !== "integer"))
      return undefined;
    const all = groups ?? allGroups(found);
    const own = new Set(new Parts([{ expression }]).calls.map(({ call }) => parts.placeOf(call)));
    const partColumns = found.map((part, index) => (group: number): RecentColumn | undefined => {
      const at = own.has(index) ? all.places[index]?.[group] : undefined;
      return at === undefined ? undefined : part.column(at);
    });
    const lowest = Math.min(...found.map((part) => part.lowest));
    columns.push(new ExpressedColumns(type, all.groups, lowest, partColumns, compile(expression, parts.placeOf)));
  }
  return columns;
}

interface AllGroups {
  readonly groups: readonly ComputedGroup[];
  /** By part and group: its place among the part's own. */
  readonly places: readonly (readonly (number | undefined)[])[];
}

/** The groups that any of the parts has. */
function allGroups(parts: readonly Computed[]): AllGroups {
  const known = new Map<string, number>();
  const groups: ComputedGroup[] = [];
  const places = parts.map((part) => {
    const own: (number | undefined)[] = [];
    part.groups.forEach((group, place) => {
      const key = `${group.name}\0${group.tags.id}`;
      let all = known.get(key);
      if (all === undefined) known.set(key, (all = groups.push(group) - 1));
      own[all] = place;
    });
    return own;
  });
  return { groups, places };
}

function callColumns(
  call: Call,
  options: Options,
  isSelector: boolean,
  from: readonly Source[],
  read: Read,
): Computed | undefined {
  const type = typeOf(call);
  if (type !== "float" && type !== "integer") return undefined;
  const [field] = call.arguments;
  if (field?.kind === "call") {
    const transformation = columnTransformation(call, options.every, options.isAscending);
    if (transformation === undefined) return undefined;
    const input = call.name === "cumulative_sum" ? options : earlier(options);
    const inner = callColumns(field, { ...input, aux: [] }, false, from, read);
    return inner && new TransformedColumns(type, inner, transformation, options.every);
  }
  if (field?.kind !== "reference") return undefined;
  const { name } = call;
  const ref: Ref = { name: field.name, type: field.type };
  const last = call.arguments.at(-1);
  const argument = last?.kind === "integer" || last?.kind === "number" ? Number(last.value) : 0;
  const source = scanOf(from, ref, options, read);
  if (source === undefined) return undefined;
  const { scan, lowest } = source;
  const windows = windowsOver(options, lowest);
  const reducer = reducerOf(name, argument, scan.types[0] ?? "float");
  if (windows === undefined || reducer === undefined) return undefined;
  const isOwnTime = isSelector && options.every === 0n;
  if (isOwnTime && !PICKS.has(name)) return undefined;
  if (options.fill.kind !== "none" && windows.inOrder() !== undefined) return undefined;
  return new ReducedColumns(type, scan, windows, reducer, options, isOwnTime);
}

function scanOf(from: readonly Source[], ref: Ref, options: Options, read: Read): SourceColumns | undefined {
  const measurements = from.flatMap((each) => (each.kind === "measurement" ? [each.name as string] : []));
  if (measurements.length < from.length) return sourceColumns(from, ref, options, read);
  const series = seriesOf(read.catalogue, measurements, options, read.limits.series);
  const scan = recentScan(read.recent, series, [ref], true, options);
  return scan && { scan, lowest: Number.POSITIVE_INFINITY };
}
