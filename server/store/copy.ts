import type { Reading } from "#protocol/messages.ts";
import { instant } from "#protocol/units.ts";
import type { Mark, SeriesSummary, Store } from "./store.ts";

export interface Copied {
  /** Readings in the source, each instant of a series once. */
  readonly readings: number;
  /** Of these, written now; the others were there already. */
  readonly written: number;
  readonly series: number;
  /** What differs in the end, a line each; empty when the copy is whole. */
  readonly differences: readonly string[];
}

/** Readings that are held at once: read, and gathered for one commit. */
const READ_AT_ONCE = 50_000;
const COMMIT_AT_ONCE = 20_000;
const MOST_DIFFERENCES = 10;
/** Sums of the same numbers in another order differ in their last digits. */
const SUM_TOLERANCE = 1e-9;

/**
 * Copies every reading and every mark of one store into another, oldest first within a series, then compares count, first,
 * last and sum of each. Interrupted, it goes on after the newest reading of a series that the other store has. Marks come
 * last, so that a server that finds half a copy asks for readings again and does not take them for stored.
 * Both stores are open; raises their faults.
 */
export async function copyStore(
  from: Store,
  to: Store,
  progress: (share: number, readings: number) => void = () => {},
): Promise<Copied> {
  const marks = await from.marks();
  const source = await from.series();
  const there = byName(await to.series());
  const total = source.reduce((sum, { count }) => sum + count, 0);
  const writer = gathering(to, marks);
  const wanted: SeriesSummary[] = [];
  let seen = 0;
  await to.commit(marks.map((mark) => contribution(mark, [])));
  for (const series of source) {
    const has = there.get(nameOf(series));
    if (has !== undefined && same(series, has)) wanted.push(series);
    else wanted.push(await copySeries(from, series, has, writer));
    seen += series.count;
    progress(seen / Math.max(1, total), seen);
  }
  await writer.flush();
  await to.commit(marks.map((mark) => ({ ...contribution(mark, []), upTo: mark.upTo })));
  const differences = await compare(wanted, to, marks);
  const readings = wanted.reduce((sum, { count }) => sum + count, 0);
  return { readings, written: writer.written, series: wanted.length, differences };
}

interface Gathering {
  written: number;
  add(reading: Reading): Promise<void>;
  flush(): Promise<void>;
}

/** Readings on their way, as if one station had said them, whose mark does not move by it. */
function gathering(to: Store, [mark = { station: "", epoch: "", upTo: 0 }]: readonly Mark[]): Gathering {
  let readings: Reading[] = [];
  const gathered: Gathering = {
    written: 0,
    async add(reading) {
      readings.push(reading);
      if (readings.length >= COMMIT_AT_ONCE) await gathered.flush();
    },
    async flush() {
      if (readings.length === 0) return;
      await to.commit([contribution(mark, readings)]);
      gathered.written += readings.length;
      readings = [];
    },
  };
  return gathered;
}

const contribution = ({ station, epoch }: Mark, readings: readonly Reading[]) => ({
  station,
  epoch,
  first: 1,
  readings,
  upTo: 0,
});

/** Reads a whole series, writes what is newer than what is there, and says what the copy must hold. */
async function copySeries(
  from: Store,
  { device, measure, first, last }: SeriesSummary,
  has: SeriesSummary | undefined,
  writer: Gathering,
): Promise<SeriesSummary> {
  let count = 0;
  let sum = 0;
  let before: Reading | undefined;
  const take = async (reading: Reading): Promise<void> => {
    count++;
    sum += reading.value;
    if (reading.at > (has?.last ?? Number.NEGATIVE_INFINITY)) await writer.add(reading);
  };
  for (let at: number = first; at <= last;) {
    const readings = await from.range(device, measure, instant(at), instant(last + 1), READ_AT_ONCE);
    for (const reading of readings) {
      if (before !== undefined && reading.at !== before.at) await take(before);
      before = reading;
    }
    if (readings.length < READ_AT_ONCE) break;
    // The newest instant is read again, since more of it may lie beyond the limit: of equal instants the last is the one.
    at = before?.at === at ? at + 1 : (before?.at ?? last);
  }
  if (before !== undefined) await take(before);
  return { device, measure, first, last, count, sum };
}

async function compare(wanted: readonly SeriesSummary[], to: Store, marks: readonly Mark[]): Promise<string[]> {
  const found = byName(await to.series());
  const differences = wanted.flatMap((series) => {
    const has = found.get(nameOf(series));
    if (has !== undefined && same(series, has)) return [];
    return [
      `${series.device} ${series.measure}: ${inWords(series)}; copied ${has === undefined ? "nothing" : inWords(has)}`,
    ];
  });
  const upTo = new Map((await to.marks()).map((mark) => [`${mark.station} ${mark.epoch}`, mark.upTo]));
  for (const mark of marks) {
    const has = upTo.get(`${mark.station} ${mark.epoch}`) ?? 0;
    if (has < mark.upTo) differences.push(`station ${mark.station}: committed up to ${mark.upTo}; copied ${has}`);
  }
  const more = differences.length - MOST_DIFFERENCES;
  return more > 0 ? [...differences.slice(0, MOST_DIFFERENCES), `and ${more} more`] : differences;
}

const nameOf = ({ device, measure }: SeriesSummary): string => `${device} ${measure}`;
const byName = (series: readonly SeriesSummary[]): Map<string, SeriesSummary> =>
  new Map(series.map((each) => [nameOf(each), each]));

const same = (a: SeriesSummary, b: SeriesSummary): boolean =>
  a.count === b.count &&
  a.first === b.first &&
  a.last === b.last &&
  Math.abs(a.sum - b.sum) <= SUM_TOLERANCE * Math.max(1, Math.abs(a.sum));

const inWords = ({ count, first, last, sum }: SeriesSummary): string =>
  `${count} readings from ${new Date(first).toISOString()} to ${new Date(last).toISOString()}, sum ${sum}`;
