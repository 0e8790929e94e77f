import type { Problem } from "../problem.ts";
import type { Solution, Trip } from "../solution.ts";
import { changed, tripsOf } from "./change.ts";

/** Exchanges two stops, of one trip or of two. */
export function swap(problem: Problem, solution: Solution): Solution | undefined {
  const trips = tripsOf(solution);
  for (let a = 0; a < trips.length; a++) {
    for (let b = a; b < trips.length; b++) {
      const better = swapBetween(
        problem,
        solution,
        trips[a] as (typeof trips)[number],
        trips[b] as (typeof trips)[number],
      );
      if (better !== undefined) return better;
    }
  }
  return undefined;
}

type Placed = ReturnType<typeof tripsOf>[number];

function swapBetween(problem: Problem, solution: Solution, a: Placed, b: Placed): Solution | undefined {
  for (let i = 0; i < a.stops.length; i++) {
    for (let j = a === b ? i + 1 : 0; j < b.stops.length; j++) {
      const [x, y] = [a.stops[i] as number, b.stops[j] as number];
      const changes =
        a === b
          ? [{ at: a.at, stops: put(put(a.stops, i, y), j, x) }]
          : [
              { at: a.at, stops: put(a.stops, i, y) },
              { at: b.at, stops: put(b.stops, j, x) },
            ];
      const better = changed(problem, solution, changes);
      if (better !== undefined) return better;
    }
  }
  return undefined;
}

const put = (stops: Trip, place: number, stop: number): number[] =>
  stops.map((each, index) => (index === place ? stop : each));
