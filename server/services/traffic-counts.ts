import type { Rate, Word } from "#control/traffic/counts.ts";
import { HABITS, rateOf } from "#control/traffic/counts.ts";
import type { Around, Doubt, Idle } from "#control/traffic/doubt.ts";
import { doubtOf, idleOf } from "#control/traffic/doubt.ts";
import type { Button, Detector } from "#protocol/territory.ts";
import type { Instant, Seconds } from "#protocol/units.ts";
import { DAY, seconds, vehiclesPerHour } from "#protocol/units.ts";
import type { ServiceParts } from "./service.ts";

type Words = ReadonlyMap<string, readonly Word[]>;

/** What the counters of a junction say, by device; `doubted` are those that count nothing and are not believed. */
export interface JunctionCounts {
  readonly rates: ReadonlyMap<string, Rate>;
  readonly doubted: ReadonlyMap<string, Doubt>;
}

/** The days before with which an idle counter is compared: yesterday, and the same day of the week. */
const OTHER_DAYS = [1, 7];

/**
 * Reads a junction's counters from the store. A counter that was doubted once stays so until it counts again: with every
 * quarter of an hour its better days are further away, and it has done nothing to be believed.
 */
export function trafficCounts({ store }: Pick<ServiceParts, "store">) {
  /** What those that are doubted have counted up to, and why. */
  const kept = new Map<string, { readonly value: number; readonly doubt: Doubt }>();

  return async function read(
    loops: readonly Detector[],
    buttons: readonly Button[],
    now: Instant,
    window: Seconds,
  ): Promise<JunctionCounts> {
    const words = await wordsOf(store, "vehicles", idsOf(loops), now, window);
    const pressed = await wordsOf(store, "calls", idsOf(buttons), now, window);
    const rates = new Map<string, Rate>([
      ...[...words].map(([id, said]) => [id, rateOf(said, now, HABITS.vehicles)] as const),
      ...[...pressed].map(([id, said]) => [id, rateOf(said, now, HABITS.calls)] as const),
    ]);
    const idle = new Map<Detector, Idle>();
    const doubted = new Map<string, Doubt>();
    for (const loop of loops) {
      const said = words.get(loop.id) as readonly Word[];
      const before = kept.get(loop.id);
      if (rates.get(loop.id) === "silent") continue;
      if (before !== undefined && said.every(({ value }) => value === before.value)) doubted.set(loop.id, before.doubt);
      else kept.delete(loop.id);
      const own = idleOf(said);
      if (own !== undefined && !doubted.has(loop.id)) idle.set(loop, own);
    }
    if (idle.size > 0) {
      const usual = await usualOf(store, [...idle.keys()], now, window);
      const occupancy = await occupancyOf(store, idle);
      for (const [loop, own] of idle) {
        const nearby = nearbyOf(loop, own, loops, words);
        const doubt = doubtOf(own, { nearby, usual: usual.get(loop.id), occupancy: occupancy.get(loop.id) });
        if (doubt === undefined) continue;
        doubted.set(loop.id, doubt);
        kept.set(loop.id, { value: own.value, doubt });
      }
    }
    for (const id of doubted.keys()) rates.set(id, "doubted");
    return { rates, doubted };
  };
}

const idsOf = (devices: readonly { readonly id: string }[]): string[] => devices.map(({ id }) => id);

/** The words of these counters within `window` and one of their periods before, oldest first. */
async function wordsOf(
  store: ServiceParts["store"],
  measure: keyof typeof HABITS,
  devices: readonly string[],
  now: Instant,
  window: Seconds,
): Promise<Words> {
  if (devices.length === 0) return new Map();
  const from = (now - (window + HABITS[measure].every_s) * 1000) as Instant;
  // One row a second that has a word: when each was said, for all devices in one question.
  const rows = await store.aggregate({ devices, measure, from, to: now, every: seconds(1), by: "device" });
  const words = Map.groupBy(rows, ({ device = "" }) => device);
  return new Map(devices.map((id) => [id, (words.get(id) ?? []).map(({ at, last }) => ({ at, value: last }))]));
}

/** What the counters at the group's other place counted while this one was idle, for each counter in this one's place. */
function nearbyOf(loop: Detector, { from, to }: Idle, loops: readonly Detector[], words: Words): Around["nearby"] {
  const ofGroup = loops.filter(({ group }) => group === loop.group);
  const beside = ofGroup.filter(({ place }) => place === loop.place).length;
  const counted = ofGroup.flatMap(({ id, place }) => {
    const said = (words.get(id) ?? []).filter(({ at }) => at >= from && at <= to);
    const more = (said.at(-1)?.value ?? 0) - (said[0]?.value ?? 0);
    return place === loop.place || said.length < 2 || more < 0 ? [] : [more];
  });
  return counted.length === 0 ? undefined : counted.reduce((sum, each) => sum + each, 0) / beside;
}

/** What these counters counted an hour at this time on other days, the least of them where there are several. */
async function usualOf(
  store: ServiceParts["store"],
  loops: readonly Detector[],
  now: Instant,
  window: Seconds,
): Promise<ReadonlyMap<string, NonNullable<Around["usual"]>>> {
  const least = new Map<string, NonNullable<Around["usual"]>>();
  for (const days of OTHER_DAYS) {
    const to = (now - days * DAY) as Instant;
    const from = (to - window * 1000) as Instant;
    const rows = await store.aggregate({
      devices: idsOf(loops),
      measure: "vehicles",
      from,
      to,
      every: window,
      by: "device",
    });
    for (const { device = "", count, first, last } of rows) {
      // A counter that said too little of that hour, or was begun anew within it, is no measure for today.
      if (last < first || count * HABITS.vehicles.every_s < window / 2) continue;
      const rate = vehiclesPerHour(((last - first) * 3600) / window);
      least.set(device, vehiclesPerHour(Math.min(rate, least.get(device) ?? rate)));
    }
  }
  return least;
}

/** For which share of its idle time each of these loops was occupied. */
async function occupancyOf(
  store: ServiceParts["store"],
  idle: ReadonlyMap<Detector, Idle>,
): Promise<ReadonlyMap<string, number>> {
  const from = Math.min(...[...idle.values()].map((each) => each.from)) as Instant;
  const to = (Math.max(...[...idle.values()].map((each) => each.to)) + 1) as Instant;
  const devices = idsOf([...idle.keys()]);
  const rows = await store.aggregate({ devices, measure: "occupancy", from, to, every: seconds(60), by: "device" });
  const said = Map.groupBy(rows, ({ device = "" }) => device);
  return new Map(
    [...idle].flatMap(([{ id }, own]) => {
      const shares = (said.get(id) ?? []).flatMap(({ at, mean }) => (at > own.from ? [mean] : []));
      return shares.length < 2 ? [] : [[id, shares.reduce((sum, each) => sum + each, 0) / shares.length] as const];
    }),
  );
}
