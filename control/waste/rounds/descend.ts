import { orOpt } from "./moves/orOpt.ts";
import { relocate } from "./moves/relocate.ts";
import { swap } from "./moves/swap.ts";
import { twoOptStar } from "./moves/twoOptStar.ts";
import type { Problem } from "./problem.ts";
import type { Solution } from "./solution.ts";

/** A move looks for one change that makes a solution cheaper, and returns what comes of it; undefined: there is none. */
export type Move = (problem: Problem, solution: Solution) => Solution | undefined;

const MOVES: readonly Move[] = [relocate, swap, orOpt, twoOptStar];
/** More than any plan of a town needs; a larger one stops a little above its valley's floor. */
const MOST_STEPS = 400;
/** A move tries every pair of stops: beyond this many stops the search alone must do. */
const MOST_STOPS = 150;

/** Applies the moves until none helps. */
export function descend(problem: Problem, start: Solution): Solution {
  if (problem.stops.length > MOST_STOPS) return start;
  let solution = start;
  for (let step = 0; step < MOST_STEPS; step++) {
    const better = firstThatHelps(problem, solution);
    if (better === undefined) return solution;
    solution = better;
  }
  return solution;
}

function firstThatHelps(problem: Problem, solution: Solution): Solution | undefined {
  for (const move of MOVES) {
    const better = move(problem, solution);
    if (better !== undefined) return better;
  }
  return undefined;
}
