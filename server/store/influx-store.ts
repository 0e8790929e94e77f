import type { Reading } from "#protocol/messages.ts";
import { Fault } from "#protocol/faults.ts";
import type { Cancel, Clock } from "#protocol/ports.ts";
import { DAY, HOUR, type Instant, instant, type Seconds, seconds } from "#protocol/units.ts";
import type { OwnPoint } from "../chronicle/point.ts";
import type { Retention } from "../keeping.ts";
import type { Describe, Description } from "./describe.ts";
import type { Epochs } from "./epochs.ts";
import { createEpochs } from "./epochs.ts";
import { influxFault, silent } from "./influx-faults.ts";
import { partsOf, POINTS_A_REQUEST } from "./influx-points.ts";
import { createRollups, type Rollups } from "./influx-rollups.ts";
import { InfluxSums } from "./influx-sums.ts";
import type { InfluxMark, InfluxServer } from "./influx-server.ts";
import { UNDESCRIBED } from "./influx-server.ts";
import type { RolledPolicy } from "./influxql/rolled.ts";
import { memoryStore } from "./memory.ts";
import type { AggregateQuery, AggregateRow, Contribution, Mark, OwnSummary, SeriesSummary, Store } from "./store.ts";
import { upToOf } from "./store.ts";
import type { Sums } from "./sums.ts";

export interface InfluxOptions {
  /** Base address, `http://host:8086`. */
  readonly url: string;
  readonly describe: Describe;
  readonly clock: Clock;
  /** How long one request may take; beyond it the store counts as unreachable. */
  readonly timeout?: Seconds;
  /** How long what is kept. Without it what the database has been told stays; what is created is kept for good. */
  readonly retention?: Retention;
}

export const REQUEST_TIMEOUT = seconds(30);
/** Summing up a large town is long work for a database, and nobody waits for it. */
export const SUM_UP_TIMEOUT = seconds(600);
/** What came in is summed up so often, at first when the stations have come back. */
const SUM_UP = { first: seconds(60), every: seconds(900) } as const;

/** Counting every reading reads the whole database: the figure is kept, moved on with every commit, and counted anew after this. */
const RECOUNT_AFTER = 1 * HOUR;
/** Readings of devices of several kinds that are aggregated together here, because InfluxDB answers each measurement apart. */
const MOST_TOGETHER = 1_000_000;

/**
 * A store in an InfluxDB. A commit writes its readings, then the marks that cover them: whatever is cut off in between is
 * sent again and overwrites itself, since a reading of a series at an instant is one. Nothing is kept here that could be
 * lost but the order of epochs, which the marks carry.
 * Raises Fault STORE_UNREACHABLE, STORE_REFUSED and STORE_FAILED.
 */
export function influxStore(server: InfluxServer, options: InfluxOptions): Store {
  return new InfluxStore(server, options);
}

interface Kept {
  upTo: number;
  order: number;
}

class InfluxStore implements Store {
  private readonly server: InfluxServer;
  private readonly describe: Describe;
  private readonly clock: Clock;
  private readonly timeout: Seconds;
  private readonly upTo: Epochs<Kept> = createEpochs(() => ({ upTo: 0, order: this.nextOrder++ }));
  private nextOrder = 1;
  /** Devices that the territory does not describe, as the database knows them; asked for when one is met. */
  private lost: Map<string, Description> | undefined;
  private readonly rollups: Rollups;
  private readonly retention: Retention | undefined;
  private cancelSumUp: Cancel | undefined;
  private counted: { readings: number; readonly bytes: number; at: Instant } | undefined;
  /** Before this instant readings were dropped. */
  private prunedTo = Number.NEGATIVE_INFINITY;
  readonly sums: Sums;
  private isOpen = false;
  private opening: Promise<void> | undefined;

  constructor(server: InfluxServer, { describe, clock, timeout = REQUEST_TIMEOUT, retention }: InfluxOptions) {
    this.server = server;
    this.describe = describe;
    this.clock = clock;
    this.timeout = timeout;
    this.retention = retention;
    this.rollups = createRollups({
      notes: () => this.ask(() => server.notes()),
      note: (hours, are, number) => this.ask(() => server.note(hours, are, number)),
      span: () => this.ask(() => server.span()),
      sumUp: (from, to) => this.ask(() => server.sumUp(from, to), SUM_UP_TIMEOUT),
    });
    this.sums = new InfluxSums({
      server: server.sums,
      rollups: this.rollups,
      open: () => this.open(),
      ask: (request) => this.ask(request),
      descriptions: (some) => this.descriptions(some),
    });
  }

  /** Several may find it closed at once: they open it together. */
  open(): Promise<void> {
    if (this.isOpen) return Promise.resolve();
    this.opening ??= this.prepare().finally(() => (this.opening = undefined));
    return this.opening;
  }

  private async prepare(): Promise<void> {
    await this.ask(() => this.server.prepare(this.retention));
    await this.marks();
    await this.rollups.start();
    this.isOpen = true;
    this.sumUpIn(SUM_UP.first);
  }

