import type { Instant } from "#protocol/units.ts";
import { DAY, HOUR } from "#protocol/units.ts";

/**
 * Local time without a table of time zones: the caller says which offset to UTC holds from when. Within the days that a
 * decision looks at there are at most two of them.
 */
export interface OffsetFrom {
  readonly from: number;
  /** Seconds to add to UTC: 3600 in a French winter. */
  readonly offset_s: number;
}

/** The offset that holds at `at`, in milliseconds; the first one also holds before its start. */
export function offsetAt(at: number, offsets: readonly OffsetFrom[]): number {
  let offset = offsets[0]?.offset_s ?? 0;
  for (const each of offsets) if (each.from <= at) offset = each.offset_s;
  return offset * 1000;
}

/** The hour of the local week, 0 (Monday 00:00) to 167. */
export function hourOfWeek(at: number, offsets: readonly OffsetFrom[]): number {
  // The first of January 1970 was a Thursday: three days into its week.
  const hours = Math.floor((at + offsetAt(at, offsets)) / HOUR) + 72;
  return ((hours % 168) + 168) % 168;
}

/** Where the next local hour begins after `at`, or where the offset changes, whichever comes first. */
export function nextLocalHour(at: number, offsets: readonly OffsetFrom[]): Instant {
  const offset = offsetAt(at, offsets);
  let next = (Math.floor((at + offset) / HOUR) + 1) * HOUR - offset;
  for (const each of offsets) if (each.from > at && each.from < next) next = each.from;
  return next as Instant;
}

/** The start of the local day that holds `at`. */
export function localMidnight(at: number, offsets: readonly OffsetFrom[]): Instant {
  const offset = offsetAt(at, offsets);
  const midnight = Math.floor((at + offset) / DAY) * DAY;
  // On the day of a clock change midnight still had the other offset.
  return (midnight - offsetAt(midnight - offset, offsets)) as Instant;
}
