import type { Territory } from "#protocol/territory.ts";
import type { Instant } from "#protocol/units.ts";
import { strikes, type ScheduledFault } from "#simulators/faults.ts";
import type { Town } from "#simulators/town.ts";

/** Nobody waits longer at a junction. */
const WAIT_CAP_S = 120;
/** A queue that grew before a cabinet could know of it is worked off when nobody waits for so long any more… */
const WORKED_OFF_S = 60;
/**
 * …and after half an hour in any case: by then frames are made from counts of a seeing cabinet again. A wait that began before
 * is over, one way or the other, not sooner than the least.
 */
const EXCUSED_MS = { least: (WAIT_CAP_S + 20) * 1000, most: 1_800_000 };

/**
 * A cabinet doubts a stuck loop after three minutes, so the stuck one explains what begins within five and not all of its hours;
 * a cabinet that begins anew has forgotten what its loops used to count, and has the same time again.
 */
const NOTICED_MS = 300_000;

/**
 * Finds waits over the cap, each once, when it passes the cap. Not counted is a wait that no cabinet could know of or end:
 * while it has no power, and while a sensor of its own that is stuck cannot yet have been found out, which says of a waiting
 * person what it said of an empty street.
 */
export function waitWatch(territory: Territory): {
  fault(fault: ScheduledFault, begins: boolean): void;
  look(town: Town, now: number): { readonly junction: string; readonly wait_s: number }[];
} {
  const before = new Map<string, number>();
  /** When a junction was last without power or a sensor of it stuck, until the queue of that time is worked off. */
  const blindAt = new Map<string, number>();
  const stuck: { readonly fault: ScheduledFault; at: number | undefined }[] = [];
  /** When the cabinet of a station last was without power. */
  const darkAt = new Map<string, number>();
  const cut = new Set<string>();
  const isBlind = (station: string, now: number): boolean => {
    const since = now - NOTICED_MS;
    return stuck.some(
      ({ fault, at = now }) =>
        Math.max(at, darkAt.get(station) ?? at) >= since &&
        territory.byStation.get(station)?.some(({ id }) => strikes(fault, id)),
    );
  };

  return {
    fault(fault, begins) {
      // The power may be back before the next look.
      if (fault.kind === "disk-loses-unsynced") {
        for (const { station } of territory.junctions) if (strikes(fault, station)) cut.add(station);
      }
      if (fault.kind !== "sensor-stuck") return;
      if (begins) stuck.push({ fault, at: undefined });
      else
        stuck.splice(
          stuck.findIndex((each) => each.fault === fault),
          1,
        );
    },
    look(town, now) {
      const found = [];
      for (const each of stuck) each.at ??= now;
      for (const { id, station } of territory.junctions) {
        const wait_s = town.world.junctions.get(id)?.longestWait_s(now as Instant) ?? 0;
        const passes = wait_s > WAIT_CAP_S && (before.get(id) ?? 0) <= WAIT_CAP_S;
        before.set(id, wait_s);
        const dark = town.agent(station) === undefined || cut.has(station);
        if (dark) darkAt.set(station, now);
        if (dark || isBlind(station, now)) blindAt.set(id, now);
        const since_ms = now - (blindAt.get(id) ?? Number.NEGATIVE_INFINITY);
        if (since_ms > EXCUSED_MS.most || (since_ms > EXCUSED_MS.least && wait_s < WORKED_OFF_S)) blindAt.delete(id);
        if (passes && !blindAt.has(id)) found.push({ junction: id, wait_s });
      }
      cut.clear();
      return found;
    },
  };
}
