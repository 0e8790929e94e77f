import type { Chance } from "#protocol/ports.ts";
import { descend } from "./descend.ts";
import { Draft } from "./draft.ts";
import type { Problem } from "./problem.ts";
import { BASE, direct } from "./problem.ts";
import { recreate } from "./recreate.ts";
import { ruin } from "./ruin.ts";
import { savings } from "./savings.ts";
import type { Solution } from "./solution.ts";
import { timesOf } from "./times.ts";

export interface SearchResult {
  readonly solution: Solution;
  /** What savings alone gave, to compare with. */
  readonly start_s: number;
}

/** A stop's list of neighbours; more would only be reached by strings that no longer lie together. */
const NEAR = 100;
/** Of the mean leg of the first solution: the temperature at the start, and at the end. */
const HOT = 1.5;
const COLD = 0.005;

/**
 * A good plan for a day: savings first, then ruin and recreate under simulated annealing for `iterations` steps, and at the
 * end a descent with the classical moves. Bounded by steps and never by the clock, so the same chance gives the same plan.
 */
export function search(problem: Problem, iterations: number, chance: Chance): SearchResult {
  const start = savings(problem);
  if (problem.stops.length < 2) return { solution: descend(problem, start), start_s: start.cost_s };
  const times = timesOf(problem);
  const near = neighbourLists(problem);
  const vehicleOf = new Int32Array(problem.stops.length).fill(-1);
  let current = Draft.of(problem, times, start);
  locate(current, current.shifts.keys(), vehicleOf);
  let best = current;
  const hot = HOT * meanLeg(problem, start);
  const cooling = COLD ** (1 / Math.max(1, iterations));
  let temperature = hot;
  for (let iteration = 0; iteration < iterations; iteration++) {
    const draft = current.copy();
    ruin(draft, near, vehicleOf, chance);
    draft.settle();
    recreate(draft, chance);
    if (draft.cost_s < current.cost_s - temperature * Math.log(1 - chance.next())) {
      current = draft;
      locate(draft, draft.touched, vehicleOf);
      if (draft.cost_s < best.cost_s) best = draft;
    }
    temperature *= cooling;
  }
  return { solution: descend(problem, best.solution()), start_s: start.cost_s };
}

/** Notes which shift holds each stop, for the shifts named, and which stops are in none. */
function locate(draft: Draft, vehicles: Iterable<number>, vehicleOf: Int32Array): void {
  for (const vehicle of vehicles) {
    for (const { stops } of draft.shifts[vehicle]?.trips ?? []) for (const stop of stops) vehicleOf[stop] = vehicle;
  }
  for (const stop of draft.absent) vehicleOf[stop] = -1;
}

function neighbourLists(problem: Problem): Int32Array[] {
  const all = problem.stops.map((_, stop) => stop);
  return all.map((stop) => {
    const away = (other: number): number => (other === stop ? -1 : direct(problem, stop, other));
    return Int32Array.from([...all].sort((a, b) => away(a) - away(b) || a - b).slice(0, NEAR));
  });
}

function meanLeg(problem: Problem, solution: Solution): number {
  let sum = 0;
  let legs = 0;
  for (const { trips } of solution.shifts) {
    for (const trip of trips) {
      trip.forEach((stop, place) => (sum += direct(problem, place === 0 ? BASE : (trip[place - 1] as number), stop)));
      legs += trip.length;
    }
  }
  return legs === 0 ? 1 : sum / legs;
}
