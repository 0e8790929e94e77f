import type { Expression, FieldType, Select, Source } from "./ast.ts";
import { checkSelect } from "./check.ts";
import { fault } from "./condition.ts";
import type { ResultSeries } from "./engine.ts";
import { requireBuckets } from "./fill.ts";
import { compile, typeFault, typeOf, type Value, type ValueType } from "./evaluate.ts";
import { hasCall, Parts, SELECTORS } from "./columns.ts";
import { calls, type Read, rawStream } from "./calls.ts";
import { innerOptions, type Options, outerOptions, type Ref } from "./options.ts";
import { cast, fillingOf, type Rows, scanned, Scanner } from "./rows.ts";
import { type Heads, RunSeries, withoutNaN } from "./run-series.ts";
import { columnNames, isTime, nameOf, resolve, spread } from "./resolve.ts";
import { limit, type Run, type Stream, StreamBuilder } from "./stream.ts";
import { compareText, TagSet } from "./tags.ts";
import { MIN_NS, windowOf } from "./window.ts";

export interface Context extends Read {
  /** The answer is written as text at once: rows are made only where somebody looks at them. */
  readonly isWritten?: boolean;
}

/** Runs a SELECT. Raises InfluxError in InfluxDB's words. */
export async function runSelect(select: Select, context: Context): Promise<ResultSeries[]> {
  checkSelect(select, context.now_ns);
  const resolved = resolve(select, context.catalogue);
  for (const { expression } of resolved.columns) {
    const found = typeFault(expression);
    if (found !== undefined) throw fault(found);
  }
  const options = outerOptions(resolved, context.now_ns);
  limitBuckets(resolved, options, context.limits.buckets);
  const columns = spread(resolved.columns);
  const timeAlias = select.columns.findLast(
    ({ expression, alias }) => isTime(expression) && alias !== undefined,
  )?.alias;
  const names = ["time", ...columnNames(columns)];
  if (timeAlias !== undefined) names[0] = timeAlias;
  const types = ["time" as const, ...columns.map(({ expression }) => resultType(typeOf(expression)))];
  const heads: Heads = { columns: names, types };
  const selected = await heldOrRead(context, (each) => selection(resolved, options, each));
  if (selected === undefined) return [];
  const { only } = selected;
  if (context.isWritten === true && only !== undefined) {
    const runs = only.runs();
    if (resolved.from.length === 1 || !runs.some(isAgain)) return runs.map((run) => new RunSeries(run, heads));
  }
  const found: ResultSeries[] = [];
  let last: { name: string; tags: TagSet; values: Value[][] } | undefined;
  for (const { name, tags, rows: values } of only?.rows() ?? selected.rows()) {
    for (const row of values) {
      for (let column = 1; column < row.length; column++) row[column] = withoutNaN(row[column] ?? null);
    }
    if (last !== undefined && last.name === name && (last.tags === tags || last.tags.id === tags.id)) {
      for (const row of values) last.values.push(row);
      continue;
    }
    last = { name, tags, values };
    if (tags.values.size === 0) found.push({ name, ...heads, values });
    else if (context.isWritten === true) found.push({ name, tagsText: tags.json, tags: tags.object, ...heads, values });
    else found.push({ name, tags: tags.object, ...heads, values });
  }
  return found;
}

/** Whether a run goes on with what the one before it ended with: of a measurement that is read twice. */
function isAgain({ name, tags }: Run, index: number, runs: Stream): boolean {
  const before = runs[index - 1];
  return before !== undefined && before.name === name && (before.tags === tags || before.tags.id === tags.id);
}

/** Something is not in memory. */
class NotHeld extends Error {}
const notHeld = (): never => {
  throw new NotHeld();
};

/** Answers from memory where all of it is there, and otherwise all by SQL, which is planned for what lies in the database. */
async function heldOrRead<Found>(context: Context, run: (context: Context) => Promise<Found>): Promise<Found> {
  if (context.recent === undefined) return run(context);
  let points = 0;
  const took = (more: number): void => void (points += more);
  try {
    const found = await run({ ...context, fetch: notHeld, each: notHeld, took });
    context.took(points);
    return found;
  } catch (problem) {
    if (!(problem instanceof NotHeld)) throw problem;
    return run({ ...context, recent: undefined });
  }
}

