import type { VehiclesPerHour } from "#protocol/units.ts";
import type { Word } from "./counts.ts";

/**
 * Why a counter that counts nothing is not believed: its loop has been occupied all the while, vehicles passed its neighbours,
 * or it usually counts many at this hour.
 */
export const DOUBTS = ["occupied", "nearby", "usual"] as const;
export type Doubt = (typeof DOUBTS)[number];

/** The time in which a counter has said the same count again and again. */
export interface Idle {
  readonly from: number;
  readonly to: number;
  /** The count that it says. */
  readonly value: number;
  /** What it counted an hour in the time before, if that was long enough to say so. */
  readonly before?: VehiclesPerHour;
}

/** What else is known of the time in which a counter was idle. */
export interface Around {
  /** How many vehicles its neighbours counted in that time, for each counter in its place; undefined when none is known. */
  readonly nearby: number | undefined;
  /** What it counted an hour at the same time of other days, the least of them. */
  readonly usual: VehiclesPerHour | undefined;
  /** The share of that time in which its loop was occupied. */
  readonly occupancy: number | undefined;
}

/** Less than this says nothing, in ms: a lane may well be empty so long, or a train pass. */
const LEAST_MS = 300_000;
/** A lane where so many are expected stays empty by chance (Poisson) once in 160,000 times. */
const EXPECTED = 12;
/** A queue at its red moves on at the next green; one that never does is no queue. */
const OCCUPIED = 0.95;

/** The idle end of a counter's words, oldest first; undefined when it counted in the last five minutes or has said too little. */
export function idleOf(words: readonly Word[]): Idle | undefined {
  const last = words.at(-1);
  if (last === undefined) return undefined;
  let start = words.length - 1;
  while (start > 0 && (words[start - 1] as Word).value === last.value) start--;
  const from = (words[start] as Word).at;
  if (last.at - from < LEAST_MS) return undefined;
  let first = start;
  while (first > 0 && (words[first - 1] as Word).value <= (words[first] as Word).value) first--;
  const began = words[first] as Word;
  if (from - began.at < LEAST_MS) return { from, to: last.at, value: last.value };
  return {
    from,
    to: last.at,
    value: last.value,
    before: (((last.value - began.value) * 3_600_000) / (from - began.at)) as VehiclesPerHour,
  };
}

/** Whether an idle counter is to be doubted, and why; undefined when an empty lane explains it as well. */
export function doubtOf(idle: Idle, { nearby, usual, occupancy }: Around): Doubt | undefined {
  const hours = (idle.to - idle.from) / 3_600_000;
  if (occupancy !== undefined && occupancy >= OCCUPIED) return "occupied";
  if (nearby !== undefined && nearby >= EXPECTED) return "nearby";
  return Math.max(idle.before ?? 0, usual ?? 0) * hours >= EXPECTED ? "usual" : undefined;
}
