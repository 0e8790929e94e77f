import type { LonLat } from "#protocol/territory.ts";

/** Metres east and north of an origin: a town is small enough to be flat. */
export type XY = readonly [x: number, y: number];

const METRES_A_DEGREE = 111_320;

/** A flat projection around `origin`; back again with seven decimals of a degree, about a centimetre. */
export function projection(origin: LonLat): {
  readonly flat: (place: LonLat) => XY;
  readonly globe: (place: XY) => LonLat;
} {
  const [lon0, lat0] = origin;
  const scale = METRES_A_DEGREE * Math.cos((lat0 * Math.PI) / 180);
  const round = (value: number): number => Math.round(value * 1e7) / 1e7;
  return {
    flat: ([lon, lat]) => [(lon - lon0) * scale, (lat - lat0) * METRES_A_DEGREE],
    globe: ([x, y]) => [round(lon0 + x / scale), round(lat0 + y / METRES_A_DEGREE)],
  };
}

export const distance = (a: XY, b: XY): number => Math.hypot(b[0] - a[0], b[1] - a[1]);

export function lengthOf(line: readonly XY[]): number {
  let length = 0;
  for (let index = 1; index < line.length; index++) length += distance(line[index - 1] as XY, line[index] as XY);
  return length;
}

/** The place `metres` along a line, and the direction of the line there as a unit vector. */
export function along(line: readonly XY[], metres: number): { at: XY; direction: XY } {
  let rest = Math.max(0, metres);
  for (let index = 1; ; index++) {
    const from = line[index - 1] as XY;
    const to = line[index] as XY;
    const length = distance(from, to);
    if (rest <= length || index === line.length - 1) {
      const direction: XY = length === 0 ? [1, 0] : [(to[0] - from[0]) / length, (to[1] - from[1]) / length];
      const reach = Math.min(rest, length);
      return { at: [from[0] + direction[0] * reach, from[1] + direction[1] * reach], direction };
    }
    rest -= length;
  }
}

/** `metres` to the right of a direction of travel. */
export const aside = (at: XY, direction: XY, metres: number): XY => [
  at[0] + direction[1] * metres,
  at[1] - direction[0] * metres,
];

/** Compass bearing of `to` seen from `from`, 0 to 360 degrees, 0 north. */
export function bearing(from: XY, to: XY): number {
  const degrees = (Math.atan2(to[0] - from[0], to[1] - from[1]) * 180) / Math.PI;
  return (degrees + 360) % 360;
}

/** The smaller angle between two bearings, 0 to 180 degrees. */
export function angleBetween(a: number, b: number): number {
  const difference = Math.abs(a - b) % 360;
  return difference > 180 ? 360 - difference : difference;
}

/** The point of a line nearest to a place: how far off it is, and how far along the line. */
export function nearest(line: readonly XY[], place: XY): { off_m: number; along_m: number; at: XY } {
  let best = { off_m: Infinity, along_m: 0, at: line[0] as XY };
  let before = 0;
  for (let index = 1; index < line.length; index++) {
    const from = line[index - 1] as XY;
    const to = line[index] as XY;
    const length = distance(from, to);
    const dot = (place[0] - from[0]) * (to[0] - from[0]) + (place[1] - from[1]) * (to[1] - from[1]);
    const share = length === 0 ? 0 : Math.min(1, Math.max(0, dot / (length * length)));
    const at: XY = [from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share];
    const off_m = distance(at, place);
    if (off_m < best.off_m) best = { off_m, along_m: before + share * length, at };
    before += length;
  }
  return best;
}
