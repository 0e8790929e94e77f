/** One device as the world has it: what its wiring reads and what it does to the world. Times are true, ms since 1970 UTC. */
export interface Instrument {
  read(measure: string, now: number): number | undefined;
  write?(output: string, value: number, now: number): void;
}
