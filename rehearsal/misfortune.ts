import type { SeededChance } from "#protocol/chance.ts";
import type { Territory } from "#protocol/territory.ts";
import { FAULT_KINDS, type ScheduledFault } from "#simulators/faults.ts";

/** How long a fault lasts in seconds, at least and at most. */
const LASTS: Readonly<Record<ScheduledFault["kind"], readonly [number, number]>> = {
  "sensor-stuck": [60, 7200],
  "sensor-silent": [60, 7200],
  "clock-wrong": [300, 7200],
  "lamp-failed": [600, 14_400],
  "disk-full": [60, 3600],
  "disk-loses-unsynced": [1, 300],
  "server-killed": [1, 600],
  "broker-gone": [5, 1800],
  "network-delayed": [30, 900],
  "network-cut": [5, 3600],
  "network-duplicated": [60, 1800],
  "network-reordered": [60, 1800],
};
const AMOUNTS: Partial<Record<ScheduledFault["kind"], readonly [number, number]>> = {
  "clock-wrong": [-7200, 7200],
  "network-delayed": [0.5, 20],
  "network-duplicated": [0.05, 0.5],
  "network-reordered": [0.05, 0.5],
};
const OF_DEVICES: readonly string[] = ["sensor-stuck", "sensor-silent", "lamp-failed"];
const OF_STATIONS: readonly string[] = ["clock-wrong", "disk-full", "disk-loses-unsynced", "network-cut"];
/** Share of faults that strike one and not all. */
const ONE_ALONE = 0.6;

/** Draws `count` faults of all kinds over `hours`, some of one device or station and some of all; any may overlap. */
export function misfortune(territory: Territory, chance: SeededChance, hours: number, count: number): ScheduledFault[] {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(chance.next() * list.length)] as T;
  const between = ([least, most]: readonly [number, number]): number => least + (most - least) * chance.next();
  const devices = [...territory.devices.keys()];
  const lamps = territory.luminaires.map(({ id }) => id);
  const stations = [...territory.byStation.keys()];
  const faults = Array.from({ length: count }, (): ScheduledFault => {
    const kind = pick(FAULT_KINDS);
    const amount = AMOUNTS[kind];
    const names = kind === "lamp-failed" ? lamps : OF_DEVICES.includes(kind) ? devices : stations;
    const aims = OF_DEVICES.includes(kind) || OF_STATIONS.includes(kind);
    const alone = chance.next() < ONE_ALONE;
    return {
      kind,
      at_s: Math.round(between([60, hours * 3600])),
      for_s: Math.round(between(LASTS[kind])),
      ...(aims && alone && { target: pick(names) }),
      ...(amount && { amount: Math.round(between(amount) * 100) / 100 }),
    };
  });
  return faults.sort((a, b) => a.at_s - b.at_s);
}
