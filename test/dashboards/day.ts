import { KINDS } from "#protocol/kinds.ts";
import type { Reading } from "#protocol/messages.ts";
import { parseTerritory, type Territory } from "#protocol/territory.ts";
import { instant, type Instant } from "#protocol/units.ts";
import { rehearse } from "#rehearsal/rehearse.ts";
import { openJournal, type JournalEntry } from "#server/journal.ts";
import { openAlarms, type Alarm } from "#server/alarms.ts";
import { decideByName } from "#server/server.ts";
import { describeDevices } from "#server/store/describe.ts";
import { generateTown } from "#simulators/generate.ts";
import { virtualClock } from "#rehearsal/clock.ts";
import type { Written } from "./points.ts";

/** From noon to the evening of the next day: a whole night, the rounds of a morning, and a person's hand. */
export const FROM = Date.UTC(2026, 10, 30, 11) as Instant;
export const TO = Date.UTC(2026, 11, 1, 21) as Instant;

/** A rehearsed day of a small town, and all that was read and decided in it. */
export interface Day {
  readonly territory: Territory;
  readonly readings: ReadonlyMap<string, readonly Reading[]>;
  readonly journal: readonly JournalEntry[];
  readonly alarms: readonly Alarm[];
}

export async function rehearsedDay(): Promise<Day> {
  const territory = parseTerritory(generateTown({ seed: 11, lamps: 40, containers: 12, junctions: 2 }), "a small town");
  const { store, state } = await rehearse({
    territory,
    seed: 3,
    from: FROM,
    hours: (TO - FROM) / 3_600_000,
    watched: false,
    settle: false,
  });
  const readings = new Map<string, readonly Reading[]>();
  for (const { id, kind } of territory.devices.values()) {
    for (const measure of Object.keys(KINDS[kind].measures)) {
      const found = await store.range(id, measure, instant(0), instant(Number.MAX_SAFE_INTEGER), 1_000_000);
      if (found.length > 0) readings.set(`${id} ${measure}`, found);
    }
  }
  const journal = openJournal(state, decideByName).list({}, 100_000).toReversed();
  const alarms = openAlarms(state, virtualClock(TO)).list(
    ["open", "acknowledged", "in-progress", "resolved", "closed"],
    1000,
  );
  state.close();
  return { territory, readings, journal, alarms };
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
