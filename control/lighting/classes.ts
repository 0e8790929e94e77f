import type { LightingClass } from "#protocol/territory.ts";
import { LIGHTING_CLASSES } from "#protocol/territory.ts";
import type { Level } from "#protocol/units.ts";
import { level } from "#protocol/units.ts";

/**
 * The lighting classes of EN 13201-2:2015 and how a class is chosen by the weights of CEN/TR 13201-1:2014: M for motor
 * traffic, C for conflict areas, P for people on foot and on bicycles.
 */
export interface ClassRow {
  /** What must be maintained: mean luminance in cd/m² (M) or mean horizontal illuminance in lx (C, P). */
  readonly maintained: number;
  readonly unit: "cd/m²" | "lx";
  /** Least overall uniformity (M, C). */
  readonly uniformity?: number;
  /** Least lengthwise uniformity (M). */
  readonly lengthwise?: number;
  /** Most threshold increment by glare, % (M). */
  readonly glare_pct?: number;
  /** Least illuminance anywhere, lx (P). */
  readonly least_lx?: number;
}

/** EN 13201-2:2015, tables 1, 2 and 3. */
export const CLASSES: Readonly<Record<LightingClass, ClassRow>> = {
  M1: motor(2, 0.4, 0.7, 10),
  M2: motor(1.5, 0.4, 0.7, 10),
  M3: motor(1, 0.4, 0.6, 15),
  M4: motor(0.75, 0.4, 0.6, 15),
  M5: motor(0.5, 0.35, 0.4, 15),
  M6: motor(0.3, 0.35, 0.4, 20),
  C0: conflict(50),
  C1: conflict(30),
  C2: conflict(20),
  C3: conflict(15),
  C4: conflict(10),
  C5: conflict(7.5),
  P1: pedestrian(15, 3),
  P2: pedestrian(10, 2),
  P3: pedestrian(7.5, 1.5),
  P4: pedestrian(5, 1),
  P5: pedestrian(3, 0.6),
  P6: pedestrian(2, 0.4),
};

function motor(maintained: number, uniformity: number, lengthwise: number, glare_pct: number): ClassRow {
  return { maintained, unit: "cd/m²", uniformity, lengthwise, glare_pct };
}

function conflict(maintained: number): ClassRow {
  return { maintained, unit: "lx", uniformity: 0.4 };
}

function pedestrian(maintained: number, least_lx: number): ClassRow {
  return { maintained, unit: "lx", least_lx };
}

export type Family = "M" | "C" | "P";
export const familyOf = (lightingClass: LightingClass): Family => lightingClass[0] as Family;

/**
 * The share of full output that gives `wanted` where full output gives `design`. 1 when more is wanted than was designed,
 * and 1 from luminance to illuminance, which no share converts.
 */
export function levelFor(design: LightingClass, wanted: LightingClass): Level {
  const full = CLASSES[design];
  const part = CLASSES[wanted];
  return full.unit === part.unit ? level(part.maintained / full.maintained) : level(1);
}

/** The class `steps` below (or above, when negative) in its family; the family's last or first at its end. */
export function lowered(lightingClass: LightingClass, steps: number): LightingClass {
  const family = LIGHTING_CLASSES.filter((each) => familyOf(each) === familyOf(lightingClass));
  const index = family.indexOf(lightingClass) + Math.round(steps);
  return family[Math.min(family.length - 1, Math.max(0, index))] as LightingClass;
}

/** How much of what a street was designed for passes in an hour. */
export type Volume = "high" | "moderate" | "low";

/** CEN/TR 13201-1:2014 gives these bounds for the volume on two-lane roads, as shares of capacity. */
export const VOLUME_BOUNDS = { high: 0.45, low: 0.15 } as const;

export function volumeOf(share: number): Volume {
  if (share > VOLUME_BOUNDS.high) return "high";
  return share < VOLUME_BOUNDS.low ? "low" : "moderate";
}

/** CEN/TR 13201-1:2014, tables 1, 3 and 5: the weight of traffic volume, alike in all three families. */
const VOLUME_WEIGHT: Readonly<Record<Volume, number>> = { high: 1, moderate: 0, low: -1 };

/**
 * The class of a street in an hour: volume is what changes over a night, and the sum of weights moves one for one with
 * the class, so a street designed for high volume goes one class down at moderate and two at low volume.
 */
export function classAt(design: LightingClass, volume: Volume): LightingClass {
  return lowered(design, VOLUME_WEIGHT.high - VOLUME_WEIGHT[volume]);
}

/** What CEN/TR 13201-1:2014 weighs for a street; the first choice of each is the most demanding. */
export interface Surroundings {
  readonly speed_kmh: number;
  readonly volume: Volume;
  readonly composition: "mixed-with-many-on-foot" | "mixed" | "motor-only";
  readonly separatedCarriageways: boolean;
  readonly manyJunctions: boolean;
  readonly parkedVehicles: boolean;
  readonly ambient: "high" | "moderate" | "low";
  readonly navigation: "very-difficult" | "difficult" | "easy";
}

/** Table 1 of CEN/TR 13201-1:2014: M class = 6 − sum of weights, within M1 to M6. */
export function motorClass(street: Surroundings): LightingClass {
  const speed = street.speed_kmh >= 100 ? 2 : street.speed_kmh > 70 ? 1 : street.speed_kmh > 40 ? -1 : -2;
  const composition = { "mixed-with-many-on-foot": 2, mixed: 1, "motor-only": 0 }[street.composition];
  const ambient = { high: 1, moderate: 0, low: -1 }[street.ambient];
  const navigation = { "very-difficult": 2, difficult: 1, easy: 0 }[street.navigation];
  const sum =
    speed +
    VOLUME_WEIGHT[street.volume] +
    composition +
    (street.separatedCarriageways ? 0 : 1) +
    (street.manyJunctions ? 1 : 0) +
    (street.parkedVehicles ? 1 : 0) +
    ambient +
    navigation;
  return `M${Math.min(6, Math.max(1, 6 - sum))}` as LightingClass;
}
