import { darkness } from "#control/lighting/sun.ts";
import { KINDS, LAMP_RULES, SIGNAL_MODES } from "#protocol/kinds.ts";
import type { Territory } from "#protocol/territory.ts";
import type { Instant, Seconds } from "#protocol/units.ts";
import { HOUR, MINUTE, seconds } from "#protocol/units.ts";
import type { Store } from "../store/store.ts";
import type { ApiContext, RunningServer } from "./context.ts";
import { countingLoops, overlap } from "./history.ts";
import { type Kept, keptFor } from "./kept.ts";
import { lastAt } from "./localDay.ts";
import type { Figure, Now } from "./resources.ts";
import { roundOf } from "./waste.ts";

/** A town with more devices of one kind shows its figures without a trend. */
const MOST_FOR_TREND = 5000;
const TREND_LIFE = seconds(60);

type Read = (device: string, measure: string) => number | undefined;

/** The figures of the four sentences; empty while history is laid down. */
export async function figuresNow(context: ApiContext): Promise<Now> {
  const { holder, territory, clock } = context;
  const at = clock.now();
  const { parts } = holder;
  if (parts === undefined) return preparing(territory, at, holder.progress);
  const now = momentOf(territory, (device, measure) => parts.registry.value(device, measure));
  const { before, sums } = await pastOf(context, parts).get();
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
  const share = sums.fullNight_kWh > 0 ? (100 * sums.energy_kWh) / sums.fullNight_kWh : null;
  return {
    at,
    state: "ready",
    progress: 1,
    lighting: {
      power_W: figure("power_W", "W"),
      energy_kWh: { figure: sums.energy_kWh, unit: "kWh", at: sums.to, trend: null },
      fullNight_kWh: { figure: sums.fullNight_kWh, unit: "kWh", at: sums.to, trend: null },
      energyShare_percent: { figure: share, unit: "%", at: sums.to, trend: null },
      energyFrom: sums.from,
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
      vehiclesToday: plain(sums.vehiclesToday, "1", sums.vehiclesTrend),
      longestWait_s: figure("longestWait_s", "s"),
      longestWaitAt: now.longestWaitAt,
      queued: figure("queued", "1"),
      junctions: territory.junctions.length,
      degraded: figure("degraded", "1"),
    },
    health: await healthOf(parts, at),
  };
}

/** Also said by the event stream. */
export async function healthOf(
  { registry, ingest, alarms, overrides, store }: RunningServer,
  at: Instant,
): Promise<Now["health"]> {
  const { stations, online } = registry.stats();
  const counts = alarms.stats();
  const figure = (value: number): Figure => ({ figure: value, unit: "1", at, trend: null });
  return {
    stationsLive: figure(online),
    stationsSilent: figure(stations - online),
    stations,
    quarantined: figure(ingest.stats().quarantined),
    alarmsOpen: figure(counts.open + counts.acknowledged + counts["in-progress"]),
    overrides: figure(overrides.active().length),
    readingsStored: figure((await store.size()).readings),
  };
}

/** What can be said from the newest values alone; null where nobody has said anything yet. */
interface Moment {
  readonly power_W: number | null;
  readonly lampsLit: number | null;
  readonly peopleLit: number | null;
  readonly failed: number | null;
  readonly over80: number | null;
  readonly fullest: { readonly id: string; readonly fill: number } | null;
  readonly longestWait_s: number | null;
  readonly longestWaitAt: string | null;
  readonly queued: number | null;
  readonly degraded: number | null;
}

function momentOf({ luminaires, containers, junctions }: Territory, read: Read): Moment {
  const all = (features: readonly { readonly id: string }[], measure: string) =>
    features.flatMap(({ id }): Value[] => {
      const value = read(id, measure);
      return value === undefined ? [] : [{ id, value }];
    });
  const fills = all(containers, "fill");
  const fullest = largest(fills);
  const wait = largest(all(junctions, "longest_wait_s"));
  return {
    power_W: sum(all(luminaires, "power_W")),
    lampsLit: count(all(luminaires, "level"), (level) => level > 0),
    peopleLit: count(all(luminaires, "rule"), (rule) => LAMP_RULES[rule] === "presence"),
    failed: count(all(luminaires, "failed"), (failed) => failed === 1),
    over80: count(fills, (fill) => fill > 0.8),
    fullest: fullest === undefined ? null : { id: fullest.id, fill: fullest.value },
    longestWait_s: wait?.value ?? null,
    longestWaitAt: wait?.id ?? null,
    queued: sum(all(junctions, "queue")),
    degraded: count(all(junctions, "mode"), (mode) => SIGNAL_MODES[mode] !== "adaptive"),
  };
}

interface Value {
  readonly id: string;
  readonly value: number;
}

const count = (values: readonly Value[], holds: (value: number) => boolean): number | null =>
  values.length === 0 ? null : values.filter(({ value }) => holds(value)).length;
const sum = (values: readonly Value[]): number | null =>
  values.length === 0 ? null : values.reduce((total, { value }) => total + value, 0);
