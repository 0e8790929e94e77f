import type { Expression, Fill, Source } from "./ast.ts";
import type { Catalogue } from "./catalogue.ts";
import { fault } from "./condition.ts";
import type { QueryLimits } from "./engine.ts";
import { typeOf, type Value, type ValueType } from "./evaluate.ts";
import { filled } from "./fill.ts";
import { callInSql, nestedAggregate } from "./nested.ts";
import { newestOf } from "./newest.ts";
import { type Options, type Ref, keptTags } from "./options.ts";
import { aggregated, type Aggregation, canAggregate } from "./pushdown.ts";
import { recentAggregate } from "./recent-aggregate.ts";
import { nestedInMemory } from "./recent-nested.ts";
import { type RecentRow, recentRows, timeOf } from "./recent-rows.ts";
import type { RecentValues } from "./recent-scan.ts";
import { aggregateOf, atWindows, reduced } from "./reduce.ts";
import { scanOf, seriesOf, slotsOf } from "./scan.ts";
import { type Stream, StreamBuilder } from "./stream.ts";
import {
  cumulativeSum,
  derivative,
  difference,
  elapsed,
  integral,
  movingAverage,
  type Transformation,
  transformed,
} from "./transform.ts";
import { MIN_NS } from "./window.ts";

type Call = Extract<Expression, { kind: "call" }>;

/** How rows are read: `fetch` gives the columns of an SQL query. */
export interface Read {
  fetch(sql: string): Promise<readonly (readonly Value[])[]>;
  /** The same piece by piece, for what is put elsewhere at once. */
  each(sql: string, take: (columns: readonly (readonly Value[])[]) => void): Promise<void>;
  /** What to write behind FROM for our own readings in [from, to), milliseconds since 1970. */
  relation(from_ms: number, to_ms: number, ids: readonly number[]): string;
  /** What is held in memory of this policy; undefined: nothing. */
  readonly recent: RecentValues | undefined;
  /** Counts points that were taken from memory, against the limit of points. */
  took(points: number): void;
  readonly catalogue: Catalogue;
  readonly limits: QueryLimits;
  readonly now_ns: bigint;
}

export interface Sources {
  readonly from: readonly Source[];
  readonly context: Read;
  stream(field: Ref | undefined, options: Options): Promise<Stream>;
}

/** The points of a call, with windows and fill as they belong to it. */
export async function calls(call: Call, options: Options, isSelector: boolean, sources: Sources): Promise<Stream> {
  const { name } = call;
  const makeTransformation = transformationOf(call, options);
  if (makeTransformation !== undefined) {
    const [field] = call.arguments;
    const input = name === "cumulative_sum" || name === "integral" ? options : earlier(options);
    if (name === "integral") {
      await refuseType(name, refOf(field).type, refOf(field), input, sources);
      const found = await unlessHeld(sources, () => callInSql(call, input, sources.from, sources.context));
      if (found !== undefined) return found;
    }
    const stream =
      field?.kind === "call"
        ? await calls(field, input, false, sources)
        : await fieldStream(call, field, input, sources);
    // What is wrong inside is said before it.
    if (field?.kind === "call") await refuseType(name, typeOf(field), refOf(innermost(field)), input, sources);
    return transformed(stream, makeTransformation, { ...options, aux: [] });
  }
  const isCountOfDistinct = name === "count" && call.arguments[0]?.kind === "call";
  const [field] = isCountOfDistinct ? (call.arguments[0] as Call).arguments : call.arguments;
  const ref = refOf(field);
  await refuseType(isCountOfDistinct ? "distinct" : name, ref.type, ref, options, sources);
  if (name === "top" || name === "bottom" || name === "sample") return reducedBy(call, ref, options, sources);
  let stream: Stream;
  if (isCountOfDistinct) {
    stream =
      (await unlessHeld(sources, () => callInSql(call, options, sources.from, sources.context))) ??
      (await counted(call, ref, options, sources));
  } else
    stream = await reducedBy(call, ref, options, sources, name !== "distinct" && (!isSelector || options.every !== 0n));
  if (name === "distinct") return atWindows(stream, options, MIN_NS);
  if (!isSelector || options.every !== 0n) {
    // What the database or columns have put into windows stands at their starts.
    const isAtStarts = sources.from.every(isStored) && isAtStart(options);
    if (!isAtStarts) stream = atWindows(stream, options, MIN_NS);
    const { fill } = options;
    if (options.every !== 0n && fill.kind !== "none") {
      stream = filled(
        stream,
        countsFromZero(name, fill),
        fillType(typeOf(call)),
        options,
        sources.context.limits.buckets,
      );
    }
  }
  return stream;
}

