import { describe, expect, test } from "vitest";
import * as fc from "fast-check";
import type { FillInput } from "#control/waste/fill.ts";
import { candidate, forecastFill, overflowRisk } from "#control/waste/fill.ts";
import { UNMEASURED_RATES, learnedFill } from "#control/waste/rates.ts";
import { DAY, HOUR, instant } from "#protocol/units.ts";

const monday = Date.UTC(2026, 10, 23);
const utc = [{ from: 0, offset_s: 0 }];
const steady = Array.from({ length: 168 }, () => 0.01);

function container(change: Partial<FillInput> = {}): FillInput {
  return {
    fill: 0.3,
    measuredAt: monday,
    rates: steady,
    correction: 1,
    spread: { bag: 0.02, rate: 0, sensor: 0 },
    offsets: utc,
    ...change,
  };
}

describe("a level ahead", () => {
  test("at 0.01 an hour from 0.3 is 0.54 after a day, and 1 after 70 hours", () => {
    const forecast = forecastFill(container(), [monday + DAY]);
    expect(forecast.q50).toEqual([0.54]);
    expect(forecast.rate_per_day).toBeCloseTo(0.24);
    expect(forecast.hoursTo(1)).toBeCloseTo(70);
  });

  test("is passed once in ten times at 0.54 + 1.28 × √(0.02 × 0.24) = 0.629", () => {
    expect(forecastFill(container(), [monday + DAY]).q90[0]).toBeCloseTo(0.629, 3);
  });

  test("rises in the hours in which people throw away", () => {
    const office = steady.map((_, hour) => (hour % 24 >= 8 && hour % 24 < 18 ? 0.05 : 0));
    const { q50 } = forecastFill(
      container({ fill: 0, rates: office }),
      [8, 13, 18, 24].map((hour) => monday + hour * HOUR),
    );
    expect(q50).toEqual([0, 0.25, 0.5, 0.5]);
  });

  test("follows a busy week", () => {
    expect(forecastFill(container({ correction: 1.5 }), [monday + DAY]).q50).toEqual([0.66]);
  });

  test("that never comes is told as null and not as a number", () => {
    expect(forecastFill(container({ rates: steady.map(() => 0) }), []).hoursTo(1)).toBe(null);
  });

  test("later is never lower, and nine in ten is never below one in two", () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 0.1, noNaN: true }), { minLength: 168, maxLength: 168 }),
        share,
        fc.record({ bag: share, rate: share, sensor: share }),
        fc.uniqueArray(fc.integer({ min: monday, max: monday + 14 * DAY }), { minLength: 1, maxLength: 6 }),
        (rates, fill, spread, times) => {
          const rising = times.toSorted((a, b) => a - b);
          const { q50, q90 } = forecastFill(container({ rates, fill, spread }), rising);
          q50.forEach((level, index) => {
            if (index > 0) expect(level).toBeGreaterThanOrEqual(q50[index - 1] ?? 0);
            expect(q90[index]).toBeGreaterThanOrEqual(level);
          });
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe("the risk of overflow", () => {
  test("is a half when the expected level is the limit", () => {
    expect(overflowRisk(container(), monday + 70 * HOUR, 1)).toBe(0.5);
  });

  test("is nil for an empty container tonight and near one for a full one", () => {
    expect(overflowRisk(container({ fill: 0 }), monday + HOUR, 1)).toBe(0);
    expect(overflowRisk(container({ fill: 0.99 }), monday + DAY, 1)).toBeGreaterThan(0.99);
  });
});

test("a candidate carries its level at the visit, its risk by the next chance and the days since it was emptied", () => {
  const bank = { id: "C1", stream: "glass", volume_L: 1100, service_s: 90 };
  const visit = instant(monday + DAY);
  expect(candidate(bank, container(), visit, instant(monday + 70 * HOUR), instant(monday - 2 * DAY))).toEqual({
    container: "C1",
    stream: "glass",
    volume_L: 1100,
    service_s: 90,
    now: 0.3,
    q50: 0.54,
    q90: 0.629,
    risk: 0.5,
    sinceEmptied_d: 3,
  });
});

const weekly = (rates: readonly number[]): number => rates.reduce((sum, rate) => sum + rate, 0);

/** 0.48 on each Saturday, emptied every second week. */
function market(hour: number): number {
  const [week, rest] = [Math.floor(hour / 168), hour % 168];
  return (week % 2) * 0.48 + (rest < 120 ? 0 : rest < 144 ? (rest - 120) * 0.02 : 0.48);
}

describe("what a container's readings teach", () => {
  const readings = (hours: number, level: (hour: number) => number) =>
    Array.from({ length: hours + 1 }, (_, hour) => ({ at: monday + hour * HOUR, fill: level(hour) }));

  test("nothing measured: full in four days, and faster by day", () => {
    const { rates, correction } = learnedFill([], utc);
    expect(weekly(rates)).toBeCloseTo(7 / 4, 2);
    expect(rates[12]).toBeGreaterThan(rates[3] ?? 0);
    expect(correction).toBe(1);
    expect(weekly(UNMEASURED_RATES)).toBeCloseTo(7 / 4);
  });

  test("eight weeks at 0.01 an hour, emptied as they fill: 1.68 a week to a twentieth", () => {
    const { rates, correction } = learnedFill(
      readings(8 * 168, (hour) => (hour % 90) * 0.01),
      utc,
    );
    expect(Math.abs(weekly(rates) / 1.68 - 1)).toBeLessThan(0.05);
    expect(correction).toBeCloseTo(1, 1);
  });

  test("a place used on Saturdays alone fills faster on Saturday than on Monday", () => {
    const { rates } = learnedFill(readings(6 * 168 - 1, market), utc);
    expect(rates[132]).toBeGreaterThan(3 * (rates[12] ?? 1));
  });

  test("two days at twice the usual raise the next ones", () => {
    const slow = readings(6 * 168, (hour) => (hour % 90) * 0.008);
    const fast = readings(48, (hour) => hour * 0.016).map(({ at, fill }) => ({ at: at + 1010 * HOUR, fill }));
    expect(learnedFill([...slow, ...fast], utc).correction).toBeGreaterThan(1.25);
  });

  test("a container that fills by fits and starts gets a wider spread than one that fills evenly", () => {
    const even = learnedFill(
      readings(6 * 168, (hour) => (hour % 96) * 0.01),
      utc,
    );
    // 0.48 every second day and nothing on the others: the mean rise is the same.
    const fitful = learnedFill(
      readings(6 * 168, (hour) => (hour % 96 >= 48 ? 0.96 : hour % 96 >= 24 ? 0.48 : 0)),
      utc,
    );
    expect(fitful.spread.bag).toBeGreaterThan(3 * even.spread.bag);
  });

  test("whatever the readings, rates are finite and never negative", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            at: fc.integer({ min: monday, max: monday + 30 * DAY }),
            fill: fc.double({ min: 0, max: 1.5, noNaN: true }),
          }),
        ),
        (seen) => {
          const { rates, correction } = learnedFill(
            seen.toSorted((a, b) => a.at - b.at),
            utc,
          );
          for (const rate of rates) expect(rate).toBeGreaterThanOrEqual(0);
          expect(correction).toBeGreaterThanOrEqual(0.5);
          expect(correction).toBeLessThanOrEqual(2);
        },
      ),
    );
  });
});
