import { Fault } from "#protocol/faults.ts";
import type { DeviceKind, Measure } from "#protocol/kinds.ts";
import { KINDS } from "#protocol/kinds.ts";
import type { Reading } from "#protocol/messages.ts";
import type { Territory } from "#protocol/territory.ts";
import { DAY } from "#protocol/units.ts";

/** A clock may be this far ahead of ours; what is dated later is wrong. */
export const MOST_AHEAD_S = 120;
/** What waited longer than this in an outbox is no longer a reading but a mistake. */
export const OLDEST_D = 400;

/** The devices of one station, with what each measures: what a reading of this station is held against. */
export type StationDevices = ReadonlyMap<string, { readonly kind: DeviceKind; readonly measures: MeasuresByName }>;
type MeasuresByName = ReadonlyMap<string, Measure>;

const MEASURES = new Map<DeviceKind, MeasuresByName>(
  Object.entries(KINDS).map(([kind, row]) => [
    kind as DeviceKind,
    new Map<string, Measure>(Object.entries(row.measures)),
  ]),
);

/** The devices of `station` in this territory; empty for a station that is not in it. */
export function devicesOf(territory: Territory, station: string): StationDevices {
  return new Map(
    (territory.byStation.get(station) ?? []).map(({ id, kind }) => [
      id,
      { kind, measures: MEASURES.get(kind) as MeasuresByName },
    ]),
  );
}

/**
 * Why a reading cannot be: a device that is not on this station, a measure its kind does not have, a value that is no number
 * or out of the kind's range, a time ahead of `now` or too long ago. Undefined when it can.
 */
export function implausible(
  reading: Reading,
  station: string,
  devices: StationDevices,
  now: number,
): Fault | undefined {
  const { device, measure, at, value } = reading;
  const known = devices.get(device);
  if (known === undefined) return new Fault("DEVICE_UNKNOWN", { device, station });
  const row = known.measures.get(measure);
  if (row === undefined) {
    return new Fault("MEASURE_UNKNOWN", { kind: known.kind, measure, known: [...known.measures.keys()].join(", ") });
  }
  // Written so that NaN, which compares with nothing, is refused too.
  if (!(value >= row.min && value <= row.max)) {
    return new Fault("VALUE_OUT_OF_RANGE", { device, measure, value, min: row.min, max: row.max });
  }
  if (at > now + MOST_AHEAD_S * 1000) {
    const ahead_s = Math.round((at - now) / 1000);
    return new Fault("READING_IN_FUTURE", { device, ahead_s, limit_s: MOST_AHEAD_S });
  }
  if (!(at >= now - OLDEST_D * DAY)) {
    return new Fault("READING_TOO_OLD", { device, age_d: Math.floor((now - at) / DAY), limit_d: OLDEST_D });
  }
  return undefined;
}
