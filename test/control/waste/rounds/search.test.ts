import { describe, expect, test } from "vitest";
import * as fc from "fast-check";
import { seededChance } from "#protocol/chance.ts";
import { descend } from "#control/waste/rounds/descend.ts";
import type { Problem } from "#control/waste/rounds/problem.ts";
import { savings } from "#control/waste/rounds/savings.ts";
import { search } from "#control/waste/rounds/search.ts";
import type { Solution } from "#control/waste/rounds/solution.ts";
import { allowed, shiftOf, solutionOf } from "#control/waste/rounds/solution.ts";
import { planar, strewn } from "../problems.ts";

const at = (x: number, y = 0) => ({ x, y });

/** Every stop once or absent, every shift allowed, every sum worked out again. */
function expectSound(problem: Problem, solution: Solution): void {
  const served = solution.shifts.flatMap((shift) => shift.trips.flat());
  expect([...served, ...solution.absent].toSorted((a, b) => a - b)).toEqual(problem.stops.map((_, stop) => stop));
  solution.shifts.forEach((shift, vehicle) => {
    expect(shift).toEqual(shiftOf(problem, shift.trips));
    expect(allowed(problem, vehicle, shift)).toBe(true);
  });
  expect(solution.cost_s).toBe(solutionOf(problem, solution.shifts, solution.absent).cost_s);
}

describe("the sum of a shift", () => {
  test("out to 100 and 200, to the tip at 300 for 50 s, and home from there is 300 + 50 + 300", () => {
    const problem = planar({
      depot: at(0),
      tip: at(300),
      stops: [at(100), at(200)],
      load: 1,
      capacity: 9,
      vehicles: 1,
      tip_s: 50,
    });
    expect(shiftOf(problem, [[0, 1]]).duration_s).toBe(650);
  });

  test("of two trips goes from the tip to the second, and not home between", () => {
    const problem = planar({
      depot: at(0),
      tip: at(300),
      stops: [at(100), at(200)],
      load: 5,
      capacity: 9,
      vehicles: 1,
      tip_s: 50,
    });
    // 0 → 100 → 300 (tip) → 200 → 300 (tip) → 0
    expect(shiftOf(problem, [[0], [1]]).duration_s).toBe(100 + 200 + 50 + 100 + 100 + 50 + 300);
  });
});

test("six stops in two far clusters and room for three become one trip to each", () => {
  const stops = [at(1000, 0), at(-1000, 0), at(1000, 10), at(-1000, 10), at(1010, 5), at(-1010, 5)];
  const problem = planar({ depot: at(0), tip: at(0), stops, load: 1, capacity: 3, vehicles: 2 });
  const trips = search(problem, 200, seededChance(1)).solution.shifts.flatMap((shift) => shift.trips);
  const sides = trips.map((trip) => trip.map((stop) => (stop % 2 === 0 ? "east" : "west")).join(" "));
  expect(new Set(sides)).toEqual(new Set(["east east east", "west west west"]));
});

test("twelve stops on a ring are served in the order of the ring: 12 × 2 r sin 15° and the way there and back", () => {
  const ring = Array.from({ length: 12 }, (_, hour) =>
    at(1000 * Math.cos((hour * Math.PI) / 6), 1000 * Math.sin((hour * Math.PI) / 6)),
  );
  const shuffled = [7, 2, 11, 0, 5, 9, 3, 8, 1, 10, 4, 6].map((hour) => ring[hour] as { x: number; y: number });
  const problem = planar({ depot: at(0), tip: at(0), stops: shuffled, load: 1, capacity: 12, vehicles: 1 });
  // Eleven legs of 518 and two radii of 1,000.
  expect(search(problem, 500, seededChance(1)).solution.cost_s).toBe(11 * 518 + 2000);
});

test("what does not fit into the shift is left out, the farthest first", () => {
  const problem = planar({
    depot: at(0),
    tip: at(0),
    stops: [at(100), at(900)],
    load: 1,
    capacity: 2,
    vehicles: 1,
    shift_s: 1000,
  });
  expect(search(problem, 50, seededChance(1)).solution.absent).toEqual([1]);
});

test("a stop that costs more than it is worth is left out", () => {
  const problem = planar({
    depot: at(0),
    tip: at(0),
    stops: [at(100), at(900)],
    load: 1,
    capacity: 2,
    vehicles: 1,
    price_s: 300,
  });
  expect(search(problem, 50, seededChance(1)).solution.absent).toEqual([1]);
});

test("nothing to visit is an empty plan, and so is a depot without vehicles", () => {
  const none = planar({ depot: at(0), tip: at(0), stops: [], load: 1, capacity: 1, vehicles: 1 });
  expect(search(none, 10, seededChance(1)).solution).toMatchObject({ absent: [], cost_s: 0 });
  const stranded = planar({ depot: at(0), tip: at(0), stops: [at(1), at(2)], load: 1, capacity: 1, vehicles: 0 });
  expect(search(stranded, 10, seededChance(1)).solution.absent).toEqual([0, 1]);
});

describe("on any day", () => {
  const problem = fc
    .tuple(fc.integer({ min: 0, max: 25 }), fc.integer())
    .map(([count, seed]) => strewn(count, seededChance(seed)));

  test("savings, descent and search all give sound plans, each no worse than the one before", () => {
    fc.assert(
      fc.property(problem, fc.integer(), (each, seed) => {
        const start = savings(each);
        const better = descend(each, start);
        const { solution, start_s } = search(each, 60, seededChance(seed));
        for (const plan of [start, better, solution]) expectSound(each, plan);
        expect(better.cost_s).toBeLessThanOrEqual(start.cost_s);
        expect(solution.cost_s).toBeLessThanOrEqual(start_s);
        expect(start_s).toBe(start.cost_s);
      }),
      { numRuns: 40 },
    );
  });

  test("the same seed gives the same plan, to the last stop", () => {
    fc.assert(
      fc.property(problem, fc.integer(), (each, seed) => {
        expect(search(each, 60, seededChance(seed))).toEqual(search(each, 60, seededChance(seed)));
      }),
      { numRuns: 15 },
    );
  });

  test("of seven stops it finds the best plan that trying all orders finds", () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const small = { ...strewn(7, seededChance(seed)), vehicles: [{ capacity: 15, shift_s: 1e9, streams: [0, 1] }] };
      const whole = { ...small, stops: small.stops.map((stop) => ({ ...stop, stream: 0, price_s: 1_000_000 })) };
      expect(search(whole, 2000, seededChance(seed)).solution.cost_s).toBe(bestOfAll(whole));
    }
  });
});

/** Every order of all stops, with a tip before each stop that would not fit, or that is cheaper tipped before: by dynamic cut. */
function bestOfAll(problem: Problem): number {
  let best = Number.POSITIVE_INFINITY;
  for (const order of orders(problem.stops.map((_, stop) => stop))) {
    for (let cuts = 0; cuts < 2 ** (order.length - 1); cuts++) {
      const trips: number[][] = [[]];
      order.forEach((stop, place) => {
        if (place > 0 && ((cuts >> (place - 1)) & 1) === 1) trips.push([]);
        trips.at(-1)?.push(stop);
      });
      const shift = shiftOf(problem, trips);
      if (shift.duration_s < best && allowed(problem, 0, shift)) best = shift.duration_s;
    }
  }
  return best;
}

function* orders(stops: readonly number[]): Generator<number[]> {
  if (stops.length === 0) yield [];
  for (const first of stops) {
    for (const rest of orders(stops.filter((stop) => stop !== first))) yield [first, ...rest];
  }
}
