import { distance, footOn } from "#control/geometry.ts";
import type { LonLat } from "#protocol/territory.ts";
import type { Metres } from "#protocol/units.ts";
import { metres } from "#protocol/units.ts";

/** How far along a street a passage lights: two poles ahead and two behind at usual spacings. */
export const REACH: Metres = metres(60);

/** A lamp this far beside a street's line does not belong to it and is measured as the crow flies. */
const BESIDE: Metres = metres(40);

export interface Placed {
  readonly id: string;
  readonly position: LonLat;
}

/**
 * The lamps of one street that light for someone at `passage`: those within `reach` of it along the street's line, on
 * either side, ahead and behind, the nearest first. The street is followed round its bends, so that a lamp behind the
 * block is not lit through the houses.
 */
export function neighbours<Lamp extends Placed>(
  lamps: readonly Lamp[],
  line: readonly LonLat[],
  passage: LonLat,
  reach: Metres = REACH,
): Lamp[] {
  return lamps
    .map((lamp) => ({ lamp, away: distanceAlong(line, lamp.position, passage) }))
    .filter(({ away }) => away <= reach)
    .sort((a, b) => a.away - b.away || (a.lamp.id < b.lamp.id ? -1 : 1))
    .map(({ lamp }) => lamp);
}

/** Metres between two positions, to the centimetre, along the street where both stand on it. */
export function distanceAlong(line: readonly LonLat[], a: LonLat, b: LonLat): Metres {
  const footA = footOn(line, a);
  const footB = footOn(line, b);
  if (footA.beside > BESIDE || footB.beside > BESIDE) return centimetres(distance(a, b));
  return centimetres(Math.abs(footA.along - footB.along));
}

const centimetres = (length: number): Metres => metres(Math.round(length * 100) / 100);
