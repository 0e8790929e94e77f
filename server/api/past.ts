import { darkness, overlap } from "#control/lighting/sun.ts";
import { KINDS } from "#protocol/kinds.ts";
import type { Territory } from "#protocol/territory.ts";
import type { Instant, Seconds } from "#protocol/units.ts";
import { HOUR, MINUTE, seconds } from "#protocol/units.ts";
import type { Store } from "../store/store.ts";
import type { ApiContext, RunningServer } from "./context.ts";
import { countingLoops } from "./history.ts";
import { type Kept, keptFor } from "./kept.ts";
import { lastAt } from "./localDay.ts";
import { type Moment, momentOf } from "./moment.ts";

/** A town with more devices of one kind shows its figures without a trend. */
const MOST_FOR_TREND = 5000;
const TREND_LIFE = seconds(60);

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
export interface Past {
  /** An hour ago; undefined where the town is too large to ask. */
  readonly before: Moment | undefined;
  readonly sums: Sums;
}

const pasts = new WeakMap<RunningServer, Kept<Past>>();

/** What the store has to be asked for, worked out once a minute for all who ask. */
export function pastOf(context: ApiContext, parts: RunningServer): Kept<Past> {
  let past = pasts.get(parts);
  if (past === undefined) {
    const work = async (): Promise<Past> => ({
      before: await hourAgo(context, parts),
      sums: await sumsOf(context, parts),
    });
    // What is known of the present is shown, whether or not the store answers.
    past = keptFor(context.clock, TREND_LIFE, work, "orLast");
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
  const lamps = territory.luminaires.map(({ id }) => id);
  const heard = await heardFrom(store, lamps, night.from, night.to);
  const rated_W = territory.luminaires.reduce((sum, lamp) => sum + lamp.power_W, 0);
  const loops = countingLoops(territory);
  const midnight = lastAt(offsets, now, 0);
  const hour = (ago: number) =>
    grown(store, loops, "vehicles", (now - ago * HOUR) as Instant, (now - (ago - 1) * HOUR) as Instant);
  const [thisHour, hourBefore] = [await hour(1), await hour(2)];
  return {
    from: heard,
    to: night.to,
    energy_kWh: (await grown(store, lamps, "energy_kWh", heard, night.to)) ?? 0,
    fullNight_kWh: (rated_W / 1000) * (darkIn(territory, heard, night.to) / HOUR),
    vehiclesToday: await grown(store, loops, "vehicles", midnight, now),
    vehiclesTrend: thisHour === null || hourBefore === null ? null : thisHour - hourBefore,
  };
}

/** From noon to now; by day, when no lamp has burnt since noon, the night before it. */
function nightOf(territory: Territory, offsets: ApiContext["offsets"], now: Instant): { from: Instant; to: Instant } {
  const noon = lastAt(offsets, now, 12);
  if (darkIn(territory, noon, now) >= 15 * MINUTE) return { from: noon, to: now };
  return { from: lastAt(offsets, (noon - 1) as Instant, 12), to: noon };
}

/** How long it was dark in [from, to), in milliseconds. */
const darkIn = ({ position: [lon, lat] }: Territory, from: Instant, to: Instant): number =>
  overlap(darkness(from, to, lat, lon), from, to);

/**
 * Since when in [from, to) the lamps' energy is counted: what is used is compared with a full night of that time alone, or a
 * town that has just begun would seem to have saved the night before.
 */
async function heardFrom(store: Store, devices: readonly string[], from: Instant, to: Instant): Promise<Instant> {
  if (devices.length === 0) return from;
  const [first] = await store.aggregate({ devices, measure: "energy_kWh", from, to, every: seconds(900) });
  return first === undefined ? to : first.at;
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
