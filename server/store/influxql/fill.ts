import type { Fill } from "./ast.ts";
import { InfluxError } from "./engine.ts";
import type { Value } from "./evaluate.ts";
import type { Options } from "./options.ts";
import type { GrowingRun, Run, Stream } from "./stream.ts";
import { ahead, MIN_NS, windowOf } from "./window.ts";

/**
 * Puts a point into every window that has none, from the start of the span to its end. Raises InfluxError where all groups
 * together would have more than `most` windows; 0: there is no limit.
 */
export function filled(
  stream: Stream,
  fill: Fill,
  type: "float" | "integer" | "string" | "boolean",
  options: Options,
  most: number,
): Stream {
  const [first, last] = options.isAscending ? [options.start, options.end] : [options.end, options.start];
  const startTime = windowOf(first, options)[0];
  const endTime = windowOf(last, options)[0];
  const aux = options.aux.length > 0 ? options.aux.map(() => null) : undefined;
  const times = new Steps(options);
  if (most > 0) {
    let buckets = 0n;
    for (const { times: own } of stream) {
      const from = startTime === MIN_NS ? windowOf(own[0] as bigint, options)[0] : startTime;
      const to = endTime === MIN_NS ? (own.at(-1) as bigint) : endTime;
      buckets += (to > from ? to - from : from - to) / options.every + 1n;
    }
    requireBuckets(buckets, most);
  }
  return stream.map((run) => filledRun(run, fill, type, options, startTime, endTime, times, aux));
}

/** Raises InfluxError beyond the limit of windows. */
export function requireBuckets(buckets: bigint, most: number): void {
  if (buckets > BigInt(most)) throw new InfluxError(400, `max-select-buckets limit exceeded: (${buckets}/${most})`);
}

function filledRun(
  run: Run,
  fill: Fill,
  type: "float" | "integer" | "string" | "boolean",
  options: Options,
  startTime: bigint,
  endTime: bigint,
  steps: Steps,
  noAux: readonly Value[] | undefined,
): Run {
  const { isAscending } = options;
  const firstTime = run.times[0] as bigint;
  if (options.zone === undefined && firstTime === startTime && run.times.at(-1) === endTime) {
    const span = endTime > startTime ? endTime - startTime : startTime - endTime;
    if (BigInt(run.times.length - 1) * options.every === span) return run;
  }
  const out: GrowingRun = { name: run.name, tags: run.tags, times: [], values: [], ...(run.aux && { aux: [] }) };
  let time = startTime === MIN_NS ? windowOf(firstTime, options)[0] : startTime;
  steps.begin(time);
  let previous: Value = null;
  let previousTime: bigint | undefined;
  let index = 0;
  for (;;) {
    const next = run.times[index];
    if (next === undefined) {
      const isInside = isAscending ? time <= endTime : time >= endTime && endTime !== MIN_NS;
      if (!isInside) return out;
    }
    if (next === undefined || (isAscending ? next > time : next < time)) {
      out.times.push(time);
      out.values.push(filling(fill, type, options, time, previous, previousTime, next, run.values[index] ?? null));
      if (noAux !== undefined) out.aux?.push(noAux);
    } else {
      out.times.push(next);
      const value = run.values[index] ?? null;
      out.values.push(value);
      const aux = run.aux?.[index];
      if (aux !== undefined) out.aux?.push(aux);
      previous = value;
      previousTime = next;
      index++;
    }
    time = steps.next(time);
  }
}

function filling(
  fill: Fill,
  type: string,
  { every }: Options,
  time: bigint,
  previous: Value,
  previousTime: bigint | undefined,
  nextTime: bigint | undefined,
  next: Value,
): Value {
  switch (fill.kind) {
    case "number":
      if (type === "integer") return typeof fill.value === "bigint" ? fill.value : BigInt(Math.trunc(fill.value));
      if (type === "float") return Number(fill.value);
      return type === "string" ? "" : false;
    case "previous":
      return previous;
    case "linear": {
      if (previousTime === undefined || previous === null || nextTime === undefined || next === null) return null;
      if (typeof previous === "string" || typeof next === "string") return null;
      if (typeof previous === "boolean" || typeof next === "boolean") return null;
      const [from, at, to] = [previousTime / every, time / every, nextTime / every];
      const slope = (Number(next) - Number(previous)) / Number(to - from);
      const value = slope * Number(at - from) + Number(previous);
      return typeof previous === "bigint" ? BigInt(Math.trunc(value)) : value;
    }
    case "auto":
    case "none":
    case "null":
    default:
      return null;
  }
}

/** From one window's start to the next, over the changes of the clock. */
class Steps {
  readonly #options: Options;
  #ahead = 0n;

  constructor(options: Options) {
    this.#options = options;
  }

  begin(time: bigint): void {
    if (this.#options.zone !== undefined) this.#ahead = ahead(time, this.#options.zone);
  }

  next(time: bigint): bigint {
    const { every, zone, isAscending } = this.#options;
    let next = isAscending ? time + every : time - every;
    if (zone === undefined) return next;
    const now = ahead(next - 1n, zone);
    if (now !== this.#ahead) {
      const change = this.#ahead - now;
      if ((change < 0n ? -change : change) < every) next += change;
      this.#ahead = now;
    }
    return next;
  }
}
