import type { Button, Detector, Junction } from "#protocol/territory.ts";
import type { JunctionTables } from "./tables.ts";

/**
 * What a junction knows of those who come: which stop lines are occupied, who passed the advance loops, who pressed a
 * button, and which inputs say nothing any more. Masks have one bit per signal group, times are steady ms.
 */
export interface Detection {
  readonly tables: JunctionTables;
  readonly inputs: readonly Input[];
  /** Stop line occupied now; button pressed and not yet served. */
  occupied: number;
  calls: number;
  /** Groups that are served as if someone always waited: without any input of their own, or with one not believed. */
  recall: number;
  /** The last passage or occupancy at the stop line, and the last passage of the advance loop. */
  readonly stopLineAt: Float64Array;
  readonly advanceAt: Float64Array;
  /** From the advance loop to the stop line; 0 for a group without one. */
  readonly travel_ms: Float64Array;
  /** Vehicles that passed the advance loop and not yet the stop line. */
  readonly queue: Float64Array;
}

export interface Input {
  readonly id: string;
  readonly group: number;
  readonly kind: "stop-line" | "advance" | "button";
  /** When it last answered or moved. */
  heardAt: number;
  /** The last count of vehicles; -1 before the first. */
  count: number;
  /** When it last counted someone, how many a ms it counted of late, and over how long that was learned; 0 before the first. */
  countedAt: number;
  rate: number;
  learned_ms: number;
  /** For how long since then it said nothing. */
  unheard_ms: number;
}

/**
 * A detector or button that has not answered for so long counts as occupied. Until this is noticed, whoever comes is not seen,
 * and a junction may rest against a queue; asked every 10 s, an input has missed three answers within half a minute.
 */
export const SILENT_MS = 20_000;
/**
 * A loop that still answers and has counted nobody for so long is doubted when by its own last quarter of an hour so many were
 * to be expected: an empty lane explains it once in 400 times, and then its group is served once too often. No red lasts so
 * long. One that has counted nobody since the cabinet began has nothing to be believed for: it is doubted after the same time,
 * until its first.
 */
const DOUBTED = { after_ms: 180_000, expected: 6, memory_ms: 900_000, least_ms: 60_000 };
/** All loops of a junction together are doubted when they expected so many: a dozen vehicles, each before and at the line. */
const BLIND_EXPECTED = 24;
/** No more vehicles than this pass a loop between two words of it: beyond, it was broken meanwhile. */
const CAUGHT_UP = 8;
/** The speed at which a vehicle is taken to come from the advance loop: slow drivers must not be cut off. */
const APPROACH_M_S = 9;
/** Without headway of more than this at the stop line a queue is still discharging. */
const STOP_LINE_GAP_MS = 1800;
/** Without an advance loop the stop line alone tells that more come, so it waits longer. */
const LONE_GAP_MS = 2800;

export function createDetection(
  tables: JunctionTables,
  junction: Pick<Junction, "groups">,
  detectors: readonly Detector[],
  buttons: readonly Button[],
  now: number,
): Detection {
  const index = new Map(junction.groups.map((group, i) => [group.id, i]));
  const travel_ms = new Float64Array(tables.size);
  const inputs: Input[] = [];
  for (const detector of detectors) {
    const group = index.get(detector.group) as number;
    inputs.push(inputOf(detector.id, group, detector.place, now));
    if (detector.place === "advance") travel_ms[group] = 500 + (detector.distance_m / APPROACH_M_S) * 1000;
  }
  for (const button of buttons) {
    inputs.push(inputOf(button.id, index.get(button.group) as number, "button", now));
  }
  const detection: Detection = {
    tables,
    inputs,
    occupied: 0,
    calls: 0,
    recall: 0,
    stopLineAt: new Float64Array(tables.size).fill(-1e9),
    advanceAt: new Float64Array(tables.size).fill(-1e9),
    travel_ms,
    queue: new Float64Array(tables.size),
  };
  judgeSilence(detection, now);
  return detection;
}

const inputOf = (id: string, group: number, kind: Input["kind"], now: number): Input => ({
  id,
  group,
  kind,
  heardAt: now,
  count: -1,
  countedAt: now,
  rate: DOUBTED.expected / DOUBTED.after_ms,
  learned_ms: 0,
  unheard_ms: 0,
});

/** The stop line becomes occupied or free. */
export function occupy(detection: Detection, input: Input, on: boolean, now: number): void {
  hear(input, now);
  detection.stopLineAt[input.group] = now;
  const bit = 1 << input.group;
  detection.occupied = (on ? detection.occupied | bit : detection.occupied & ~bit) >>> 0;
}

