import type { Value } from "./evaluate.ts";
import { type Options, keptTags } from "./options.ts";
import { type Run, type Stream, StreamBuilder } from "./stream.ts";
import { compareText, type TagSet } from "./tags.ts";
import { windowOf } from "./window.ts";

export interface Point {
  readonly time: bigint;
  readonly value: Value;
  readonly aux?: readonly Value[] | undefined;
  /** Of how many values a mean is. */
  readonly count?: number | undefined;
}

/** What an aggregate gives of the points of one window: points whose time is their own, or the window's where undefined. */
export type Aggregate = (points: Point[]) => { time?: bigint; value: Value; aux?: readonly Value[] | undefined }[];

/**
 * Reduces what lies in one window and belongs together, in the order of the stream: as soon as name, group or window
 * change, a new reduction begins.
 */
export function reduced(stream: Stream, aggregate: Aggregate, options: Options): Stream {
  const out = new StreamBuilder(options.aux.length > 0);
  const kept = keptTags(options);
  let name: string | undefined;
  let group = "";
  let start = 0n;
  let end = 0n;
  let buckets = new Map<string, { tags: TagSet; points: Point[] }>();
  const flush = (): void => {
    if (name !== undefined) emit(out, name, buckets, start, aggregate, options);
    buckets = new Map();
  };
  for (const run of stream) {
    const order = run.tags.subset(options.order).id;
    const tags = run.tags.subset(kept);
    for (let index = 0; index < run.times.length; index++) {
      const value = run.values[index] ?? null;
      if (value === null) continue;
      const time = run.times[index] as bigint;
      if (name !== run.name || group !== order || time < start || time >= end) {
        flush();
        name = run.name;
        group = order;
        [start, end] = windowOf(time, options);
      }
      let bucket = buckets.get(tags.id);
      if (bucket === undefined) buckets.set(tags.id, (bucket = { tags, points: [] }));
      bucket.points.push({ time, value, aux: run.aux?.[index], count: run.counts?.[index] });
    }
  }
  flush();
  return out.runs;
}

function emit(
  out: StreamBuilder,
  name: string,
  buckets: Map<string, { tags: TagSet; points: Point[] }>,
  start: bigint,
  aggregate: Aggregate,
  { isAscending, isOrdered }: Options,
): void {
  const direction = isAscending ? 1 : -1;
  const found = [...buckets.values()]
    .sort((a, b) => direction * compareText(a.tags.id, b.tags.id))
    .flatMap(({ tags, points }) => aggregate(points).map((each) => ({ tags, ...each })));
  if (isOrdered && found.some(({ time }) => time !== undefined)) {
    found.sort((a, b) => {
      const [x, y] = [a.time ?? start, b.time ?? start];
      return x === y ? 0 : x < y ? -direction : direction;
    });
  }
  for (const { tags, time, value, aux } of found) out.add(name, tags, time ?? start, value, aux);
}

type Comparable = number | bigint | string | boolean;
const less = (a: Value, b: Value): boolean => (a as Comparable) < (b as Comparable);

/** The point that `isBetter` than all before it. */
function picked(points: readonly Point[], isBetter: (one: Point, best: Point) => boolean): Point {
  let best = points[0] as Point;
  for (const each of points) if (isBetter(each, best)) best = each;
  return best;
}

const BETTER: Readonly<Record<string, (one: Point, best: Point) => boolean>> = {
  min: (one, best) => less(one.value, best.value) || (one.value === best.value && one.time < best.time),
  max: (one, best) => less(best.value, one.value) || (one.value === best.value && one.time < best.time),
  first: (one, best) =>
    one.time < best.time ||
    (one.time === best.time &&
      (typeof one.value === "boolean" ? less(one.value, best.value) : less(best.value, one.value))),
  last: (one, best) => one.time > best.time || (one.time === best.time && less(best.value, one.value)),
};

const isInteger = (points: readonly Point[]): boolean => typeof points[0]?.value === "bigint";
const number = (value: Value | undefined): number => Number(value ?? Number.NaN);

function sum(points: readonly Point[]): number | bigint {
  if (isInteger(points)) {
    return BigInt.asIntN(
      64,
      points.reduce((total, { value }) => total + (value as bigint), 0n),
    );
  }
  return points.reduce((total, { value }) => total + (value as number), 0);
}

const byValue = (a: Point, b: Point): number => (less(a.value, b.value) ? -1 : less(b.value, a.value) ? 1 : 0);
const sorted = (points: readonly Point[]): Point[] => [...points].sort(byValue);

function median(points: readonly Point[]): number {
  const values = sorted(points).map(({ value }) => value);
  const middle = Math.floor(values.length / 2);
  if (values.length % 2 === 1) return number(values[middle]);
  const [low, high] = [values[middle - 1] as number | bigint, values[middle] as number | bigint];
  if (typeof low === "bigint" && typeof high === "bigint") return Number(low) + Number(high - low) / 2;
  return Number(low) + (Number(high) - Number(low)) / 2;
}

