import type { Reading } from "#protocol/messages.ts";
import { DAY, instant, MINUTE, type Instant } from "#protocol/units.ts";
import type { OwnPoint } from "../chronicle/point.ts";
import { copySums } from "./copy-sums.ts";
import type { Mark, OwnSummary, SeriesSummary, Store } from "./store.ts";

export interface Copied {
  /** Readings in the source, each instant of a series once. */
  readonly readings: number;
  /** Of these, written now; the others were there already. */
  readonly written: number;
  readonly series: number;
  /** Values of the server's own points in the source, and its points written now. */
  readonly own: number;
  readonly ownWritten: number;
  /** Quarters and hours in the source that are summed up of readings it no longer has, and those written now. */
  readonly summedUp: number;
  readonly summedUpWritten: number;
  /** What differs in the end, a line each; empty when the copy is whole. */
  readonly differences: readonly string[];
}

/** Readings that are held at once: as many are read, and gathered for one commit. */
const READ_AT_ONCE = 50_000;
const COMMIT_AT_ONCE = 20_000;
/** Points of the server’s own that a look brings at most, about: each look asks for every series, so few and large ones. */
const POINTS_AT_ONCE = 60_000;
const MOST_DIFFERENCES = 10;
/** Sums of the same numbers in another order differ in their last digits. */
const SUM_TOLERANCE = 1e-9;
/** Of the progress: readings are most of a young town, and what is summed up of an old one. */
const READINGS_SHARE = 0.6;
const SUMS_SHARE = 0.3;

/**
 * Copies every reading, every mark, every point of the server's own and all that is summed up of readings that are gone, of
 * one store into another, oldest first, then compares count, first, last and sum of each series, the points by measurement,
 * and what is summed up by policy. Interrupted, it goes on after the newest reading
 * of a series that the other store has. Marks come last, so that a server that finds half a copy asks for readings again and
 * does not take them for stored. Both stores are open; raises their faults.
 */
export async function copyStore(
  from: Store,
  to: Store,
  progress: (share: number, readings: number) => void = () => {},
): Promise<Copied> {
  const marks = await from.marks();
  await to.commit(marks.map((mark) => contribution(mark, [])));
  const { wanted, written, total } = await copyReadings(from, to, marks, (share, readings) =>
    progress(share * READINGS_SHARE, readings),
  );
  // After the readings: what a store sums up by itself of an hour of which there is only a part left gives way to it.
  const summedUp = await copySums(from, to, (share) => progress(READINGS_SHARE + share * SUMS_SHARE, total));
  const own = await from.recordings();
  const ownWritten = await copyPoints(own, from, to, (share) =>
    progress(READINGS_SHARE + SUMS_SHARE + share * (1 - READINGS_SHARE - SUMS_SHARE), total),
  );
  await to.commit(marks.map((mark) => ({ ...contribution(mark, []), upTo: mark.upTo })));
  const differences = [
    ...summedUp.differences,
    ...(await compareSeries(wanted, to)),
    ...(await comparePoints(own, to)),
    ...(await compareMarks(marks, to)),
  ];
  const more = differences.length - MOST_DIFFERENCES;
  progress(1, total);
  return {
    readings: total,
    written,
    series: wanted.length,
    own: own.reduce((sum, { values }) => sum + values, 0),
    ownWritten,
    summedUp: summedUp.steps,
    summedUpWritten: summedUp.written,
    differences: more > 0 ? [...differences.slice(0, MOST_DIFFERENCES), `and ${more} more`] : differences,
  };
}

/** Reads all series together, one span of time after the other, and writes what is newer than what is there. */
async function copyReadings(
  from: Store,
  to: Store,
  [mark = { station: "", epoch: "", upTo: 0 }]: readonly Mark[],
  progress: (share: number, readings: number) => void,
): Promise<{ wanted: readonly SeriesSummary[]; written: number; total: number }> {
  const wanted = await from.series();
  const total = wanted.reduce((sum, { count }) => sum + count, 0);
  const there = byName(await to.series());
  const open = wanted.filter((series) => !isSame(series, there.get(nameOf(series))));
  const newest = new Map(open.map((series) => [nameOf(series), there.get(nameOf(series))?.last ?? LONG_AGO]));
  let gathered: Reading[] = [];
  let written = 0;
  let seen = wanted.reduce((sum, series) => sum + (newest.has(nameOf(series)) ? 0 : series.count), 0);
  const flush = async (): Promise<void> => {
    if (gathered.length > 0) await to.commit([contribution(mark, gathered)]);
    written += gathered.length;
    gathered = [];
  };
  const span = spanOf(open.map((each) => ({ first: there.get(nameOf(each))?.last ?? each.first, last: each.last })));
  for await (const readings of inSpans(span, READ_AT_ONCE, (start, end, most) => from.during(start, end, most))) {
    for (const reading of readings) {
      const last = newest.get(nameOf(reading));
      if (last === undefined) continue;
      seen++;
      if (reading.at <= last) continue;
      gathered.push(reading);
      if (gathered.length >= COMMIT_AT_ONCE) await flush();
    }
    progress(Math.min(1, seen / Math.max(1, total)), Math.min(seen, total));
  }
  await flush();
  return { wanted, written, total };
}