  private sumUpIn(wait: Seconds): void {
    this.cancelSumUp = this.clock.after(wait, () => void this.sumUpNow());
  }

  private async sumUpNow(): Promise<void> {
    try {
      await this.rollups.sumUp(async () => {
        if (!this.isOpen) throw new Error("the store is closed");
      });
    } catch {
      // That the database fails is ingest's to say; what is open stays so.
    }
    if (this.isOpen) this.sumUpIn(SUM_UP.every);
  }

  async commit(contributions: readonly Contribution[]): Promise<void> {
    await this.open();
    const describe = await this.descriptions(contributions.flatMap(({ readings }) => readings));
    const touched = this.rollups.touch(contributions);
    try {
      await touched.noted;
      for (const points of partsOf(readingsOf(contributions), describe)) {
        await this.ask(() => this.server.write(points));
      }
      await this.ask(() => this.server.writeMarks(this.marksWith(contributions)));
    } catch (problem) {
      // Some of it may be there: it is counted anew.
      if (this.counted !== undefined) this.counted.at = LONG_AGO;
      throw problem;
    } finally {
      touched.written();
    }
    for (const each of contributions) {
      const kept = this.upTo.of(each.station, each.epoch);
      kept.upTo = Math.max(kept.upTo, upToOf(each));
      if (this.counted !== undefined) this.counted.readings += each.readings.length;
    }
  }

  /** Asks the server, so that whoever wants to know whether it is back learns it. */
  async marks(): Promise<Mark[]> {
    const found = await this.ask(() => this.server.marks());
    this.upTo.clear();
    for (const { station, epoch, upTo, order } of found.toSorted((a, b) => a.order - b.order)) {
      const kept = this.upTo.of(station, epoch);
      kept.upTo = upTo;
      kept.order = order;
      this.nextOrder = Math.max(this.nextOrder, order + 1);
    }
    return [...this.upTo].map(([station, epoch, { upTo }]) => ({ station, epoch, upTo }));
  }

  async latest(): Promise<Reading[]> {
    const newest = new Map<string, Reading>();
    for (const { description, measure, at, value } of await this.ask(() => this.server.latest())) {
      const device = description.tags["device"] ?? "";
      const key = `${device}\n${measure}`;
      // A device that has moved has a series for each place.
      if (at < (newest.get(key)?.at ?? Number.NEGATIVE_INFINITY)) continue;
      newest.set(key, { device, measure, at, value });
    }
    return [...newest.values()];
  }

  async range(device: string, measure: string, from: Instant, to: Instant, limit: number): Promise<Reading[]> {
    const { measurement } = await this.description(device);
    return this.ask(() => this.server.range({ measurement, device, measure }, from, to, limit));
  }

  async during(from: Instant, to: Instant, most: number): Promise<Reading[] | undefined> {
    const readings = await this.ask(() => this.server.during(from, to, most));
    return readings?.sort((a, b) => a.at - b.at || (a.device < b.device ? -1 : 1));
  }

  async record(points: readonly OwnPoint[]): Promise<void> {
    await this.open();
    for (let index = 0; index < points.length; index += POINTS_A_REQUEST) {
      await this.ask(() => this.server.record(points.slice(index, index + POINTS_A_REQUEST)));
    }
  }

  recorded(from: Instant, to: Instant): Promise<OwnPoint[]> {
    return this.ask(() => this.server.recorded(from, to));
  }

  recordings(): Promise<OwnSummary[]> {
    return this.ask(() => this.server.recordings());
  }

  async aggregate(query: AggregateQuery): Promise<AggregateRow[]> {
    const devices = new Map<string, string[]>();
    for (const device of new Set(query.devices)) {
      const { measurement } = await this.description(device);
      devices.set(measurement, [...(devices.get(measurement) ?? []), device]);
    }
    if (devices.size > 1 && query.by !== "device") return this.aggregateHere(query);
    const rows: AggregateRow[] = [];
    for (const [measurement, some] of devices) {
      for (const { of, ...part } of this.partsOf({ ...query, devices: some })) {
        for (const row of await this.ask(() => this.server.aggregate(measurement, part, of))) rows.push(row);
      }
    }
    return rows.sort((a, b) => a.at - b.at || ((a.device ?? "") < (b.device ?? "") ? -1 : 1));
  }

  /** Steps that begin before the oldest readings that are kept are answered from what those were summed up to. */
  private partsOf(query: AggregateQuery): (AggregateQuery & { readonly of: RolledPolicy | "readings" })[] {
    const { from, to, every } = query;
    const { raw_d = Number.POSITIVE_INFINITY, quarters_d = Number.POSITIVE_INFINITY } = this.retention ?? {};
    const now = this.clock.now();
    const readingsFrom = Math.max(this.prunedTo, Math.floor((now - raw_d * DAY) / DAY) * DAY);
    if (!(from < readingsFrom)) return [{ ...query, of: "readings" }];
    const every_ms = every * 1000;
    const border = instant(Math.min(to, from + Math.ceil((readingsFrom - from) / every_ms) * every_ms));
    const isHourly = every_ms % HOUR === 0 && from % HOUR === 0;
    const of = isHourly || from < now - quarters_d * DAY ? "hour" : "quarter";
    const old = { ...query, to: border, of } as const;
    return border < to ? [old, { ...query, from: border, of: "readings" }] : [old];
  }

