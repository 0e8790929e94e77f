import { HOUR } from "#protocol/units.ts";
import type { Contribution } from "./store.ts";

/** An hour of UTC with readings that the roll-ups lack, by the instant in milliseconds at which it begins. */
export type OpenHour = number;

/** What roll-ups ask of a database; every call may fail. */
export interface RollupServer {
  /** What was written down of hours: undefined when nothing ever was, else those that are still open. */
  openHours(): Promise<OpenHour[] | undefined>;
  /** Writes down that these hours are open, or that they are summed up. */
  noteHours(hours: readonly OpenHour[], are: "open" | "summed up"): Promise<void>;
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
}

/** Hours that are summed up by one question. */
const HOURS_AT_ONCE = 6;
/** Of a database without notes, at most the newest of these: ten years. */
const MOST_HOURS = 87_660;

export function createRollups(server: RollupServer): Rollups {
  /** On disk as open: nothing needs to be written when more comes into them. */
  const open = new Set<OpenHour>();
  /** Hours that a commit has touched since they were last taken to be summed up. */
  const touched = new Set<OpenHour>();
  const commits = new Set<ReadonlySet<OpenHour>>();
  let noting: Promise<unknown> = Promise.resolve();
  let working: Promise<unknown> = Promise.resolve();

  /** One after the other, so that of two words on one hour the later one is the last. */
  const note = (hours: readonly OpenHour[], are: "open" | "summed up"): Promise<void> => {
    const noted = noting.then(() => server.noteHours(hours, are));
    noting = noted.catch(() => {});
    return noted;
  };

  const noteOpen = async (hours: readonly OpenHour[]): Promise<void> => {
    if (hours.length === 0) return;
    await note(hours, "open");
    for (const hour of hours) open.add(hour);
  };

  const sumUpSome = async (hours: readonly [OpenHour, ...OpenHour[]]): Promise<void> => {
    for (const hour of hours) touched.delete(hour);
    for (const commit of commits) for (const hour of commit) touched.add(hour);
    await server.sumUp(hours[0], (hours.at(-1) as OpenHour) + HOUR);
    const whole = hours.filter((hour) => !touched.has(hour));
    if (whole.length === 0) return;
    // From here on whoever commits into them opens them again, and is written down after this.
    for (const hour of whole) open.delete(hour);
    await note(whole, "summed up").catch((problem: unknown) => {
      for (const hour of whole) open.add(hour);
      throw problem;
    });
  };

  const sumUpAll = async (pause: () => Promise<void>): Promise<number> => {
    let hours = 0;
    for (const some of runsOf([...open].sort((a, b) => a - b))) {
      await pause();
      await sumUpSome(some);
      hours += some.length;
    }
    return hours;
  };

  return {
    async start() {
      const found = await server.openHours();
      if (found !== undefined) {
        for (const hour of found) open.add(hour);
        return;
      }
      const span = await server.span();
      if (span === undefined) return;
      const [first, last] = [Math.max(span[0], span[1] - MOST_HOURS * HOUR), span[1]];
      await noteOpen(Array.from({ length: (last - first) / HOUR + 1 }, (_, index) => first + index * HOUR));
    },
    touch(contributions) {
      const hours = new Set<OpenHour>();
      for (const { readings } of contributions) for (const { at } of readings) hours.add(hourOf(at));
      commits.add(hours);
      for (const hour of hours) touched.add(hour);
      return {
        noted: noteOpen([...hours].filter((hour) => !open.has(hour))),
        written: () => commits.delete(hours),
      };
    },
    sumUp(pause = async () => {}) {
      const summed = working.then(() => sumUpAll(pause));
      working = summed.catch(() => {});
      return summed;
    },
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
