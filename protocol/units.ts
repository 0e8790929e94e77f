/**
 * Quantities are branded numbers: a metre is not a second, and the compiler says so.
 * Outside TypeScript (JSON, database, metrics) the unit ends the name: `power_W`, `period_s`.
 */
declare const unit: unique symbol;
export type Quantity<Unit extends string> = number & { readonly [unit]: Unit };

/** A share between 0 and 1: a dimming level (share of the rated luminous flux), a fill level, an occupancy. */
export type Level = Quantity<"1">;
export type Watts = Quantity<"W">;
export type Seconds = Quantity<"s">;
export type Metres = Quantity<"m">;
export type Degrees = Quantity<"deg">;
export type VehiclesPerHour = Quantity<"veh/h">;
/** A point in time: milliseconds since 1970-01-01T00:00:00Z, always UTC. */
export type Instant = Quantity<"ms since 1970">;

export const watts = (value: number): Watts => value as Watts;
export const seconds = (value: number): Seconds => value as Seconds;
export const metres = (value: number): Metres => value as Metres;
export const degrees = (value: number): Degrees => value as Degrees;
export const vehiclesPerHour = (value: number): VehiclesPerHour => value as VehiclesPerHour;
export const instant = (value: number): Instant => value as Instant;

/** A level, held inside 0 to 1; NaN becomes 0 so that a broken sum never lights or opens anything. */
export const level = (value: number): Level => (value > 0 ? Math.min(value, 1) : 0) as Level;

export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const DAY = 86_400_000;

/** The instant `duration` after `start` (before it, when negative). */
export const later = (start: Instant, duration: Seconds): Instant => (start + duration * 1000) as Instant;

/** Seconds from `start` to `end`; negative when `end` is earlier. */
export const between = (start: Instant, end: Instant): Seconds => ((end - start) / 1000) as Seconds;