/** What the server wrote of itself: what is not older than the newest point of its measurement that is there. */
async function copyPoints(
  own: readonly OwnSummary[],
  from: Store,
  to: Store,
  progress: (share: number) => void,
): Promise<number> {
  const there = new Map((await to.recordings()).map((each) => [each.measurement, each]));
  const open = own.filter((each) => !isSameOwn(each, there.get(each.measurement)));
  const newest = new Map(open.map(({ measurement }) => [measurement, there.get(measurement)?.last ?? LONG_AGO]));
  const span = spanOf(
    open.map((each) => ({ first: there.get(each.measurement)?.last ?? each.first, last: each.last })),
  );
  let written = 0;
  for await (const points of inSpans(span, POINTS_AT_ONCE, (start, end) => from.recorded(start, end))) {
    // Of its newest instant only a part may be there; a point that is written again is the same point.
    const some: OwnPoint[] = points.filter(({ measurement, at }) => at >= (newest.get(measurement) ?? FAR_AHEAD));
    if (some.length > 0) await to.record(some);
    written += some.length;
    const at = some[0]?.at;
    if (span !== undefined && at !== undefined) progress((at - span.first) / Math.max(1, span.last - span.first));
  }
  return written;
}

interface Span {
  readonly first: Instant;
  readonly last: Instant;
}

/** All of these together. */
function spanOf(spans: readonly Span[]): Span | undefined {
  if (spans.length === 0) return undefined;
  return {
    first: instant(spans.reduce((least, { first }) => Math.min(least, first), FAR_AHEAD)),
    last: instant(spans.reduce((most, { last }) => Math.max(most, last), LONG_AGO)),
  };
}

/** Spans grow and shrink by what they bring: about `meant` each, and never more, where `read` refuses that. */
async function* inSpans<Thing>(
  span: Span | undefined,
  meant: number,
  read: (from: Instant, to: Instant, most: number) => Promise<readonly Thing[] | undefined>,
): AsyncGenerator<readonly Thing[]> {
  if (span === undefined) return;
  let length = MINUTE;
  for (let at: number = span.first; at <= span.last;) {
    const end = Math.min(at + length, span.last + 1);
    // A single millisecond cannot be parted.
    const things = await read(instant(at), instant(end), length > 1 ? meant : Number.POSITIVE_INFINITY);
    if (things === undefined) {
      length = Math.max(1, Math.floor(length / 4));
      continue;
    }
    at = end;
    const fits = (length * meant) / 2 / Math.max(1, things.length);
    length = Math.max(1, Math.floor(Math.min(fits, length * 4, DAY)));
    if (things.length > 0) yield things;
  }
}

const contribution = ({ station, epoch }: Mark, readings: readonly Reading[]) => ({
  station,
  epoch,
  first: 1,
  readings,
  upTo: 0,
});

async function compareSeries(wanted: readonly SeriesSummary[], to: Store): Promise<string[]> {
  const found = byName(await to.series());
  return wanted.flatMap((series) => {
    const has = found.get(nameOf(series));
    if (isSame(series, has)) return [];
    return [`${nameOf(series)}: ${inWords(series)}; copied ${has === undefined ? "nothing" : inWords(has)}`];
  });
}

async function comparePoints(own: readonly OwnSummary[], to: Store): Promise<string[]> {
  const found = new Map((await to.recordings()).map((each) => [each.measurement, each]));
  return own.flatMap((each) => {
    const has = found.get(each.measurement);
    if (isSameOwn(each, has)) return [];
    return [`${each.measurement}: ${ownInWords(each)}; copied ${has === undefined ? "nothing" : ownInWords(has)}`];
  });
}

async function compareMarks(marks: readonly Mark[], to: Store): Promise<string[]> {
  const upTo = new Map((await to.marks()).map((mark) => [`${mark.station} ${mark.epoch}`, mark.upTo]));
  return marks.flatMap((mark) => {
    const has = upTo.get(`${mark.station} ${mark.epoch}`) ?? 0;
    return has < mark.upTo ? [`station ${mark.station}: committed up to ${mark.upTo}; copied ${has}`] : [];
  });
}

interface Named {
  readonly device: string;
  readonly measure: string;
}

const LONG_AGO = Number.NEGATIVE_INFINITY;
const FAR_AHEAD = Number.POSITIVE_INFINITY;
const nameOf = ({ device, measure }: Named): string => `${device} ${measure}`;
const byName = (series: readonly SeriesSummary[]): Map<string, SeriesSummary> =>
  new Map(series.map((each) => [nameOf(each), each]));

const isSame = (a: SeriesSummary, b: SeriesSummary | undefined): boolean =>
  b !== undefined &&
  a.count === b.count &&
  a.first === b.first &&
  a.last === b.last &&
  Math.abs(a.sum - b.sum) <= SUM_TOLERANCE * Math.max(1, Math.abs(a.sum));

const isSameOwn = (a: OwnSummary, b: OwnSummary | undefined): boolean =>
  b !== undefined && a.values === b.values && a.first === b.first && a.last === b.last;

const spanInWords = ({ first, last }: Span): string =>
  `from ${new Date(first).toISOString()} to ${new Date(last).toISOString()}`;
const inWords = (series: SeriesSummary): string => `${series.count} readings ${spanInWords(series)}, sum ${series.sum}`;
const ownInWords = (own: OwnSummary): string => `${own.values} values ${spanInWords(own)}`;
