import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Guard } from "#control/traffic/guard.ts";
import { createGuard, FLASHING, isFeasible, LONGEST_WAIT_S, stepGuard } from "#control/traffic/guard.ts";
import { junctionTables } from "#control/traffic/tables.ts";
import type { Junction } from "#protocol/territory.ts";
import { instant } from "#protocol/units.ts";
import { watchJunction } from "#simulators/junction-watch.ts";
import { anyJunction, fourArms } from "./junctions.ts";

const NORTH = 0b0001;
const EAST = 0b0010;
const run = (guard: Guard, wanted: number, from_s: number, to_s: number, demand = 0): void => {
  for (let s = from_s; s <= to_s; s++) stepGuard(guard, wanted, demand, s * 1000);
};

test("after the power comes nothing is green before the longest intergreen has passed", () => {
  const guard = createGuard(junctionTables(fourArms()), 0);
  // North waits for the vehicles of east (5 s) and for the zebras of its own axis (8 s).
  run(guard, NORTH, 1, 7);
  expect(guard.greens).toBe(0);
  run(guard, NORTH, 8, 8);
  expect(guard.greens).toBe(NORTH);
});

test("a green that is no longer wanted lasts its minimum, then shows amber, then leaves the intergreen", () => {
  const guard = createGuard(junctionTables(fourArms()), 0);
  run(guard, NORTH, 1, 8);
  // Green from 8 s; the minimum of 6 s holds it until 14 s, amber lasts 3 s, east may start 5 s after the end of green.
  run(guard, EAST, 9, 13);
  expect([guard.greens, guard.ambers]).toEqual([NORTH, 0]);
  run(guard, EAST, 14, 14);
  expect([guard.greens, guard.ambers]).toEqual([0, NORTH]);
  run(guard, EAST, 15, 17);
  expect([guard.greens, guard.ambers]).toEqual([0, 0]);
  run(guard, EAST, 18, 18);
  expect(guard.greens).toBe(0);
  run(guard, EAST, 19, 19);
  expect(guard.greens).toBe(EAST);
});

test("conflicting wants do not make conflicting greens", () => {
  const guard = createGuard(junctionTables(fourArms()), 0);
  run(guard, NORTH | EAST, 1, 60);
  expect(guard.greens).toBe(NORTH);
});

test("with someone waiting against it a green ends at its maximum, whatever is wanted", () => {
  const guard = createGuard(junctionTables(fourArms()), 0);
  run(guard, NORTH, 1, 8);
  run(guard, NORTH, 9, 58, EAST);
  // Green since 8 s, contested since 9 s, at most 50 s.
  expect(guard.greens & NORTH).toBe(NORTH);
  run(guard, NORTH, 59, 60, EAST);
  expect(guard.greens & NORTH).toBe(0);
});

test("a group that nobody wants and no detector reports is served within 120 s all the same", () => {
  const guard = createGuard(junctionTables(fourArms()), 0);
  let served = 0;
  for (let s = 1; s <= LONGEST_WAIT_S; s++) {
    stepGuard(guard, NORTH, 0, s * 1000);
    served |= guard.greens;
  }
  expect(served).toBe(guard.tables.all);
});

test.each([Number.NaN, -2, 0.5, 2 ** 32, 1 << 8])(
  "a want of %s is impossible and puts the junction to flashing",
  (want) => {
    const guard = createGuard(junctionTables(fourArms()), 0);
    run(guard, NORTH, 1, 20);
    stepGuard(guard, want, 0, 21_000);
    expect(guard).toMatchObject({ flashing: true, greens: 0, ambers: guard.tables.vehicles });
    // It stays so for 5 s, and then begins anew from all red.
    run(guard, NORTH, 22, 25);
    expect(guard.flashing).toBe(true);
    run(guard, NORTH, 26, 26);
    expect(guard).toMatchObject({ flashing: false, greens: 0, ambers: 0 });
    run(guard, NORTH, 27, 34);
    expect(guard.greens).toBe(NORTH);
  },
);

test("time that runs backwards puts the junction to flashing", () => {
  const guard = createGuard(junctionTables(fourArms()), 0);
  run(guard, NORTH, 1, 20);
  stepGuard(guard, NORTH, 0, 3000);
  expect(guard.flashing).toBe(true);
});

