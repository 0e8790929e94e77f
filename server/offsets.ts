import type { OffsetFrom } from "#control/localTime.ts";
import type { Instant } from "#protocol/units.ts";
import { HOUR, MINUTE } from "#protocol/units.ts";

/** Offsets of a time zone to UTC, from the IANA tables that Node carries, as the list that control computes with. */
export interface Offsets {
  /** The offsets that hold over [from, to): the first at `from`, then one for each change, to the minute. */
  over(from: Instant, to: Instant): OffsetFrom[];
  /** The next time after `at` when the clock on the wall shows this hour, on the hour. */
  nextAt(at: Instant, localHour: number): Instant;
  /** The local date, as 2026-03-02. */
  day(at: Instant): string;
}

/** Two changes of the clock are never closer than this. */
const STEP_MS = 12 * HOUR;

export function offsetsOf(timeZone: string): Offsets {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });

  const wall = (at: number): Record<string, number> =>
    Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));

  const offset_s = (at: number): number => {
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = wall(at);
    return (Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000) / 1000;
  };

  /** The first whole minute in (from, to] with the offset of `to`. */
  const change = (from: number, to: number): number => {
    const after = offset_s(to);
    let low = Math.floor(from / MINUTE);
    let high = Math.ceil(to / MINUTE);
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (offset_s(middle * MINUTE) === after) high = middle;
      else low = middle;
    }
    return high * MINUTE;
  };

  return {
    over(from, to) {
      const offsets: OffsetFrom[] = [{ from, offset_s: offset_s(from) }];
      for (let at: number = from; at < to;) {
        const next = Math.min(at + STEP_MS, to);
        const after = offset_s(next);
        if (after !== offsets.at(-1)?.offset_s) offsets.push({ from: change(at, next), offset_s: after });
        at = next;
      }
      return offsets;
    },
    nextAt(at, localHour) {
      let before = wall(at)["hour"] ?? 0;
      for (let next = (Math.floor(at / HOUR) + 1) * HOUR; ; next += HOUR) {
        const { hour = 0, minute = 0 } = wall(next);
        const onTheHour = next - minute * MINUTE;
        if (hour === localHour && onTheHour > at) return onTheHour as Instant;
        // Where a change of clocks leaves the hour out, the first hour after it takes its place.
        if (before < localHour && hour > localHour) return next as Instant;
        before = hour;
      }
    },
    day(at) {
      const { year = 0, month = 1, day = 1 } = wall(at);
      return `${year}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
    },
  };
}
