import type { Value } from "./evaluate.ts";
import type { TagSet } from "./tags.ts";

/**
 * Points that follow each other with the same name and tags. A stream of them is what InfluxDB's iterators pass on: within
 * one name, and the tags that are grouped by outermost, in the order of time.
 */
export interface Run {
  readonly name: string;
  readonly tags: TagSet;
  /** They may be the same of several runs. */
  readonly times: readonly bigint[];
  readonly values: readonly Value[];
  /** For each point the values that were asked for beside it. */
  readonly aux?: readonly (readonly Value[])[];
  /** For a mean, of how many values it is. */
  readonly counts?: readonly number[];
}

export type Stream = Run[];

/** A run that points are added to. */
export interface GrowingRun extends Run {
  readonly times: bigint[];
  readonly values: Value[];
  readonly aux?: (readonly Value[])[];
}

/** Puts single points behind each other in runs. */
export class StreamBuilder {
  readonly runs: GrowingRun[] = [];
  readonly #hasAux: boolean;

  constructor(hasAux: boolean) {
    this.#hasAux = hasAux;
  }

  add(name: string, tags: TagSet, time: bigint, value: Value, aux?: readonly Value[]): void {
    let run = this.runs.at(-1);
    if (run === undefined || run.tags !== tags || run.name !== name) {
      const isSame = run !== undefined && run.name === name && run.tags.id === tags.id;
      if (!isSame || run === undefined) {
        run = { name, tags, times: [], values: [], ...(this.#hasAux && { aux: [] }) };
        this.runs.push(run);
      }
    }
    run.times.push(time);
    run.values.push(value);
    if (aux !== undefined) run.aux?.push(aux);
  }
}

/** LIMIT and OFFSET count anew whenever name or tags change. */
export function limit(stream: Stream, rows: number, offset: number): Stream {
  if (rows === 0 && offset === 0) return stream;
  const end = rows === 0 ? undefined : offset + rows;
  return stream.flatMap((run) => {
    const times = run.times.slice(offset, end);
    if (times.length === 0) return [];
    const values = run.values.slice(offset, end);
    return [{ ...run, times, values, ...(run.aux && { aux: run.aux.slice(offset, end) }) }];
  });
}
