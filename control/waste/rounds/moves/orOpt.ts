import type { Problem } from "../problem.ts";
import type { Solution } from "../solution.ts";
import { moveSegment } from "./segment.ts";

/** Moves two or three consecutive stops elsewhere (Or 1976). */
export function orOpt(problem: Problem, solution: Solution): Solution | undefined {
  return moveSegment(problem, solution, 2) ?? moveSegment(problem, solution, 3);
}
