import type { Problem } from "../problem.ts";
import type { Solution } from "../solution.ts";
import { changed, tripsOf } from "./change.ts";

/** Exchanges the tails of two trips (Potvin and Rousseau 1995); one of them may come out empty, so trips are joined too. */
export function twoOptStar(problem: Problem, solution: Solution): Solution | undefined {
  const trips = tripsOf(solution);
  for (let first = 0; first < trips.length; first++) {
    for (let second = first + 1; second < trips.length; second++) {
      const [a, b] = [trips[first] as (typeof trips)[number], trips[second] as (typeof trips)[number]];
      for (let i = 0; i <= a.stops.length; i++) {
        for (let j = 0; j <= b.stops.length; j++) {
          const better = changed(problem, solution, [
            { at: a.at, stops: [...a.stops.slice(0, i), ...b.stops.slice(j)] },
            { at: b.at, stops: [...b.stops.slice(0, j), ...a.stops.slice(i)] },
          ]);
          if (better !== undefined) return better;
        }
      }
    }
  }
  return undefined;
}
