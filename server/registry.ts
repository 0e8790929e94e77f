import type { Order, Reading, Status } from "#protocol/messages.ts";
import type { Clock } from "#protocol/ports.ts";
import type { Device, Territory } from "#protocol/territory.ts";
import type { Instant, Seconds } from "#protocol/units.ts";
import { between } from "#protocol/units.ts";

/** The newest value of one measure: when it was measured and when it arrived. */
export interface Latest {
  value: number;
  at: Instant;
  receivedAt: Instant;
}

/** The machine's plan for a device, or a person's hand on it: each has a place of its own, so both stay visible. */
export type Lane = "machine" | "hand";
export type CommandProgress = "waiting" | "sent" | "applied" | "refused" | "expired" | "ended";

export interface CommandState {
  readonly order: Order;
  readonly progress: CommandProgress;
  /** When it was decided. */
  readonly since: Instant;
  readonly expiresAt: Instant;
  /** The journal entry of the decision behind it. */
  readonly entry?: number;
  readonly answeredAt?: Instant;
  /** Why the device refused. */
  readonly because?: string;
}

/** What is known of one device: what it reports, what it should do, and what it did with the last command. */
export interface Twin {
  readonly device: Device;
  readonly values: ReadonlyMap<string, Latest>;
  readonly machine?: CommandState;
  readonly hand?: CommandState;
}

export interface StationTwin {
  readonly id: string;
  readonly online: boolean;
  /** When it last came or went; undefined: never heard of. */
  readonly since?: Instant;
  readonly lastSeen?: Instant;
  readonly version?: string;
  /** Its clock minus ours, in seconds, as of its last status. */
  readonly clockError_s?: Seconds;
  /** Readings in its outbox, and readings it had to drop. */
  readonly waiting?: number;
  readonly dropped?: number;
}

export type Change =
  | { readonly kind: "readings"; readonly station: string; readonly readings: readonly Reading[] }
  | { readonly kind: "station"; readonly station: StationTwin }
  | { readonly kind: "command"; readonly device: string; readonly lane: Lane };

export interface Registry {
  readonly territory: Territory;
  /** Takes the newest stored values: once, at start. */
  rebuild(latest: readonly Reading[]): void;
  committed(station: string, readings: readonly Reading[]): void;
  status(station: string, status: Status): void;
  command(device: string, lane: Lane, state: CommandState | undefined): void;
  twin(device: string): Twin | undefined;
  /** In the order of the territory. */
  twins(): IterableIterator<Twin>;
  /** The newest value of a measure, or undefined when there is none yet. */
  value(device: string, measure: string): number | undefined;
  latest(device: string, measure: string): Latest | undefined;
  /** What the device should do now: the hand before the machine. */
  desired(device: string): (CommandState & { readonly by: Lane }) | undefined;
  station(id: string): StationTwin | undefined;
  stations(): IterableIterator<StationTwin>;
  /** Told of every change, at once and in order; at most 64 listeners. */
  subscribe(listener: (change: Change) => void): () => void;
  stats(): { readonly devices: number; readonly stations: number; readonly online: number; readonly readings: number };
}

const MAX_LISTENERS = 64;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type MutableTwin = Mutable<Omit<Twin, "values">> & { readonly values: Map<string, Latest> };

export function createRegistry(territory: Territory, clock: Clock): Registry {
  const twins = new Map<string, MutableTwin>();
  const stations = new Map<string, StationTwin>();
  const listeners = new Set<(change: Change) => void>();
  let readingsSeen = 0;
  for (const device of territory.devices.values()) twins.set(device.id, { device, values: new Map() });
  for (const id of territory.byStation.keys()) stations.set(id, { id, online: false });

  const tell = (change: Change): void => {
    for (const listener of listeners) listener(change);
  };
  const keep = (reading: Reading, receivedAt: Instant): void => {
    const twin = twins.get(reading.device);
    if (twin === undefined) return;
    const latest = twin.values.get(reading.measure);
    if (latest === undefined) {
      twin.values.set(reading.measure, { value: reading.value, at: reading.at, receivedAt });
    } else if (reading.at >= latest.at) {
      // An outbox that catches up sends old readings: they are history, not news.
      latest.value = reading.value;
      latest.at = reading.at;
      latest.receivedAt = receivedAt;
    }
  };

  return {
    territory,
    rebuild(latest) {
      for (const reading of latest) {
        keep(reading, reading.at);
        const station = stations.get(territory.devices.get(reading.device)?.station ?? "");
        if (station !== undefined && (station.lastSeen ?? 0) < reading.at)
          (station as Mutable<StationTwin>).lastSeen = reading.at;
      }
    },
    committed(id, readings) {
      const now = clock.now();
      for (const reading of readings) keep(reading, now);
      readingsSeen += readings.length;
      const station = stations.get(id);
      if (station !== undefined) (station as Mutable<StationTwin>).lastSeen = now;
      tell({ kind: "readings", station: id, readings });
    },
    status(id, status) {
      const before = stations.get(id);
      if (before === undefined) return;
      const now = clock.now();
      const { online, version, waiting, dropped } = status;
      // The last will was written when the session began: its clock says nothing about now.
      const clockError_s =
        online && status.clock !== undefined ? between(now, status.clock as Instant) : before.clockError_s;
      const station: StationTwin = {
        ...before,
        online,
        version,
        ...(before.online === online && before.since !== undefined ? { since: before.since } : { since: now }),
        ...(online && { lastSeen: now }),
        ...(clockError_s !== undefined && { clockError_s }),
        ...(waiting !== undefined && { waiting }),
        ...(dropped !== undefined && { dropped }),
      };
      stations.set(id, station);
      tell({ kind: "station", station });
    },
    command(device, lane, state) {
      const twin = twins.get(device);
      if (twin === undefined) return;
      if (state === undefined) delete twin[lane];
      else twin[lane] = state;
      tell({ kind: "command", device, lane });
    },
    twin: (device) => twins.get(device),
    twins: () => twins.values(),
    value: (device, measure) => twins.get(device)?.values.get(measure)?.value,
    latest: (device, measure) => twins.get(device)?.values.get(measure),
    desired(device) {
      const twin = twins.get(device);
      if (twin === undefined) return undefined;
      const hand = twin.hand;
      if (hand !== undefined && holds(hand, clock.now())) return { ...hand, by: "hand" };
      return twin.machine && { ...twin.machine, by: "machine" };
    },
    station: (id) => stations.get(id),
    stations: () => stations.values(),
    subscribe(listener) {
      if (listeners.size >= MAX_LISTENERS) throw new RangeError(`more than ${MAX_LISTENERS} listeners of the registry`);
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stats() {
      let online = 0;
      for (const station of stations.values()) if (station.online) online++;
      return { devices: twins.size, stations: stations.size, online, readings: readingsSeen };
    },
  };
}

/** A hand holds until its order ends; a release holds nothing. */
function holds(hand: CommandState, now: Instant): boolean {
  if (hand.progress === "ended" || hand.progress === "refused" || hand.progress === "expired") return false;
  return "until" in hand.order && hand.order.until > now;
}