const largest = (values: readonly Value[]): Value | undefined =>
  values.reduce<Value | undefined>(
    (most, each) => (most === undefined || each.value > most.value ? each : most),
    undefined,
  );

interface Sums {
  /** The night that the energy is counted over. */
  readonly from: Instant;
  readonly to: Instant;
  readonly energy_kWh: number;
  readonly fullNight_kWh: number;
  readonly vehiclesToday: number | null;
  /** Vehicles of the last hour less those of the hour before. */
  readonly vehiclesTrend: number | null;
}
interface Past {
  /** An hour ago; undefined where the town is too large to ask. */
  readonly before: Moment | undefined;
  readonly sums: Sums;
}

const pasts = new WeakMap<RunningServer, Kept<Past>>();

function pastOf(context: ApiContext, parts: RunningServer): Kept<Past> {
  let past = pasts.get(parts);
  if (past === undefined) {
    past = keptFor(context.clock, TREND_LIFE, async () => ({
      before: await hourAgo(context, parts),
      sums: await sumsOf(context, parts),
    }));
    pasts.set(parts, past);
  }
  return past;
}

async function hourAgo({ territory, clock }: ApiContext, { store }: RunningServer): Promise<Moment | undefined> {
  const { luminaires, containers, junctions } = territory;
  if (Math.max(luminaires.length, containers.length, junctions.length) > MOST_FOR_TREND) return undefined;
  const at = (clock.now() - HOUR) as Instant;
  const known = new Map<string, Map<string, number>>();
  const read = async (
    features: readonly { readonly id: string }[],
    measure: string,
    every_s: Seconds,
  ): Promise<void> => {
    const from = (at - 2 * every_s * 1000) as Instant;
    const devices = features.map(({ id }) => id);
    if (devices.length === 0) return;
    const every = seconds((at - from) / 1000);
    const rows = await store.aggregate({ devices, measure, from, to: at, every, by: "device" });
    known.set(measure, new Map(rows.map((row) => [row.device ?? "", row.last])));
  };
  const { lamp, container, signal } = KINDS;
  for (const measure of ["power_W", "level", "rule"] as const) {
    await read(luminaires, measure, lamp.measures[measure].report.every_s);
  }
  await read(containers, "fill", container.measures.fill.report.every_s);
  for (const measure of ["longest_wait_s", "queue", "mode"] as const) {
    await read(junctions, measure, signal.measures[measure].report.every_s);
  }
  return momentOf(territory, (device, measure) => known.get(measure)?.get(device));
}

async function sumsOf({ territory, clock, offsets }: ApiContext, { store }: RunningServer): Promise<Sums> {
  const now = clock.now();
  const night = nightOf(territory, offsets, now);
  const rated_W = territory.luminaires.reduce((sum, lamp) => sum + lamp.power_W, 0);
  const loops = countingLoops(territory);
  const midnight = lastAt(offsets, now, 0);
  const hour = (ago: number) =>
    grown(store, loops, "vehicles", (now - ago * HOUR) as Instant, (now - (ago - 1) * HOUR) as Instant);
  const [thisHour, hourBefore] = [await hour(1), await hour(2)];
  return {
    from: night.from,
    to: night.to,
    energy_kWh:
      (await grown(
        store,
        territory.luminaires.map(({ id }) => id),
        "energy_kWh",
        night.from,
        night.to,
      )) ?? 0,
    fullNight_kWh: (rated_W / 1000) * (night.dark_ms / HOUR),
    vehiclesToday: await grown(store, loops, "vehicles", midnight, now),
    vehiclesTrend: thisHour === null || hourBefore === null ? null : thisHour - hourBefore,
  };
}

/** From noon to now; by day, when no lamp has burnt since noon, the night before it. */
function nightOf(
  { position: [lon, lat] }: Territory,
  offsets: ApiContext["offsets"],
  now: Instant,
): { from: Instant; to: Instant; dark_ms: number } {
  const noon = lastAt(offsets, now, 12);
  const dark = (from: Instant, to: Instant): number => overlap(darkness(from, to, lat, lon), from, to);
  const dark_ms = dark(noon, now);
  if (dark_ms >= 15 * MINUTE) return { from: noon, to: now, dark_ms };
  const before = lastAt(offsets, (noon - 1) as Instant, 12);
  return { from: before, to: noon, dark_ms: dark(before, noon) };
}

/** How much counters grew in [from, to), all devices together; null when none was heard. */
async function grown(
  store: Store,
  devices: string[],
  measure: string,
  from: Instant,
  to: Instant,
): Promise<number | null> {
  if (devices.length === 0 || to <= from) return null;
  const rows = await store.aggregate({ devices, measure, from, to, every: seconds((to - from) / 1000), by: "device" });
  return rows.length === 0 ? null : rows.reduce((sum, { first, last }) => sum + Math.max(0, last - first), 0);
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

function preparing(territory: Territory, at: Instant, progress: number): Now {
  return {
    at,
    state: "preparing",
    progress,
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
