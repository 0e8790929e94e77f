import type { OffsetFrom } from "#control/localTime.ts";
import { hourOfWeek } from "#control/localTime.ts";
import { normalQuantile } from "./normal.ts";

/** What was counted in the hour that begins at `at`. */
export interface HourCount {
  readonly at: number;
  readonly count: number;
}

/** A usual week: for each hour of the local week from Monday 00:00 the mean and a quantile of what was counted. */
export interface UsualWeek {
  /** 168 values; null for an hour that no counted hour resembles. */
  readonly mean: readonly (number | null)[];
  readonly quantile: readonly (number | null)[];
}

/** From this many weeks on, an hour of the week speaks for itself; before, hours that resemble it speak with it. */
const ENOUGH = 4;
/** From this many on, a quantile is read off the counts; before, it follows from the mean and how counts usually spread. */
const ENOUGH_FOR_QUANTILE = 9;

/**
 * The usual week from counted hours. An hour with little history of its own borrows from the same hour of like days
 * (working days, Saturday, Sunday), then of any day. `share` is the quantile, 0.9 for lighting.
 */
export function usualWeek(history: readonly HourCount[], offsets: readonly OffsetFrom[], share = 0.9): UsualWeek {
  const counts: number[][] = Array.from({ length: 168 }, () => []);
  for (const { at, count } of history) counts[hourOfWeek(at, offsets)]?.push(count);
  const seen = counts.map((_, hour) => resembling(counts, hour));
  const spread = dispersion(seen);
  const mean = seen.map(meanOf);
  return {
    mean: mean.map((each) => (each === null ? null : tenths(each))),
    quantile: seen.map((values, hour) => {
      const average = mean[hour] ?? null;
      return average === null ? null : tenths(upper(values, average, spread, share));
    }),
  };
}

/** Counts of the hour itself, of the same hour on like days, or of the same hour on any day: the first that are enough. */
function resembling(counts: readonly number[][], hour: number): number[] {
  const own = counts[hour] as number[];
  if (own.length >= ENOUGH) return own;
  const likeDays = sameHours(counts, hour, (day) => dayKind(day) === dayKind(Math.floor(hour / 24)));
  return likeDays.length > 0 ? likeDays : sameHours(counts, hour, () => true);
}

function sameHours(counts: readonly number[][], hour: number, includes: (day: number) => boolean): number[] {
  return [0, 1, 2, 3, 4, 5, 6].filter(includes).flatMap((day) => counts[day * 24 + (hour % 24)] as number[]);
}

const dayKind = (day: number): number => Math.max(4, day);

/**
 * How many times its mean the variance of a count is, over all hours: 1 for people who come independently of each other
 * (Poisson), more where they come in crowds or as the weather is (Pearson's estimate, McCullagh and Nelder 1989).
 */
function dispersion(seen: readonly (readonly number[])[]): number {
  let [sum, freedom] = [0, 0];
  for (const values of seen) {
    const average = meanOf(values);
    if (average === null || average === 0) continue;
    for (const value of values) sum += (value - average) ** 2 / average;
    freedom += values.length - 1;
  }
  return freedom === 0 ? 1 : Math.max(1, sum / freedom);
}

function upper(seen: readonly number[], average: number, spread: number, share: number): number {
  if (seen.length >= ENOUGH_FOR_QUANTILE) return quantile(seen, share);
  // The next count varies by its own spread, and the mean that it is forecast by does by its own.
  const deviation = Math.sqrt(average * spread * (1 + 1 / seen.length));
  return average + normalQuantile(share) * deviation;
}

/**
 * The value that the next one stays under with the probability `share`, as far as `values` can tell: of n values the k-th
 * is passed by the next with probability 1 - k / (n + 1) (Weibull; type 6 of Hyndman and Fan 1996). Straight between two.
 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = Math.min(sorted.length - 1, Math.max(0, (sorted.length + 1) * share - 1));
  const below = sorted[Math.floor(place)] ?? 0;
  const above = sorted[Math.ceil(place)] ?? below;
  return below + (above - below) * (place - Math.floor(place));
}

/** No week is corrected by more than this: a sensor that went silent or mad is not a new habit. */
const CORRECTION = { least: 0.5, most: 2 } as const;
/** Counts that the usual is taken to be worth: few recent counts move the forecast little. */
const WEIGHT_OF_USUAL = 20;

/**
 * How the last hours went against the usual, as a factor for the next ones: the ratio of sums, drawn towards 1 while
 * little was counted (a Gamma prior on a Poisson rate).
 */
export function recentCorrection(
  recent: readonly HourCount[],
  usual: UsualWeek,
  offsets: readonly OffsetFrom[],
): number {
  let counted = WEIGHT_OF_USUAL;
  let expected = WEIGHT_OF_USUAL;
  for (const { at, count } of recent) {
    const mean = usual.mean[hourOfWeek(at, offsets)];
    if (mean === null || mean === undefined) continue;
    counted += count;
    expected += mean;
  }
  return Math.round(Math.min(CORRECTION.most, Math.max(CORRECTION.least, counted / expected)) * 1000) / 1000;
}

/** How far forecasts were off what came. */
export interface ForecastError {
  readonly hours: number;
  /** Mean absolute error of the mean, in counts. */
  readonly mean_absolute: number;
  /** The same as a share of what came. */
  readonly relative: number;
  /** Mean pinball loss of the quantile (Koenker and Bassett 1978). */
  readonly pinball: number;
  /** The share of hours at or below the quantile: it should be the quantile's own share. */
  readonly covered: number;
}

/** Measures a usual week against hours that it was not made from; null when none of them was forecast. */
export function forecastError(
  usual: UsualWeek,
  came: readonly HourCount[],
  offsets: readonly OffsetFrom[],
  share = 0.9,
): ForecastError | null {
  let [hours, absolute, sum, loss, covered] = [0, 0, 0, 0, 0];
  for (const { at, count } of came) {
    const hour = hourOfWeek(at, offsets);
    const [mean, upperValue] = [usual.mean[hour] ?? null, usual.quantile[hour] ?? null];
    if (mean === null || upperValue === null) continue;
    hours++;
    absolute += Math.abs(count - mean);
    sum += count;
    loss += pinball(count, upperValue, share);
    if (count <= upperValue) covered++;
  }
  if (hours === 0) return null;
  return {
    hours,
    mean_absolute: absolute / hours,
    relative: sum === 0 ? 0 : absolute / sum,
    pinball: loss / hours,
    covered: covered / hours,
  };
}

/** The loss of having forecast the quantile `share` as `forecast` when `came` came. */
export function pinball(came: number, forecast: number, share: number): number {
  return came >= forecast ? share * (came - forecast) : (1 - share) * (forecast - came);
}

function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

const tenths = (value: number): number => Math.round(value * 10) / 10;
