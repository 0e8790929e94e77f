/** One figure of the bench: what was measured, what it must reach and what it aims at. */
export interface Row {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly must?: number;
  readonly aim?: number;
  readonly better: "more" | "less";
  /** Spread over runs or seeds, where there were several. */
  readonly spread?: readonly [min: number, max: number];
}
