import type { Instant } from "#protocol/units.ts";
import { SIGNAL_MODES } from "#protocol/kinds.ts";
import type { Territory } from "#protocol/territory.ts";
import type { Alarms } from "../alarms.ts";
import type { Dispatch } from "../dispatch.ts";
import type { Ingest, IngestStats } from "../ingest.ts";
import type { Overrides } from "../overrides.ts";
import type { Registry } from "../registry.ts";
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
  /** Resident memory, in bytes; undefined where it would say nothing, as in a rehearsal. */
  memory?(): number;
}

/** What the server says of itself: counts are differences to the look before. */
export function createPulse(parts: PulseParts): {
  /** Of the whole server, to be asked each minute. */
  minute(now: Instant): Promise<OwnPoint[]>;
  /** Of each station that was ever heard, to be asked every five minutes. */
  stations(now: Instant): OwnPoint[];
} {
  const { territory, registry, ingest, alarms, overrides, dispatch } = parts;
  let before: IngestStats = ingest.stats();

  const answering = (id: string, isFine: (id: string) => boolean): boolean => {
    const station = territory.devices.get(id)?.station;
    return station !== undefined && registry.station(station)?.online === true && isFine(id);
  };
  const share = (things: readonly { readonly id: string }[], isFine: (id: string) => boolean): number | null =>
    things.length === 0 ? null : things.filter(({ id }) => answering(id, isFine)).length / things.length;

  return {
    async minute(now) {
      const stats = ingest.stats();
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
      [...registry.stations()].flatMap((station) => {
        const { id, online, lastSeen, clockError_s, waiting, dropped } = station;
        if (lastSeen === undefined && station.since === undefined) return [];
        const silent_s = lastSeen === undefined ? null : (now - lastSeen) / 1000;
        return [
          point("station", now, { station: id }, { online: online ? 1 : 0, silent_s, clock_error_s: clockError_s, waiting, dropped }), // prettier-ignore
        ];
      }),
  };
}
