import type { Clock } from "#protocol/ports.ts";
import { seconds } from "#protocol/units.ts";
import type { ScheduledFault } from "#simulators/faults.ts";
import type { Town } from "#simulators/town.ts";

/** Watches that the town comes back by itself: two minutes after the last fault has ended, readings flow again. */
export interface RecoveryWatch {
  began(fault: ScheduledFault): void;
  ended(fault: ScheduledFault): void;
  /** Faults after which the town had its two minutes, undisturbed. */
  readonly recoveries: number;
  readonly failures: string[];
}

const RECOVER_S = seconds(120);

/** `newest` says when the newest acknowledged reading of a station was taken. */
export function recoveryWatch(
  clock: Clock,
  town: Town,
  stations: Iterable<string>,
  newest: (station: string) => number | undefined,
): RecoveryWatch {
  const failures: string[] = [];
  const names = [...stations];
  let recoveries = 0;
  let striking = 0;
  /** Grows with every beginning and end, so that a check knows whether it was undisturbed. */
  let turns = 0;

  const check = (kind: ScheduledFault["kind"], endedAt: number): void => {
    recoveries++;
    const slow = names.filter((station) => {
      const { up = false, waiting = 0, diskFailing = false } = town.agent(station)?.stats() ?? {};
      // A busy station always has a reading on its way: what it took since the end has arrived, so all before has too.
      return !up || diskFailing || (waiting > 0 && (newest(station) ?? 0) < endedAt);
    });
    const [first] = slow;
    if (first === undefined) return;
    const at = new Date(clock.now()).toISOString();
    failures.push(
      `${at} not-recovered: ${RECOVER_S} s after ${kind}, ${first} and ${slow.length - 1} others are not back`,
    );
  };

  return {
    began() {
      striking++;
      turns++;
    },
    ended({ kind }) {
      striking--;
      const turn = ++turns;
      if (striking > 0) return;
      const endedAt = clock.now();
      clock.after(seconds(RECOVER_S + 0.001), () => {
        if (turn === turns) check(kind, endedAt);
      });
    },
    get recoveries() {
      return recoveries;
    },
    failures,
  };
}
