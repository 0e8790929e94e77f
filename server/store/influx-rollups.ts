import { HOUR } from "#protocol/units.ts";
import type { Contribution } from "./store.ts";

/** An hour of UTC with readings that the roll-ups lack, by the instant in milliseconds at which it begins. */
export type OpenHour = number;

export type NoteKind = "opened" | "summed";
/**
 * An hour is open if it was opened after it was summed up. The two are numbered and kept apart, so that a note that is late,
 * since its database was slow, cannot take back one that was written after it.
 */
export type HourNote = readonly [hour: OpenHour, opened: number, summed: number];

/** What roll-ups ask of a database; every call may fail. */
export interface RollupServer {
  /** Of every hour that something was written down of, the numbers of the last notes that it was opened, and summed up. */
  notes(): Promise<HourNote[]>;
  /** Writes down that these hours are open, or that they are summed up, each apart from the other. */
  note(hours: readonly OpenHour[], are: NoteKind, number: number): Promise<void>;
  /** From the hour of the oldest to that of the newest reading; undefined while there is none. */
  span(): Promise<readonly [first: OpenHour, last: OpenHour] | undefined>;
  /** Sums up the readings of whole hours, in [from, to), into both policies, in place of what was said there before. */
  sumUp(from: OpenHour, to: OpenHour): Promise<void>;
}

/** The readings of a database summed up by quarters of an hour and hours, as they come, late or not. */
export interface Rollups {
  /** Finds out what is open; a database that has no notes yet is open from its first reading on. */
  start(): Promise<void>;
  /**
   * Readings are about to be written: resolves when it is on disk that their hours are open, so that no crash can hide
   * them. `written` says that it is over, well or not.
   */
  touch(contributions: readonly Contribution[]): { readonly noted: Promise<void>; written(): void };
  /**
   * Sums up every open hour, the oldest first, and says how many; `pause` comes before each few hours, and when it rejects
   * the rest is left open. What is committed meanwhile stays open.
   */
  sumUp(pause?: () => Promise<void>): Promise<number>;
  /** The same of hours before an instant only, all of them. */
  sumUpBefore(hour: OpenHour): Promise<number>;
  /** These hours are summed up from readings that are elsewhere: nothing of them is open. */
  taken(hours: readonly OpenHour[]): Promise<void>;
}

/** Hours that are summed up by one question. */
const HOURS_AT_ONCE = 6;
/** Of a database without notes, at most the newest of these: ten years. */
const MOST_HOURS = 87_660;

export function createRollups(server: RollupServer): Rollups {
  /** What is to be summed up. */
  const open = new Set<OpenHour>();
  /** Of these, what is surely on disk as open: nothing needs to be written when more comes into them. */
  const noted = new Set<OpenHour>();
  /** Hours that a commit has touched since they were last taken to be summed up. */
  const touched = new Set<OpenHour>();
  const commits = new Set<ReadonlySet<OpenHour>>();
  let number = 0;
  let working: Promise<unknown> = Promise.resolve();

  const noteOpened = async (hours: readonly OpenHour[]): Promise<void> => {
    if (hours.length === 0) return;
    await server.note(hours, "opened", ++number);
    for (const hour of hours) {
      open.add(hour);
      noted.add(hour);
    }
  };

  const sumUpSome = async (hours: readonly [OpenHour, ...OpenHour[]]): Promise<void> => {
    for (const hour of hours) touched.delete(hour);
    for (const commit of commits) for (const hour of commit) touched.add(hour);
    await server.sumUp(hours[0], (hours.at(-1) as OpenHour) + HOUR);
    const whole = hours.filter((hour) => !touched.has(hour));
    if (whole.length === 0) return;
    // From here on whoever commits into them opens them again, under a higher number.
    for (const hour of whole) {
      open.delete(hour);
      noted.delete(hour);
    }
    await server.note(whole, "summed", ++number);
  };

  const sumUpAll = async (pause: () => Promise<void>, before = Number.POSITIVE_INFINITY): Promise<number> => {
    let hours = 0;
    for (const some of runsOf([...open].filter((hour) => hour < before).sort((a, b) => a - b))) {
      await pause();
      await sumUpSome(some);
      hours += some.length;
    }
    return hours;
  };

  /** One after the other. */
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const turn = working.then(work);
    working = turn.catch(() => {});
    return turn;
  };

  return {
    async start() {
      const notes = await server.notes();
      for (const [hour, opened, summed] of notes) {
        number = Math.max(number, opened, summed);
        if (opened <= summed) continue;
        open.add(hour);
        noted.add(hour);
      }
      if (notes.length > 0) return;
      const span = await server.span();
      if (span === undefined) return;
      const [first, last] = [Math.max(span[0], span[1] - MOST_HOURS * HOUR), span[1]];
      await noteOpened(Array.from({ length: (last - first) / HOUR + 1 }, (_, index) => first + index * HOUR));
    },
    touch(contributions) {
      const hours = new Set<OpenHour>();
      for (const { readings } of contributions) for (const { at } of readings) hours.add(hourOf(at));
      commits.add(hours);
      for (const hour of hours) touched.add(hour);
      return {
        noted: noteOpened([...hours].filter((hour) => !noted.has(hour))),
        written: () => commits.delete(hours),
      };
    },
    sumUp: (pause = async () => {}) => inTurn(() => sumUpAll(pause)),
    sumUpBefore: (hour) => inTurn(() => sumUpAll(async () => {}, hour)),
    taken: (hours) =>
      inTurn(async () => {
        for (const hour of hours) {
          open.delete(hour);
          noted.delete(hour);
        }
        await server.note(hours, "summed", ++number);
      }),
  };
}

/** Neighbouring hours together, a few at a time. */
function* runsOf(hours: readonly OpenHour[]): Generator<[OpenHour, ...OpenHour[]]> {
  let run: OpenHour[] = [];
  for (const hour of hours) {
    if (run.length > 0 && (run.length === HOURS_AT_ONCE || hour !== (run.at(-1) as OpenHour) + HOUR)) {
      yield run as [OpenHour, ...OpenHour[]];
      run = [];
    }
    run.push(hour);
  }
  if (run.length > 0) yield run as [OpenHour, ...OpenHour[]];
}

/** The first whole hour that InfluxDB can hold: nanoseconds in 64 bits. */
const FIRST_HOUR = Math.ceil(-9_223_372_036_000 / HOUR) * HOUR;

export const hourOf = (at: number): OpenHour => Math.max(FIRST_HOUR, Math.floor(at / HOUR) * HOUR);
