import type { Evidence } from "#control/decision.ts";
import type { Measure } from "#protocol/kinds.ts";
import { KINDS, SIGNAL_MODES } from "#protocol/kinds.ts";
import type { Cancel, Clock } from "#protocol/ports.ts";
import { every } from "#protocol/ports.ts";
import type { Device, Territory } from "#protocol/territory.ts";
import type { Instant } from "#protocol/units.ts";
import { DAY, MINUTE, seconds } from "#protocol/units.ts";
import type { AlarmKey } from "./alarm-kinds.ts";
import type { Alarms, Cause } from "./alarms.ts";
import type { Policies } from "./policies.ts";
import type { CommandState, Registry, StationTwin, Twin } from "./registry.ts";

/** Looks at the town at its own pace and raises or clears alarms: each rule says which causes there are now. */
export interface Watch {
  start(): void;
  stop(): void;
  /** One look, now. */
  look(): void;
  quarantined(station: string): void;
}

export interface WatchOptions {
  readonly territory: Territory;
  readonly registry: Registry;
  readonly alarms: Alarms;
  readonly policies: Policies;
  readonly clock: Clock;
  /** Why the store does not commit, while it does not. */
  storeProblem(): string | undefined;
  /** Why decisions and commands cannot be written down, while they cannot. */
  stateProblem(): string | undefined;
}

const EVERY = seconds(15);
/** When each becomes an alarm, and when it is over. */
const SILENT_MS = 5 * MINUTE;
/** A connected station is mute after so many of its shortest reporting times without a reading. */
const MUTE_AFTER = 3;
const OVERFLOW = { raise: 0.95, clear: 0.85 };
const UNANSWERED_MS = 2 * MINUTE;
const DEGRADED_MS = 10 * MINUTE;
const CLOCK = { raise_s: 30, clear_s: 10 };
const QUARANTINE = { window_ms: 10 * MINUTE, raise: 20, clear: 5, kept: 1000 };
/** From this share on one alarm stands for all: a feeder, then the town. */
const GROUP = { feeder: { least: 3, share: 0.5 }, town: { least: 10, share: 0.5 } };

