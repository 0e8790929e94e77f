import type { Clock } from "#protocol/ports.ts";
import { seconds } from "#protocol/units.ts";
import type { ScheduledFault } from "#simulators/faults.ts";
import type { Town } from "#simulators/town.ts";

/** Watches that the town comes back by itself: two minutes after the last fault has ended, readings flow again. */
export interface RecoveryWatch {
  fault(fault: ScheduledFault, begins: boolean): void;
  /** How often the town had its two minutes undisturbed. */
  readonly recoveries: number;
  readonly failures: readonly string[];
}

const RECOVER_S = 120;
/** A station is looked at twice, so far apart: at any one moment it may just have taken something new. */
const APART_S = 10;

/** `newest` says when the newest acknowledged reading of a station was taken. */
export function recoveryWatch(
  clock: Clock,
  town: Town,
  stations: readonly string[],
  newest: (station: string) => number | undefined,
): RecoveryWatch {
  const failures: string[] = [];
  let recoveries = 0;
  let striking = 0;
  /** Grows with every beginning and end, so that a check knows whether it was undisturbed. */
  let turns = 0;

  const slow = (endedAt: number): string[] =>
    stations.filter((station) => {
      const { up = false, waiting = 0, diskFailing = false } = town.agent(station)?.stats() ?? {};
      // A busy station always has a reading on its way: what it took since the end has arrived, so all before has too.
      const off_ms = town.timeAt(station) - clock.now();
      return !up || diskFailing || (waiting > 0 && (newest(station) ?? 0) < endedAt + off_ms);
    });

  const judge = (kind: ScheduledFault["kind"], early: readonly string[], late: readonly string[]): void => {
    recoveries++;
    const still = late.filter((station) => early.includes(station));
    if (still.length === 0) return;
    const at = new Date(clock.now()).toISOString();
    failures.push(`${at} not-recovered: ${RECOVER_S} s after ${kind}, not back: ${still.slice(0, 5).join(", ")}`);
  };

  return {
    fault({ kind }, begins) {
      striking += begins ? 1 : -1;
      const turn = ++turns;
      if (striking > 0) return;
      const endedAt = clock.now();
      clock.after(seconds(RECOVER_S - APART_S), () => {
        const early = slow(endedAt);
        clock.after(seconds(APART_S), () => {
          if (turn === turns) judge(kind, early, slow(endedAt));
        });
      });
    },
    get recoveries() {
      return recoveries;
    },
    failures,
  };
}
