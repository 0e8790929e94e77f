import type { OffsetFrom } from "#control/localTime.ts";
import { hourOfWeek, nextLocalHour } from "#control/localTime.ts";
import { HOUR } from "#protocol/units.ts";
import type { FillSpread } from "./fill.ts";
import { USUAL_SPREAD, usualRise } from "./fill.ts";

/** A measured level of a container. */
export interface FillReading {
  readonly at: number;
  readonly fill: number;
}

/** What a container's own readings teach. */
export interface LearnedFill {
  /** Usual rise in level an hour, by hour of the local week from Monday 00:00. */
  readonly rates: readonly number[];
  /** How the last two days went against it. */
  readonly correction: number;
  readonly spread: FillSpread;
}

/** Before anything is measured: full in four days, by day twice as fast as the mean and hardly by night. */
export const UNMEASURED_RATES: readonly number[] = Array.from({ length: 168 }, (_, hour) => shareOfDay(hour % 24) / 4);

function shareOfDay(hour: number): number {
  // Seven in the morning to nine in the evening carries nine tenths of what is thrown away.
  return hour >= 7 && hour < 21 ? 0.9 / 14 : 0.1 / 10;
}

/** A fall this large is a collection, a smaller one is what settles. */
const EMPTIED = 0.2;
/** Hours that the day's shape is taken to be worth against what was measured in that hour. */
const WEIGHT_OF_SHAPE_H = 24;
/** Hours that the rate before measuring is taken to be worth. */
const WEIGHT_OF_UNMEASURED_H = 24;
const RECENT_MS = 48 * HOUR;

/**
 * A container's usual week from its readings, oldest first: rises between readings, spread over the hours that they cover.
 * Each hour of the week is drawn towards the same hour of any day, and that towards the unmeasured shape at the
 * container's own mean rate, the more the less was measured.
 */
export function learnedFill(readings: readonly FillReading[], offsets: readonly OffsetFrom[]): LearnedFill {
  const week = Array.from({ length: 168 }, () => ({ rise: 0, hours: 0 }));
  const last = readings.at(-1)?.at ?? 0;
  const recent = { rise: 0, from: last };
  for (let index = 1; index < readings.length; index++) {
    const [before, after] = [readings[index - 1] as FillReading, readings[index] as FillReading];
    if (before.fill - after.fill > EMPTIED || after.at <= before.at) continue;
    spreadOver(week, before, after, offsets);
    if (before.at >= last - RECENT_MS) {
      recent.rise += after.fill - before.fill;
      recent.from = Math.min(recent.from, before.at);
    }
  }
  const rates = shrunk(week);
  return { rates, correction: correctionOf(recent, last, rates, offsets), spread: spreadOf(readings, rates, offsets) };
}

/** Rises are compared over stretches of about a day: over an hour the sensor's own steps would be all that is seen. */
const STRETCH_MS = 24 * HOUR;
/** Containers' worth of rise that the usual spread is taken to be sure of. */
const WEIGHT_OF_SPREAD = 1;

/** How far a day's rise strays from the usual: the variance of what was missed over the rise that was expected. */
function spreadOf(
  readings: readonly FillReading[],
  rates: readonly number[],
  offsets: readonly OffsetFrom[],
): FillSpread {
  let missed = USUAL_SPREAD.bag * WEIGHT_OF_SPREAD;
  let expected = WEIGHT_OF_SPREAD;
  let start = readings[0];
  readings.forEach((reading, index) => {
    const next = readings[index + 1];
    const emptied = next !== undefined && reading.fill - next.fill > EMPTIED;
    if (start === undefined || (!emptied && next !== undefined && reading.at - start.at < STRETCH_MS)) return;
    const usual = usualRise(start.at, reading.at, rates, offsets);
    missed += (reading.fill - start.fill - usual) ** 2;
    expected += usual;
    start = emptied ? next : reading;
  });
  return { ...USUAL_SPREAD, bag: Math.round((missed / expected) * 1e4) / 1e4 };
}

interface Seen {
  rise: number;
  hours: number;
}

function spreadOver(week: Seen[], before: FillReading, after: FillReading, offsets: readonly OffsetFrom[]): void {
  const perHour = (after.fill - before.fill) / ((after.at - before.at) / HOUR);
  for (let at = before.at; at < after.at;) {
    const end = Math.min(nextLocalHour(at, offsets), after.at);
    const seen = week[hourOfWeek(at, offsets)] as Seen;
    seen.rise += (perHour * (end - at)) / HOUR;
    seen.hours += (end - at) / HOUR;
    at = end;
  }
}

function shrunk(week: readonly Seen[]): number[] {
  const all = total(week);
  const unmeasured = total(UNMEASURED_RATES.map((rise) => ({ rise, hours: 1 })));
  const mean = drawn(all, unmeasured.rise / unmeasured.hours, WEIGHT_OF_UNMEASURED_H);
  return week.map((seen, hour) => {
    const shape = ((UNMEASURED_RATES[hour] as number) / (unmeasured.rise / unmeasured.hours)) * mean;
    const anyDay = total(week.filter((_, other) => other % 24 === hour % 24));
    const rate = drawn(seen, drawn(anyDay, shape, WEIGHT_OF_SHAPE_H), WEIGHT_OF_SHAPE_H / 4);
    return Math.max(0, Math.round(rate * 1e5) / 1e5);
  });
}

/** What was seen, with the expected rate counted as so many hours of seeing. */
const drawn = (seen: Seen, expected: number, weight_h: number): number =>
  (seen.rise + expected * weight_h) / (seen.hours + weight_h);

function total(week: readonly Seen[]): Seen {
  return week.reduce((sum, { rise, hours }) => ({ rise: sum.rise + rise, hours: sum.hours + hours }), {
    rise: 0,
    hours: 0,
  });
}

/** A level that recent rises are taken to be sure of: half a container. */
const WEIGHT_OF_USUAL = 0.5;

function correctionOf(
  recent: { readonly rise: number; readonly from: number },
  last: number,
  rates: readonly number[],
  offsets: readonly OffsetFrom[],
): number {
  let expected = WEIGHT_OF_USUAL;
  for (let at = recent.from; at < last; at = nextLocalHour(at, offsets))
    expected += rates[hourOfWeek(at, offsets)] ?? 0;
  const ratio = (Math.max(0, recent.rise) + WEIGHT_OF_USUAL) / expected;
  return Math.round(Math.min(2, Math.max(0.5, ratio)) * 1000) / 1000;
}
