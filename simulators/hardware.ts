import type { Hardware } from "#edge/hardware/hardware.ts";
import type { Clock } from "#protocol/ports.ts";
import type { Instant } from "#protocol/units.ts";
import type { Instrument } from "./instrument.ts";

/** What can be wrong with the wiring of a device: it keeps saying its last value, or says nothing. */
export type Ailment = "stuck" | "silent";

/** The wiring of one simulated station, and the world's end of it. */
export interface Wiring extends Hardware {
  /** The world moved an input of a device: those who watch hear of it, unless its wiring is broken. */
  moved(device: string, measure: string): void;
  /** An ailment begins or ends; several may overlap, and a device that is silent says nothing even if it is stuck too. */
  ail(device: string, ailment: Ailment, begins: boolean): void;
}

/**
 * The hardware port of one station on the instruments of its devices. `trueClock` is the world's, for what is read and
 * done; `ownClock` the station's, for when it believes something moved.
 */
export function simulatedHardware(
  instruments: ReadonlyMap<string, Instrument>,
  trueClock: Clock,
  ownClock: Clock,
): Wiring {
  const listeners: ((device: string, measure: string, at: Instant) => void)[] = [];
  const ailing = new Map<string, Ailment[]>();
  const frozen = new Map<string, number>();
  return {
    read(device, measure) {
      if (ailing.size > 0) {
        const ailments = ailing.get(device);
        if (ailments?.includes("silent")) return undefined;
        if (ailments !== undefined) {
          const key = `${device} ${measure}`;
          let value = frozen.get(key);
          if (value === undefined) {
            value = instruments.get(device)?.read(measure, trueClock.now());
            if (value !== undefined) frozen.set(key, value);
          }
          return value;
        }
      }
      return instruments.get(device)?.read(measure, trueClock.now());
    },
    write: (device, output, value) => instruments.get(device)?.write?.(output, value, trueClock.now()),
    watch: (listener) => void listeners.push(listener),
    moved(device, measure) {
      if (ailing.size > 0 && ailing.has(device)) return;
      const at = ownClock.now();
      for (const listener of listeners) listener(device, measure, at);
    },
    ail(device, ailment, begins) {
      const ailments = ailing.get(device) ?? [];
      if (begins) ailments.push(ailment);
      else if (ailments.includes(ailment)) ailments.splice(ailments.indexOf(ailment), 1);
      if (!ailments.includes("stuck")) {
        for (const key of frozen.keys()) if (key.startsWith(`${device} `)) frozen.delete(key);
      }
      if (ailments.length > 0) ailing.set(device, ailments);
      else ailing.delete(device);
    },
    close: () => void listeners.splice(0),
  };
}
