import type { Reading } from "#protocol/messages.ts";
import type { Instant } from "#protocol/units.ts";
import { DAY } from "#protocol/units.ts";
import { quarterOf } from "./growth.ts";
import type { OwnPoint } from "./point.ts";

/** Sums by quarters of an hour, of streets or of junctions, from what the store holds. */
export interface Book {
  readonly subjects: readonly string[];
  /** Whose sums a reading belongs to, if any's. */
  subjectOf(reading: Reading): string | undefined;
  /** The sums of these subjects for each quarter of an hour of [from, to). Raises what the store raises. */
  sums(subjects: readonly string[], from: Instant, to: Instant): Promise<OwnPoint[]>;
}

export interface Booking {
  /** Takes note of readings that were committed: one of a quarter that is summed up already comes late. */
  take(readings: readonly Reading[]): void;
  /** Everything since `from` is to be summed up. */
  owe(from: Instant): void;
  /** Sums up what has become whole by `now`, and again what readings have come late for; resolves when it is said. */
  settle(now: Instant): Promise<void>;
  /** Readings that came too late to be booked. */
  tooLate(): number;
}

/** What was read longer ago is booked no more. */
const LATEST_MS = DAY;

/**
 * Books what was read to the quarter of an hour in which it was read. After a line was cut, what an outbox hands over has
 * its own instants: the quarters of that time are summed up again, and their points, of which the last written counts, say
 * what they would have said. Where the store fails, they are owed until it does not.
 */
export function createBooking(book: Book, say: (points: readonly OwnPoint[]) => void): Booking {
  /** From which quarter on each subject is to be summed up again. */
  let owed = new Map<string, Instant>();
  let summedTo: Instant | undefined;
  let tooLate = 0;
  let settling: Promise<void> = Promise.resolve();

  const owe = (subject: string, quarter: Instant): void => {
    const before = owed.get(subject);
    if (before === undefined || quarter < before) owed.set(subject, quarter);
  };

  const settleOwed = async (): Promise<void> => {
    const to = summedTo as Instant;
    const mine = owed;
    owed = new Map();
    const earliest = (to - LATEST_MS) as Instant;
    for (const [since, subjects] of Map.groupBy(mine.keys(), (subject) => mine.get(subject) as Instant)) {
      const from = since < earliest ? earliest : since;
      try {
        if (from < to) say(await book.sums(subjects, from, to));
      } catch {
        for (const subject of subjects) owe(subject, from);
      }
    }
  };

  return {
    take(readings) {
      if (summedTo === undefined) return;
      for (const reading of readings) {
        if (reading.at >= summedTo) continue;
        const subject = book.subjectOf(reading);
        if (subject === undefined) continue;
        if (summedTo - reading.at > LATEST_MS) tooLate++;
        else owe(subject, quarterOf(reading.at));
      }
    },
    owe(from) {
      for (const subject of book.subjects) owe(subject, quarterOf(from));
    },
    settle(now) {
      const to = quarterOf(now);
      if (summedTo !== undefined && to > summedTo) for (const subject of book.subjects) owe(subject, summedTo);
      summedTo = to;
      if (owed.size > 0) settling = settling.then(settleOwed);
      return settling;
    },
    tooLate: () => tooLate,
  };
}
