import type { Instant } from "#protocol/units.ts";
import type { Description } from "./describe.ts";
import type { RolledPolicy } from "./influxql/rolled.ts";

/** Readings of one measure of one device in one step of time, summed up. */
export interface Sum {
  readonly device: string;
  readonly measure: string;
  /** Where the step begins. */
  readonly at: Instant;
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  readonly first: number;
  readonly last: number;
  /** When the first and the last were measured, where that is kept. */
  readonly firstAt?: Instant;
  readonly lastAt?: Instant;
  /** How the device was filed then, where that is kept. */
  readonly description?: Description;
}

/** From when on a store has readings, when it has dropped older ones. */
export interface Gone {
  /** Readings before it are gone. */
  readonly readings: Instant;
  /** A whole hour of UTC: steps before it are known only as they were summed up. */
  readonly whole: Instant;
  /** No step begins before it. */
  readonly first: Instant;
}

/** Steps of one policy together. */
export interface Tally {
  readonly steps: number;
  /** Readings that were summed up, and their sum. */
  readonly count: number;
  readonly sum: number;
  /** Where the first and the last step begin. */
  readonly first: Instant;
  readonly last: Instant;
}

export interface Span {
  readonly from: Instant;
  readonly to: Instant;
}

/**
 * What a store keeps of readings when it drops them, to be carried into another. Steps are of UTC. Spans begin with a step and
 * lie within one week from Monday to Monday, UTC.
 */
export interface Sums {
  /** Undefined while the readings of all that is summed up are there. */
  gone(): Promise<Gone | undefined>;
  /** Undefined where there is no step. */
  tally(policy: RolledPolicy, span: Span): Promise<Tally | undefined>;
  /** A piece after the other, in any order. A step of a device that has moved may come in parts, which together are the step. */
  read(policy: RolledPolicy, span: Span): AsyncIterable<readonly Sum[]>;
  /**
   * Steps before what is returned are from now on as they are taken over, and not summed up from what is there of their
   * readings. It is not after `whole`; before it, where there are older readings that say as much.
   */
  leave(gone: Gone): Promise<Instant>;
  /** Takes these steps over, durably once it resolves, and says how many came; what it had of the same steps goes. */
  take(policy: RolledPolicy, span: Span, pieces: AsyncIterable<readonly Sum[]>): Promise<number>;
}
