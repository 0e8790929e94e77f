import type { Clock } from "#protocol/ports.ts";
import type { Territory } from "#protocol/territory.ts";
import type { Instant } from "#protocol/units.ts";
import type { ApiContext, Holder, RunningServer } from "./context.ts";
import { type Moment, momentOf } from "./moment.ts";
import { pastOf } from "./past.ts";
import type { Figure, Now } from "./resources.ts";
import { orUnknown } from "./unknown.ts";
import { roundOf } from "./waste.ts";

/** The figures of the four sentences; empty while history is laid down. */
export async function figuresNow(context: ApiContext): Promise<Now> {
  const { holder, territory, clock } = context;
  const at = clock.now();
  const { parts } = holder;
  if (parts === undefined) return preparing(territory, at, holder);
  const now = momentOf(territory, (device, measure) => parts.registry.value(device, measure));
  const { before, sums } = (await orUnknown(pastOf(context, parts).get(), context.wall)) ?? {};
  const trend = (name: keyof Moment): number | null => {
    const [value, then] = [now[name], before?.[name]];
    return typeof value === "number" && typeof then === "number" ? value - then : null;
  };
  const figure = (name: keyof Moment, unit: string): Figure => ({
    figure: now[name] as number | null,
    unit,
    at,
    trend: trend(name),
  });
  const plain = (value: number | null, unit: string, change: number | null = null): Figure => ({
    figure: value,
    unit,
    at,
    trend: change,
  });
  const share = sums !== undefined && sums.fullNight_kWh > 0 ? (100 * sums.energy_kWh) / sums.fullNight_kWh : null;
  const summed = (value: number | null | undefined, unit: string): Figure =>
    value === undefined || sums === undefined ? none(unit) : { figure: value, unit, at: sums.to, trend: null };
  return {
    at,
    state: "ready",
    progress: 1,
    lighting: {
      power_W: figure("power_W", "W"),
      energy_kWh: summed(sums?.energy_kWh, "kWh"),
      fullNight_kWh: summed(sums?.fullNight_kWh, "kWh"),
      energyShare_percent: summed(share, "%"),
      energyFrom: sums?.from ?? null,
      lampsLit: figure("lampsLit", "1"),
      lamps: territory.luminaires.length,
      peopleLit: figure("peopleLit", "1"),
      failed: figure("failed", "1"),
    },
    waste: {
      over80: figure("over80", "1"),
      containers: territory.containers.length,
      fullest: now.fullest,
      nextRound: nextRound(context, at),
    },
    traffic: {
      vehiclesToday: plain(sums?.vehiclesToday ?? null, "1", sums?.vehiclesTrend),
      longestWait_s: figure("longestWait_s", "s"),
      longestWaitAt: now.longestWaitAt,
      queued: figure("queued", "1"),
      junctions: territory.junctions.length,
      degraded: figure("degraded", "1"),
    },
    health: await healthOf(parts, at, context.wall),
  };
}

/** Also said by the event stream. */
export async function healthOf(
  { registry, ingest, alarms, overrides, store }: RunningServer,
  at: Instant,
  wall: Clock,
): Promise<Now["health"]> {
  const { stations, online } = registry.stats();
  const counts = alarms.stats();
  const figure = (value: number): Figure => ({ figure: value, unit: "1", at, trend: null });
  const size = await orUnknown(store.size(), wall);
  return {
    stationsLive: figure(online),
    stationsSilent: figure(stations - online),
    stations,
    quarantined: figure(ingest.stats().quarantined),
    alarmsOpen: figure(counts.open + counts.acknowledged + counts["in-progress"]),
    overrides: figure(overrides.active().length),
    readingsStored: size === undefined ? none("1") : figure(size.readings),
  };
}

function nextRound(context: ApiContext, now: Instant): Now["waste"]["nextRound"] {
  const coming = context
    .plans()
    .newest()
    .flatMap((plan) => plan.plan.rounds.map((round) => roundOf(context, plan, round)))
    .filter((round) => round.end > now && round.state !== "done")
    .sort((a, b) => a.departure - b.departure)[0];
  return coming === undefined ? null : { id: coming.id, at: coming.departure, stops: coming.stops };
}

const none = (unit: string): Figure => ({ figure: null, unit, at: null, trend: null });

function preparing(territory: Territory, at: Instant, { progress, waitsFor }: Holder): Now {
  return {
    at,
    state: "preparing",
    progress,
    ...(waitsFor && { waitsFor: { en: waitsFor.in("en"), fr: waitsFor.in("fr") } }),
    lighting: {
      power_W: none("W"),
      energy_kWh: none("kWh"),
      fullNight_kWh: none("kWh"),
      energyShare_percent: none("%"),
      energyFrom: null,
      lampsLit: none("1"),
      lamps: territory.luminaires.length,
      peopleLit: none("1"),
      failed: none("1"),
    },
    waste: { over80: none("1"), containers: territory.containers.length, fullest: null, nextRound: null },
    traffic: {
      vehiclesToday: none("1"),
      longestWait_s: none("s"),
      longestWaitAt: null,
      queued: none("1"),
      junctions: territory.junctions.length,
      degraded: none("1"),
    },
    health: {
      stationsLive: none("1"),
      stationsSilent: none("1"),
      stations: territory.stations.length,
      quarantined: none("1"),
      alarmsOpen: none("1"),
      overrides: none("1"),
      readingsStored: none("1"),
    },
  };
}
