import type { Problem, Stop } from "../problem.ts";
import { BASE, direct, tipping } from "../problem.ts";
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

export interface Change {
  readonly at: At;
  readonly stops: Trip;
}

/**
 * The solution with some trips replaced and the stops in `found` no longer absent; undefined when that is not allowed or
 * not cheaper.
 */
export function changed(
  problem: Problem,
  solution: Solution,
  changes: readonly Change[],
  found?: number,
): Solution | undefined {
  if (addedBy(problem, solution, changes, found) >= 0) return undefined;
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

/** Seconds that changes add, worked out from the changed trips alone; -∞ (look closer) where these touch each other. */
function addedBy(problem: Problem, solution: Solution, changes: readonly Change[], found: number | undefined): number {
  const [a, b] = changes;
  if (a !== undefined && b !== undefined && a.at.vehicle === b.at.vehicle && Math.abs(a.at.trip - b.at.trip) <= 1) {
    return Number.NEGATIVE_INFINITY;
  }
  let added_s = 0;
  for (const { at, stops } of changes) {
    const { trips } = solution.shifts[at.vehicle] as Shift;
    const before = trips[at.trip - 1]?.at(-1) ?? BASE;
    const after = trips[at.trip + 1]?.[0] ?? BASE;
    added_s += drive(problem, before, stops, after) - drive(problem, before, trips[at.trip] ?? [], after);
  }
  if (found === undefined) return added_s;
  const { service_s, price_s } = problem.stops[found] as Stop;
  return added_s + service_s - price_s;
}

/** Driving and tipping from the last stop before a trip, through it, to the first stop after it. */
function drive(problem: Problem, before: number, trip: Trip, after: number): number {
  const first = trip[0];
  if (first === undefined) {
    if (before !== BASE) return tipping(problem, before, after);
    return after === BASE ? 0 : direct(problem, BASE, after);
  }
  let sum_s = before === BASE ? direct(problem, BASE, first) : tipping(problem, before, first);
  for (let place = 1; place < trip.length; place++)
    sum_s += direct(problem, trip[place - 1] as number, trip[place] as number);
  return sum_s + tipping(problem, trip[trip.length - 1] as number, after);
}

/** The trip without `count` stops from `place` on. */
export const without = (stops: Trip, place: number, count = 1): number[] => [
  ...stops.slice(0, place),
  ...stops.slice(place + count),
];

/** The trip with stops put in at `place`. */
export const withStops = (stops: Trip, place: number, more: Trip): number[] => [
  ...stops.slice(0, place),
  ...more,
  ...stops.slice(place),
];
