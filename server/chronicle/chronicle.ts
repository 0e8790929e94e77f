import type { Cancel, Clock } from "#protocol/ports.ts";
import { every } from "#protocol/ports.ts";
import type { Territory } from "#protocol/territory.ts";
import type { Instant } from "#protocol/units.ts";
import { seconds } from "#protocol/units.ts";
import type { Alarm, Alarms } from "../alarms.ts";
import type { Dispatch } from "../dispatch.ts";
import type { Ingest } from "../ingest.ts";
import type { Journal, JournalEntry } from "../journal.ts";
import type { Offsets } from "../offsets.ts";
import type { Overrides } from "../overrides.ts";
import type { Registry } from "../registry.ts";
import type { Store } from "../store/store.ts";
import { createBooking } from "./booking.ts";
import { alarmPoint, decisionPoint, overridePoint, policyPoint } from "./events.ts";
import { QUARTER, QUARTER_MS, quarterOf } from "./growth.ts";
import { createLightingBook } from "./lighting.ts";
import { type OwnPoint, point } from "./point.ts";
import { createPulse } from "./pulse.ts";
import { createTrafficFollower } from "./traffic.ts";
import { createRoundFollower, outlookPoints } from "./waste.ts";

export interface ChronicleParts {
  readonly territory: Territory;
  readonly clock: Clock;
  readonly offsets: Offsets;
  readonly registry: Registry;
  readonly journal: Journal;
  readonly alarms: Alarms;
  readonly overrides: Overrides;
  readonly ingest: Ingest;
  readonly dispatch: Dispatch;
  readonly store: Store;
  readonly version: string;
  /** Resident memory in bytes; left out in a rehearsal. */
  memory?(): number;
}

/** What the server writes of itself into the series: see protocol/series.ts for each measurement. */
export interface Chronicle {
  start(): void;
  /** Writes what has gathered. */
  stop(): Promise<void>;
  stats(): { readonly written: number; readonly waiting: number; readonly dropped: number };
}

const WRITE_EVERY = seconds(5);
/** While the store takes nothing so many points wait; then the oldest go: they can be had again from journal and alarms. */
const MOST_WAITING = 50_000;
/** Points written at once. */
const MOST_AT_ONCE = 5_000;

/** Follows the server's parts from outside: nothing in them waits for it, and nothing fails with it. */
export function createChronicle(parts: ChronicleParts): Chronicle {
  const { territory, clock, registry, journal, alarms, overrides, store } = parts;
  const lighting = createLightingBook(parts);
  const traffic = createTrafficFollower(parts);
  const rounds = createRoundFollower(parts);
  const known = new Map<number, "opened" | "cleared">();
  let waiting: OwnPoint[] = [];
  let written = 0;
  let dropped = 0;
  let writing: Promise<void> | undefined;
  let stops: Cancel[] = [];

  const keep = (points: readonly OwnPoint[]): void => {
    for (const each of points) waiting.push(each);
    if (waiting.length <= MOST_WAITING) return;
    dropped += waiting.length - MOST_WAITING;
    waiting = waiting.slice(-MOST_WAITING);
  };

  const bookings = [createBooking(lighting, keep), createBooking(traffic, keep)];
  const pulse = createPulse({
    ...parts,
    storeBytes: async () => (await store.size()).bytes,
    unbooked: () => bookings.reduce((sum, booking) => sum + booking.tooLate(), 0),
  });

  const writeAll = async (): Promise<void> => {
    try {
      while (waiting.length > 0) {
        const group = waiting.slice(0, MOST_AT_ONCE);
        await store.record(group);
        written += group.length;
        waiting = waiting.slice(group.length);
      }
    } catch {
      // What could not be written waits for the next time; that the store fails is ingest's to say.
    }
  };
  const write = async (): Promise<void> => {
    // One after the other: two at once would write the same points.
    const before = writing;
    const mine = before === undefined ? writeAll() : before.then(writeAll);
    writing = mine;
    await mine;
    if (writing === mine) writing = undefined;
  };

  const decided = (entry: JournalEntry): void => {
    keep([decisionPoint(entry)]);
    if (entry.name.startsWith("policy.")) keep([policyPoint(entry)]);
    if (entry.name !== "waste.rounds") return;
    rounds.decided(entry);
    void outlookPoints(parts, entry).then(keep, () => {});
  };

  const changed = (alarm: Alarm): void => {
    const before = known.get(alarm.id);
    const now = alarm.clearedAt === undefined ? "opened" : "cleared";
    if (before === now) return;
    known.set(alarm.id, now);
    if (before === undefined && now === "cleared") keep([alarmPoint(alarm, "opened")]);
    keep([alarmPoint(alarm, now)]);
    if (alarm.state === "closed") known.delete(alarm.id);
  };

  const minute = (): void => {
    const now = clock.now();
    keep(rounds.ended(now));
    void settle();
    void pulse.minute(now).then(keep, () => {});
  };

  const settle = async (): Promise<void> => {
    const now = clock.now();
    for (const booking of bookings) await booking.settle(now);
  };

  const quarter = (): void => {
    const now = clock.now();
    const from = (quarterOf(now) - QUARTER_MS) as Instant;
    keep([...lighting.standing(from), ...pulse.stations(now)]);
    void settle();
  };

  const places = (): void => {
    const now = clock.now();
    keep(
      [...territory.devices.values()].map(({ id, kind, station, street, zone, position: [lon, lat] }) =>
        point("place", now, { device: id, kind, station, street, zone }, { lat, lon }),
      ),
    );
  };

  const sayStart = (): void =>
    keep([
      point(
        "deployment",
        clock.now(),
        { what: "server", name: "vigie" },
        {
          version: parts.version,
          text_en: `Vigie ${parts.version} started`,
          text_fr: `Vigie ${parts.version} a démarré`,
        },
      ),
    ]);

  return {
    start() {
      for (const alarm of alarms.live()) known.set(alarm.id, alarm.clearedAt === undefined ? "opened" : "cleared");
      sayStart();
      places();
      // The sums begin at a whole quarter of an hour, so that a day has the same ones whenever the server started.
      const first_s = seconds((QUARTER_MS - (clock.now() % QUARTER_MS)) / 1000);
      let stopQuarters: Cancel = clock.after(first_s, () => {
        quarter();
        stopQuarters = every(clock, QUARTER, quarter);
      });
      // The quarter of an hour in which the server was stopped, and what it slept through, are still to be summed up.
      const heardAt = lastHeard(registry);
      if (heardAt !== undefined) for (const booking of bookings) booking.owe(heardAt);
      void settle();
      stops = [
        journal.subscribe(decided),
        alarms.subscribe(changed),
        overrides.subscribe((override) => keep([overridePoint(override)])),
        registry.subscribe((change) => {
          if (change.kind === "station") keep(pulse.moved(change.station, clock.now()));
          if (change.kind !== "readings") return;
          keep(traffic.take(change.readings));
          for (const booking of bookings) booking.take(change.readings);
        }),
        every(clock, seconds(60), minute),
        every(clock, seconds(86_400), places),
        every(clock, WRITE_EVERY, () => void write()),
        () => stopQuarters(),
      ];
    },
    async stop() {
      for (const stop of stops.splice(0)) stop();
      await settle();
      await write();
    },
    stats: () => ({ written, waiting: waiting.length, dropped }),
  };
}

/** When the newest of all that is known was read. */
function lastHeard(registry: Registry): Instant | undefined {
  let newest: Instant | undefined;
  for (const { values } of registry.twins()) {
    for (const { at } of values.values()) if (newest === undefined || at > newest) newest = at;
  }
  return newest;
}
