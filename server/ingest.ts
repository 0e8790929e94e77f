import { Fault } from "#protocol/faults.ts";
import type { Applied, Batch, Reading, Receipt, Status } from "#protocol/messages.ts";
import { applied, numbersOf, parseBatch, parseMessage, status } from "#protocol/messages.ts";
import type { Clock } from "#protocol/ports.ts";
import type { Territory } from "#protocol/territory.ts";
import { parseTopic } from "#protocol/topics.ts";
import type { GroupCommit, GroupLimits } from "./group-commit.ts";
import { createGroupCommit } from "./group-commit.ts";
import type { Marks } from "./marks.ts";
import { createMarks } from "./marks.ts";
import type { StationDevices } from "./plausibility.ts";
import { devicesOf, implausible } from "./plausibility.ts";
import type { Quarantine, Quarantined } from "./quarantine.ts";
import { createQuarantine, PAYLOAD_KEPT_BYTES } from "./quarantine.ts";
import type { Contribution, Store } from "./store/store.ts";

/** Where a station's words become readings: parsed at the border, checked, deduplicated, committed, and only then answered. */
export interface Ingest {
  /**
   * Reads from the store how far each station's readings are committed. While a store does not answer yet, nothing that
   * stations say is taken, for nobody knows whether it was said before. Raises its other faults.
   */
  start(): Promise<void>;
  /**
   * Takes a message of an `up/` topic. Resolves when what it said is committed (or was committed before, or lies in
   * quarantine). Rejects with Fault BATCH_EARLY when it follows readings that the server does not have: no acknowledgement,
   * the receipt says where to go on; and with STORE_FAILED or TOO_MANY when it cannot be taken now.
   */
  message(station: string, topic: string, payload: Uint8Array): Promise<void>;
  /** Commits what is gathered and takes nothing more. */
  stop(): Promise<void>;
  stats(): IngestStats;
  quarantine(): readonly Quarantined[];
}

/** Who is told, in the order of events. None of these may wait. */
export interface IngestListener {
  /** These readings of this station are on disk now. */
  committed(station: string, readings: readonly Reading[]): void;
  status(station: string, status: Status): void;
  applied(station: string, applied: Applied): void;
  quarantined(entry: Quarantined): void;
}

export interface IngestOptions {
  readonly territory: Territory;
  readonly store: Store;
  readonly clock: Clock;
  /** Comes once, before the store is first asked; again when it failed. */
  open?(): Promise<void>;
  /** Sends a station its receipt: once for each commit that held something of it, and when it repeats itself. */
  receipts(station: string, receipt: Receipt): void;
  readonly listener: IngestListener;
  readonly limits?: Partial<GroupLimits>;
  /** "before-commit" loses what a crash catches: it exists so that a test can show that its loss is found. */
  readonly acknowledge?: "after-commit" | "before-commit";
}

export interface IngestStats {
  /** Readings committed since the start. */
  readonly accepted: number;
  readonly duplicates: number;
  /** Batches that came before the readings they follow. */
  readonly early: number;
  readonly quarantined: number;
  readonly quarantinedBy: Readonly<Record<string, number>>;
  readonly commits: number;
  /** Readings that wait for their commit. */
  readonly waiting: number;
  readonly commit_ms: { readonly p50: number; readonly p99: number };
  /** From a message's arrival until it may be acknowledged. */
  readonly acknowledge_ms: { readonly p50: number; readonly p99: number };
  /** Why the store does not commit, while it does not. */
  readonly failing?: { readonly since: number; readonly problem: string; readonly fault: Fault };
}

type Readable = (Batch & { readonly count: number }) | NonNullable<ReturnType<typeof numbersOf>>;

/** Stations that are not in the territory share one empty set of devices. */
const NO_DEVICES: StationDevices = new Map();