export function createWatch(options: WatchOptions): Watch {
  const { territory, registry, alarms, clock } = options;
  const feederOf = new Map(territory.luminaires.map((lamp) => [lamp.station, lamp.feeder]));
  const names = new Map(territory.streets.map((street) => [street.id, street.name]));
  const mute_ms = new Map(
    [...territory.byStation].map(([id, devices]) => [id, MUTE_AFTER * shortestReport_ms(devices)]),
  );
  const wrong: { at: Instant; station: string }[] = [];
  /** Since when a condition has lasted that is no alarm yet. */
  const since = new Map<string, Instant>();
  let startedAt = clock.now();
  let cancel: Cancel | undefined;

  const silentStations = (now: Instant): Cause[] => {
    const silent: StationTwin[] = [];
    let heard = 0;
    for (const station of registry.stations()) {
      if (!wasHeard(station)) continue;
      heard++;
      if (isSilent(station, now, startedAt, mute_ms.get(station.id) ?? 0)) silent.push(station);
    }
    if (silent.length === 0) return [];
    if (silent.length >= GROUP.town.least && silent.length >= heard * GROUP.town.share) {
      const devices = silent.map((station) => station.id);
      return [
        { key: "town-silent", subject: territory.id, facts: { silent: silent.length, stations: heard }, devices },
      ];
    }
    const heardOn = new Map<string | undefined, number>();
    for (const station of registry.stations()) {
      const feeder = feederOf.get(station.id);
      if (wasHeard(station)) heardOn.set(feeder, (heardOn.get(feeder) ?? 0) + 1);
    }
    return [...Map.groupBy(silent, (station) => feederOf.get(station.id))].flatMap(([feeder, stations]): Cause[] => {
      const all = heardOn.get(feeder) ?? 0;
      if (feeder === undefined || stations.length < GROUP.feeder.least || stations.length < all * GROUP.feeder.share) {
        return stations.map((station) => silentStation(station, now));
      }
      const devices = stations.flatMap((station) => devicesOf(station.id));
      return [
        { key: "feeder-silent", subject: feeder, facts: { feeder, silent: stations.length, stations: all }, devices },
      ];
    });
  };
  const devicesOf = (station: string): string[] => (territory.byStation.get(station) ?? []).map((device) => device.id);
  const silentStation = (station: StationTwin, now: Instant): Cause => {
    const devices = devicesOf(station.id);
    const silent_min = Math.round((now - (station.lastSeen ?? now)) / MINUTE);
    return {
      key: "station-silent",
      subject: station.id,
      facts: { station: station.id, silent_min, devices: devices.length },
      devices,
    };
  };

  const troubledStations = (): Cause[] => {
    const causes: Cause[] = [];
    for (const { id, clockError_s, dropped } of registry.stations()) {
      const off_s = Math.abs(clockError_s ?? 0);
      if (clockError_s !== undefined && off_s > CLOCK.clear_s && (off_s > CLOCK.raise_s || stands("clock-wrong", id))) {
        causes.push({ key: "clock-wrong", subject: id, facts: { station: id, error_s: Math.round(clockError_s) } });
      }
      if (dropped !== undefined && dropped > 0) {
        causes.push({ key: "readings-dropped", subject: id, facts: { station: id, dropped } });
      }
    }
    return causes;
  };

  const troubled = (key: AlarmKey, { device: { id, street } }: Twin, more: Evidence = {}): Cause => ({
    key,
    subject: id,
    facts: { device: id, street: names.get(street ?? "") ?? street ?? "", ...more },
    devices: [id],
  });

  const troubledDevices = (now: Instant): Cause[] => {
    const causes: Cause[] = [];
    for (const twin of registry.twins()) {
      const { kind } = twin.device;
      if (kind === "lamp") {
        if (twin.values.get("failed")?.value === 1) causes.push(troubled("lamp-failed", twin));
      } else if (kind === "container") {
        const fill = twin.values.get("fill")?.value ?? 0;
        if (exceeds(fill, OVERFLOW, "container-near-overflow", twin.device.id)) {
          causes.push(troubled("container-near-overflow", twin, { fill_percent: Math.round(fill * 100) }));
        }
      } else if (kind === "signal" && isDegraded(twin, now)) {
        causes.push(
          troubled("junction-degraded", twin, { mode: SIGNAL_MODES[twin.values.get("mode")?.value ?? 0] ?? "" }),
        );
      }
    }
    return causes;
  };

  const isDegraded = (twin: Twin, now: Instant): boolean => {
    const { id } = twin.device;
    const mode = SIGNAL_MODES[twin.values.get("mode")?.value ?? 0];
    const wanted = registry.desired(id);
    // Where a person asked for it, or nobody sends frames, the fixed plan is as it should be.
    const asked = wanted?.by === "hand" || (mode === "fixed" && !options.policies.acts("traffic.frame", id));
    const degraded = (mode === "fixed" || mode === "flash") && !asked;
    return lasts(`degraded:${id}`, degraded, now) >= (mode === "flash" ? 0 : DEGRADED_MS) && degraded;
  };

  /** One alarm a street and kind of trouble: a lost command is rarely alone. */
  const troubledCommands = (now: Instant): Cause[] => {
    const unanswered = new Map<string, Struck[]>();
    const refused = new Map<string, Struck[]>();
    const judge = (twin: Twin, command: CommandState | undefined): void => {
      if (command === undefined || command.progress === "applied" || command.progress === "ended") return;
      const place = (): string => `${twin.device.street ?? twin.device.id}:${command.order.action}`;
      if (command.progress === "refused") push(refused, place(), { twin, command });
      if (command.progress !== "sent" && command.progress !== "waiting") return;
      const station = registry.station(twin.device.station);
      if (station?.online === true && now - Math.max(command.since, station.since ?? 0) > UNANSWERED_MS) {
        push(unanswered, place(), { twin, command });
      }
    };
    for (const twin of registry.twins()) {
      judge(twin, twin.machine);
      judge(twin, twin.hand);
    }
    const cause =
      (key: AlarmKey) =>
      ([subject, struck]: [string, Struck[]]): Cause => {
        const { twin, command } = struck[0] as Struck;
        const more = struck.length > 1 ? ` (+${struck.length - 1})` : "";
        const facts = {
          device: `${twin.device.id}${more}`,
          action: command.order.action,
          waiting_s: Math.round((now - command.since) / 1000),
          problem: command.because ?? "",
        };
        return { key, subject, facts, devices: struck.map((each) => each.twin.device.id) };
      };
    return [...[...unanswered].map(cause("command-not-applied")), ...[...refused].map(cause("command-refused"))];
  };

  const troubledServer = (now: Instant): Cause[] => {
    const causes: Cause[] = [];
    const problem = options.storeProblem();
    if (problem !== undefined)
      causes.push({ key: "store-failing", subject: "store", facts: { problem: inSentence(problem) } });
    const state = options.stateProblem();
    if (state !== undefined)
      causes.push({ key: "store-failing", subject: "state", facts: { problem: inSentence(state) } });
    while (wrong[0] !== undefined && now - wrong[0].at > QUARANTINE.window_ms) wrong.shift();
    if (exceeds(wrong.length, QUARANTINE, "quarantine-growing", "ingest")) {
      const most = [...Map.groupBy(wrong, (each) => each.station)].reduce((a, b) =>
        b[1].length > a[1].length ? b : a,
      );
      const facts = { count: wrong.length, minutes: QUARANTINE.window_ms / MINUTE, station: most[0] };
      causes.push({ key: "quarantine-growing", subject: "ingest", facts });
    }
    return causes;
  };

  /** How long a condition has held, in milliseconds. */
  const lasts = (name: string, holds: boolean, now: Instant): number => {
    if (!holds) {
      since.delete(name);
      return 0;
    }
    const from = since.get(name) ?? now;
    since.set(name, from);
    return now - from;
  };

  let standing = new Set<string>();
  const stands = (key: AlarmKey, subject: string): boolean => standing.has(`${key}:${subject}`);
  /** Whether this is cause for an alarm: from `raise` on, and then until it is back below `clear`. */
  const exceeds = (value: number, limit: { raise: number; clear: number }, key: AlarmKey, subject: string): boolean =>
    value >= limit.clear && (value >= limit.raise || stands(key, subject));

  const look = (): void => {
    const now = clock.now();
    const ours = alarms.standing().filter((alarm) => OURS.has(alarm.key));
    standing = new Set(ours.map((alarm) => `${alarm.key}:${alarm.subject}`));
    const causes = [
      ...silentStations(now),
      ...troubledStations(),
      ...troubledDevices(now),
      ...troubledCommands(now),
      ...troubledServer(now),
    ];
    const found = new Set(causes.map(({ key, subject }) => `${key}:${subject}`));
    for (const cause of causes) alarms.raise(cause);
    for (const name of standing) {
      if (found.has(name)) continue;
      const [key] = name.split(":", 1) as [AlarmKey];
      alarms.clear(key, name.slice(key.length + 1));
    }
    alarms.tidy();
  };

  return {
    start() {
      startedAt = clock.now();
      cancel = every(clock, EVERY, look);
    },
    stop() {
      cancel?.();
    },
    look,
    quarantined(station) {
      if (wrong.length >= QUARANTINE.kept) wrong.shift();
      wrong.push({ at: clock.now(), station });
    },
  };
}