async function counted(call: Call, ref: Ref, options: Options, sources: Sources): Promise<Stream> {
  const inner = await reducedBy(call.arguments[0] as Call, ref, options, sources);
  return reduced(atWindows(inner, options, MIN_NS), aggregateOf("count", 0) ?? never(call.name), options);
}

/** What is answered from memory is computed here, what the database answers in SQL where that can be. */
async function unlessHeld({ context }: Sources, inSql: () => Promise<Stream | undefined>): Promise<Stream | undefined> {
  return context.recent === undefined ? inSql() : undefined;
}

/** Whether the start of a window is what is shown as its time. */
const isAtStart = ({ every, zone, start }: Options): boolean => (every === 0n ? start > MIN_NS : zone === undefined);

const isStored = (source: Source): boolean => source.kind === "measurement";

const never = (name: string): never => {
  throw fault(`undefined function ${name}()`);
};

const countsFromZero = (name: string, fill: Fill): Fill =>
  name === "count" && (fill.kind === "null" || fill.kind === "auto") ? { kind: "number", value: 0n } : fill;

const fillType = (type: ValueType): "float" | "integer" | "string" | "boolean" =>
  type === "integer" || type === "unsigned" ? "integer" : type === "string" || type === "boolean" ? type : "float";

/** One interval more, so that the first window has one before it. */
export function earlier(options: Options): Options {
  const { every, isAscending, start, end, opened } = options;
  if (every === 0n) return options;
  const [first, last] = opened;
  if (isAscending) return { ...options, start: start - every < first ? first : start - every };
  return { ...options, end: end + every > last ? last : end + every };
}

function refOf(field: Expression | undefined): Ref {
  if (field?.kind !== "reference") throw fault("expected field argument");
  return { name: field.name, type: field.type };
}

async function fieldStream(
  call: Call,
  field: Expression | undefined,
  options: Options,
  sources: Sources,
): Promise<Stream> {
  const ref = refOf(field);
  await refuseType(call.name, ref.type, ref, options, sources);
  return sources.stream(ref, { ...options, aux: [] });
}

async function reducedBy(
  call: Call,
  ref: Ref,
  options: Options,
  sources: Sources,
  isAtWindow = false,
): Promise<Stream> {
  const last = call.arguments.at(-1);
  const argument = last?.kind === "integer" || last?.kind === "number" ? Number(last.value) : 0;
  const beside = call.name === "top" || call.name === "bottom" ? besideOf(call) : [];
  const measurements = sources.from.map((each) => (each.kind === "measurement" ? (each.name as string) : undefined));
  if (measurements.every((each) => each !== undefined) && canAggregate(call.name)) {
    const { context } = sources;
    const series = seriesOf(context.catalogue, measurements, options, context.limits.series);
    const aggregation = { name: call.name, argument, beside, ref, series, options, isAtWindow, read: context };
    const held = newestOf(aggregation) ?? recentAggregate(aggregation) ?? heldReduced(aggregation, measurements);
    return held ?? aggregated(aggregation);
  }
  const input = UNORDERED.has(call.name) ? { ...options, isOrdered: false } : options;
  const over = { name: call.name, argument, beside, ref, options: input, isAtWindow, read: sources.context };
  const nested =
    nestedInMemory(over, sources.from) ?? (await unlessHeld(sources, () => nestedAggregate(over, sources.from)));
  if (nested !== undefined) return nested;
  if (beside.length === 0) return reducedPoints(await sources.stream(ref, input), over);
  return reducedPoints(await sources.stream(ref, besideOptions(over)), over);
}

/** Point by point what no columns in memory are reduced to; undefined: they are not held. */
function heldReduced(aggregation: Aggregation, measurements: readonly string[]): Stream | undefined {
  const { beside, ref, options, read } = aggregation;
  const points = heldPoints(measurements, ref, beside.length === 0 ? options : besideOptions(aggregation), read);
  if (points === undefined) return undefined;
  const found = reducedPoints(points, aggregation);
  return aggregation.isAtWindow && isAtStart(options) ? atWindows(found, options, MIN_NS) : found;
}

