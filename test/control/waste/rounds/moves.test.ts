import { describe, expect, test } from "vitest";
import { orOpt } from "#control/waste/rounds/moves/orOpt.ts";
import { relocate } from "#control/waste/rounds/moves/relocate.ts";
import { swap } from "#control/waste/rounds/moves/swap.ts";
import { twoOptStar } from "#control/waste/rounds/moves/twoOptStar.ts";
import type { Problem } from "#control/waste/rounds/problem.ts";
import { shiftOf, solutionOf } from "#control/waste/rounds/solution.ts";
import { planar } from "../problems.ts";

const at = (x: number, y = 0) => ({ x, y });
const plan = (problem: Problem, shifts: number[][][], absent: number[] = []) =>
  solutionOf(problem, shifts.map((trips) => shiftOf(problem, trips)), absent); // prettier-ignore
const row = (vehicles: number, capacity = 9) =>
  planar({ depot: at(0), tip: at(0), stops: [1, 2, 3, 4].map((each) => at(each * 100)), load: 1, capacity, vehicles });

describe("each move makes the plan shorter where its kind of change does", () => {
  test("relocate puts a stop served out of turn back in its place", () => {
    const problem = row(1);
    expect(relocate(problem, plan(problem, [[[1, 0, 2, 3]]]))?.shifts[0]?.trips).toEqual([[0, 1, 2, 3]]);
  });

  test("relocate takes up a stop that was left out", () => {
    const problem = row(1);
    expect(relocate(problem, plan(problem, [[[0, 1, 3]]], [2]))?.absent).toEqual([]);
  });

  test("swap exchanges two stops that each lie on the other's way", () => {
    const stops = [at(100), at(200), at(-100), at(-200)];
    const problem = planar({ depot: at(0), tip: at(0), stops, load: 1, capacity: 2, vehicles: 2 });
    const better = swap(problem, plan(problem, [[[0, 2]], [[1, 3]]])); // prettier-ignore
    expect(better?.cost_s).toBe(400 + 400);
  });

  test("or-opt moves two stops together", () => {
    const stops = [at(100), at(110), at(-100), at(-110)];
    const problem = planar({ depot: at(0), tip: at(0), stops, load: 1, capacity: 4, vehicles: 2 });
    const start = plan(problem, [[[2, 0, 1, 3]], []]); // prettier-ignore
    const better = orOpt(problem, start);
    expect(better?.cost_s).toBeLessThan(start.cost_s);
  });

  test("2-opt* exchanges the tails of two trips that cross", () => {
    const stops = [at(100, 10), at(200, -10), at(100, -10), at(200, 10)];
    const problem = planar({ depot: at(0), tip: at(0), stops, load: 1, capacity: 2, vehicles: 2 });
    const start = plan(problem, [[[0, 1]], [[2, 3]]]); // prettier-ignore
    const trips = twoOptStar(problem, start)?.shifts.flatMap((shift) => shift.trips);
    expect(trips).toEqual([[0, 3], [2, 1]]); // prettier-ignore
  });

  test("none finds anything in a plan that is best", () => {
    const problem = row(1);
    const best = plan(problem, [[[0, 1, 2, 3]]]);
    for (const move of [relocate, swap, orOpt, twoOptStar]) expect(move(problem, best)).toBe(undefined);
  });

  test("none breaks a capacity to save a way", () => {
    const problem = row(2, 2);
    const tight = plan(problem, [[[0, 1]], [[2, 3]]]); // prettier-ignore
    for (const move of [relocate, swap, orOpt, twoOptStar]) {
      const better = move(problem, tight);
      for (const trip of better?.shifts.flatMap((shift) => shift.trips) ?? [])
        expect(trip.length).toBeLessThanOrEqual(2);
    }
  });
});