test("flashing on purpose ends the greens in order first", () => {
  const guard = createGuard(junctionTables(fourArms()), 0);
  run(guard, NORTH, 1, 8);
  run(guard, FLASHING, 9, 13);
  expect(guard.greens).toBe(NORTH);
  run(guard, FLASHING, 14, 16);
  expect([guard.flashing, guard.greens, guard.ambers]).toEqual([false, 0, NORTH]);
  run(guard, FLASHING, 17, 18);
  expect(guard.flashing).toBe(true);
});

/** Wants as a broken controller might have them: any mask, held for any time, now and then nonsense. */
const wants = fc.array(
  fc.record({
    want: fc.oneof(
      { weight: 20, arbitrary: fc.nat(4095) },
      { weight: 1, arbitrary: fc.constantFrom(FLASHING, Number.NaN, -7, 1e12, 0.25) },
    ),
    demand: fc.nat(4095),
    steps: fc.integer({ min: 1, max: 60 }),
    step_ms: fc.integer({ min: 50, max: 1000 }),
    back: fc.nat(80).map((n) => n === 0),
  }),
  { minLength: 10, maxLength: 60 },
);

interface Seen {
  /** Longest time in s that a group was not green, flashing apart. */
  longestRed_s: number;
  violations: string[];
  /** Longest time in s that a green lasted beyond its maximum while someone waited against it. */
  beyondMax_s: number;
}

function drive(
  junction: Junction,
  moves: typeof wants extends fc.Arbitrary<infer T> ? T : never,
  onlySane: boolean,
): Seen {
  const tables = junctionTables(junction);
  const guard = createGuard(tables, 0);
  const watch = watchJunction(junction);
  const lastGreen = new Float64Array(tables.size);
  const contested = new Float64Array(tables.size);
  const seen: Seen = { longestRed_s: 0, violations: [], beyondMax_s: 0 };
  let now = 0;
  let shown = "";
  for (const { want, demand, steps, step_ms, back } of moves) {
    const wanted = Number.isInteger(want) && want >= 0 && want < 4096 ? want & tables.all : onlySane ? 0 : want;
    for (let step = 0; step < steps; step++) {
      // A clock that jumps back does so once; the watch lives on true time.
      const told = back && step === 0 && !onlySane ? now - 5000 : now + step_ms;
      now += step_ms;
      stepGuard(guard, wanted, demand & tables.all, told);
      const text = `${guard.greens} ${guard.ambers}`;
      if (text !== shown) {
        shown = text;
        seen.violations.push(...watch.changed(instant(now), guard.greens, guard.ambers).map((each) => each.text));
      }
      for (let i = 0; i < tables.size; i++) {
        const green = (guard.greens >>> i) & 1;
        if (green || guard.flashing) lastGreen[i] = now;
        seen.longestRed_s = Math.max(seen.longestRed_s, (now - (lastGreen[i] as number)) / 1000);
        const against = (tables.conflicts[i] as number) & demand & ~guard.greens;
        if (!green || against === 0) contested[i] = now;
        const beyond = now - (contested[i] as number) - (tables.max_ms[i] as number);
        if (green) seen.beyondMax_s = Math.max(seen.beyondMax_s, beyond / 1000);
      }
    }
  }
  return seen;
}

test("for any junction and any wants, nonsense included: no conflicting greens, no short intergreen, no short green", () => {
  fc.assert(
    fc.property(anyJunction, wants, (junction, moves) => {
      expect(drive(junction, moves, false).violations).toEqual([]);
    }),
    { numRuns: 1000 },
  );
});

test("for any feasible junction and any wants every group is green at least once in 120 s", () => {
  fc.assert(
    fc.property(anyJunction, wants, (junction, moves) => {
      fc.pre(isFeasible(createGuard(junctionTables(junction), 0)));
      expect(drive(junction, moves, true).longestRed_s).toBeLessThanOrEqual(LONGEST_WAIT_S);
    }),
    { numRuns: 1000 },
  );
});

test("for any junction and any wants a green against which someone waits ends within two steps of its maximum", () => {
  fc.assert(
    fc.property(anyJunction, wants, (junction, moves) => {
      expect(drive(junction, moves, true).beyondMax_s).toBeLessThanOrEqual(2);
    }),
    { numRuns: 1000 },
  );
});

test("the crossing with zebras leaves room for everyone", () => {
  expect(isFeasible(createGuard(junctionTables(fourArms()), 0))).toBe(true);
});
