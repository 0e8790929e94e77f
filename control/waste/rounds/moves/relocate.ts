import type { Problem } from "../problem.ts";
import type { Solution } from "../solution.ts";
import { changed, tripsOf, withStops } from "./change.ts";
import { moveSegment } from "./segment.ts";

/** Moves one stop to a better place in any trip, or takes up one that was left out. */
export function relocate(problem: Problem, solution: Solution): Solution | undefined {
  return takeUp(problem, solution) ?? moveSegment(problem, solution, 1);
}

function takeUp(problem: Problem, solution: Solution): Solution | undefined {
  for (const stop of solution.absent) {
    for (const { at, stops } of tripsOf(solution)) {
      for (let place = 0; place <= stops.length; place++) {
        const better = changed(problem, solution, [{ at, stops: withStops(stops, place, [stop]) }], stop);
        if (better !== undefined) return better;
      }
    }
  }
  return undefined;
}
