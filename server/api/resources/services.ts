import type { Static } from "@fastify/type-provider-typebox";
import { Type } from "../schema.ts";
import {
  Alternative,
  At,
  AtOrNull,
  Evidence,
  Id,
  Json,
  LineGeometry,
  NumberOrNull,
  Position,
  TextOrNull,
} from "./parts.ts";

/** A junction as the list and the map show it. */
export const Junction = Type.Object({
  id: Id,
  name: Type.String(),
  position: Position,
  online: Type.Boolean(),
  /** One of SIGNAL_MODES; null: never reported. */
  mode: TextOrNull,
  /** The stage shown; null between stages. */
  stage: TextOrNull,
  /** Signal groups that are green now. */
  greens: Type.Array(Type.String()),
  longestWait_s: NumberOrNull,
  queue: NumberOrNull,
  at: AtOrNull,
  overridden: Type.Boolean(),
});
export type Junction = Static<typeof Junction>;

export const JunctionDetail = Type.Object({
  ...Junction.properties,
  approaches: Type.Array(
    Type.Object({ id: Id, street: Id, streetName: Type.String(), bearing_deg: Type.Number(), lanes: Type.Integer() }),
  ),
  groups: Type.Array(
    Type.Object({
      id: Id,
      kind: Type.Enum(["vehicle", "pedestrian"]),
      approach: TextOrNull,
      turns: Type.Array(Type.String()),
      green: Type.Boolean(),
      /** Someone waits: a pressed button, or an occupied loop while the group is not green. */
      waiting: Type.Boolean(),
      occupancy: NumberOrNull,
    }),
  ),
  stages: Type.Array(Type.Object({ id: Id, groups: Type.Array(Type.String()) })),
  /** The bound that nobody's wait passes. */
  waitBound_s: Type.Number(),
  /** The frame it adapts inside, with the decision behind it. */
  frame: Type.Union([
    Type.Object({
      cycle_s: Type.Number(),
      offset_s: Type.Number(),
      until: At,
      stages: Type.Array(
        Type.Object({ stage: Id, min_s: Type.Number(), target_s: Type.Number(), max_s: Type.Number() }),
      ),
      decision: TextOrNull,
    }),
    Type.Null(),
  ]),
});
export type JunctionDetail = Static<typeof JunctionDetail>;

export const Container = Type.Object({
  id: Id,
  position: Position,
  street: TextOrNull,
  stream: Type.String(),
  place: Type.String(),
  volume_L: Type.Number(),
  fill: NumberOrNull,
  at: AtOrNull,
  online: Type.Boolean(),
  temperature_C: NumberOrNull,
  /** From the day's decision: fill at the time of a visit (half, and nine in ten, of the cases below it). */
  forecast: Type.Union([Type.Object({ at: At, q50: Type.Number(), q90: Type.Number() }), Type.Null()]),
  /** Why today's round comes or does not come: a rule key. */
  because: TextOrNull,
  round: TextOrNull,
});
export type Container = Static<typeof Container>;

export const Round = Type.Object({
  id: Id,
  /** Local date, like 2026-03-02. */
  day: Type.String(),
  depot: Id,
  vehicle: Id,
  state: Type.Enum(["planned", "under-way", "done"]),
  departure: At,
  end: At,
  /** Containers, and those of them that the vehicle has reported as emptied. */
  stops: Type.Integer(),
  served: Type.Integer(),
  duration_s: Type.Number(),
  driving_s: Type.Number(),
  load_L: NumberOrNull,
  decision: Id,
});
export type Round = Static<typeof Round>;

export const RoundDetail = Type.Object({
  ...Round.properties,
  sites: Type.Array(
    Type.Object({
      index: Type.Integer(),
      site: Id,
      what: Type.Enum(["container", "tipping-site", "depot"]),
      position: Position,
      street: TextOrNull,
      streetName: TextOrNull,
      stream: TextOrNull,
      volume_L: NumberOrNull,
      eta: At,
      q50: NumberOrNull,
      q90: NumberOrNull,
      because: TextOrNull,
      served: Type.Boolean(),
    }),
  ),
  /** Containers of this depot that nobody visits that day, with the reason. */
  skipped: Type.Array(Type.Object({ container: Id, street: TextOrNull, because: Type.String(), q90: NumberOrNull })),
  /** The way along the streets. */
  path: LineGeometry,
});
export type RoundDetail = Static<typeof RoundDetail>;

export const POLICY_NAMES = ["lighting.programme", "traffic.frame", "waste.rounds"] as const;
export const MODES = ["shadow", "pilot", "general"] as const;

/** Where a pilot acts, and what it is compared with: names of streets, junctions, depots or zones. */
const Places = Type.Array(Type.String({ maxLength: 64 }), { maxItems: 1000 });
export const Pilot = Type.Object({ acting: Places, control: Places }, { additionalProperties: false });
export type Pilot = Static<typeof Pilot>;

export const Policy = Type.Object({
  name: Type.Enum([...POLICY_NAMES]),
  /** Shadow decides and records; pilot acts on a group beside a control group; general acts everywhere. */
  mode: Type.Enum([...MODES]),
  pilot: Pilot,
  /** By name; the unit ends it. `bounds` says what each may be. */
  parameters: Type.Record(Type.String(), Type.Number()),
  bounds: Type.Record(Type.String(), Type.Object({ usual: Type.Number(), min: Type.Number(), max: Type.Number() })),
  /** 0: never changed by anyone. */
  changedAt: At,
  changedBy: Type.String(),
});
export type Policy = Static<typeof Policy>;

export const PolicyChange = Type.Object(
  {
    mode: Type.Enum([...MODES]),
    pilot: Type.Optional(Pilot),
    parameters: Type.Optional(Type.Record(Type.String(), Type.Number())),
  },
  { additionalProperties: false },
);
export type PolicyChange = Static<typeof PolicyChange>;

/** A decision as the journal lists it. */
export const DecisionEntry = Type.Object({
  id: Id,
  at: At,
  /** `lighting.programme`, `traffic.frame`, `waste.rounds`, or an act of a person: `override.create`, `policy.change`… */
  name: Type.String(),
  subject: Type.String(),
  /** The rule that decided; its sentence is `rule.{because}`. */
  because: Type.String(),
  mode: Type.Enum(["shadow", "pilot", "general", "hand"]),
  acted: Type.Boolean(),
  /** The person, where a person acted. */
  author: TextOrNull,
  validUntil: At,
});
export type DecisionEntry = Static<typeof DecisionEntry>;

export const DecisionDetail = Type.Object({
  ...DecisionEntry.properties,
  value: Json,
  evidence: Evidence,
  alternatives: Type.Array(Alternative),
  inputs: Json,
  hash: Type.String(),
  previous: Type.String(),
  /** Whether the same function can compute it again. */
  replayable: Type.Boolean(),
});
export type DecisionDetail = Static<typeof DecisionDetail>;

/** The verdict of computing a decision again from its recorded inputs. */
export const Replay = Type.Object({
  id: Id,
  /** Bit for bit the same. */
  same: Type.Boolean(),
  hash: Type.String(),
  /** Where they part, when they differ. */
  recorded: TextOrNull,
  now: TextOrNull,
});
export type Replay = Static<typeof Replay>;

export const Verification = Type.Object({
  whole: Type.Boolean(),
  entries: Type.Integer(),
  head: Type.String(),
  /** What is wrong, where the chain is broken. */
  problem: TextOrNull,
});
export type Verification = Static<typeof Verification>;
