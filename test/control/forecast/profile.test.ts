import { describe, expect, test } from "vitest";
import * as fc from "fast-check";
import { seededChance } from "#protocol/chance.ts";
import { normalBelow, normalQuantile } from "#control/forecast/normal.ts";
import type { HourCount } from "#control/forecast/profile.ts";
import { forecastError, pinball, quantile, recentCorrection, usualWeek } from "#control/forecast/profile.ts";
import { HOUR } from "#protocol/units.ts";

const monday = Date.UTC(2026, 10, 23);
const utc = [{ from: 0, offset_s: 0 }];

/** Few by night, up to 45 an hour by day. */
const rate = (hour: number): number => 5 + 40 * Math.max(0, Math.sin(((hour % 24) / 24) * Math.PI * 2 - 1));

/** Hours from Monday on, each with its count. */
const counted = (hours: number, count: (hour: number) => number): HourCount[] =>
  Array.from({ length: hours }, (_, hour) => ({ at: monday + hour * HOUR, count: count(hour) }));

describe("the usual week", () => {
  test("of eight weeks gives each hour its own mean", () => {
    const usual = usualWeek(
      counted(8 * 168, (hour) => hour % 168),
      utc,
    );
    expect(usual.mean[0]).toBe(0);
    expect(usual.mean[167]).toBe(167);
  });

  test("of one Monday stands for all working days, and for the weekend too while nothing better is known", () => {
    const usual = usualWeek(
      counted(24, (hour) => hour),
      utc,
    );
    expect([0, 1, 2, 3, 4].map((day) => usual.mean[day * 24 + 8])).toEqual([8, 8, 8, 8, 8]);
    expect(usual.mean[6 * 24 + 8]).toBe(8);
  });

  test("of a week with a quiet Sunday keeps Sunday to itself", () => {
    const usual = usualWeek(
      counted(168, (hour) => (hour >= 144 ? 2 : 50)),
      utc,
    );
    expect(usual.mean[6 * 24 + 8]).toBe(2);
    expect(usual.mean[5 * 24 + 8]).toBe(50);
  });

  test("knows nothing of an hour that was never counted", () => {
    const usual = usualWeek(
      counted(6, () => 5),
      utc,
    );
    expect(usual.mean[5]).toBe(5);
    expect(usual.mean[6]).toBe(null);
  });

  test("of one day sets the 90 % quantile of 25 at 25 + 1.28 × √(25 × (1 + 1)) = 34.1, as Poisson counts have it", () => {
    expect(
      usualWeek(
        counted(24, () => 25),
        utc,
      ).quantile[0],
    ).toBeCloseTo(34.1, 1);
  });

  test("of weeks in which counts swing by half sets the quantile wider than Poisson would", () => {
    // 50 and 150 in turn over four weeks: the variance is (4 × 50²) / 3, 33 times the mean.
    const swinging = usualWeek(
      counted(4 * 168, (hour) => (Math.floor(hour / 168) % 2 === 0 ? 50 : 150)),
      utc,
    );
    expect(swinging.quantile[0]).toBeCloseTo(100 + 1.2816 * Math.sqrt(3333.3 * 1.25), 0);
  });

  test("follows the territory's clock and not UTC", () => {
    const paris = [{ from: 0, offset_s: 3600 }];
    const usual = usualWeek([{ at: monday, count: 9 }], paris);
    expect([usual.mean[0], usual.mean[1]]).toEqual([null, 9]);
  });
});

test("the quantile of 1 to 9 is the ninth at 0.9, the fifth at a half, and of two values no more than the larger", () => {
  expect(quantile([9, 8, 7, 6, 5, 4, 3, 2, 1], 0.9)).toBe(9);
  expect(quantile([9, 8, 7, 6, 5, 4, 3, 2, 1], 0.5)).toBe(5);
  expect(quantile([0, 1], 0.9)).toBe(1);
});

describe("recent days", () => {
  const usual = usualWeek(
    counted(168, () => 10),
    utc,
  );
  test("twice as busy over a day raise the forecast by (480 + 20) over (240 + 20)", () => {
    expect(
      recentCorrection(
        counted(24, () => 20),
        usual,
        utc,
      ),
    ).toBeCloseTo(500 / 260, 3);
  });

  test("of a silent sensor lower it to a half at most", () => {
    expect(
      recentCorrection(
        counted(168, () => 0),
        usual,
        utc,
      ),
    ).toBe(0.5);
  });

  test("that were not counted change nothing", () => {
    expect(recentCorrection([], usual, utc)).toBe(1);
  });
});

describe("the error of a forecast", () => {
  test("that is always 2 short of 10 is 2, a fifth", () => {
    const usual = usualWeek(
      counted(168, () => 8),
      utc,
    );
    expect(
      forecastError(
        usual,
        counted(24, () => 10),
        utc,
      ),
    ).toMatchObject({ hours: 24, mean_absolute: 2, relative: 0.2 });
  });

  test("of a quantile weighs what it missed nine times what it kept ready", () => {
    expect(pinball(10, 0, 0.9)).toBeCloseTo(9);
    expect(pinball(0, 10, 0.9)).toBeCloseTo(1);
  });

  test("of a 90 % quantile learned on eight weeks of chance covers 85 to 95 % of the next four", () => {
    const chance = seededChance(3);
    // A Poisson count, as the number of exponential waits within one hour.
    const poisson = (mean: number): number => {
      let count = -1;
      for (let time = 0; time < mean; count++) time -= Math.log(1 - chance.next());
      return Math.max(0, count);
    };
    const all = counted(12 * 168, (hour) => poisson(rate(hour)));
    const usual = usualWeek(all.slice(0, 8 * 168), utc);
    const error = forecastError(usual, all.slice(8 * 168), utc);
    expect(error?.covered).toBeGreaterThan(0.85);
    expect(error?.covered).toBeLessThan(0.95);
  });
});

test("the normal distribution has 97.5 % below 1.96, and its quantile is its inverse", () => {
  expect(normalBelow(1.96)).toBeCloseTo(0.975, 4);
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 0.999, noNaN: true }), (share) => {
      expect(normalBelow(normalQuantile(share))).toBeCloseTo(share, 5);
    }),
  );
});
