import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Word } from "#control/traffic/counts.ts";
import type { Around } from "#control/traffic/doubt.ts";
import { doubtOf, idleOf } from "#control/traffic/doubt.ts";
import { vehiclesPerHour } from "#protocol/units.ts";

/** One word a minute: `busy` minutes in which it counts `perMinute`, then `idle` minutes in which it counts nothing. */
const words = (busy: number, idle: number, perMinute = 5): Word[] =>
  Array.from({ length: busy + idle + 1 }, (_, i) => ({ at: i * 60_000, value: 100 + Math.min(i, busy) * perMinute }));
const NOTHING: Around = { nearby: undefined, usual: undefined, occupancy: undefined };
const tenMinutes = { from: 0, to: 600_000, value: 100 };

test("a counter that counted within five minutes is not idle; then it is, since its last count, and its time before says how busy it was", () => {
  expect(idleOf([])).toBeUndefined();
  expect(idleOf(words(20, 4))).toBeUndefined();
  expect(idleOf(words(20, 10))).toEqual({ from: 1_200_000, to: 1_800_000, value: 200, before: 300 });
  expect(idleOf(words(2, 10))).toEqual({ from: 120_000, to: 720_000, value: 110 });
});

test("one that was begun anew is measured from there", () => {
  const anew = [
    ...words(20, 0),
    ...words(10, 10, 1).map(({ at, value }) => ({ at: at + 1_260_000, value: value - 100 })),
  ];
  expect(idleOf(anew)).toMatchObject({ from: 1_860_000, before: 60 });
});

test("an idle counter is doubted when 12 were to be expected in its time: by its neighbours, by other days, or by its own time before", () => {
  expect(doubtOf(tenMinutes, NOTHING)).toBeUndefined();
  expect(doubtOf(tenMinutes, { ...NOTHING, nearby: 11.9 })).toBeUndefined();
  expect(doubtOf(tenMinutes, { ...NOTHING, nearby: 12 })).toBe("nearby");
  // 72 an hour are 12 in ten minutes.
  expect(doubtOf(tenMinutes, { ...NOTHING, usual: vehiclesPerHour(71) })).toBeUndefined();
  expect(doubtOf(tenMinutes, { ...NOTHING, usual: vehiclesPerHour(72) })).toBe("usual");
  expect(doubtOf({ ...tenMinutes, before: vehiclesPerHour(72) }, NOTHING)).toBe("usual");
});

test("a loop that is occupied all the while and counts nothing is doubted whatever is usual", () => {
  expect(doubtOf(tenMinutes, { ...NOTHING, occupancy: 0.94, nearby: 0 })).toBeUndefined();
  expect(doubtOf(tenMinutes, { ...NOTHING, occupancy: 1, nearby: 0, usual: vehiclesPerHour(0) })).toBe("occupied");
});

test("the more was to be expected, the sooner a counter is doubted, and never the other way", () => {
  const rate = fc.double({ min: 0, max: 2000, noNaN: true });
  fc.assert(
    fc.property(rate, rate, fc.integer({ min: 5, max: 120 }), (usual, more, minutes) => {
      const idle = { from: 0, to: minutes * 60_000, value: 0 };
      const doubted = (perHour: number): boolean =>
        doubtOf(idle, { ...NOTHING, usual: vehiclesPerHour(perHour) }) !== undefined;
      if (doubted(usual)) expect(doubted(usual + more)).toBe(true);
    }),
  );
});
