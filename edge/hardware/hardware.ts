import type { Instant } from "#protocol/units.ts";

/** What hangs on this board and how to talk to it: the only door between an agent and the world. */
export interface Hardware {
  /** What a measure of a device reads now; undefined while the wiring does not answer. */
  read(device: string, measure: string): number | undefined;
  /** Sets an output of a device: `level` of a lamp; `greens`, `ambers` of a signal (bit i is group i). */
  write(device: string, output: string, value: number): void;
  /** Calls `listener` when an input moves by itself: a passage, a push, a vehicle on a loop. */
  watch(listener: (device: string, measure: string, at: Instant) => void): void;
  close(): void;
}
