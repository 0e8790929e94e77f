import type { Problem, Stop } from "./problem.ts";
import { BASE, direct, tipping } from "./problem.ts";
import type { Shift, Solution, Trip } from "./solution.ts";
import { allowed, emptySolution, loadOf, shiftOf, solutionOf } from "./solution.ts";

/**
 * A first solution by savings (Clarke and Wright 1964), for directed times: trips of one stop each, of which the end of one
 * and the start of another are joined where that saves most; then the trips are given to vehicles, the longest first.
 */
export function savings(problem: Problem): Solution {
  const trips = joined(problem).sort(
    (a, b) => shiftOf(problem, [b]).duration_s - shiftOf(problem, [a]).duration_s || first(a) - first(b),
  );
  const shifts: Shift[] = [...emptySolution(problem).shifts];
  const absent: number[] = [];
  for (const trip of trips) {
    let best: { vehicle: number; shift: Shift; added_s: number } | undefined;
    shifts.forEach((shift, vehicle) => {
      const longer = shiftOf(problem, [...shift.trips, trip]);
      const added_s = longer.duration_s - shift.duration_s;
      if ((best === undefined || added_s < best.added_s) && allowed(problem, vehicle, longer))
        best = { vehicle, shift: longer, added_s };
    });
    if (best === undefined) absent.push(...trip);
    else shifts[best.vehicle] = best.shift;
  }
  return solutionOf(problem, shifts, absent);
}

const first = (trip: Trip): number => trip[0] ?? BASE;

interface Joint {
  readonly from: number;
  readonly to: number;
  readonly saved_s: number;
}

function joined(problem: Problem): Trip[] {
  const capacity = capacities(problem);
  const tripOf = new Map<number, number[]>(problem.stops.map((_, stop) => [stop, [stop]]));
  for (const { from, to } of joints(problem)) {
    const head = tripOf.get(from) as number[];
    const tail = tripOf.get(to) as number[];
    if (head === tail || head.at(-1) !== from || tail[0] !== to) continue;
    if (loadOf(problem, head) + loadOf(problem, tail) > (capacity.get((problem.stops[from] as Stop).stream) ?? 0))
      continue;
    const trip = [...head, ...tail];
    for (const stop of trip) tripOf.set(stop, trip);
  }
  return [...new Set(tripOf.values())];
}

/** The smallest vehicle that takes a stream sets the size of its trips, so that each fits any of them. */
function capacities(problem: Problem): Map<number, number> {
  const smallest = new Map<number, number>();
  for (const { capacity, streams } of problem.vehicles) {
    for (const stream of streams) smallest.set(stream, Math.min(capacity, smallest.get(stream) ?? capacity));
  }
  return smallest;
}

/** No stop is joined to more than this many others: far ones save nothing, and the list stays short. */
const NEIGHBOURS = 60;

function joints(problem: Problem): Joint[] {
  const all: Joint[] = [];
  problem.stops.forEach((stop, from) => {
    const near: Joint[] = [];
    problem.stops.forEach((other, to) => {
      if (from === to || stop.stream !== other.stream) return;
      const saved_s = tipping(problem, from, BASE) + direct(problem, BASE, to) - direct(problem, from, to);
      if (saved_s > 0) near.push({ from, to, saved_s });
    });
    near.sort((a, b) => direct(problem, from, a.to) - direct(problem, from, b.to) || a.to - b.to);
    all.push(...near.slice(0, NEIGHBOURS));
  });
  return all.sort((a, b) => b.saved_s - a.saved_s || a.from - b.from || a.to - b.to);
}
