import { DAY } from "#protocol/units.ts";
import type { Instant } from "#protocol/units.ts";
import { type Day, rehearsedDay } from "../test/dashboards/day.ts";

/** A Monday's noon and the one before: a rehearsed day of the default town, said again for each day of a week. */
const FROM = Date.UTC(2026, 10, 23, 12) as Instant;
const DAYS = 7;
/** When the week ends. */
export const WEEK_END = (FROM + DAYS * DAY) as Instant;
const TOWN = { lamps: 240, containers: 60, junctions: 6 } as const;

export async function weekOfTown(): Promise<Day> {
  const day = await rehearsedDay({ ...TOWN, from: FROM, to: (FROM + DAY) as Instant, faults: [] });
  return repeated(day, DAYS);
}

function repeated(day: Day, days: number): Day {
  const shifts = Array.from({ length: days }, (_, index) => index * DAY);
  const shifted = <Each extends { readonly at: Instant }>(list: readonly Each[]): Each[] =>
    shifts.flatMap((shift) => list.map((each) => ({ ...each, at: (each.at + shift) as Instant })));
  return {
    ...day,
    readings: new Map([...day.readings].map(([series, list]) => [series, shifted(list)])),
    own: shifted(day.own),
  };
}
