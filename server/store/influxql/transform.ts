import type { Value } from "./evaluate.ts";
import { type Options, keptTags } from "./options.ts";
import { type Stream, StreamBuilder } from "./stream.ts";
import type { TagSet } from "./tags.ts";
import { windowOf } from "./window.ts";

/** Takes one point after the other and gives what comes out; at the end it may give more. */
export interface Transformation {
  next(time: bigint, value: number | bigint | string | boolean): readonly (readonly [time: bigint, value: Value])[];
  end?(): readonly (readonly [time: bigint, value: Value])[];
}

const NOTHING: readonly (readonly [bigint, Value])[] = [];

/** Sends the points of each group, in the order of the stream, through a transformation of its own. */
export function transformed(stream: Stream, make: () => Transformation, options: Options): Stream {
  const out = new StreamBuilder(false);
  const kept = keptTags(options);
  const running = new Map<string, Running>();
  /** The same by the very object that a run names its tags by, since runs may be of one point each. */
  const byTags = new Map<TagSet, Running>();
  const flush = (): void => {
    for (const { name, tags, transformation } of running.values()) {
      for (const [time, result] of transformation.end?.() ?? NOTHING) out.add(name, tags, time, result);
    }
    running.clear();
    byTags.clear();
  };
  let name: string | undefined;
  let order: TagSet | undefined;
  for (const run of stream) {
    const outer = run.tags.subset(options.order);
    if (run.name !== name || (outer !== order && outer.id !== order?.id)) flush();
    name = run.name;
    order = outer;
    let state = byTags.get(run.tags);
    if (state === undefined) {
      const tags = run.tags.subset(kept);
      state = running.get(tags.id);
      if (state === undefined) running.set(tags.id, (state = { name, tags, transformation: make() }));
      byTags.set(run.tags, state);
    }
    const { transformation, tags } = state;
    const { times, values } = run;
    for (let index = 0; index < values.length; index++) {
      const value = values[index] ?? null;
      if (value === null) continue;
      for (const [time, result] of transformation.next(times[index] as bigint, value))
        out.add(name, tags, time, result);
    }
  }
  flush();
  return out.runs;
}

interface Running {
  readonly name: string;
  readonly tags: TagSet;
  readonly transformation: Transformation;
}

const wrapped = (value: bigint): bigint => BigInt.asIntN(64, value);

/** Change from one point to the next over the time between them, in `unit_ns`. Of several at one time the first counts. */
export function derivative(unit_ns: bigint, isNonNegative: boolean, isAscending: boolean): Transformation {
  let last: number | bigint | undefined;
  let lastTime = 0n;
  return {
    next(time, value) {
      if (typeof value !== "number" && typeof value !== "bigint") return NOTHING;
      if (last !== undefined && time === lastTime) return NOTHING;
      const [before, beforeTime] = [last, lastTime];
      last = value;
      lastTime = time;
      if (before === undefined) return NOTHING;
      const change =
        typeof value === "bigint" && typeof before === "bigint"
          ? Number(wrapped(value - before))
          : Number(value) - Number(before);
      const elapsed = Number(isAscending ? time - beforeTime : beforeTime - time);
      if (isNonNegative && change < 0) return NOTHING;
      return [[time, change / (elapsed / Number(unit_ns))]];
    },
  };
}

export function difference(isNonNegative: boolean): Transformation {
  let last: number | bigint | undefined;
  let lastTime = 0n;
  return {
    next(time, value) {
      if (typeof value !== "number" && typeof value !== "bigint") return NOTHING;
      if (last !== undefined && time === lastTime) return NOTHING;
      const before = last;
      last = value;
      lastTime = time;
      if (before === undefined) return NOTHING;
      const change =
        typeof value === "bigint" && typeof before === "bigint"
          ? wrapped(value - before)
          : Number(value) - Number(before);
      return isNonNegative && change < 0 ? NOTHING : [[time, change]];
    },
  };
}

export function cumulativeSum(): Transformation {
  let total: number | bigint | undefined;
  return {
    next(time, value) {
      if (typeof value === "bigint") total = wrapped(((total as bigint | undefined) ?? 0n) + value);
      else if (typeof value === "number") total = ((total as number | undefined) ?? 0) + value;
      else return NOTHING;
      return [[time, total]];
    },
  };
}

export function movingAverage(size: number): Transformation {
  const window: (number | bigint)[] = [];
  let place = 0;
  let total: number | bigint | undefined;
  return {
    next(time, value) {
      if (typeof value !== "number" && typeof value !== "bigint") return NOTHING;
      if (window.length === size) total = minus(total ?? 0, window[place] as number | bigint);
      window[place] = value;
      total = total === undefined ? value : plus(total, value);
      place = (place + 1) % size;
      return window.length < size ? NOTHING : [[time, Number(total) / size]];
    },
  };
}

const plus = (a: number | bigint, b: number | bigint): number | bigint =>
  typeof a === "bigint" && typeof b === "bigint" ? wrapped(a + b) : Number(a) + Number(b);
const minus = (a: number | bigint, b: number | bigint): number | bigint =>
  typeof a === "bigint" && typeof b === "bigint" ? wrapped(a - b) : Number(a) - Number(b);

export function elapsed(unit_ns: bigint): Transformation {
  let last: bigint | undefined;
  return {
    next(time) {
      const before = last;
      last = time;
      return before === undefined ? NOTHING : [[time, (time - before) / unit_ns]];
    },
  };
}

/**
 * Area under the points by trapezoids, cut at the ends of windows, in value × `unit_ns`. InfluxDB cuts integers in its own
 * way: what lies beyond the cut is computed from the value before it.
 */
export function integral(unit_ns: bigint, options: Options): Transformation {
  const { isAscending } = options;
  const isCut = options.every !== 0n;
  let last: { time: bigint; value: number } | undefined;
  let start = 0n;
  let end = 0n;
  let sum = 0;
  const cutAt = (time: bigint): void => {
    const [from, to] = windowOf(time, options);
    [start, end] = isAscending ? [from, to] : [to, from];
  };
  const area = (from: bigint, to: bigint, a: number, b: number): number =>
    0.5 * (a + b) * (Number(to - from) / Number(unit_ns));
  return {
    next(time, value) {
      if (typeof value !== "number" && typeof value !== "bigint") return NOTHING;
      const isWhole = typeof value === "bigint";
      let now = Number(value);
      const point = { time, value: now };
      if (last === undefined) {
        if (isCut || isWhole) cutAt(time);
        if (isWhole && start === options.start && !isCut && start < -(2n ** 62n)) start = 0n;
        last = point;
        return NOTHING;
      }
      if (last.time === time) {
        last = point;
        return NOTHING;
      }
      const out: [bigint, Value][] = [];
      if ((isCut || isWhole) && (isAscending ? time >= end : time <= end)) {
        if (last.time !== end) {
          const slope = (now - last.value) / Number(time - last.time);
          const atEnd = slope * Number(end - last.time) + last.value;
          sum += area(last.time, end, last.value, atEnd);
          last = { time: end, value: isWhole ? last.value : atEnd };
          if (isWhole) now = atEnd;
        }
        out.push([start, sum]);
        cutAt(time);
        sum = 0;
      }
      sum += area(last.time, time, last.value, now);
      last = point;
      return out;
    },
    end: () => (last === undefined || last.time === start ? NOTHING : [[start, sum]]),
  };
}
