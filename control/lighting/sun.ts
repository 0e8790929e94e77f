import type { Degrees, Instant } from "#protocol/units.ts";
import { DAY, HOUR, degrees } from "#protocol/units.ts";

/**
 * Where the sun stands, after Meeus, Astronomical Algorithms (1998), chapters 12, 22 and 25, in the low-precision form of
 * the NOAA solar calculator: 0.01° from 1950 to 2050. Own code because control imports no package.
 */

/** Lamps are on while the sun stands below this: between sunset (-0.8°) and the end of civil dusk (-6°). */
export const DARK_BELOW: Degrees = degrees(-2);

const RADIANS = Math.PI / 180;
const J2000 = Date.UTC(2000, 0, 1, 12);

/** Altitude of the sun's centre over the horizon in degrees, without refraction; latitude north and longitude east positive. */
export function sunAltitude(at: Instant, lat: number, lon: number): Degrees {
  const { declination, hourAngle } = sunFrom(at, lon);
  const phi = lat * RADIANS;
  const sine = Math.sin(phi) * Math.sin(declination) + Math.cos(phi) * Math.cos(declination) * Math.cos(hourAngle);
  return degrees(Math.asin(Math.max(-1, Math.min(1, sine))) / RADIANS);
}

/** Declination and local hour angle in radians; the hour angle lies in (-π, π] and is 0 when the sun is highest. */
function sunFrom(at: Instant, lon: number): { declination: number; hourAngle: number } {
  const days = (at - J2000) / DAY;
  const century = days / 36_525;
  const meanLongitude = 280.46646 + century * (36_000.76983 + century * 0.0003032);
  const meanAnomaly = (357.52911 + century * (35_999.05029 - century * 0.0001537)) * RADIANS;
  const centre =
    Math.sin(meanAnomaly) * (1.914602 - century * (0.004817 + century * 0.000014)) +
    Math.sin(2 * meanAnomaly) * (0.019993 - century * 0.000101) +
    Math.sin(3 * meanAnomaly) * 0.000289;
  const node = (125.04 - 1934.136 * century) * RADIANS;
  const longitude = (meanLongitude + centre - 0.00569 - 0.00478 * Math.sin(node)) * RADIANS;
  const obliquity = (23.439291 - century * 0.0130042 + 0.00256 * Math.cos(node)) * RADIANS;
  const rightAscension = Math.atan2(Math.cos(obliquity) * Math.sin(longitude), Math.cos(longitude));
  const declination = Math.asin(Math.sin(obliquity) * Math.sin(longitude));
  const siderealTime = (280.46061837 + 360.98564736629 * days + lon) * RADIANS;
  return { declination, hourAngle: turned(siderealTime - rightAscension) };
}

/** The same angle within (-π, π]. */
function turned(angle: number): number {
  const turns = Math.round(angle / (2 * Math.PI));
  return angle - turns * 2 * Math.PI;
}

/** A stretch of time, `to` not included. */
export interface Interval {
  readonly from: Instant;
  readonly to: Instant;
}

/** Milliseconds of [from, to) that lie in the intervals. */
export function overlap(intervals: readonly Interval[], from: number, to: number): number {
  return intervals.reduce((sum, each) => sum + Math.max(0, Math.min(to, each.to) - Math.max(from, each.from)), 0);
}

/**
 * The stretches of [from, to) in which the sun stands below `altitude`, to the second. Empty where it never does (a polar
 * summer), one whole where it always does (a polar winter). Times are UTC, so a clock change does not touch them.
 */
export function darkness(
  from: Instant,
  to: Instant,
  lat: number,
  lon: number,
  altitude: Degrees = DARK_BELOW,
): Interval[] {
  const nights: Interval[] = [];
  let at = from;
  while (at < to) {
    const night = nightAt(at, lat, lon, altitude);
    const end = Math.min(night.until, to) as Instant;
    const last = nights.at(-1);
    if (night.dark && last !== undefined && last.to === at) nights[nights.length - 1] = { from: last.from, to: end };
    else if (night.dark) nights.push({ from: at, to: end });
    at = end;
  }
  return nights;
}

/** Whether it is dark, and until when that holds (at most a day and a half ahead; then ask again). */
export interface Night {
  readonly dark: boolean;
  readonly until: Instant;
}

/** Whether the sun stands below `altitude` now, and the whole second at which that changes. */
export function nightAt(at: Instant, lat: number, lon: number, altitude: Degrees = DARK_BELOW): Night {
  const dark = sunAltitude(at, lat, lon) < altitude;
  let low = at;
  // Between two turning points (the sun's highest and lowest) its altitude only rises or only falls, so that a change of
  // sign between their ends is one crossing.
  for (let turn = 0; turn < 3; turn++) {
    const high = nextTurningPoint(low, lon);
    if (sunAltitude(high, lat, lon) < altitude !== dark)
      return { dark, until: crossing(low, high, lat, lon, altitude, dark) };
    low = high;
  }
  return { dark, until: low };
}

/** The next moment after `at` at which the sun is at its highest or lowest of the day. */
function nextTurningPoint(at: Instant, lon: number): Instant {
  const { hourAngle } = sunFrom(at, lon);
  const left = hourAngle < 0 ? -hourAngle : Math.PI - hourAngle;
  const wait = Math.round((left / Math.PI) * 12 * HOUR);
  // The true sun gains or loses up to 30 s a day; a turning point that close behind would be found twice.
  return (at + (wait < HOUR / 60 ? wait + 12 * HOUR : wait)) as Instant;
}

/** The first whole second of the far side of the crossing in (low, high]. */
function crossing(low: Instant, high: Instant, lat: number, lon: number, altitude: Degrees, dark: boolean): Instant {
  let before = Math.floor(low / 1000);
  let after = Math.ceil(high / 1000);
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (sunAltitude((middle * 1000) as Instant, lat, lon) < altitude === dark) before = middle;
    else after = middle;
  }
  return (after * 1000) as Instant;
}
