import { createEpochs } from "./store/epochs.ts";
import type { Contribution, Mark } from "./store/store.ts";
import { upToOf } from "./store/store.ts";

/**
 * Up to which number each station's readings are here, twice: gathered (taken into a group that is not yet on disk) and
 * committed. An early batch is told by the first, a receipt is written from the second.
 */
export interface Marks {
  gathered(station: string, epoch: string): number;
  committed(station: string, epoch: string): number;
  gather(station: string, epoch: string, upTo: number): void;
  commit(contribution: Contribution): void;
  /** What was gathered is not coming to disk. */
  forgetGathered(): void;
  /** Forgets all and starts from what the store says. */
  reset(marks: readonly Mark[]): void;
}

interface Progress {
  gathered: number;
  committed: number;
}

export function createMarks(): Marks {
  const epochs = createEpochs((): Progress => ({ gathered: 0, committed: 0 }));
  return {
    gathered: (station, epoch) => epochs.find(station, epoch)?.gathered ?? 0,
    committed: (station, epoch) => epochs.find(station, epoch)?.committed ?? 0,
    gather(station, epoch, upTo) {
      epochs.of(station, epoch).gathered = upTo;
    },
    commit(contribution) {
      const found = epochs.of(contribution.station, contribution.epoch);
      found.committed = Math.max(found.committed, upToOf(contribution));
      found.gathered = Math.max(found.gathered, found.committed);
    },
    forgetGathered() {
      for (const [, , found] of epochs) found.gathered = found.committed;
    },
    reset(marks) {
      epochs.clear();
      for (const { station, epoch, upTo } of marks) {
        const found = epochs.of(station, epoch);
        found.committed = Math.max(found.committed, upTo);
        found.gathered = found.committed;
      }
    },
  };
}
