import { KINDS } from "#protocol/kinds.ts";
import type { Reading } from "#protocol/messages.ts";
import { parseTerritory, type Territory, type TerritoryFile } from "#protocol/territory.ts";
import { instant, type Instant } from "#protocol/units.ts";
import { rehearse } from "#rehearsal/rehearse.ts";
import type { OwnPoint } from "#server/chronicle/point.ts";
import { describeDevices } from "#server/store/describe.ts";
import type { Store } from "#server/store/store.ts";
import type { ScheduledFault } from "#simulators/faults.ts";
import { generateTown } from "#simulators/generate.ts";
import type { Written } from "./points.ts";

/** From noon to the evening of the next day: a whole night, the rounds of a morning, a person's hand, and trouble. */
export const FROM = Date.UTC(2026, 10, 30, 11) as Instant;
export const TO = Date.UTC(2026, 11, 1, 21) as Instant;

/** A rehearsed day of a small town: all that was read, and what the server wrote of itself. */
export interface Day {
  readonly territory: Territory;
  readonly geojson: TerritoryFile;
  readonly readings: ReadonlyMap<string, readonly Reading[]>;
  readonly own: readonly OwnPoint[];
}

const HOUR_S = 3600;
/** Something of each kind that a dashboard shows: alarms, quarantine, duplicates, outboxes that fill, wrong clocks. */
const TROUBLE: readonly ScheduledFault[] = [
  { kind: "network-duplicated", at_s: 3 * HOUR_S, for_s: 2 * HOUR_S, amount: 0.5 },
  { kind: "lamp-failed", at_s: 8 * HOUR_S, for_s: 100 * HOUR_S, target: "L03" },
  { kind: "sensor-stuck", at_s: 9 * HOUR_S, for_s: 100 * HOUR_S, target: "C02" },
  { kind: "clock-wrong", at_s: 20 * HOUR_S, for_s: 100 * HOUR_S, target: "S-L17", amount: 7200 },
  { kind: "network-cut", at_s: 30 * HOUR_S, for_s: HOUR_S },
  { kind: "network-reordered", at_s: 31.5 * HOUR_S, for_s: HOUR_S, amount: 0.5 },
];

export interface Rehearsing {
  readonly lamps: number;
  readonly containers: number;
  readonly junctions: number;
  readonly from: Instant;
  readonly to: Instant;
  readonly faults: readonly ScheduledFault[];
}
const SMALL: Rehearsing = { lamps: 40, containers: 12, junctions: 2, from: FROM, to: TO, faults: TROUBLE };

export async function rehearsedDay({ from, to, faults, ...size }: Rehearsing = SMALL): Promise<Day> {
  const geojson = generateTown({ seed: 11, ...size });
  const territory = parseTerritory(geojson, "a small town");
  const { store, state } = await rehearse({
    territory,
    seed: 3,
    from,
    hours: (to - from) / 3_600_000,
    faults: faults.filter(({ target }) => target === undefined || isThere(territory, target)),
    watched: false,
    settle: false,
    chronicle: true,
  });
  const recorded = (await store.recorded?.(from, to)) ?? [];
  // A rehearsed server has no memory of its own to tell of; one that is alive has.
  const own = recorded.map((each): OwnPoint =>
    each.measurement === "server" ? { ...each, fields: { ...each.fields, memory_B: 1.5e8 } } : each,
  );
  const readings = await readingsOf(store, territory);
  state.close();
  return { territory, geojson, readings, own };
}

const isThere = ({ devices, byStation }: Territory, id: string): boolean => devices.has(id) || byStation.has(id);

async function readingsOf(store: Store, territory: Territory): Promise<Map<string, readonly Reading[]>> {
  const readings = new Map<string, readonly Reading[]>();
  for (const { id, kind } of territory.devices.values()) {
    for (const measure of Object.keys(KINDS[kind].measures)) {
      const found = await store.range(id, measure, instant(0), instant(Number.MAX_SAFE_INTEGER), 10_000_000);
      if (found.length > 0) readings.set(`${id} ${measure}`, found);
    }
  }
  return readings;
}

/** The readings as every store shows them: the kind's measurement, the device's tags, the measure's field. */
export function* pointsOf({ territory, readings }: Day): Iterable<Written> {
  const describe = describeDevices(territory);
  for (const list of readings.values()) {
    for (const { device, measure, at, value } of list) {
      const { measurement, tags } = describe(device) ?? { measurement: "unknown", tags: { device } };
      yield { measurement, tags, fields: { [measure]: value }, at };
    }
  }
}

/** How long each summed-up retention policy's steps are. */
export const ROLLED_MS = { quarter: 900_000, hour: 3_600_000 } as const;

/** The readings summed up by steps, as the retention policies `quarter` and `hour` keep them. */
export function* rolledOf({ territory, readings }: Day, step_ms: number): Iterable<Written> {
  const describe = describeDevices(territory);
  for (const list of readings.values()) {
    for (const [at, group] of Map.groupBy(list, (each) => Math.floor(each.at / step_ms) * step_ms)) {
      const [{ device, measure }] = group as [Reading, ...Reading[]];
      const { measurement, tags } = describe(device) ?? { measurement: "unknown", tags: { device } };
      const values = group.map(({ value }) => value);
      const sum = values.reduce((total, value) => total + value, 0);
      const fields = {
        [`mean_${measure}`]: sum / values.length,
        [`min_${measure}`]: Math.min(...values),
        [`max_${measure}`]: Math.max(...values),
        [`first_${measure}`]: values[0],
        [`last_${measure}`]: values.at(-1),
        [`sum_${measure}`]: sum,
        [`count_${measure}`]: values.length,
      };
      yield { measurement, tags, fields, at };
    }
  }
}