/** A loop has counted up to `count`. How many came just now: none when it tells of those who passed while it was not heard. */
export function count(detection: Detection, input: Input, total: number, now: number): number {
  hear(input, now);
  const more = input.count < 0 ? 0 : Math.max(0, total - input.count);
  input.count = total;
  if (more === 0) return 0;
  const { group } = input;
  learn(input, more, now);
  if (more > CAUGHT_UP) {
    // Those who passed while nothing was heard are long gone, and do not stand between the loops.
    detection.queue[group] = 0;
    return 0;
  }
  if (input.kind === "advance") {
    detection.advanceAt[group] = now;
    detection.queue[group] = (detection.queue[group] as number) + more;
  } else {
    detection.stopLineAt[group] = now;
    detection.queue[group] = Math.max(0, (detection.queue[group] as number) - more);
  }
  return more;
}

/**
 * An input moved or answered. The time in which it did neither teaches nothing about who comes; nor is it a reason to believe
 * a loop again that has not counted since.
 */
function hear(input: Input, now: number): void {
  const unheard_ms = now - input.heardAt;
  if (unheard_ms >= SILENT_MS) input.unheard_ms += unheard_ms;
  input.heardAt = now;
}

/**
 * With its first a loop shows that it counts: from here on its own rate is what it is held to, over the time in which it was
 * listened to. A cabinet that began a minute ago must not take the time before for empty. What a loop catches up with that
 * was stuck teaches nothing.
 */
function learn(input: Input, more: number, now: number): void {
  const idle_ms = now - input.countedAt - input.unheard_ms;
  input.countedAt = now;
  input.unheard_ms = 0;
  if (more > CAUGHT_UP) return;
  const isFirst = input.learned_ms === 0;
  const counted = isFirst ? 0 : input.rate * input.learned_ms;
  const listened_ms = isFirst ? Math.max(idle_ms, DOUBTED.least_ms) : input.learned_ms + idle_ms;
  input.rate = (counted + more) / listened_ms;
  input.learned_ms = Math.min(DOUBTED.memory_ms, listened_ms);
}

/** A button is pressed, or its call is served. */
export function call(detection: Detection, input: Input, waiting: boolean, now: number): void {
  hear(input, now);
  const bit = 1 << input.group;
  detection.calls = (waiting ? detection.calls | bit : detection.calls & ~bit) >>> 0;
}

/** Works out anew which groups are on recall; called now and then, after the inputs were asked. */
export function judgeSilence(detection: Detection, now: number): void {
  let heard = 0;
  let silent = 0;
  for (const input of detection.inputs) {
    const bit = 1 << input.group;
    if (!isBelieved(input, now)) silent |= bit;
    else if (input.kind !== "button" || (detection.tables.pedestrians & bit) !== 0) heard |= bit;
  }
  detection.recall = (silent | (detection.tables.all & ~heard)) >>> 0;
}

/** Whether an input answers, and what it says can be true. */
function isBelieved({ kind, heardAt, countedAt, rate }: Input, now: number): boolean {
  if (now - heardAt >= SILENT_MS) return false;
  const idle_ms = now - countedAt;
  return kind === "button" || idle_ms < DOUBTED.after_ms || idle_ms * rate < DOUBTED.expected;
}

/** Whether a junction cannot believe most of its loops, or not all of them together: it then knows too little of the traffic. */
export function isBlind({ inputs }: Detection, now: number): boolean {
  let loops = 0;
  let believed = 0;
  let countedAt = 0;
  let rate = 0;
  for (const input of inputs) {
    if (input.kind === "button") continue;
    loops++;
    if (!isBelieved(input, now)) continue;
    believed++;
    countedAt = Math.max(countedAt, input.countedAt);
    rate += input.rate;
  }
  return loops > 0 && (believed * 2 < loops || (now - countedAt) * rate >= BLIND_EXPECTED);
}

/**
 * The groups where someone waits or comes: `greens` and `endedAt` are what was shown. A vehicle that passed the advance
 * loop too late to reach the green counts until its group is green again.
 */
export function demandOf(detection: Detection, greens: number, endedAt: Float64Array): number {
  let demand = detection.occupied | detection.calls | detection.recall;
  const { advanceAt, travel_ms, tables } = detection;
  for (let i = 0; i < tables.size; i++) {
    if ((advanceAt[i] as number) > (endedAt[i] as number) - (travel_ms[i] as number)) demand |= 1 << i;
  }
  return (demand & ~greens) >>> 0;
}

/**
 * Whether one of these green vehicle groups still has someone to let through: at the stop line, or between the advance loop
 * and the stop line. `queueOnly` leaves out those still on their way: beyond its fair share a green is for the queue alone.
 * A group on recall has all of its fair share: who waits there unseen may need it.
 */
export function isExtended(detection: Detection, groups: number, now: number, queueOnly: boolean): boolean {
  if ((detection.occupied & groups) !== 0) return true;
  if (!queueOnly && (detection.recall & groups) !== 0) return true;
  for (let i = 0; i < detection.tables.size; i++) {
    if (((groups >>> i) & 1) === 0) continue;
    const travel = detection.travel_ms[i] as number;
    const gap = travel === 0 ? LONE_GAP_MS : STOP_LINE_GAP_MS;
    if (now - (detection.stopLineAt[i] as number) < gap) return true;
    if (!queueOnly && now - (detection.advanceAt[i] as number) < travel) return true;
  }
  return false;
}
