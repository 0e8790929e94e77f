import type { Problem, Stop, Vehicle } from "./problem.ts";
import { BASE, direct, tipping } from "./problem.ts";

/** Stops served between leaving the depot (or the last tip) and tipping. */
export type Trip = readonly number[];

/** What one vehicle does in its day: trips, each ended by a tip, from the depot and back to it. */
export interface Shift {
  readonly trips: readonly Trip[];
  readonly duration_s: number;
}

/** One shift for each vehicle of the problem, in its order, and the stops left out. Shifts are shared, never changed. */
export interface Solution {
  readonly shifts: readonly Shift[];
  readonly absent: readonly number[];
  /** Seconds of all shifts and the prices of what is left out: what a search makes smaller. */
  readonly cost_s: number;
}

const IDLE: Shift = { trips: [], duration_s: 0 };

export function emptySolution(problem: Problem): Solution {
  const absent = problem.stops.map((_, stop) => stop);
  return solutionOf(
    problem,
    problem.vehicles.map(() => IDLE),
    absent,
  );
}

export function solutionOf(problem: Problem, shifts: readonly Shift[], absent: readonly number[]): Solution {
  let cost_s = 0;
  for (const shift of shifts) cost_s += shift.duration_s;
  for (const stop of absent) cost_s += (problem.stops[stop] as Stop).price_s;
  return { shifts, absent, cost_s };
}

/** The shift of these trips, empty ones left out, with its duration worked out. */
export function shiftOf(problem: Problem, trips: readonly Trip[]): Shift {
  const used = trips.filter((trip) => trip.length > 0);
  let duration_s = 0;
  let at = BASE;
  used.forEach((trip, index) => {
    trip.forEach((stop, place) => {
      duration_s += place === 0 && index > 0 ? tipping(problem, at, stop) : direct(problem, at, stop);
      duration_s += (problem.stops[stop] as Stop).service_s;
      at = stop;
    });
  });
  if (at !== BASE) duration_s += tipping(problem, at, BASE);
  return { trips: used, duration_s };
}

export function loadOf(problem: Problem, trip: Trip): number {
  let load = 0;
  for (const stop of trip) load += (problem.stops[stop] as Stop).load;
  return load;
}

/** Whether a vehicle may do this shift: loads, streams and hours. */
export function allowed(problem: Problem, vehicle: number, shift: Shift): boolean {
  const { capacity, shift_s, streams } = problem.vehicles[vehicle] as Vehicle;
  if (shift.duration_s > shift_s) return false;
  return shift.trips.every((trip) => {
    const stream = (problem.stops[trip[0] as number] as Stop).stream;
    if (!streams.includes(stream)) return false;
    return loadOf(problem, trip) <= capacity && trip.every((stop) => (problem.stops[stop] as Stop).stream === stream);
  });
}