  private async aggregateHere(query: AggregateQuery): Promise<AggregateRow[]> {
    const together = memoryStore();
    let room = MOST_TOGETHER;
    for (const device of new Set(query.devices)) {
      const readings = await this.range(device, query.measure, query.from, query.to, room + 1);
      room -= readings.length;
      if (room < 0) {
        const problem = `more than ${MOST_TOGETHER} readings of devices of several kinds; ask for a shorter time`;
        throw new Fault("STORE_FAILED", { problem });
      }
      await together.commit([{ station: "", epoch: "", first: 1, readings }]);
    }
    return together.aggregate(query);
  }

  series(): Promise<SeriesSummary[]> {
    return this.ask(() => this.server.series());
  }

  /** While the server does not answer, what it was when it last did. */
  async size(): Promise<{ readings: number; bytes: number }> {
    const now = this.clock.now();
    if (this.counted !== undefined && now - this.counted.at < RECOUNT_AFTER) return sizeOf(this.counted);
    try {
      const readings = await this.ask(() => this.server.count());
      this.counted = { readings, bytes: await this.ask(() => this.server.bytes()), at: now };
    } catch (fault) {
      if (this.counted === undefined) throw fault;
    }
    return sizeOf(this.counted);
  }

  /** Sums up what came since the last time, whenever it was measured: the database compresses by itself. */
  async compact(_before: Instant, pause: () => Promise<void>): Promise<number> {
    await this.open();
    return this.rollups.sumUp(pause);
  }

  async prune(before: Instant, coarseBefore?: Instant): Promise<number> {
    const had = await this.ask(() => this.server.count());
    await this.ask(() => this.server.prune(before, coarseBefore));
    this.prunedTo = Math.max(this.prunedTo, Math.floor(before / DAY) * DAY);
    const has = await this.ask(() => this.server.count());
    this.counted = { readings: has, bytes: await this.ask(() => this.server.bytes()), at: this.clock.now() };
    return Math.max(0, had - has);
  }

  async close(): Promise<void> {
    this.isOpen = false;
    this.cancelSumUp?.();
    await this.server.close();
  }

  /** The marks as they are once these contributions are committed. */
  private marksWith(contributions: readonly Contribution[]): InfluxMark[] {
    const marks = new Map<Kept, InfluxMark>();
    for (const each of contributions) {
      const { station, epoch } = each;
      const kept = this.upTo.of(station, epoch);
      const upTo = Math.max(marks.get(kept)?.upTo ?? kept.upTo, upToOf(each));
      marks.set(kept, { station, epoch, upTo, order: kept.order });
    }
    return [...marks.values()];
  }

  private async description(device: string): Promise<Description> {
    return this.describe(device) ?? (await this.asLastSeen()).get(device) ?? undescribed(device);
  }

  private async descriptions(
    readings: readonly { readonly device: string }[],
  ): Promise<(device: string) => Description> {
    const lost = readings.some(({ device }) => this.describe(device) === undefined)
      ? await this.asLastSeen()
      : new Map<string, Description>();
    return (device) => this.describe(device) ?? lost.get(device) ?? undescribed(device);
  }

  private async asLastSeen(): Promise<Map<string, Description>> {
    if (this.lost !== undefined) return this.lost;
    const lost = new Map<string, Description>();
    for (const { description } of (await this.ask(() => this.server.latest())).toSorted((a, b) => a.at - b.at)) {
      const device = description.tags["device"] ?? "";
      if (this.describe(device) === undefined) lost.set(device, description);
    }
    return (this.lost = lost);
  }

  /** One request: its answer within the time given, or a fault that says what is wrong with the server at this address. */
  private async ask<Answer>(request: () => Promise<Answer>, patience = this.timeout): Promise<Answer> {
    const late = Promise.withResolvers<never>();
    const cancel = this.clock.after(patience, () => late.reject(silent(this.server.address, patience)));
    try {
      // Both clients wait for ever on an answer that is cut off in the middle.
      return await Promise.race([request(), late.promise]);
    } catch (problem) {
      throw influxFault(problem, this.server.address);
    } finally {
      cancel();
    }
  }
}

const LONG_AGO = Number.NEGATIVE_INFINITY as Instant;
const sizeOf = ({ readings, bytes }: { readings: number; bytes: number }) => ({ readings, bytes });

const undescribed = (device: string): Description => ({ measurement: UNDESCRIBED, tags: { device } });

function* readingsOf(contributions: readonly Contribution[]): Generator<Reading> {
  for (const { readings } of contributions) yield* readings;
}
