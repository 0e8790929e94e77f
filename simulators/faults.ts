import { Fault } from "#protocol/faults.ts";
import type { Shaped } from "#protocol/shape.ts";
import { identifier, list, number, object, oneOf, optional } from "#protocol/shape.ts";
import type { Territory } from "#protocol/territory.ts";

/**
 * What is to go wrong, as a JSON list: `[{"at_s": 3600, "kind": "sensor-stuck", "for_s": 600, "target": "P012"}]`. Times are
 * seconds from the start. `target` is a device (sensor-stuck, sensor-silent, lamp-failed), a station (clock-wrong, disk-*,
 * network-cut), "server" (disk-*) or left out for all; `amount` is seconds for clock-wrong and network-delayed, a share of
 * messages for network-duplicated and network-reordered.
 */
export const FAULT_KINDS = [
  "sensor-stuck",
  "sensor-silent",
  "clock-wrong",
  "lamp-failed",
  "disk-full",
  "disk-loses-unsynced",
  "server-killed",
  "broker-gone",
  "network-delayed",
  "network-cut",
  "network-duplicated",
  "network-reordered",
] as const;

/** The target of a disk's fault that strikes the server alone. */
export const SERVER = "server";
/** Those whose target, if any, is a device. */
const OF_DEVICES: ReadonlySet<string> = new Set(["sensor-stuck", "sensor-silent", "lamp-failed"]);
const OF_DISKS: ReadonlySet<string> = new Set(["disk-full", "disk-loses-unsynced"]);

/** No schedule holds more; a year of a fault each hour fits. */
const MAX_FAULTS = 10_000;
const scheduled = list(
  object({
    at_s: number(0, 4e8),
    kind: oneOf(...FAULT_KINDS),
    for_s: number(0, 4e8),
    target: optional(identifier),
    amount: optional(number(-1e7, 1e7)),
  }),
  MAX_FAULTS,
);
export type ScheduledFault = Shaped<typeof scheduled>[number];

/** Those that happen in the street; the others happen to the line, the server or a disk. */
const IN_THE_STREET: ReadonlySet<ScheduledFault["kind"]> = new Set([
  "sensor-stuck",
  "sensor-silent",
  "clock-wrong",
  "lamp-failed",
]);
export const inTheStreet = ({ kind }: ScheduledFault): boolean => IN_THE_STREET.has(kind);

/**
 * Reads a fault schedule from parsed JSON, earliest first.
 * Raises Fault PAYLOAD_INVALID with the path, and DEVICE_UNKNOWN or STATION_UNKNOWN for a target that the territory lacks.
 */
export function parseFaults(json: unknown, territory?: Territory): ScheduledFault[] {
  const faults = scheduled.parse(json, "");
  for (const { kind, target } of faults) {
    if (territory === undefined || target === undefined) continue;
    if (OF_DISKS.has(kind) && target === SERVER) continue;
    const ofDevice = OF_DEVICES.has(kind);
    if (ofDevice && !territory.devices.has(target))
      throw new Fault("DEVICE_UNKNOWN", { device: target, station: "any" });
    if (!ofDevice && !territory.byStation.has(target)) throw new Fault("STATION_UNKNOWN", { station: target });
  }
  return faults.sort((a, b) => a.at_s - b.at_s);
}

/** Whether a fault strikes this device or station. */
export const strikes = (fault: ScheduledFault, name: string): boolean =>
  fault.target === undefined || fault.target === name;
