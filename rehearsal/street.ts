import { sunAltitude } from "#control/lighting/sun.ts";
import type { Clock } from "#protocol/ports.ts";
import type { Territory } from "#protocol/territory.ts";
import type { Instant } from "#protocol/units.ts";
import type { Town, TownObserver } from "#simulators/town.ts";
import type { ServerHost } from "./rehearse.ts";

export type TraceLine = Readonly<Record<string, string | number | boolean>>;

type StreetInvariant =
  | "conflicting-greens"
  | "intergreen-too-short"
  | "minimum-green-cut"
  | "waited-over-cap"
  | "lamp-below-floor"
  | "override-overruled";

/** Looks at what really happens in the street, says it to the trace, and counts what must never be. */
export interface StreetWatch {
  readonly observer: TownObserver;
  readonly counts: Readonly<Record<StreetInvariant, number>>;
  readonly examples: readonly string[];
  join(town: Town): void;
  /** One look, a few times a minute: levels against floor and hand, waits against the cap. */
  look(): void;
}

/** Lamps are surely to be lit when the sun stands this low; between it and sunset is dusk, when it depends. */
const DARK_deg = -6;
/** Every order keeps at least this share of the flux at night. */
const FLOOR = 0.1;
/** A hand reaches its lamp within two seconds; the check is a minute's, and must not judge what is on its way. */
const HAND_SETTLED_MS = 5_000;
const ROUNDING = 0.005;
/** Nobody waits longer at a junction. */
const WAIT_CAP_S = 120;
const MOST_EXAMPLES = 20;
const KINDS: Record<string, StreetInvariant> = {
  "conflicting-greens": "conflicting-greens",
  intergreen: "intergreen-too-short",
  "minimum-green": "minimum-green-cut",
};

export function streetWatch(
  territory: Territory,
  clock: Clock,
  host: () => ServerHost["running"],
  trace: ((line: TraceLine) => void) | undefined,
): StreetWatch {
  const counts: Record<StreetInvariant, number> = {
    "conflicting-greens": 0,
    "intergreen-too-short": 0,
    "minimum-green-cut": 0,
    "waited-over-cap": 0,
    "lamp-below-floor": 0,
    "override-overruled": 0,
  };
  const examples: string[] = [];
  const levels = new Map<string, { level: number; since: number }>();
  let town: Town | undefined;
  const [lon, lat] = territory.position;

  const broken = (invariant: StreetInvariant, at: number, text: string): void => {
    counts[invariant]++;
    if (examples.length < MOST_EXAMPLES) examples.push(`${new Date(at).toISOString()} ${invariant}: ${text}`);
    trace?.({ at, what: "violation", invariant, text });
  };

  const observer: TownObserver = {
    levelChanged(at, lamp, level, power_W) {
      levels.set(lamp, { level, since: at });
      trace?.({ at, what: "level", lamp, level, power_W });
    },
    violation(junction, { kind, at, text }) {
      broken(KINDS[kind] ?? "conflicting-greens", at, `${junction}: ${text}`);
    },
    ...(trace !== undefined && {
      passage: (at: Instant, presence: string, traveller: string, sensed: boolean) =>
        trace({ at, what: "passage", presence, traveller, sensed }),
      greens: (at: Instant, junction: string, greens: number, ambers: number) =>
        trace({ at, what: "greens", junction, greens, ambers }),
      collection: (at: Instant, container: string, vehicle: string, fill: number) =>
        trace({ at, what: "collection", container, vehicle, fill }),
      overflow: (at: Instant, container: string) => trace({ at, what: "overflow", container }),
    }),
  };

  const hasFailed = (id: string, now: number): boolean =>
    town?.world.lamps.get(id)?.read("failed", now as Instant) === 1;

  const lookAtFloor = (now: number): void => {
    if (sunAltitude(now as Instant, lat, lon) > DARK_deg) return;
    for (const { id, station } of territory.luminaires) {
      const lamp = levels.get(id);
      // A lamp without power or with a broken lamp is the world's doing, and nobody's order.
      if (town?.agent(station) === undefined || hasFailed(id, now)) continue;
      if (lamp === undefined || lamp.level < FLOOR - ROUNDING)
        broken("lamp-below-floor", now, `${id} at ${lamp?.level ?? 0}`);
    }
  };

  const lookAtHand = (now: number): void => {
    const server = host()?.server;
    if (server === undefined) return;
    for (const { id } of territory.luminaires) {
      const hand = server.registry.twin(id)?.hand;
      if (hand?.progress !== "applied" || hand.order.action !== "lamp-override" || hasFailed(id, now)) continue;
      if (now - (hand.answeredAt ?? now) < HAND_SETTLED_MS || hand.order.until - now < HAND_SETTLED_MS) continue;
      const level = levels.get(id)?.level ?? 0;
      const wanted = Math.max(hand.order.level, level === FLOOR ? FLOOR : 0);
      if (Math.abs(level - wanted) > ROUNDING)
        broken("override-overruled", now, `${id} at ${level}, the hand says ${hand.order.level}`);
    }
  };

  const waiting = new Map<string, number>();
  /** One wait counts once, when it passes the cap. */
  const lookAtWaits = (now: number): void => {
    for (const [id, truth] of town?.world.junctions ?? []) {
      const longest_s = truth.longestWait_s(now as Instant);
      if (longest_s > WAIT_CAP_S && (waiting.get(id) ?? 0) <= WAIT_CAP_S) {
        broken("waited-over-cap", now, `someone at ${id} has waited ${Math.round(longest_s)} s`);
      }
      waiting.set(id, longest_s);
    }
  };

  return {
    observer,
    counts,
    examples,
    join: (joined) => void (town = joined),
    look() {
      const now = clock.now();
      lookAtFloor(now);
      lookAtHand(now);
      lookAtWaits(now);
    },
  };
}
