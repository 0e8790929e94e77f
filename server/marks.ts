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
  const stations = new Map<string, Map<string, Progress>>();

  const progress = (station: string, epoch: string): Progress => {
    let epochs = stations.get(station);
    if (epochs === undefined) stations.set(station, (epochs = new Map()));
    let found = epochs.get(epoch);
    if (found === undefined) epochs.set(epoch, (found = { gathered: 0, committed: 0 }));
    return found;
  };
  const known = (station: string, epoch: string): Progress | undefined => stations.get(station)?.get(epoch);

  return {
    gathered: (station, epoch) => known(station, epoch)?.gathered ?? 0,
    committed: (station, epoch) => known(station, epoch)?.committed ?? 0,
    gather(station, epoch, upTo) {
      progress(station, epoch).gathered = upTo;
    },
    commit(contribution) {
      const found = progress(contribution.station, contribution.epoch);
      found.committed = Math.max(found.committed, upToOf(contribution));
      found.gathered = Math.max(found.gathered, found.committed);
    },
    forgetGathered() {
      for (const epochs of stations.values()) {
        for (const found of epochs.values()) found.gathered = found.committed;
      }
    },
    reset(marks) {
      stations.clear();
      for (const { station, epoch, upTo } of marks) {
        const found = progress(station, epoch);
        found.committed = Math.max(found.committed, upTo);
        found.gathered = found.committed;
      }
    },
  };
}
