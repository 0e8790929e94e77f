import type { Territory } from "#protocol/territory.ts";
import type { Instant } from "#protocol/units.ts";
import { strikes, type ScheduledFault } from "#simulators/faults.ts";
import type { Town } from "#simulators/town.ts";

/** Nobody waits longer at a junction. */
const WAIT_CAP_S = 120;
/** A wait that began before a cabinet could know of it is over, one way or the other, this long after. */
const EXCUSED_AFTER_MS = (WAIT_CAP_S + 20) * 1000;

/**
 * Finds waits over the cap, each once, when it passes the cap. Not counted is a wait that no cabinet could know of or end:
 * while it has no power, and while a sensor of its own is stuck and says of a waiting person what it said of an empty street.
 */
export function waitWatch(territory: Territory): {
  fault(fault: ScheduledFault, begins: boolean): void;
  look(town: Town, now: number): { readonly junction: string; readonly wait_s: number }[];
} {
  const before = new Map<string, number>();
  const excusedUntil = new Map<string, number>();
  const stuck: ScheduledFault[] = [];
  const isBlind = (station: string): boolean =>
    stuck.some((fault) => territory.byStation.get(station)?.some(({ id }) => strikes(fault, id)));

  return {
    fault(fault, begins) {
      if (fault.kind !== "sensor-stuck") return;
      if (begins) stuck.push(fault);
      else stuck.splice(stuck.indexOf(fault), 1);
    },
    look(town, now) {
      const found = [];
      for (const { id, station } of territory.junctions) {
        const wait_s = town.world.junctions.get(id)?.longestWait_s(now as Instant) ?? 0;
        const passes = wait_s > WAIT_CAP_S && (before.get(id) ?? 0) <= WAIT_CAP_S;
        before.set(id, wait_s);
        if (town.agent(station) === undefined || isBlind(station)) excusedUntil.set(id, now + EXCUSED_AFTER_MS);
        if (passes && now > (excusedUntil.get(id) ?? 0)) found.push({ junction: id, wait_s });
      }
      return found;
    },
  };
}
