import type { Instant } from "#protocol/units.ts";
import { MINUTE } from "#protocol/units.ts";
import { SIGNAL_MODES } from "#protocol/kinds.ts";
import type { Territory } from "#protocol/territory.ts";
import type { Alarms } from "../alarms.ts";
import type { Dispatch } from "../dispatch.ts";
import type { Ingest, IngestStats } from "../ingest.ts";
import type { Overrides } from "../overrides.ts";
import type { Registry, StationTwin } from "../registry.ts";
import { type OwnPoint, point } from "./point.ts";

export interface PulseParts {
  readonly territory: Territory;
  readonly registry: Registry;
  readonly ingest: Ingest;
  readonly alarms: Alarms;
  readonly overrides: Overrides;
  readonly dispatch: Dispatch;
  /** Bytes that the series take on disk. */
  storeBytes(): Promise<number>;
  /** Readings that came too late for the sums of their quarter of an hour, since the start. */
  unbooked(): number;
  /** Resident memory, in bytes; undefined where it would say nothing, as in a rehearsal. */
  memory?(): number;
}

/** What the server says of itself: counts are differences to the look before. */
export function createPulse(parts: PulseParts): {
  /** Of the whole server, to be asked each minute. */
  minute(now: Instant): Promise<OwnPoint[]>;
  /** Of each station that was ever heard, to be asked every quarter of an hour. */
  stations(now: Instant): OwnPoint[];
  /**
   * Of a station of which something that matters is new: it came or went, its clock was set or slipped, it had to drop
   * readings; nothing of any other.
   */
  moved(station: StationTwin, now: Instant): OwnPoint[];
} {
  const { territory, registry, ingest, alarms, overrides, dispatch } = parts;
  let before: IngestStats = ingest.stats();
  let unbooked = 0;
  const told = new Map<string, { readonly station: StationTwin; readonly at: Instant }>();

  const answering = (id: string, isFine: (id: string) => boolean): boolean => {
    const station = territory.devices.get(id)?.station;
    return station !== undefined && registry.station(station)?.online === true && isFine(id);
  };
  const share = (things: readonly { readonly id: string }[], isFine: (id: string) => boolean): number | null =>
    things.length === 0 ? null : things.filter(({ id }) => answering(id, isFine)).length / things.length;

  const stationPoint = (station: StationTwin, now: Instant): OwnPoint => {
    const { id, online, lastSeen, clockError_s, waiting, dropped } = station;
    told.set(id, { station, at: now });
    return point(
      "station",
      now,
      { station: id },
      {
        online: online ? 1 : 0,
        silent_s: lastSeen === undefined ? null : (now - lastSeen) / 1000,
        clock_error_s: clockError_s,
        waiting,
        dropped,
      },
    );
  };

  return {
    async minute(now) {
      const stats = ingest.stats();
      const late = parts.unbooked() - unbooked;
      unbooked += late;
      const grown = (name: "accepted" | "duplicates" | "early" | "quarantined"): number => stats[name] - before[name];
      const { stations, online } = registry.stats();
      const counts = alarms.stats();
      const points = [
        point(
          "server",
          now,
          {},
          {
            stored: grown("accepted"),
            duplicates: grown("duplicates"),
            early: grown("early"),
            quarantined: grown("quarantined"),
            unbooked: late,
            waiting: stats.waiting,
            commit_p50_ms: stats.commit_ms.p50,
            commit_p99_ms: stats.commit_ms.p99,
            puback_p50_ms: stats.acknowledge_ms.p50,
            puback_p99_ms: stats.acknowledge_ms.p99,
            stations,
            online,
            outboxes: [...registry.stations()].reduce((sum, { waiting = 0 }) => sum + waiting, 0),
            alarms_open: counts.open + counts.acknowledged + counts["in-progress"],
            alarms_critical: alarms.live().filter(({ severity, state }) => severity === "critical" && state !== "resolved").length, // prettier-ignore
            overrides: overrides.active().length,
            commands_waiting: dispatch.stats().waiting,
            lighting_ok: share(territory.luminaires, (id) => registry.value(id, "failed") !== 1),
            waste_ok: share(territory.containers, (id) => (registry.value(id, "fill") ?? 0) < 1),
            traffic_ok: share(
              territory.junctions,
              (id) => SIGNAL_MODES[registry.value(id, "mode") ?? -1] === "adaptive",
            ),
            store_ok: stats.failing === undefined ? 1 : 0,
            store_B: await parts.storeBytes(),
            memory_B: parts.memory?.(),
          },
        ),
        ...Object.entries(stats.quarantinedBy).flatMap(([code, count]) => {
          const more = count - (before.quarantinedBy[code] ?? 0);
          return more > 0 ? [point("quarantine", now, { code }, { count: more })] : [];
        }),
      ];
      before = stats;
      return points;
    },
    stations: (now) =>
      [...registry.stations()].flatMap((station) =>
        station.lastSeen === undefined && station.since === undefined ? [] : [stationPoint(station, now)],
      ),
    moved(station, now) {
      const before = told.get(station.id);
      return before !== undefined && isAsBefore(before.station, station, now - before.at)
        ? []
        : [stationPoint(station, now)];
    },
  };
}

/** A clock that moves less is none that someone set. */
const SLIPPED_s = 5;

/** What goes on and on, such as dropping from a full outbox, is told of once a minute. */
function isAsBefore(before: StationTwin, now: StationTwin, since_ms: number): boolean {
  if (before.online !== now.online) return false;
  if (since_ms < MINUTE) return true;
  const slipped_s = Math.abs((now.clockError_s ?? 0) - (before.clockError_s ?? 0));
  return slipped_s < SLIPPED_s && (now.dropped ?? 0) <= (before.dropped ?? 0);
}