/** What top and bottom tell apart is kept apart until the best of each is found. */
const besideOptions = ({ beside, options }: Pick<Aggregation, "beside" | "options">): Options => ({
  ...options,
  groups: [...new Set([...beside, ...options.groups])].sort(),
  isOrdered: false,
});

function reducedPoints(points: Stream, aggregation: Omit<Aggregation, "series">): Stream {
  const { name, argument, beside, options } = aggregation;
  const aggregate = aggregateOf(name, argument) ?? never(name);
  if (beside.length === 0) return reduced(points, aggregate, options);
  const best = aggregateOf(name === "top" ? "max" : "min", 0) ?? never(name);
  return reduced(reduced(points, best, besideOptions(aggregation)), aggregate, options);
}

/** Around a SELECT these take points and hand them on as they come, in each window by tags. */
const UNORDERED = new Set(["count", "min", "max", "sum", "first", "last", "mean"]);

const besideOf = (call: Call): string[] =>
  call.arguments.slice(1, -1).flatMap((each) => (each.kind === "reference" ? [each.name] : []));

/** Functions that work on points one after the other; undefined: another function. */
function transformationOf(call: Call, options: Options): (() => Transformation) | undefined {
  const { name, arguments: given } = call;
  const [, second] = given;
  const own_ns = second?.kind === "duration" ? second.ns : undefined;
  switch (name) {
    case "derivative":
    case "non_negative_derivative": {
      const unit_ns = own_ns ?? (options.every > 0n ? options.every : 1_000_000_000n);
      return () => derivative(unit_ns, name !== "derivative", options.isAscending);
    }
    case "difference":
    case "non_negative_difference":
      return () => difference(name !== "difference");
    case "cumulative_sum":
      return cumulativeSum;
    case "moving_average": {
      const size = second?.kind === "integer" ? Number(second.value) : 2;
      return () => movingAverage(size);
    }
    case "elapsed":
      return () => elapsed(own_ns ?? 1n);
    case "integral":
      return () => integral(own_ns ?? 1_000_000_000n, options);
    case "exponential_moving_average":
    case "double_exponential_moving_average":
    case "triple_exponential_moving_average":
    case "relative_strength_index":
    case "triple_exponential_derivative":
    case "kaufmans_efficiency_ratio":
    case "kaufmans_adaptive_moving_average":
    case "chande_momentum_oscillator":
    case "holt_winters":
    case "holt_winters_with_fit":
      throw fault(`${name}() is not supported by this server`);
    default:
      return undefined;
  }
}

const ANY = new Set(["count", "first", "last", "distinct", "elapsed", "mode", "sample"]);
const BOOLEANS_TOO = new Set(["min", "max"]);
/** What InfluxDB calls its functions when a type does not suit them. */
const SPOKEN: Readonly<Record<string, string>> = {
  non_negative_derivative: "derivative",
  non_negative_difference: "difference",
  cumulative_sum: "cumulative sum",
  moving_average: "moving average",
};

function innermost(part: Expression): Expression | undefined {
  return part.kind === "call" ? innermost(part.arguments[0] ?? { kind: "wildcard" }) : part;
}

/** A text has no mean. InfluxDB says so by the names of its own types, and only where there is any such text. */
async function refuseType(
  name: string,
  type: ValueType,
  field: Ref,
  options: Options,
  sources: Sources,
): Promise<void> {
  if (type !== "string" && type !== "boolean") return;
  if (ANY.has(name) || (type === "boolean" && BOOLEANS_TOO.has(name))) return;
  const { from, context } = sources;
  const measurements = from.flatMap((each) => (each.kind === "measurement" ? [each.name as string] : []));
  const isThere = seriesOf(context.catalogue, measurements, options, 0).some((each) => slotsOf(each, field).length > 0);
  if (!isThere && measurements.length === from.length) return;
  // What is wrong in a SELECT inside is said before it.
  if (measurements.length < from.length) await sources.stream(field, { ...options, aux: [] });
  throw fault(`unsupported ${SPOKEN[name] ?? name} iterator type: *query.${type}InterruptIterator`);
}

