import { sunAltitude } from "#control/lighting/sun.ts";
import type { Clock } from "#protocol/ports.ts";
import type { Territory } from "#protocol/territory.ts";
import type { Instant } from "#protocol/units.ts";
import type { ScheduledFault } from "#simulators/faults.ts";
import type { Town, TownObserver } from "#simulators/town.ts";
import type { ServerHost } from "./host.ts";
import { waitWatch } from "./wait-watch.ts";

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
  /** A fault begins or ends: said to the trace. */
  fault(fault: ScheduledFault, begins: boolean): void;
  /** One look, a few times a minute: levels against floor and hand, waits against the cap. */
  look(): void;
}

/** Lamps are surely to be lit when the sun stands this low; between it and sunset is dusk, when it depends. */
const DARK_deg = -6;
/** Every order keeps at least this share of the flux at night. */
const FLOOR = 0.1;
/** A hand reaches its lamp within two seconds; the check is a minute's, and must not judge what is on its way. */
const HAND_SETTLED_MS = 5_000;
/** A lamp asks its clock at least every quarter of an hour: until then it may not know that it was set. */
const CLOCK_SETTLED_MS = 920_000;
const ROUNDING = 0.005;
const NEVER_MOVED = { off_ms: 0, movedAt: Number.NEGATIVE_INFINITY };
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
    levelChanged(change) {
      levels.set(change.lamp, { level: change.level, since: change.at });
      trace?.({ what: "level", ...change });
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

  /** When a station's clock was last found to have moved against the true one, and by how much it is off. */
  const clocks = new Map<string, { off_ms: number; movedAt: number }>();
  /** Whether a station's clock goes evenly again since long enough for all its timers to have followed. */
  const lookAtClock = (station: string, now: number): { own: number; steady: boolean } => {
    const own = (town as Town).timeAt(station);
    const before = clocks.get(station) ?? NEVER_MOVED;
    const moved = before.off_ms !== own - now;
    if (moved) clocks.set(station, { off_ms: own - now, movedAt: now });
    return { own, steady: !moved && now - before.movedAt > CLOCK_SETTLED_MS };
  };

  const hasFailed = (id: string, now: number): boolean => town?.world.lamps.get(id)?.read("failed", now) === 1;

  /** The sun stands at one height for the whole town; most clocks show the same time. */
  let asked = { at: Number.NaN, dark: false };
  const isDark = (at: number): boolean => {
    if (asked.at !== at) asked = { at, dark: sunAltitude(at as Instant, lat, lon) <= DARK_deg };
    return asked.dark;
  };

  const lookAtFloor = (now: number): void => {
    for (const { id, station } of territory.luminaires) {
      if (town?.agent(station) === undefined) continue;
      const { own, steady } = lookAtClock(station, now);
      if (!steady || !isDark(own)) continue;
      const lamp = levels.get(id);
      if (lamp !== undefined && lamp.level >= FLOOR - ROUNDING) continue;
      // A lamp without power or with a broken lamp is the world's doing, and nobody's order.
      if (!hasFailed(id, now)) broken("lamp-below-floor", now, `${id} at ${lamp?.level ?? 0}`);
    }
  };

  const lookAtHand = (now: number): void => {
    const server = host()?.server;
    if (server === undefined) return;
    for (const { id, station } of territory.luminaires) {
      const hand = server.registry.twin(id)?.hand;
      if (hand?.progress !== "applied" || hand.order.action !== "lamp-override" || hasFailed(id, now)) continue;
      if (town?.agent(station) === undefined) continue;
      const { own, steady } = lookAtClock(station, now);
      if (!steady || own - (hand.answeredAt ?? own) < HAND_SETTLED_MS || hand.order.until - own < HAND_SETTLED_MS)
        continue;
      const level = levels.get(id)?.level ?? 0;
      const wanted = Math.max(hand.order.level, level === FLOOR ? FLOOR : 0);
      if (Math.abs(level - wanted) > ROUNDING)
        broken("override-overruled", now, `${id} at ${level}, the hand says ${hand.order.level}`);
    }
  };

  const waits = waitWatch(territory);
  return {
    observer,
    counts,
    examples,
    join(joined) {
      town = joined;
      const at = clock.now();
      for (const [lamp, each] of town.world.lamps) trace?.({ at, what: "level", lamp, ...each.course(at) });
    },
    fault(fault, begins) {
      waits.fault(fault, begins);
      trace?.({ at: clock.now(), what: "fault", begins, ...fault });
    },
    look() {
      const now = clock.now();
      lookAtFloor(now);
      lookAtHand(now);
      if (town === undefined) return;
      for (const { junction, wait_s } of waits.look(town, now)) {
        broken("waited-over-cap", now, `someone at ${junction} has waited ${Math.round(wait_s)} s`);
      }
    },
  };
}
