import type { Instant } from "#protocol/units.ts";

/**
 * What every function of control returns: the value, the rule that settled it, the facts it rested on, what else was
 * possible and why it was not taken, and until when it holds. Plain JSON, so that it can be journalled and computed again.
 */
export interface Decision<Value> {
  readonly value: Value;
  /** The rule that decided; its sentence in both languages is in the console's dictionary under `rule.{because}`. */
  readonly because: string;
  readonly evidence: Evidence;
  readonly alternatives: readonly Alternative<Value>[];
  readonly validUntil: Instant;
}

/** Facts by name; the unit ends the name. */
export type Evidence = Readonly<Record<string, number | string | boolean | null>>;

export interface Alternative<Value> {
  /** The value refused, or a short description of it where the whole would be long. */
  readonly value: Value | string;
  readonly refused: string;
  /** Its cost in the unit that the rule compares by, where it compares. */
  readonly cost?: number;
}
