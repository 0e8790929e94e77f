import { language, say } from "./language.ts";

/** Numbers and times as a person writes them, in the page's language and the town's own time. */
let zone = "UTC";

/** The IANA zone of the territory: every time on the page is the town's. */
export function showTimesIn(timeZone: string): void {
  zone = timeZone;
}

const formats = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>();

function numberFormat(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `n${language.get()}${JSON.stringify(options)}`;
  const known = formats.get(key) as Intl.NumberFormat | undefined;
  if (known !== undefined) return known;
  const made = new Intl.NumberFormat(language.get(), options);
  formats.set(key, made);
  return made;
}

function timeFormat(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `t${language.get()}${zone}${JSON.stringify(options)}`;
  const known = formats.get(key) as Intl.DateTimeFormat | undefined;
  if (known !== undefined) return known;
  // English speakers of a European town read 23:41, not 11:41 PM.
  const made = new Intl.DateTimeFormat(language.get() === "en" ? "en-GB" : "fr", { timeZone: zone, ...options });
  formats.set(key, made);
  return made;
}

/** A number with at most `digits` decimals. */
export const number = (value: number, digits = 0): string =>
  numberFormat({ maximumFractionDigits: digits }).format(value);

/** A share as a percentage: 0.3 → “30 %”. */
export function percent(share: number, digits = 0): string {
  return `${number(share * 100, digits)}\u00a0%`;
}

/** A number and its unit, large ones in the next unit: 3400 W → “3.4 kW”. */
export function quantity(value: number, unit: string): string {
  if (unit === "1") return number(value, 2);
  if (unit === "%") return `${number(value, value < 10 ? 1 : 0)}\u00a0%`;
  if (unit === "W" && Math.abs(value) >= 1000) return `${number(value / 1000, value < 10_000 ? 1 : 0)}\u00a0kW`;
  if (unit === "s") return duration(value);
  return `${number(value, Math.abs(value) < 10 ? 1 : 0)}\u00a0${unit}`;
}

/** “23:41”. */
export const clockTime = (at: number): string => timeFormat({ hour: "2-digit", minute: "2-digit" }).format(at);

/** “23:41:07”. */
export const exactTime = (at: number): string =>
  timeFormat({ hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(at);

/** “Tuesday 24 November”. */
export const day = (at: number): string => timeFormat({ weekday: "long", day: "numeric", month: "long" }).format(at);

/** “24 Nov, 23:41”. */
export const dayTime = (at: number): string =>
  timeFormat({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }).format(at);

/** “23:41” on the same day as `now`, else with the day. */
export const when = (at: number, now: number): string =>
  Math.abs(now - at) < 12 * 3_600_000 || localDay(at) === localDay(now) ? clockTime(at) : dayTime(at);

/** The local day of an instant: 2026-11-24. */
export function localDay(at: number): string {
  const parts = timeFormat({ year: "numeric", month: "2-digit", day: "2-digit" }).formatToParts(at);
  const part = (type: string): string => parts.find((each) => each.type === type)?.value ?? "";
  return `${part("year")}-${part("month")}-${part("day")}`;
}

/** “12 s”, “4 min”, “2 h 05”, “3 d”: two figures at most, no false precision. */
export function duration(length_s: number): string {
  const whole = Math.max(0, Math.round(length_s));
  if (whole < 90) return `${whole}\u00a0s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 90 && minutes !== 60) return `${minutes}\u00a0min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 36)
    return minutes % 60 === 0 ? `${hours}\u00a0h` : `${hours}\u00a0h\u00a0${String(minutes % 60).padStart(2, "0")}`;
  return `${Math.round(hours / 24)}\u00a0${language.get() === "fr" ? "j" : "d"}`;
}

/** How old a value is, in words: “now”, “4 min ago”. */
export function age(at: number, now: number): string {
  const old_s = (now - at) / 1000;
  return old_s < 3 ? say("age.now") : say("age.ago", { age: duration(old_s) });
}

/** A distance: “340 m”, “3.4 km”. */
export const distance = (length_m: number): string =>
  length_m < 1000 ? `${number(length_m)}\u00a0m` : `${number(length_m / 1000, 1)}\u00a0km`;