/** A fault's own words end as a sentence does; here they stand inside one. */
const inSentence = (problem: string): string => problem.replace(/\.$/, "");

/** The causes that a look finds or finds gone; the others are raised and cleared where they happen. */
const OURS: ReadonlySet<AlarmKey> = new Set<AlarmKey>([
  "station-silent",
  "feeder-silent",
  "town-silent",
  "lamp-failed",
  "container-near-overflow",
  "command-not-applied",
  "command-refused",
  "junction-degraded",
  "store-failing",
  "quarantine-growing",
  "clock-wrong",
  "readings-dropped",
]);

interface Struck {
  readonly twin: Twin;
  readonly command: CommandState;
}

/** A station that never spoke is not built yet. */
const wasHeard = (station: StationTwin): boolean => station.lastSeen !== undefined || station.since !== undefined;

/** After a start of the server every station gets the time to come back. */
function isSilent(station: StationTwin, now: Instant, startedAt: Instant, mute_ms: number): boolean {
  const seen = Math.max(station.lastSeen ?? 0, startedAt);
  if (station.online) return now - seen > mute_ms;
  return now - Math.max(station.since ?? 0, startedAt) > SILENT_MS && now - seen > SILENT_MS;
}

function shortestReport_ms(devices: readonly Device[]): number {
  const measures = devices.flatMap((device) => Object.values<Measure>(KINDS[device.kind].measures));
  return Math.min(DAY, ...measures.map((measure) => measure.report.every_s * 1000));
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