/** Points as they are stored: of a field where there is one, otherwise wherever any of `aux` has a value. */
export async function rawStream(
  measurements: readonly string[],
  field: Ref | undefined,
  options: Options,
  read: Read,
): Promise<Stream> {
  const held = heldPoints(measurements, field, options, read);
  if (held !== undefined) return held;
  const series = seriesOf(read.catalogue, measurements, options, read.limits.series);
  const { aux } = options;
  const { columns, places } = columnsBeside(field, options);
  const isFiner = keptTags(options).length !== options.order.length;
  const scan = scanOf({
    series,
    driver: field,
    aux: columns,
    options,
    relation: (from, to, ids) => read.relation(from, to, ids),
  });
  if (scan === undefined) return [];
  const direction = options.isAscending ? "ASC" : "DESC";
  const order = isFiner ? `[${ranks(scan.groups).join(",")}][g + 1]` : "g";
  const selected = ["s", "g", "t", ...scan.types.map((_, index) => `c${index}`)];
  const cut = limitSql(options, field === undefined && !isFiner);
  const rows = await read.fetch(
    `SELECT ${selected.join(", ")} FROM (${scan.sql})${cut} ORDER BY ${order} ${direction}, t ${direction}, s ${direction}`,
  );
  const [s = [], g = [], t = []] = rows;
  const values = rows.slice(3);
  const out = new StreamBuilder(aux.length > 0);
  for (let row = 0; row < s.length; row++) {
    const group = scan.groups[g[row] as number];
    const each = scan.series[s[row] as number];
    if (group === undefined || each === undefined) continue;
    const value = field === undefined ? null : (values[0]?.[row] ?? null);
    const beside = aux.map((ref, index) => {
      const place = places[index];
      if (place !== undefined) return values[place]?.[row] ?? null;
      return ref.type === "tag" ? (each.series.tags.get(ref.name) ?? null) : null;
    });
    out.add(group.name, group.tags, (t[row] as bigint) * scan.unit_ns, value, beside);
  }
  return out.runs;
}

/** The fields among what stands beside, and for each of these its place among all columns that are read. */
function columnsBeside(
  field: Ref | undefined,
  { aux }: Options,
): { columns: readonly Ref[]; places: readonly (number | undefined)[] } {
  const columns = aux.filter(({ type }) => type !== "tag" && type !== undefined);
  const first = field === undefined ? 0 : 1;
  const places = aux.map((ref) => {
    const index = columns.indexOf(ref);
    return index < 0 ? undefined : first + index;
  });
  return { columns, places };
}

/** As `rawStream`, from memory; undefined: they are not all held. */
function heldPoints(
  measurements: readonly string[],
  field: Ref | undefined,
  options: Options,
  read: Read,
): Stream | undefined {
  if (read.recent === undefined) return undefined;
  const series = seriesOf(read.catalogue, measurements, options, read.limits.series);
  const { columns, places } = columnsBeside(field, options);
  const isFiner = keptTags(options).length !== options.order.length;
  const refs = field === undefined ? columns : [field, ...columns];
  const most = field === undefined && !isFiner && options.limit > 0 ? options.limit + options.offsetRows : 0;
  const held = recentRows(read.recent, series, refs, field !== undefined, options, most);
  if (held === undefined) return undefined;
  read.took(held.length);
  return heldStream(held, options.aux, places, field !== undefined);
}

function heldStream(
  rows: readonly RecentRow[],
  aux: readonly Ref[],
  places: readonly (number | undefined)[],
  hasDriver: boolean,
): Stream {
  const out = new StreamBuilder(aux.length > 0);
  for (const row of rows) {
    const { name, tags, series } = row.series;
    const beside = aux.map((ref, index) => {
      const place = places[index];
      if (place !== undefined) return row.values[place] ?? null;
      return ref.type === "tag" ? (series.tags.get(ref.name) ?? null) : null;
    });
    out.add(name, tags, timeOf(row), hasDriver ? (row.values[0] ?? null) : null, beside);
  }
  return out.runs;
}

/** By `g`: the place of its group in the order of the outermost tags. */
export function ranks(groups: readonly { name: string; order: { id: string } }[]): number[] {
  let rank = -1;
  return groups.map(({ name, order }, index) => {
    const before = groups[index - 1];
    if (before === undefined || before.name !== name || before.order.id !== order.id) rank++;
    return rank;
  });
}

function limitSql({ limit, offsetRows, isAscending }: Options, isAllowed: boolean): string {
  if (!isAllowed || limit === 0) return "";
  const direction = isAscending ? "ASC" : "DESC";
  return ` QUALIFY row_number() OVER (PARTITION BY g ORDER BY t ${direction}, s ${direction}) <= ${limit + offsetRows}`;
}
