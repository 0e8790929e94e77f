import type { Seconds, VehiclesPerHour } from "#protocol/units.ts";
import { seconds } from "#protocol/units.ts";

/**
 * F. V. Webster, Traffic Signal Settings, Road Research Technical Paper 39, HMSO 1958: the cycle, its division into greens,
 * and the delay that follows.
 */

/** A movement that decides how long its stage must be green. */
export interface CriticalMovement {
  readonly flow: VehiclesPerHour;
  readonly saturation: VehiclesPerHour;
}

export interface CycleLimits {
  readonly min: Seconds;
  readonly max: Seconds;
}

/** What wastes the first moments of a green, and what is gained of the amber; their difference is lost in each stage. */
export const STARTING_LOSS_S = 2;
export const AMBER_GAIN_S = 2;

/** The sum of flow over saturation flow, Y; a movement without saturation flow counts as nothing. */
export function flowRatio(movements: readonly CriticalMovement[]): number {
  return movements.reduce((sum, { flow, saturation }) => sum + (saturation > 0 ? flow / saturation : 0), 0);
}

/** The cycle of least delay, C = (1.5 L + 5) / (1 − Y) in s, within the limits. `lost` is the lost time of one cycle in s. */
export function cycleLength(movements: readonly CriticalMovement[], lost: Seconds, limits: CycleLimits): Seconds {
  const Y = flowRatio(movements);
  // At or beyond saturation the formula diverges; the longest cycle wastes least green.
  if (Y >= 1) return limits.max;
  return seconds(Math.min(limits.max, Math.max(limits.min, (1.5 * lost + 5) / (1 - Y))));
}

/**
 * The shortest cycle in s, within the limits, in which no stage uses more than `saturation` of its green although others
 * take their minimum: Webster's formula knows no minimums, and where they bind it leaves the busy stage too little.
 */
export function roomyCycle(
  ratios: readonly number[],
  minimums: readonly Seconds[],
  lost: Seconds,
  saturation: number,
  limits: CycleLimits,
): Seconds {
  let cycle: number = limits.min;
  // From below the sum grows towards its fixed point; where there is none it stops at the longest cycle.
  for (let turn = 0; turn < 40 && cycle < limits.max; turn++) {
    const needed = ratios.reduce(
      (sum, ratio, i) => sum + Math.max(minimums[i] as number, (ratio * cycle) / saturation),
      0,
    );
    if (lost + needed <= cycle + 0.1) break;
    cycle = lost + needed;
  }
  return seconds(Math.min(cycle, limits.max));
}

/**
 * Divides the effective green `cycle − lost` in s among stages by their flow ratios, none below its minimum in s.
 * Stages without flow share what their minimum says. When the minimums fill the cycle, they are the answer.
 */
export function splits(
  ratios: readonly number[],
  minimums: readonly Seconds[],
  cycle: Seconds,
  lost: Seconds,
): Seconds[] {
  const green = cycle - lost;
  const held = new Set<number>();
  for (;;) {
    const fixed = minimums.reduce<number>((sum, min, i) => sum + (held.has(i) ? min : 0), 0);
    const open = ratios.reduce((sum, ratio, i) => sum + (held.has(i) ? 0 : ratio), 0);
    const share = (i: number): number =>
      open > 0 ? ((green - fixed) * (ratios[i] as number)) / open : (green - fixed) / (ratios.length - held.size);
    const short = ratios.findIndex((_, i) => !held.has(i) && share(i) < (minimums[i] as number));
    if (short < 0) return ratios.map((_, i) => seconds(held.has(i) ? (minimums[i] as number) : share(i)));
    held.add(short);
  }
}

/** Beyond this degree of saturation the delay formula diverges, and the queue that stays behind is added instead. */
const STEADY = 0.95;
/** For how long more is taken to come than can go, in s: a frame is made anew every quarter of an hour. */
const OVERLOAD_S = 900;

/**
 * Webster's mean delay in s per vehicle: uniform arrivals, random arrivals, and the correction that makes it fit.
 * `green` is the effective green in s. Beyond 95 % saturation the random part stays at its value there, and half the
 * queue that a quarter of an hour builds up is added.
 */
export function delay(cycle: Seconds, green: Seconds, flow: VehiclesPerHour, saturation: VehiclesPerHour): Seconds {
  if (flow <= 0 || saturation <= 0) return seconds(0);
  const lambda = Math.min(1, green / cycle);
  if (lambda <= 0) return seconds(OVERLOAD_S);
  const x = flow / (lambda * saturation);
  const held = Math.min(x, STEADY);
  // The flow is x times the capacity; written so, no flow is too small for the division.
  const capacity = (lambda * saturation) / 3600;
  const uniform = (cycle * (1 - lambda) ** 2) / (2 * (1 - lambda * held));
  const random = held / (2 * capacity * (1 - held));
  const correction = 0.65 * Math.cbrt(cycle / capacity ** 2) * held ** (4 / 3 + 5 * lambda);
  const overload = x > STEADY ? ((x - STEADY) * OVERLOAD_S) / 2 : 0;
  return seconds(Math.max(0, uniform + random - correction) + overload);
}
