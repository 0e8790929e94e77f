import { readFileSync, writeFileSync } from "node:fs";
import type { Clock } from "#protocol/ports.ts";
import { instant, type Instant } from "#protocol/units.ts";
import { systemClock } from "#server/ports/clock.ts";
import { scaledClock } from "#simulators/clock.ts";

/** The three numbers that make two processes live at the same time, however fast it passes. */
export interface TownTime {
  readonly speed: number;
  /** What the town's clock shows when the wall's shows `anchor`. */
  readonly origin: Instant;
  readonly anchor: Instant;
}

export const townClock = ({ speed, origin, anchor }: TownTime): Clock =>
  scaledClock(systemClock, speed, origin, anchor);

/**
 * The time of a town that starts now at this speed. A town that ran faster than life is ahead of the wall: its time is kept
 * in `file` and goes on from there, since time must not run backwards under what was already decided.
 */
export function townTime(speed: number, file: string): TownTime {
  const anchor = systemClock.now();
  return { speed, origin: instant(Math.max(anchor, lastTime(file))), anchor };
}

export function keepTime(clock: Clock, file: string): void {
  writeFileSync(file, String(clock.now()));
}

function lastTime(file: string): number {
  try {
    const time = Number(readFileSync(file, "utf8"));
    return Number.isFinite(time) ? time : 0;
  } catch {
    return 0;
  }
}
