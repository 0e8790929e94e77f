import type { GREEN_ENDS } from "#protocol/kinds.ts";
import type { Detection } from "./detection.ts";
import type { Guard } from "./guard.ts";
import type { JunctionTables } from "./tables.ts";

/**
 * What a junction says of itself, in the words of ATSPM (FHWA-HOP-20-002, Automated Traffic Signal Performance Measures):
 * how long someone waits, how greens ended, and split failures: greens too short for the queue they were meant for.
 */
export interface SignalMeasures {
  /** Groups where someone waits, and since when in steady ms; -1 where nobody does. */
  waiting: number;
  readonly waitingSince: Float64Array;
  /** Stages ended because nobody came any more, at their maximum, or from outside (guard, change of mode). */
  gapOuts: number;
  maxOuts: number;
  forceOffs: number;
  splitFailures: number;
  /** How the last green ended. */
  ended: (typeof GREEN_ENDS)[number];
  /** Per group: ms of its stop line occupied in this green, and in the first moments of the red after it. */
  readonly greenOccupied_ms: Float64Array;
  readonly redOccupied_ms: Float64Array;
  greens: number;
  /** Groups whose first moments of red are being watched. */
  watched: number;
  steppedAt: number;
}

/** A split failed when the stop line was occupied for more than this share of the green and of the first 5 s of red. */
const FAILED_SHARE = 0.79;
const FIRST_RED_MS = 5000;

export function createMeasures(tables: JunctionTables, now: number): SignalMeasures {
  return {
    waiting: 0,
    waitingSince: new Float64Array(tables.size).fill(-1),
    gapOuts: 0,
    maxOuts: 0,
    forceOffs: 0,
    splitFailures: 0,
    ended: "force-off",
    greenOccupied_ms: new Float64Array(tables.size),
    redOccupied_ms: new Float64Array(tables.size),
    greens: 0,
    watched: 0,
    steppedAt: now,
  };
}

/** A stage of which the greens are shown ends. */
export function noteEnd(measures: SignalMeasures, ended: SignalMeasures["ended"]): void {
  measures.ended = ended;
  if (ended === "gap-out") measures.gapOuts++;
  else if (ended === "max-out") measures.maxOuts++;
  else measures.forceOffs++;
}

/** Takes note of one step, after the guard has settled what is shown; `demand` are the groups where someone waits. */
export function measure(
  measures: SignalMeasures,
  guard: Guard,
  detection: Detection,
  demand: number,
  now: number,
): void {
  const waiting = (demand & ~guard.greens) >>> 0;
  if (waiting !== measures.waiting) noteWaits(measures, waiting, now);
  if (measures.watched !== 0 || detection.occupied !== 0) noteOccupancy(measures, guard, detection, now);
  if (guard.greens !== measures.greens) noteGreens(measures, guard);
  measures.steppedAt = now;
}

/** The longest that someone is known to wait at `now`, in s. */
export function longestWait_s(measures: SignalMeasures, now: number): number {
  let longest = 0;
  for (const since of measures.waitingSince) if (since >= 0) longest = Math.max(longest, now - since);
  return longest / 1000;
}

function noteWaits(measures: SignalMeasures, waiting: number, now: number): void {
  const moved = measures.waiting ^ waiting;
  measures.waiting = waiting;
  for (let i = 0; i < measures.waitingSince.length; i++) {
    if ((moved >>> i) & 1) measures.waitingSince[i] = (waiting >>> i) & 1 ? now : -1;
  }
}

function noteOccupancy(measures: SignalMeasures, guard: Guard, detection: Detection, now: number): void {
  const since = now - measures.steppedAt;
  for (let i = 0; i < guard.tables.size; i++) {
    const occupied = (detection.occupied >>> i) & 1 ? since : 0;
    if ((measures.greens >>> i) & 1) measures.greenOccupied_ms[i] = (measures.greenOccupied_ms[i] as number) + occupied;
    if (((measures.watched >>> i) & 1) === 0) continue;
    measures.redOccupied_ms[i] = (measures.redOccupied_ms[i] as number) + occupied;
    const ended = guard.endedAt[i] as number;
    if (now - ended < FIRST_RED_MS) continue;
    measures.watched = (measures.watched & ~(1 << i)) >>> 0;
    const green = (measures.greenOccupied_ms[i] as number) / Math.max(1, ended - (guard.startedAt[i] as number));
    const red = (measures.redOccupied_ms[i] as number) / Math.max(1, now - ended);
    if (green > FAILED_SHARE && red > FAILED_SHARE) measures.splitFailures++;
  }
}

function noteGreens(measures: SignalMeasures, guard: Guard): void {
  const begun = guard.greens & ~measures.greens;
  const ended = measures.greens & ~guard.greens & guard.tables.vehicles;
  for (let i = 0; i < guard.tables.size; i++) {
    if ((begun >>> i) & 1) measures.greenOccupied_ms[i] = 0;
    if ((ended >>> i) & 1) measures.redOccupied_ms[i] = 0;
  }
  measures.watched = ((measures.watched & ~begun) | ended) >>> 0;
  measures.greens = guard.greens;
}