const resultType = (type: ValueType): FieldType =>
  type === undefined || type === "field" ? "float" : type === "tag" ? "string" : type;

function limitBuckets(select: Select, options: Options, most: number): void {
  if (most <= 0 || options.every === 0n || options.start <= MIN_NS) return;
  if (!select.columns.some(({ expression }) => hasCall(expression))) return;
  const [first] = windowOf(options.start, options);
  const [last] = windowOf(options.end - 1n, options);
  const buckets = (last - first + options.every) / options.every;
  requireBuckets(buckets, most);
}

/** The rows of a SELECT whose names are resolved. */
async function rowsOf(select: Select, options: Options, context: Context): Promise<Rows[]> {
  const selected = await selection(select, options, context);
  return selected === undefined ? [] : (selected.only?.rows() ?? selected.rows());
}

interface Selection {
  /** Where all that is shown is what one call gives. */
  readonly only: Scanner | undefined;
  rows(): Rows[];
}

/** What a SELECT finds whose names are resolved; undefined: nothing. */
async function selection(select: Select, options: Options, context: Context): Promise<Selection | undefined> {
  const columns = spread(select.columns);
  const parts = new Parts(columns);
  const evaluations = columns.map(({ expression }) => compile(expression, parts.placeOf));
  const aux = parts.refs.map(({ ref }) => ref);
  const own: Options = { ...options, aux };
  const scanners: Scanner[] = [];
  const auxTypes = parts.refs.map(({ ref, place }) => ({ place, type: ref.type }));
  const filling = fillingOf(options);
  if (parts.calls.length === 0) {
    if (aux.every(({ type }) => type === undefined)) return undefined;
    const stream = await sourceStream(select.from, undefined, own, context);
    scanners.push(new Scanner(limit(stream, options.limit, options.offsetRows), undefined, auxTypes, filling));
  } else {
    const [only] = parts.calls;
    const isSelector = parts.calls.length === 1 && only !== undefined && SELECTORS.has(only.call.name);
    for (const { call, place, type } of parts.calls) {
      if (type === undefined) continue;
      const read = {
        stream: (field: Ref | undefined, opt: Options) => sourceStream(select.from, field, opt, context),
        from: select.from,
        context,
      };
      const stream = await calls(call, own, isSelector, read);
      scanners.push(new Scanner(limit(stream, options.limit, options.offsetRows), { place, type }, auxTypes, filling));
    }
  }
  const [only] = scanners;
  const [column] = columns;
  const isBare = parts.calls.length === 1 && parts.size === 1 && columns.length === 1;
  const isShown = isBare && column !== undefined && parts.placeOf(column.expression) !== undefined;
  return {
    only: isShown ? only : undefined,
    rows: () => scanned(scanners, evaluations, parts.size, options.isAscending),
  };
}

/** The points of all sources: of a field where there is one, otherwise of what stands beside. */
async function sourceStream(
  from: readonly Source[],
  field: Ref | undefined,
  options: Options,
  context: Context,
): Promise<Stream> {
  const measurements = from.flatMap((each) => (each.kind === "measurement" ? [each.name as string] : []));
  const streams: Stream[] = [];
  if (measurements.length > 0) streams.push(await rawStream(measurements, field, options, context));
  for (const each of from) {
    if (each.kind === "subquery") streams.push(await subqueryStream(each.select, field, options, context));
  }
  return streams.length === 1 ? (streams[0] as Stream) : merged(streams, options);
}

function merged(streams: readonly Stream[], { order, isAscending, aux }: Options): Stream {
  const direction = isAscending ? 1 : -1;
  const points = streams.flatMap((stream) =>
    stream.flatMap((run) => {
      const tags = run.tags.subset(order).id;
      return run.times.map((time, index) => ({ run, time, index, tags }));
    }),
  );
  points.sort(
    (a, b) =>
      direction * (compareText(a.run.name, b.run.name) || compareText(a.tags, b.tags) || Number(a.time - b.time)),
  );
  const out = new StreamBuilder(aux.length > 0);
  for (const { run, time, index } of points)
    out.add(run.name, run.tags, time, run.values[index] ?? null, run.aux?.[index]);
  return out.runs;
}

