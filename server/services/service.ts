import type { DecisionName } from "#control/decide.ts";
import type { Decision } from "#control/decision.ts";
import type { Order } from "#protocol/messages.ts";
import type { Clock } from "#protocol/ports.ts";
import type { Territory } from "#protocol/territory.ts";
import type { Instant } from "#protocol/units.ts";
import type { Offsets } from "../offsets.ts";
import type { Policies } from "../policies.ts";
import type { Registry } from "../registry.ts";
import type { Store } from "../store/store.ts";

/** One of the town's services, as the loop runs it: what it decides about, when, and from what. */
export interface Service {
  /** The function of control that decides; also the name of the policy. */
  readonly name: DecisionName;
  /** The streets, junctions or depots that it decides about, in a fixed order. */
  readonly subjects: readonly string[];
  /** When the next decision about a subject is due; `last`: when it was last decided, if ever. */
  dueAt(subject: string, last: Instant | undefined): Instant;
  /** Gathers the inputs from what was reported and stored, and decides. Undefined: there is nothing to decide about. */
  decide(subject: string, now: Instant): Promise<Outcome | undefined>;
}

export interface Outcome {
  readonly inputs: unknown;
  readonly decision: Decision<unknown>;
  /** What acting on it means. */
  readonly orders: readonly DeviceOrder[];
  /** What is done instead where the policy may not act. */
  readonly otherwise?: Outcome;
}

export interface DeviceOrder {
  readonly device: string;
  readonly order: Order;
  readonly expiresAt: Instant;
}

/** What a service may look at. */
export interface ServiceParts {
  readonly territory: Territory;
  readonly store: Store;
  readonly registry: Registry;
  readonly policies: Policies;
  readonly clock: Clock;
  readonly offsets: Offsets;
}

/** How far back usual weeks are learned from. */
export const HISTORY_DAYS = 28;
