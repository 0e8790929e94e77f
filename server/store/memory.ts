import { Fault } from "#protocol/faults.ts";
import type { Reading } from "#protocol/messages.ts";
import type { Disk } from "#protocol/ports.ts";
import { FINE_SERIES, type SeriesName } from "#protocol/series.ts";
import type { Instant } from "#protocol/units.ts";
import type { CommitLog } from "./commit-log.ts";
import { openCommitLog } from "./commit-log.ts";
import { createEpochs } from "./epochs.ts";
import { Series } from "./series.ts";
import type { OwnPoint } from "../chronicle/point.ts";
import type { AggregateQuery, AggregateRow, Contribution, Mark, OwnSummary, SeriesSummary, Store } from "./store.ts";
import { upToOf } from "./store.ts";

/**
 * A store in memory: for the rehearsal, for tests, and for a server without a database. With a disk it also keeps a log of
 * its commits, from which it comes back after a crash with all that was committed and nothing twice.
 */
export function memoryStore(options: { readonly disk?: Disk } = {}): Store {
  return new MemoryStore(options.disk);
}

/** Points of the server's own that are kept: a month of the default town. */
const MOST_RECORDED = 2_000_000;

class MemoryStore implements Store {
  /** What the server wrote of itself, in the order of writing. */
  private own: OwnPoint[] = [];
  private readonly disk: Disk | undefined;
  private log: CommitLog | undefined;
  private byDevice = new Map<string, Map<string, Series>>();
  private readonly upTo = createEpochs(() => ({ number: 0 }));
  private readings = 0;

  constructor(disk: Disk | undefined) {
    this.disk = disk;
  }

  open(): Promise<void> {
    this.byDevice = new Map();
    this.upTo.clear();
    this.readings = 0;
    if (this.disk === undefined) return Promise.resolve();
    this.log = openCommitLog(
      this.disk,
      (contributions) => this.replay(contributions),
      (marks) => marks.forEach((mark) => this.mark(mark)),
    );
    return Promise.resolve();
  }

  commit(contributions: readonly Contribution[]): Promise<void> {
    try {
      this.log?.append(contributions, () => this.allMarks());
    } catch (problem) {
      if (!(problem instanceof Fault)) throw problem;
      return Promise.reject(new Fault("STORE_FAILED", { problem: problem.message }));
    }
    for (const each of contributions) this.take(each, 0);
    return Promise.resolve();
  }

  /** A record that was written but whose commit failed may lie in the log twice: numbers already there are passed over. */
  private replay(contributions: readonly Contribution[]): void {
    for (const each of contributions) {
      const known = this.upTo.find(each.station, each.epoch)?.number ?? 0;
      if (known < upToOf(each)) this.take(each, Math.max(0, known - each.first + 1));
    }
  }

  private take(contribution: Contribution, skip: number): void {
    const { station, epoch, readings } = contribution;
    for (let index = skip; index < readings.length; index++) {
      const { device, measure, at, value } = readings[index] as Reading;
      this.readings += this.seriesOf(device, measure).add(at, value);
    }
    this.mark({ station, epoch, upTo: upToOf(contribution) });
  }

  private mark({ station, epoch, upTo }: Mark): void {
    const known = this.upTo.of(station, epoch);
    known.number = Math.max(known.number, upTo);
  }

  private seriesOf(device: string, measure: string): Series {
    let measures = this.byDevice.get(device);
    if (measures === undefined) this.byDevice.set(device, (measures = new Map()));
    let series = measures.get(measure);
    if (series === undefined) measures.set(measure, (series = new Series(device, measure)));
    return series;
  }

  private allMarks(): Mark[] {
    return [...this.upTo].map(([station, epoch, { number }]) => ({ station, epoch, upTo: number }));
  }

  marks(): Promise<Mark[]> {
    return Promise.resolve(this.allMarks());
  }

  latest(): Promise<Reading[]> {
    const latest: Reading[] = [];
    for (const measures of this.byDevice.values()) {
      for (const series of measures.values()) {
        if (series.length > 0) latest.push(readingAt(series, series.length - 1));
      }
    }
    return Promise.resolve(latest);
  }

  range(device: string, measure: string, from: Instant, to: Instant, limit: number): Promise<Reading[]> {
    const series = this.byDevice.get(device)?.get(measure);
    const readings: Reading[] = [];
    if (series !== undefined) {
      const end = Math.min(series.firstFrom(to), series.firstFrom(from) + limit);
      for (let index = series.firstFrom(from); index < end; index++) readings.push(readingAt(series, index));
    }
    return Promise.resolve(readings);
  }

  during(from: Instant, to: Instant, most: number): Promise<Reading[] | undefined> {
    const readings: Reading[] = [];
    for (const measures of this.byDevice.values()) {
      for (const series of measures.values()) {
        const end = series.firstFrom(to);
        const start = series.firstFrom(from);
        if (readings.length + end - start > most) return Promise.resolve(undefined);
        for (let index = start; index < end; index++) readings.push(readingAt(series, index));
      }
    }
    return Promise.resolve(readings.sort(byTimeAndDevice));
  }