type FromRow = (row: readonly Value[], rows: Rows) => Value;

async function subqueryStream(
  select: Select,
  field: Ref | undefined,
  outer: Options,
  context: Context,
): Promise<Stream> {
  const driver = field === undefined ? undefined : pick(select, field);
  if (field !== undefined && driver === undefined) return [];
  const isRaw = !select.columns.some(({ expression }) => hasCall(expression));
  const options = innerOptions(select, outer, context.now_ns, isRaw);
  let found = await rowsOf(select, options, context);
  if (outer.condition !== undefined) found = filtered(found, select, outer.condition);
  if (field !== undefined && field.type === undefined) return [];
  const aux = outer.aux.map((ref) => pick(select, ref) ?? (() => null));
  const kept = outer.groups.length > 0 ? outer.groups : outer.order;
  const inner = options.groups.length > 0 ? options.groups : options.order;
  const out = new StreamBuilder(outer.aux.length > 0);
  for (const rows of found) {
    const tags = kept.length === inner.length ? rows.tags : rows.tags.subset(kept);
    rows.rows.forEach((row) => {
      const value = driver === undefined ? null : driver(row, rows);
      out.add(
        rows.name,
        tags,
        row[0] as bigint,
        value,
        aux.map((each) => each(row, rows)),
      );
    });
  }
  return out.runs;
}

/** Where a name of the outer SELECT is found in the inner one: among its columns, or its tags. */
function pick(select: Select, ref: Ref): FromRow | undefined {
  let index = 1;
  for (const column of select.columns) {
    const { expression } = column;
    const at = index++;
    if (nameOf(column) === ref.name) return (row) => typed(row[at] ?? null, ref.type);
    if (expression.kind === "call" && (expression.name === "top" || expression.name === "bottom")) {
      const beside = expression.arguments.slice(1, -1);
      const place = beside.findIndex((each) => each.kind === "reference" && each.name === ref.name);
      if (place >= 0) return (row) => typed(row[at + 1 + place] ?? null, "string");
      index += beside.length;
    }
  }
  if (select.group.some((each) => each.kind === "tag" && each.name === ref.name)) {
    return (_, { tags }) => tags.values.get(ref.name) ?? "";
  }
  return undefined;
}

/** A value in the type that is asked for; of another kind it stays what it is, and is none for who asks. */
function typed(value: Value, type: ValueType): Value {
  const made = cast(value, type);
  if (made === null || type === undefined || type === "field") return made;
  const wanted =
    type === "float"
      ? "number"
      : type === "integer" || type === "unsigned"
        ? "bigint"
        : type === "boolean"
          ? "boolean"
          : "string";
  return typeof made === wanted ? made : null;
}

function filtered(found: readonly Rows[], select: Select, condition: Expression): Rows[] {
  const names = columnNames(spread(select.columns));
  const places = new Map<string, { index: number; type: ValueType } | string>();
  const placed: ({ index: number; type: ValueType } | string)[] = [];
  const evaluate = compile(
    condition,
    (part) => {
      if (part.kind !== "reference") return undefined;
      let known = places.get(part.name);
      if (known === undefined) {
        const index = names.indexOf(part.name);
        known = index >= 0 ? { index: index + 1, type: part.type } : part.name;
        places.set(part.name, known);
        placed.push(known);
      }
      return placed.indexOf(known);
    },
    false,
  );
  return found.flatMap((rows) => {
    const kept = rows.rows.filter((row) => {
      const parts = placed.map((each) =>
        typeof each === "string" ? (rows.tags.values.get(each) ?? "") : cast(row[each.index] ?? null, each.type),
      );
      return evaluate(parts) === true;
    });
    return kept.length === 0 ? [] : [{ ...rows, rows: kept }];
  });
}
