import { expect, test } from "vitest";
import * as fc from "fast-check";
import * as suncalc from "suncalc";
import { DARK_BELOW, darkness, nightAt, sunAltitude } from "#control/lighting/sun.ts";
import { DAY, HOUR, degrees, instant } from "#protocol/units.ts";

const at = (text: string) => instant(Date.parse(text));
const minutes = (a: number, b: number): number => Math.abs(a - b) / 60_000;

test("Meeus' worked example 25.a: on 1992-10-13 at 0 h the declination is -7.785°, so the sun stands 90° - 7.785° high at the antipodal noon of the equator", () => {
  // Right ascension 198.381°, apparent sidereal time at Greenwich about 21.8°: the sun is highest at longitude 198.381 - 21.8.
  const noon = Array.from({ length: 3600 }, (_, tenth) => sunAltitude(at("1992-10-13T00:00:00Z"), 0, tenth / 10));
  expect(Math.max(...noon)).toBeCloseTo(90 - 7.785, 1);
});

test("the sun sets in Paris on 24 November 2026 at 16:01 UTC and rises at 07:14", () => {
  const [night] = darkness(at("2026-11-24T12:00:00Z"), at("2026-11-25T12:00:00Z"), 48.85, 2.35, degrees(-0.833));
  expect(minutes(night?.from ?? 0, at("2026-11-24T16:01:00Z"))).toBeLessThan(2);
  expect(minutes(night?.to ?? 0, at("2026-11-25T07:14:00Z"))).toBeLessThan(2);
});

test("altitudes agree with suncalc, anywhere and at any time of fifty years", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: at("2000-01-01T00:00:00Z"), max: at("2050-01-01T00:00:00Z") }),
      fc.double({ min: -89, max: 89, noNaN: true }),
      fc.double({ min: -180, max: 180, noNaN: true }),
      (time, lat, lon) => {
        const theirs = suncalc.getPosition(new Date(time), lat, lon).altitude;
        // Theirs is raised by refraction: half a degree at the horizon, and under 0.06° from 15° up.
        const raised = theirs - sunAltitude(instant(time), lat, lon);
        expect(raised).toBeGreaterThan(-0.1);
        expect(raised).toBeLessThan(theirs > 15 ? 0.15 : 0.8);
      },
    ),
    { numRuns: 500 },
  );
});

test("what is called dark is dark: at any place and time the answer holds until its end and turns there", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: at("2020-01-01T00:00:00Z"), max: at("2040-01-01T00:00:00Z") }),
      fc.double({ min: -65, max: 65, noNaN: true }),
      fc.double({ min: -180, max: 180, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (time, lat, lon, share) => {
        const night = nightAt(instant(time), lat, lon);
        expect(night.until).toBeGreaterThan(time);
        const between = instant(time + Math.floor(share * (night.until - 1000 - time)));
        if (between >= time) expect(sunAltitude(between, lat, lon) < DARK_BELOW).toBe(night.dark);
        const after = sunAltitude(night.until, lat, lon) < DARK_BELOW;
        if (night.until - time < DAY) expect(after).toBe(!night.dark);
      },
    ),
    { numRuns: 500 },
  );
});

test("a polar winter is one night, a polar summer has none", () => {
  const week = (from: string) => darkness(at(from), instant(at(from) + 7 * DAY), 78.2, 15.6);
  const winter = week("2026-12-18T00:00:00Z");
  expect(winter).toEqual([{ from: at("2026-12-18T00:00:00Z"), to: at("2026-12-25T00:00:00Z") }]);
  expect(week("2026-06-18T00:00:00Z")).toEqual([]);
});

test("a night in which the clocks change is as long as its neighbours to three minutes", () => {
  for (const changed of ["2026-10-24T12:00:00Z", "2027-03-27T12:00:00Z"]) {
    const lengths = [-1, 0, 1].map((days) => {
      const from = instant(at(changed) + days * DAY);
      const [night] = darkness(from, instant(from + DAY), 48.85, 2.35);
      return (night?.to ?? 0) - (night?.from ?? 0);
    });
    expect(minutes(lengths[0] ?? 0, lengths[1] ?? 0)).toBeLessThan(5);
    expect(minutes(lengths[1] ?? 0, lengths[2] ?? 0)).toBeLessThan(5);
  }
});

test("nights are clipped to the window and come in order", () => {
  const from = at("2026-11-24T20:00:00Z");
  const nights = darkness(from, instant(from + 48 * HOUR), 48.85, 2.35);
  expect(nights).toHaveLength(3);
  expect(nights[0]?.from).toBe(from);
  expect(nights[2]?.to).toBe(from + 48 * HOUR);
});
