import { DAY } from "#protocol/units.ts";

/** Archives hold a week each, from Monday 0:00 to Monday 0:00, UTC: in milliseconds. */
export const WEEK = 7 * DAY;
/** The first Monday of 1970 was the 5th of January. */
const MONDAY = 4 * DAY;

/** The Monday at or before an instant. */
export const weekOf = (at: number): number => Math.floor((at - MONDAY) / WEEK) * WEEK + MONDAY;

/** The date of a week's Monday, as archives bear it in their names. */
export const dateOf = (week: number): string => new Date(week).toISOString().slice(0, 10);

/** The same in SQL, for grouping by weeks. */
export const weekSql = (column: string): string => `floor((${column} - ${MONDAY}) / ${WEEK}.0)`;
