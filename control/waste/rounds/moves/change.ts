import type { Problem } from "../problem.ts";
import type { Shift, Solution, Trip } from "../solution.ts";
import { allowed, shiftOf, solutionOf } from "../solution.ts";

/** A trip of a solution, by the place of its vehicle and its own place in the shift. */
export interface At {
  readonly vehicle: number;
  readonly trip: number;
}

/** All trips of a solution in order, with one empty trip at the end of each shift, where a new one may begin. */
export function tripsOf(solution: Solution): { at: At; stops: Trip }[] {
  return solution.shifts.flatMap(({ trips }, vehicle) => [
    ...trips.map((stops, trip) => ({ at: { vehicle, trip }, stops })),
    { at: { vehicle, trip: trips.length }, stops: [] },
  ]);
}

/**
 * The solution with some trips replaced and the stops in `found` no longer absent; undefined when that is not allowed or
 * not cheaper.
 */
export function changed(
  problem: Problem,
  solution: Solution,
  changes: readonly { readonly at: At; readonly stops: Trip }[],
  found: number | undefined = undefined,
): Solution | undefined {
  const shifts: Shift[] = [...solution.shifts];
  for (const vehicle of new Set(changes.map(({ at }) => at.vehicle))) {
    const trips: Trip[] = [...(solution.shifts[vehicle]?.trips ?? [])];
    for (const { at, stops } of changes) if (at.vehicle === vehicle) trips[at.trip] = stops;
    const shift = shiftOf(problem, trips);
    if (!allowed(problem, vehicle, shift)) return undefined;
    shifts[vehicle] = shift;
  }
  const absent = found === undefined ? solution.absent : solution.absent.filter((stop) => stop !== found);
  const after = solutionOf(problem, shifts, absent);
  return after.cost_s < solution.cost_s ? after : undefined;
}

/** The trip without `count` stops from `place` on. */
export const without = (stops: Trip, place: number, count = 1): number[] => [...stops.slice(0, place), ...stops.slice(place + count)];

/** The trip with stops put in at `place`. */
export const withStops = (stops: Trip, place: number, more: Trip): number[] => [...stops.slice(0, place), ...more, ...stops.slice(place)];
