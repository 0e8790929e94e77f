import type { LonLat } from "#protocol/territory.ts";
import type { Metres } from "#protocol/units.ts";

/** A town is small: the earth is flat here, with the metres per degree of its own latitude. */
export interface Plane {
  readonly origin: LonLat;
  readonly metresPerDegreeEast: number;
  readonly metresPerDegreeNorth: number;
}

const METRES_PER_DEGREE = 111_195;

/** The plane that touches the earth at `origin`; 0.1 % right within 50 km. */
export function planeAt(origin: LonLat): Plane {
  return {
    origin,
    metresPerDegreeEast: METRES_PER_DEGREE * Math.cos((origin[1] * Math.PI) / 180),
    metresPerDegreeNorth: METRES_PER_DEGREE,
  };
}

export const east = (plane: Plane, at: LonLat): number => (at[0] - plane.origin[0]) * plane.metresPerDegreeEast;
export const north = (plane: Plane, at: LonLat): number => (at[1] - plane.origin[1]) * plane.metresPerDegreeNorth;

/** Metres between two positions of one town. */
export function distance(a: LonLat, b: LonLat): Metres {
  const plane = planeAt(a);
  return Math.hypot(east(plane, b), north(plane, b)) as Metres;
}

/** Where on a line a position falls: how far along it, and how far beside it. */
export interface Foot {
  readonly along: Metres;
  readonly beside: Metres;
}

/** The nearest point of `line` to `position`. */
export function footOn(line: readonly LonLat[], position: LonLat): Foot {
  const plane = planeAt(position);
  let best: Foot = { along: 0 as Metres, beside: Number.MAX_VALUE as Metres };
  let before = 0;
  for (let index = 1; index < line.length; index++) {
    const a = line[index - 1] as LonLat;
    const b = line[index] as LonLat;
    const { share, beside, length } = footOnSegment(east(plane, a), north(plane, a), east(plane, b), north(plane, b));
    if (beside < best.beside) best = { along: (before + share * length) as Metres, beside: beside as Metres };
    before += length;
  }
  return best;
}

/** The nearest point of the segment from (ax, ay) to (bx, by) to the plane's origin. */
export function footOnSegment(
  ax: number,
  ay: number,
  bx: number,
  by: number,
): { share: number; beside: number; length: number } {
  const dx = bx - ax;
  const dy = by - ay;
  const square = dx * dx + dy * dy;
  const share = square === 0 ? 0 : Math.min(1, Math.max(0, -(ax * dx + ay * dy) / square));
  return { share, beside: Math.hypot(ax + share * dx, ay + share * dy), length: Math.sqrt(square) };
}
