import type { SignalGroup } from "#protocol/territory.ts";
import type { Instant, Seconds } from "#protocol/units.ts";
import { seconds } from "#protocol/units.ts";
import type { Doubt } from "./doubt.ts";
import { DOUBTS } from "./doubt.ts";

/** One word of a counter: how much it had counted at a moment. */
export interface Word {
  readonly at: number;
  readonly value: number;
}

export interface CounterHabit {
  /** It says its count at least so often. */
  readonly every_s: Seconds;
  /** Over less than this what it counted says little about an hour. */
  readonly least_s: Seconds;
}

/** Loops and cameras report each minute, buttons each quarter of an hour. */
export const HABITS = {
  vehicles: { every_s: seconds(60), least_s: seconds(300) },
  calls: { every_s: seconds(900), least_s: seconds(900) },
} as const satisfies Record<string, CounterHabit>;

/** A counter that has missed so many of its words is silent. */
const MISSED = 3;

/** What one counter says about an hour, or why it says nothing; doubted is one whose nothing is not believed. */
export type Rate = number | "silent" | "too-short" | "doubted";

/**
 * More than this in a minute, after the same count again and again, is no traffic that came at once: a counter that was stuck
 * says with one word what it counted meanwhile. Of a single word so much more is needed: two lanes that never stop flowing.
 */
const CAUGHT_UP = { afterIdle: 8, atOnce: 60 };

/**
 * Events an hour by one counter's words, oldest first: what it counted between its first and its last word, over the time
 * between these two, so that a time without words neither adds nor takes anything away. A count that falls is that of a
 * device begun anew: what was before is forgotten; so is what one caught up with that was stuck when its words begin, since
 * nobody knows from when on it counted that. Silent is one whose last word is older than three of its periods.
 */
export function rateOf(words: readonly Word[], now: Instant, habit: CounterHabit): Rate {
  const last = words.at(-1);
  if (last === undefined || now - last.at > MISSED * habit.every_s * 1000) return "silent";
  let start = words.length - 1;
  while (start > 0 && (words[start - 1] as Word).value <= (words[start] as Word).value) start--;
  let moved = start + 1;
  while (moved < words.length && (words[moved] as Word).value === (words[start] as Word).value) moved++;
  if (hasCaughtUp(words, start, moved, habit)) start = moved;
  const first = words[start] as Word;
  const span_ms = last.at - first.at;
  if (span_ms < habit.least_s * 1000) return "too-short";
  return ((last.value - first.value) * 3_600_000) / span_ms;
}

/** Whether a counter that said the same from `start` on then says with the word `moved` what it counted while it was stuck. */
function hasCaughtUp(words: readonly Word[], start: number, moved: number, { every_s }: CounterHabit): boolean {
  const [before, after] = [words[moved - 1] as Word, words[moved]];
  if (after === undefined) return false;
  const minutes = Math.max(every_s, (after.at - before.at) / 1000) / 60;
  const most = moved - start > 1 ? CAUGHT_UP.afterIdle : CAUGHT_UP.atOnce;
  return after.value - before.value > most * minutes;
}

/** How the count of one group came about. Loops before the stop line stand in for those at it. */
export interface Counted {
  readonly at: "stop-line" | "advance" | "button";
  /** Counters that the group has there, and how many of them are known: what these say is scaled to all. */
  readonly counters: number;
  readonly known: number;
}

/** One counter of a group and what it says. */
export interface Counter {
  readonly at: Counted["at"];
  readonly rate: Rate;
}

/**
 * What a group's counters say together, events an hour: each vehicle counted once, at the stop line where all of its
 * counters are known, else before it where all are; else the known ones at the line, or before it, scaled to all. Undefined
 * when none is known.
 */
export function countOf(counters: readonly Counter[]): {
  readonly perHour: number | undefined;
  readonly counted: Counted;
} {
  const places = (["stop-line", "advance", "button"] as const)
    .map((at) => ({ at, there: counters.filter((each) => each.at === at) }))
    .filter(({ there }) => there.length > 0)
    .map(({ at, there }) => {
      const known = there.flatMap(({ rate }) => (typeof rate === "number" ? [rate] : []));
      return { at, counters: there.length, known };
    });
  const [first] = places;
  const best =
    places.find((each) => each.known.length === each.counters) ?? places.find((each) => each.known.length > 0) ?? first;
  if (best === undefined) return { perHour: undefined, counted: { at: "stop-line", counters: 0, known: 0 } };
  const { at, known } = best;
  const sum = known.reduce((total, each) => total + each, 0);
  return {
    perHour: known.length === 0 ? undefined : Math.round((sum * best.counters * 10) / known.length) / 10,
    counted: { at, counters: best.counters, known: known.length },
  };
}

/** What the decision says about its counts: how many are known, and group by group what was taken in place of one. */
export function countEvidence(
  groups: readonly Pick<SignalGroup, "id" | "kind">[],
  counted: Readonly<Record<string, Counted>>,
  silent: readonly string[],
  doubted: Readonly<Record<string, Doubt>>,
): Record<string, number | string> {
  const named = (of: (each: Counted) => boolean, kind: SignalGroup["kind"]): string[] =>
    groups.flatMap(({ id, kind: own }) => {
      const each = counted[id];
      return each !== undefined && own === kind && of(each) ? [id] : [];
    });
  const of = Object.values(counted);
  const facts: Record<string, string[]> = {
    counted_before_line: named(({ at, known }) => at === "advance" && known > 0, "vehicle"),
    counted_in_part: [
      ...named(({ counters, known }) => known > 0 && known < counters, "vehicle"),
      ...named(({ counters, known }) => known > 0 && known < counters, "pedestrian"),
    ],
    assumed_as_planned: named(({ known }) => known === 0, "vehicle"),
    assumed_called: named(({ counters, known }) => counters > 0 && known === 0, "pedestrian"),
    silent_counters: [...silent],
    ...Object.fromEntries(
      DOUBTS.map((doubt) => [`doubted_${doubt}`, Object.keys(doubted).filter((each) => doubted[each] === doubt)]),
    ),
  };
  return {
    counters: of.reduce((sum, each) => sum + each.counters, 0),
    counters_known: of.reduce((sum, each) => sum + each.known, 0),
    ...Object.fromEntries(
      Object.entries(facts).flatMap(([name, ids]) => (ids.length > 0 ? [[name, ids.join(", ")] as const] : [])),
    ),
  };
}