/** The value that comes most often. What wins a tie depends on where in time the values lie, as in InfluxDB. */
export function mode(points: readonly Point[]): Value {
  const [only] = points;
  if (only !== undefined && points.length === 1) return only.value;
  if (typeof only?.value === "boolean") {
    return points.filter(({ value }) => value === true).length * 2 >= points.length;
  }
  const ordered = sorted(points);
  let most = 0;
  let mostTime = ordered[0]?.time ?? 0n;
  let found = ordered[0]?.value ?? null;
  let current = found;
  let count = 0;
  let time = mostTime;
  for (const each of ordered) {
    if (each.value !== current) {
      count = 1;
      current = each.value;
      time = each.time;
      continue;
    }
    count++;
    if (most > count || (most === count && time > mostTime)) continue;
    most = count;
    found = each.value;
    mostTime = each.time;
  }
  return found;
}

/** Of at least two values, of which those that are no number are left out. */
function deviation(points: readonly Point[]): number {
  if (points.length < 2) return Number.NaN;
  const values = points.map(({ value }) => Number(value)).filter((value) => !Number.isNaN(value));
  let mean = 0;
  values.forEach((value, index) => {
    mean += (value - mean) / (index + 1);
  });
  const variance = values.reduce((total, value) => total + (value - mean) ** 2, 0);
  return Math.sqrt(variance / (values.length - 1));
}

/** The place of a percentile by nearest rank, counted from 1; InfluxDB gives nothing where it is none of them. */
export const rankOf = (count: number, percent: number): number => Math.floor((count * percent) / 100 + 0.5);

/** Of a single value InfluxDB keeps the time where others have their window's. */
const single = (points: readonly Point[], isTimed: boolean, value: Value): { time?: bigint; value: Value }[] => {
  const time = isTimed ? points[0]?.time : undefined;
  return time === undefined ? one(value) : [{ time, value }];
};

const one = (value: Value): { value: Value }[] => [{ value }];

/** The aggregate of a name and its arguments beside the field; undefined: it is none. */
export function aggregateOf(name: string, argument: number): Aggregate | undefined {
  const better = BETTER[name];
  if (better !== undefined) {
    return (points) => {
      const { time, value, aux } = picked(points, better);
      return [{ time, value, aux }];
    };
  }
  switch (name) {
    case "count":
      return (points) => one(BigInt(points.length));
    case "sum":
      return (points) => one(sum(points));
    case "mean":
      return (points) => one(mean(points));
    case "median":
      return (points) => single(points, points.length === 1 && !isInteger(points), median(points));
    case "mode":
      return (points) => single(points, points.length === 1, mode(points));
    case "stddev":
      return (points) => one(deviation(points));
    case "spread":
      return (points) => {
        if (isInteger(points)) {
          const ordered = sorted(points);
          return one(BigInt.asIntN(64, (ordered.at(-1)?.value as bigint) - (ordered[0]?.value as bigint)));
        }
        const values = points.map(({ value }) => value as number);
        return one(values.reduce((a, b) => Math.max(a, b)) - values.reduce((a, b) => Math.min(a, b)));
      };
    case "percentile":
      return (points) => {
        const found = sorted(points)[rankOf(points.length, argument) - 1];
        return found === undefined ? [] : [{ time: found.time, value: found.value, aux: found.aux }];
      };
    case "distinct":
      return distinct;
    case "top":
    case "bottom": {
      const direction = name === "top" ? -1 : 1;
      return (points) =>
        [...points]
          .sort((a, b) => direction * byValue(a, b) || (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
          .slice(0, argument)
          .map(({ time, value, aux }) => ({ time, value, aux }));
    }
    case "sample":
      return (points) => points.slice(0, argument).map(({ time, value, aux }) => ({ time, value, aux }));
    default:
      return undefined;
  }
}

function mean(points: readonly Point[]): number {
  let total = 0;
  let count = 0;
  for (const { value, count: weight = 1 } of points) {
    total += Number(value) * Math.max(1, weight);
    count += Math.max(1, weight);
  }
  return isInteger(points) ? Number(sum(points)) / count : total / count;
}

function distinct(points: readonly Point[]): { time: bigint; value: Value }[] {
  const found = new Map<Value, bigint>();
  for (const { value, time } of points) if (!found.has(value)) found.set(value, time);
  return [...found]
    .map(([value, time]) => ({ value, time }))
    .sort((a, b) => (a.time === b.time ? (less(a.value, b.value) ? -1 : 1) : a.time < b.time ? -1 : 1));
}

/** Times as those of the windows in which they lie; a window without a start begins at 0. */
export function atWindows(stream: Stream, options: Options, minimum: bigint): Stream {
  const starts = new Map<bigint, bigint>();
  const startOf = (time: bigint): bigint => {
    let start = starts.get(time);
    if (start === undefined) starts.set(time, (start = windowOf(time, options)[0]));
    return start === minimum ? 0n : start;
  };
  return stream.map((run): Run => ({
    ...run,
    times: run.times.map(startOf),
  }));
}
