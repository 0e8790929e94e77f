/** Of the epochs of a station only the latest are remembered: a new one begins only when an outbox was lost. */
export const EPOCHS_KEPT = 8;

/** Something kept for each epoch of each station, bounded in the number of epochs. */
export interface Epochs<T> {
  find(station: string, epoch: string): T | undefined;
  /** What is kept for this epoch, made by `make` when it is new; the station's oldest epoch may give way. */
  of(station: string, epoch: string): T;
  [Symbol.iterator](): Iterator<readonly [station: string, epoch: string, kept: T]>;
  clear(): void;
}

export function createEpochs<T>(make: () => T): Epochs<T> {
  const stations = new Map<string, Map<string, T>>();
  return {
    find: (station, epoch) => stations.get(station)?.get(epoch),
    of(station, epoch) {
      let epochs = stations.get(station);
      if (epochs === undefined) stations.set(station, (epochs = new Map<string, T>()));
      let kept = epochs.get(epoch);
      if (kept === undefined) {
        epochs.set(epoch, (kept = make()));
        if (epochs.size > EPOCHS_KEPT) epochs.delete(epochs.keys().next().value as string);
      }
      return kept;
    },
    *[Symbol.iterator]() {
      for (const [station, epochs] of stations) {
        for (const [epoch, kept] of epochs) yield [station, epoch, kept];
      }
    },
    clear: () => stations.clear(),
  };
}
