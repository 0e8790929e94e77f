import type { OffsetFrom } from "#control/localTime.ts";
import { hourOfWeek, nextLocalHour } from "#control/localTime.ts";
import { normalBelow, normalQuantile } from "#control/forecast/normal.ts";
import type { Instant } from "#protocol/units.ts";
import { HOUR } from "#protocol/units.ts";

/** What is known of one container: the last level and how it usually fills. Plain JSON. */
export interface FillInput {
  /** The last measured level (1: full) and when. */
  readonly fill: number;
  readonly measuredAt: number;
  /** Usual rise in level an hour, by hour of the local week from Monday 00:00. */
  readonly rates: readonly number[];
  /** How the last days went against the usual; 1 when nothing is known. */
  readonly correction: number;
  readonly spread: FillSpread;
  readonly offsets: readonly OffsetFrom[];
}

/**
 * What is put in comes in bags: the variance of a rise grows with its mean by `bag` (a level: variance over mean of a
 * compound Poisson sum). The rate itself is known to a share `rate` only, and so is the sensor to `sensor`, a level.
 */
export interface FillSpread {
  readonly bag: number;
  readonly rate: number;
  readonly sensor: number;
}

export const USUAL_SPREAD: FillSpread = { bag: 0.02, rate: 0.25, sensor: 0.03 };

/** Expected level and its spread at one time. */
export interface FillAt {
  readonly mean: number;
  readonly deviation: number;
}

export interface FillForecast {
  /** Level that is as likely passed as not, and that is passed once in ten times, at each of `times`. */
  readonly q50: readonly number[];
  readonly q90: readonly number[];
  /** Rise in level a day now expected. */
  readonly rate_per_day: number;
  /** Hours from the measurement until the expected level reaches `level`; null: not within two weeks. */
  hoursTo(level: number): number | null;
}

/** A sensor reads up to 1.5 when bags stand on the lid. */
const TOP = 1.5;
const FURTHEST_H = 14 * 24;

/** The level of one container at `times`, from its last level, its usual week and how the last days went. */
export function forecastFill(input: FillInput, times: readonly number[]): FillForecast {
  const at = times.map((time) => fillAt(input, time));
  const weekly = input.rates.reduce((sum, rate) => sum + rate, 0);
  return {
    q50: at.map((each) => thousandths(each.mean)),
    q90: at.map((each) => thousandths(quantileOf(each, 0.9))),
    rate_per_day: thousandths((weekly * input.correction) / 7),
    hoursTo: (level) => hoursTo(input, level),
  };
}

/** Mean and standard deviation of the level at `time`; before the measurement, those of the measurement. */
export function fillAt(input: FillInput, time: number): FillAt {
  const { bag, rate, sensor } = input.spread;
  const rise = usualRise(input.measuredAt, time, input.rates, input.offsets) * input.correction;
  return {
    mean: Math.min(TOP, input.fill + rise),
    deviation: Math.sqrt(bag * rise + (rate * rise) ** 2 + sensor ** 2),
  };
}

/** The usual rise in level from one time to another. */
export function usualRise(from: number, to: number, rates: readonly number[], offsets: readonly OffsetFrom[]): number {
  let rise = 0;
  for (let at = from; at < to;) {
    const end = Math.min(nextLocalHour(at, offsets), to);
    rise += (rates[hourOfWeek(at, offsets)] ?? 0) * ((end - at) / HOUR);
    at = end;
  }
  return rise;
}

function hoursTo(input: FillInput, level: number): number | null {
  let fill = input.fill;
  if (fill >= level) return 0;
  const last = input.measuredAt + FURTHEST_H * HOUR;
  for (let at = input.measuredAt; at < last;) {
    const end = nextLocalHour(at, input.offsets);
    const rate = (input.rates[hourOfWeek(at, input.offsets)] ?? 0) * input.correction;
    const rise = rate * ((end - at) / HOUR);
    if (fill + rise >= level) return thousandths((at - input.measuredAt) / HOUR + (level - fill) / rate);
    fill += rise;
    at = end;
  }
  return null;
}

function quantileOf({ mean, deviation }: FillAt, share: number): number {
  return Math.min(TOP, Math.max(0, mean + normalQuantile(share) * deviation));
}

/** The risk, from 0 to 1, that the container is over `limit` at `time`. */
export function overflowRisk(input: FillInput, time: number, limit: number): number {
  const { mean, deviation } = fillAt(input, time);
  return thousandths(1 - normalBelow((limit - mean) / Math.max(deviation, 1e-6)));
}

/** A container as the choice of the day sees it. */
export interface Candidate {
  readonly container: string;
  readonly stream: string;
  readonly volume_L: number;
  readonly service_s: number;
  /** Level now, and at the time of a visit today. */
  readonly now: number;
  readonly q50: number;
  readonly q90: number;
  /** The risk that it overflows before the next possible visit if nobody comes today. */
  readonly risk: number;
  /** Days since it was last emptied; null: never seen. */
  readonly sinceEmptied_d: number | null;
}

/** What a container offers and what it asks for if it is visited at `visit`, the next chance being at `next`. */
export function candidate(
  container: { readonly id: string; readonly stream: string; readonly volume_L: number; readonly service_s: number },
  input: FillInput,
  visit: Instant,
  next: Instant,
  lastEmptied: Instant | null,
): Candidate {
  const { q50, q90 } = forecastFill(input, [visit]);
  return {
    container: container.id,
    stream: container.stream,
    volume_L: container.volume_L,
    service_s: container.service_s,
    now: thousandths(input.fill),
    q50: q50[0] ?? input.fill,
    q90: q90[0] ?? input.fill,
    risk: overflowRisk(input, next, 1),
    sinceEmptied_d: lastEmptied === null ? null : Math.round((visit - lastEmptied) / (2.4 * HOUR)) / 10,
  };
}

const thousandths = (value: number): number => Math.round(value * 1000) / 1000;
