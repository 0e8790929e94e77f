import type { Detector, Junction, Street } from "#protocol/territory.ts";
import type { Detection } from "./detection.ts";
import type { Guard } from "./guard.ts";
import type { JunctionTables } from "./tables.ts";

/**
 * Who came on green and who on red (FHWA-HOP-20-002; Day et al. 2014, Performance Measures for Traffic Signal Systems).
 * With a loop before the stop line, a vehicle arrives when it would be at the line at the speed allowed there, and has the
 * colour of that moment; one that comes on amber comes on red. With a loop at the line alone, the first that stood on it
 * when green began came on red; of those that follow it without a gap, as many as come in that time of red, when they come
 * evenly from the moment on which the first stood there until the last has left; all others have the colour at which they cross.
 */
export interface Arrivals {
  green: number;
  red: number;
  /** The loops that tell of arrivals, by their device: before the line where a group has any there, else at it. */
  readonly loops: ReadonlyMap<string, Told>;
  /** Per group, when those on their way to the line will be there; oldest first. */
  readonly due: readonly number[][];
  /** Per group, the queue that clears in this green; a group with a loop before the line has none. */
  readonly queues: (Clearing | undefined)[];
  /** Groups whose arrivals are told at the line. */
  readonly atLine: number;
  /** What has been shown since the last step. */
  greens: number;
  flashing: boolean;
}

interface Told {
  readonly group: number;
  /** From the loop to the line; 0 at it. */
  readonly travel_ms: number;
}

interface Clearing {
  readonly greenAt: number;
  /** For how long of the red its first stood at the line. */
  readonly red_ms: number;
  left: number;
  lastAt: number;
}

/** A queue leaves with headways of about 2 s; a longer one than this ends it (FHWA-HOP-08-024, Signal Timing Manual). */
const HEADWAY_MS = 3000;
/** More are never on their way between a loop and its line; what comes on top is told at once. */
const MOST_COMING = 100;
/** On a street without a known speed, in km/h. */
const USUAL_KMH = 50;

export function createArrivals(
  tables: JunctionTables,
  junction: Pick<Junction, "approaches">,
  detectors: readonly Detector[],
  streets: readonly Pick<Street, "id" | "speed_kmh">[],
): Arrivals {
  const speedOf = (approach: string): number => {
    const street = junction.approaches.find(({ id }) => id === approach)?.street;
    return streets.find(({ id }) => id === street)?.speed_kmh ?? USUAL_KMH;
  };
  const loops = new Map<string, Told>();
  let atLine = 0;
  for (const [group, id] of tables.groups.entries()) {
    const own = detectors.filter((each) => each.group === id);
    const advance = own.filter(({ place }) => place === "advance");
    if (advance.length === 0 && own.length > 0) atLine |= 1 << group;
    for (const each of advance.length > 0 ? advance : own) {
      const travel_ms = each.place === "advance" ? (each.distance_m / speedOf(each.approach)) * 3600 : 0;
      loops.set(each.id, { group, travel_ms });
    }
  }
  return {
    green: 0,
    red: 0,
    loops,
    due: tables.groups.map(() => []),
    queues: tables.groups.map(() => undefined),
    atLine: atLine >>> 0,
    greens: 0,
    flashing: false,
  };
}

/** A loop has counted `vehicles` at steady time `now`. One that tells of no arrival is passed over. */
export function come(arrivals: Arrivals, device: string, vehicles: number, now: number): void {
  const told = arrivals.loops.get(device);
  if (told === undefined || vehicles === 0) return;
  const { group, travel_ms } = told;
  const coming = arrivals.due[group] as number[];
  if (travel_ms > 0 && coming.length + vehicles <= MOST_COMING) {
    for (let each = 0; each < vehicles; each++) coming.push(now + travel_ms);
    return;
  }
  const queue = arrivals.queues[group];
  if (queue === undefined) return tell(arrivals, group, vehicles);
  if (queue.left > 0 && now - queue.lastAt > HEADWAY_MS) {
    clear(arrivals, group);
    return tell(arrivals, group, vehicles);
  }
  queue.left += vehicles;
  queue.lastAt = now;
}

/** Takes note of one step, after the guard has settled what is shown from `now` on. */
export function noteArrivals(arrivals: Arrivals, guard: Guard, detection: Detection, now: number): void {
  for (let group = 0; group < arrivals.due.length; group++) {
    const coming = arrivals.due[group] as number[];
    while ((coming[0] ?? now + 1) <= now) {
      coming.shift();
      tell(arrivals, group, 1);
    }
  }
  const moved = (arrivals.greens ^ guard.greens) & arrivals.atLine;
  for (let group = 0; group < arrivals.due.length; group++) {
    const bit = 1 << group;
    if ((moved & bit) === 0) continue;
    clear(arrivals, group);
    if ((guard.greens & detection.occupied & bit) === 0) continue;
    const stoodSince = Math.max(guard.endedAt[group] as number, detection.stopLineAt[group] as number);
    arrivals.queues[group] = { greenAt: now, red_ms: now - stoodSince, left: 0, lastAt: now };
  }
  arrivals.greens = guard.greens;
  arrivals.flashing = guard.flashing;
}

/** By the colour that is shown now; flashing is neither. */
function tell(arrivals: Arrivals, group: number, vehicles: number): void {
  if (arrivals.flashing) return;
  if ((arrivals.greens >>> group) & 1) arrivals.green += vehicles;
  else arrivals.red += vehicles;
}

/** A queue has cleared, or its green is over. */
function clear(arrivals: Arrivals, group: number): void {
  const queue = arrivals.queues[group];
  arrivals.queues[group] = undefined;
  if (queue === undefined || queue.left === 0) return;
  const { left, red_ms, lastAt, greenAt } = queue;
  const red = 1 + ((left - 1) * red_ms) / (red_ms + lastAt - greenAt);
  arrivals.red += red;
  arrivals.green += left - red;
}
