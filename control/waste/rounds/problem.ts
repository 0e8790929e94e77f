/**
 * A day of collection from one depot as a vehicle routing problem: capacity per trip, tipping between trips, a shift per
 * vehicle, and stops that may be left out at a price. An immutable value; stops are numbered from 0, and `BASE`, the
 * depot, stands before the first and after the last of each shift.
 */
export interface Problem {
  readonly stops: readonly Stop[];
  readonly vehicles: readonly Vehicle[];
  /** Seconds from one place to another, straight: `direct[from + 1][to + 1]`, the depot at 0. */
  readonly direct: readonly (readonly number[])[];
  /** The same by way of the best tipping site for what `from` holds, tipping included. */
  readonly tipping: readonly (readonly number[])[];
}

export interface Stop {
  readonly load: number;
  readonly service_s: number;
  /** Loads of two streams never share a trip. */
  readonly stream: number;
  /** What leaving it out costs, in seconds. */
  readonly price_s: number;
}

export interface Vehicle {
  readonly capacity: number;
  readonly shift_s: number;
  readonly streams: readonly number[];
}

/** The number of the depot. */
export const BASE = -1;

export function direct(problem: Problem, from: number, to: number): number {
  return (problem.direct[from + 1] as readonly number[])[to + 1] as number;
}

export function tipping(problem: Problem, from: number, to: number): number {
  return (problem.tipping[from + 1] as readonly number[])[to + 1] as number;
}
