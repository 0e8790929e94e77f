import type { Problem, Stop } from "./problem.ts";

/** The problem's times in flat arrays, for the inner loops: from `a` to `b` at `(a + 1) * width + b + 1`. */
export interface Times {
  readonly width: number;
  readonly direct: Float64Array;
  readonly tipping: Float64Array;
  readonly service: Float64Array;
}

export function timesOf(problem: Problem): Times {
  const width = problem.stops.length + 1;
  const flat = (rows: readonly (readonly number[])[]): Float64Array => {
    const all = new Float64Array(width * width);
    rows.forEach((row, index) => all.set(row, index * width));
    return all;
  };
  return {
    width,
    direct: flat(problem.direct),
    tipping: flat(problem.tipping),
    service: Float64Array.from(problem.stops, (stop: Stop) => stop.service_s),
  };
}
