import type { Problem } from "../problem.ts";
import type { Solution } from "../solution.ts";
import { changed, tripsOf, withStops, without } from "./change.ts";

/** Moves `count` consecutive stops elsewhere, as they are or turned round, at the first place where that helps. */
export function moveSegment(problem: Problem, solution: Solution, count: number): Solution | undefined {
  const trips = tripsOf(solution);
  for (const from of trips) {
    for (let start = 0; start + count <= from.stops.length; start++) {
      const segment = from.stops.slice(start, start + count);
      const rest = without(from.stops, start, count);
      for (const turned of count === 1 ? [segment] : [segment, segment.toReversed()]) {
        for (const to of trips) {
          const same = to === from;
          const base = same ? rest : to.stops;
          for (let place = 0; place <= base.length; place++) {
            const stops = withStops(base, place, turned);
            const changes = same ? [{ at: to.at, stops }] : [{ at: from.at, stops: rest }, { at: to.at, stops }]; // prettier-ignore
            const better = changed(problem, solution, changes);
            if (better !== undefined) return better;
          }
        }
      }
    }
  }
  return undefined;
}