  aggregate(query: AggregateQuery): Promise<AggregateRow[]> {
    const rows: AggregateRow[] = [];
    const together = new Map<number, Sum>();
    for (const device of new Set(query.devices)) {
      const series = this.byDevice.get(device)?.get(query.measure);
      if (series === undefined) continue;
      const steps = query.by === "device" ? new Map<number, Sum>() : together;
      sum(series, query, steps);
      if (query.by === "device") for (const row of rowsOf(steps, query, device)) rows.push(row);
    }
    return Promise.resolve(query.by === "device" ? rows.sort(byTimeAndDevice) : rowsOf(together, query));
  }

  series(): Promise<SeriesSummary[]> {
    const found: SeriesSummary[] = [];
    for (const measures of this.byDevice.values()) {
      for (const { device, measure, times, values, length } of measures.values()) {
        if (length === 0) continue;
        let sum = 0;
        for (let index = 0; index < length; index++) sum += values[index] as number;
        const [first, last] = [times[0] as Instant, times[length - 1] as Instant];
        found.push({ device, measure, count: length, sum, first, last });
      }
    }
    return Promise.resolve(found);
  }

  /** Kept until it is closed; a crash takes them along, and what matters of them is in the journal and the alarms. */
  record(points: readonly OwnPoint[]): Promise<void> {
    for (const each of points) this.own.push(each);
    if (this.own.length > MOST_RECORDED) this.own.splice(0, this.own.length - MOST_RECORDED);
    return Promise.resolve();
  }

  recorded(from: Instant, to: Instant): Promise<OwnPoint[]> {
    const newest = new Map<string, OwnPoint>();
    for (const each of this.own) {
      if (each.at < from || each.at >= to) continue;
      const { measurement, at, tags, fields } = each;
      const key = JSON.stringify([measurement, at, Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1))]);
      const before = newest.get(key);
      newest.set(key, before === undefined ? each : { ...each, fields: { ...before.fields, ...fields } });
    }
    return Promise.resolve([...newest.values()]);
  }

  async recordings(): Promise<OwnSummary[]> {
    return summariesOf(await this.recorded(LONG_AGO, FAR_AHEAD));
  }

  size(): Promise<{ readings: number; bytes: number }> {
    return Promise.resolve({ readings: this.readings, bytes: this.log?.bytes() ?? this.readings * 16 });
  }

  prune(before: Instant, coarseBefore: Instant = LONG_AGO): Promise<number> {
    this.own = this.own.filter(
      ({ at, measurement }) => at >= (FINE_SERIES.has(measurement) ? Math.max(before, coarseBefore) : coarseBefore),
    );
    let dropped = 0;
    for (const measures of this.byDevice.values()) {
      for (const series of measures.values()) dropped += series.prune(before);
    }
    this.readings -= dropped;
    this.log?.prune(before);
    return Promise.resolve(dropped);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const LONG_AGO = Number.NEGATIVE_INFINITY as Instant;
const FAR_AHEAD = Number.POSITIVE_INFINITY as Instant;

function summariesOf(points: readonly OwnPoint[]): OwnSummary[] {
  const found = new Map<SeriesName, { -readonly [Key in keyof OwnSummary]: OwnSummary[Key] }>();
  for (const { measurement, at, fields } of points) {
    const summary = found.get(measurement) ?? { measurement, values: 0, first: at, last: at };
    summary.values += Object.keys(fields).length;
    if (at < summary.first) summary.first = at;
    if (at > summary.last) summary.last = at;
    found.set(measurement, summary);
  }
  return [...found.values()];
}

const readingAt = (series: Series, index: number): Reading => ({
  device: series.device,
  measure: series.measure,
  at: series.times[index] as Instant,
  value: series.values[index] as number,
});

interface Sum {
  count: number;
  total: number;
  min: number;
  max: number;
  first: number;
  firstAt: number;
  last: number;
  lastAt: number;
}

function sum(series: Series, { from, to, every }: AggregateQuery, steps: Map<number, Sum>): void {
  const period = every * 1000;
  const end = series.firstFrom(to);
  for (let index = series.firstFrom(from); index < end; index++) {
    const at = series.times[index] as number;
    const value = series.values[index] as number;
    const step = Math.floor((at - from) / period);
    const sum = steps.get(step);
    if (sum === undefined) {
      steps.set(step, {
        count: 1,
        total: value,
        min: value,
        max: value,
        first: value,
        firstAt: at,
        last: value,
        lastAt: at,
      });
      continue;
    }
    sum.count++;
    sum.total += value;
    if (value < sum.min) sum.min = value;
    if (value > sum.max) sum.max = value;
    if (at < sum.firstAt) {
      sum.first = value;
      sum.firstAt = at;
    }
    if (at >= sum.lastAt) {
      sum.last = value;
      sum.lastAt = at;
    }
  }
}

function rowsOf(steps: ReadonlyMap<number, Sum>, query: AggregateQuery, device?: string): AggregateRow[] {
  return [...steps]
    .sort(([a], [b]) => a - b)
    .map(([step, { count, total, min, max, first, last }]) => ({
      at: (query.from + step * query.every * 1000) as Instant,
      ...(device !== undefined && { device }),
      count,
      mean: total / count,
      min,
      max,
      first,
      last,
    }));
}

const byTimeAndDevice = (a: Placed, b: Placed): number => a.at - b.at || ((a.device ?? "") < (b.device ?? "") ? -1 : 1);

type Placed = { readonly at: Instant; readonly device?: string };
