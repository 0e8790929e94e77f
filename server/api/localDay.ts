import type { Instant } from "#protocol/units.ts";
import { HOUR } from "#protocol/units.ts";
import type { Offsets } from "../offsets.ts";

/** The last time at or before `at` when the clock on the wall showed this hour, on the hour. */
export function lastAt(offsets: Offsets, at: Instant, localHour: number): Instant {
  // From far enough back that one such hour lies before `at` even when the clock was put forward or back.
  let found = offsets.nextAt((at - 50 * HOUR) as Instant, localHour);
  for (let next = offsets.nextAt(found, localHour); next <= at; next = offsets.nextAt(found, localHour)) found = next;
  return found;
}