export function createIngest(options: IngestOptions): Ingest {
  const { territory, store, clock, listener } = options;
  const quarantine: Quarantine = createQuarantine();
  const marks: Marks = createMarks();
  const devices = new Map([...territory.byStation.keys()].map((station) => [station, devicesOf(territory, station)]));
  const acknowledgeEarly = options.acknowledge === "before-commit";
  let accepted = 0;
  let duplicates = 0;
  let early = 0;
  let isOpen = false;

  const group: GroupCommit = createGroupCommit({
    store,
    clock,
    ...(options.limits && { limits: options.limits }),
    committed(contributions) {
      const touched = new Map<string, string>();
      for (const each of contributions) {
        marks.commit(each);
        accepted += each.readings.length;
        touched.set(each.station, each.epoch);
        if (each.readings.length > 0) listener.committed(each.station, each.readings);
      }
      for (const [station, epoch] of touched)
        options.receipts(station, { epoch, upTo: marks.committed(station, epoch) });
    },
    failed: () => marks.forgetGathered(),
    async recover() {
      if (!isOpen) await options.open?.();
      marks.reset(await store.marks());
      isOpen = true;
    },
  });

  const putAside = (station: string, fault: Fault, payload: Uint8Array, reading?: Reading): void => {
    const entry: Quarantined = {
      at: clock.now(),
      station,
      code: fault.code,
      fault,
      reason: fault.message,
      payload: payload.slice(0, PAYLOAD_KEPT_BYTES),
      ...(reading && { reading }),
    };
    quarantine.put(entry);
    listener.quarantined(entry);
  };

  const readings = (station: string, payload: Uint8Array): Promise<void> => {
    const unknown = isOpen ? undefined : group.refuses(1, payload.length);
    if (unknown !== undefined) return Promise.reject(unknown);
    const batch = readable(station, payload);
    if (batch === undefined) return Promise.resolve();
    const { epoch, after, first, count } = batch;
    const last = first + count - 1;
    const known = marks.gathered(station, epoch);
    if (after > known) {
      early++;
      const upTo = marks.committed(station, epoch);
      options.receipts(station, { epoch, upTo });
      return Promise.reject(new Fault("BATCH_EARLY", { station, after, upTo }));
    }
    if (last <= known) {
      duplicates += count;
      const upTo = marks.committed(station, epoch);
      if (last > upTo) return group.whenCommitted();
      options.receipts(station, { epoch, upTo });
      return Promise.resolve();
    }
    const skip = Math.max(0, known - first + 1);
    const refusal = group.refuses(count - skip, payload.length);
    if (refusal !== undefined) return Promise.reject(refusal);
    duplicates += skip;
    const contributions =
      "readings" in batch
        ? plausible(station, batch, skip, payload)
        : [{ station, epoch, first: last + 1, readings: [], upTo: last }];
    const done = group.add(contributions, count - skip, payload.length);
    marks.gather(station, epoch, last);
    if (!acknowledgeEarly) return done;
    options.receipts(station, { epoch, upTo: last });
    return Promise.resolve();
  };

  /**
   * A batch; or, where it cannot be read, only the numbers that it takes: it goes into quarantine as a whole and counts as
   * received, or its station would send it for ever.
   */
  const readable = (station: string, payload: Uint8Array): Readable | undefined => {
    try {
      const batch = parseBatch(payload);
      return { ...batch, count: batch.readings.length };
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault;
      putAside(station, fault, payload);
      return numbersOf(payload);
    }
  };

  /** What can be believed of a batch, in runs of consecutive numbers; the rest goes into quarantine and counts as received. */
  const plausible = (station: string, batch: Batch, skip: number, payload: Uint8Array): Contribution[] => {
    const { epoch, first, readings } = batch;
    const known = devices.get(station) ?? NO_DEVICES;
    const now = clock.now();
    const last = first + readings.length - 1;
    const runs: Contribution[] = [];
    let start = skip;
    for (let index = skip; index < readings.length; index++) {
      const reading = readings[index] as Reading;
      const fault = implausible(reading, station, known, now);
      if (fault === undefined) continue;
      putAside(station, fault, payload, reading);
      if (index > start) runs.push({ station, epoch, first: first + start, readings: readings.slice(start, index) });
      start = index + 1;
    }
    if (start === 0) return [{ station, epoch, first, readings, payload }];
    const rest = readings.slice(start);
    if (rest.length > 0) runs.push({ station, epoch, first: first + start, readings: rest });
    else runs.push({ station, epoch, first: last + 1, readings: [], upTo: last });
    return runs;
  };

  const message = (station: string, topic: string, payload: Uint8Array): Promise<void> => {
    const address = parseTopic(topic);
    if (address?.tree !== "up") return Promise.resolve();
    try {
      if (address.leaf === "readings") return readings(station, payload);
      if (address.leaf === "status") listener.status(station, parseMessage(status, payload));
      else listener.applied(station, parseMessage(applied, payload));
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault;
      putAside(station, fault, payload);
    }
    return Promise.resolve();
  };

  return {
    start: () => group.start(),
    message,
    stop: () => group.stop(),
    stats: () => ({
      ...group.stats(),
      accepted,
      duplicates,
      early,
      quarantined: quarantine.total,
      quarantinedBy: quarantine.counts(),
    }),
    quarantine: () => quarantine.entries(),
  };
}
