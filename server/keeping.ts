import type { Cancel, Clock } from "#protocol/ports.ts";
import type { Instant } from "#protocol/units.ts";
import { DAY, seconds } from "#protocol/units.ts";
import type { Alarms } from "./alarms.ts";
import type { Offsets } from "./offsets.ts";
import type { Store } from "./store/store.ts";

/** How long readings are kept, in days; what is not said is kept for good. Hourly roll-ups always are. */
export interface Retention {
  readonly raw_d?: number;
  /** Of the roll-ups by quarters of an hour, and of what the server writes of itself. */
  readonly quarters_d?: number;
}

export interface Keeping {
  start(): void;
  /** Ends what is under way; the next start goes on with it. */
  stop(): Promise<void>;
}

/** Readings of the last days stay where they can be written to: what comes late is mostly of these. */
const HOT_D = 2;
/** Local time; few readings come then, and nobody looks at a dashboard. */
const QUIET_HOUR = 4;
/** After a start what a server that was down has missed is made up for, once the stations have come back. */
const AFTER_START = seconds(600);
/** Between two steps of a compaction commits go first. */
const PAUSE = seconds(0.05);

/** Once a day, in a quiet hour, moves what has cooled into archives and drops what is past its time. */
export function createKeeping({
  store,
  clock,
  offsets,
  alarms,
  retention,
}: {
  readonly store: Store;
  readonly clock: Clock;
  readonly offsets: Offsets;
  readonly alarms: Alarms;
  readonly retention: Retention;
}): Keeping {
  let cancel: Cancel = () => {};
  let working: Promise<void> = Promise.resolve();
  let isStopping = false;

  const ago = (days: number): Instant => (clock.now() - days * DAY) as Instant;
  const pause = (): Promise<void> =>
    new Promise((resolve, reject) => {
      if (isStopping) reject(new Stopped());
      else clock.after(PAUSE, resolve);
    });

  async function prune(): Promise<void> {
    const { raw_d, quarters_d } = retention;
    if (raw_d !== undefined) await store.prune(ago(raw_d), quarters_d === undefined ? undefined : ago(quarters_d));
  }

  async function keep(): Promise<void> {
    // First, so that nothing is dropped that is in no roll-up yet.
    await store.compact?.(ago(HOT_D), pause);
    await prune();
  }

  function work(task: () => Promise<void>): void {
    working = working.then(task).catch((problem: unknown) => {
      if (problem instanceof Stopped) return;
      alarms.raise({ key: "store-failing", subject: "retention", facts: { problem: String(problem) } });
    });
  }

  function next(at: Instant): void {
    cancel = clock.after(seconds((at - clock.now()) / 1000), () => {
      work(keep);
      next(offsets.nextAt(clock.now(), QUIET_HOUR));
    });
  }

  return {
    start() {
      if (store.compact === undefined) work(prune);
      next(
        store.compact === undefined
          ? offsets.nextAt(clock.now(), QUIET_HOUR)
          : ((clock.now() + AFTER_START * 1000) as Instant),
      );
    },
    async stop() {
      isStopping = true;
      cancel();
      await working;
    },
  };
}

class Stopped extends Error {}
