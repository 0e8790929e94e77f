import type { Static } from "@fastify/type-provider-typebox";
import { Type } from "../schema.ts";
import { DEVICE_KINDS } from "#protocol/kinds.ts";
import type { Order } from "#protocol/messages.ts";
import { Alternative, At, AtOrNull, Evidence, Id, Json, NumberOrNull, Position, TextOrNull } from "./parts.ts";

export const DeviceKindName = Type.Enum(DEVICE_KINDS);

/** The newest value of a measure, with its age. */
export const LatestValue = Type.Object({
  value: Type.Number(),
  unit: Type.String(),
  /** The name of the value where the measure is a choice (`rule`, `mode`, `failed`, `waiting`). */
  name: TextOrNull,
  at: At,
  receivedAt: AtOrNull,
  age_s: Type.Number(),
  /** Older than twice its reporting time. */
  stale: Type.Boolean(),
});
export type LatestValue = Static<typeof LatestValue>;

/** A device as the list shows it: `measure` and `latest` are the one value that says most about its kind. */
export const Device = Type.Object({
  id: Id,
  kind: DeviceKindName,
  service: Type.Enum(["lighting", "waste", "traffic", "environment"]),
  station: Id,
  street: TextOrNull,
  zone: TextOrNull,
  junction: TextOrNull,
  position: Position,
  online: Type.Boolean(),
  lastSeen: AtOrNull,
  measure: TextOrNull,
  latest: Type.Union([LatestValue, Type.Null()]),
  overridden: Type.Boolean(),
});
export type Device = Static<typeof Device>;

export const OVERRIDE_SCOPES = ["device", "group", "street", "zone"] as const;
/** An order by hand: a lamp's level, or what a junction runs. */
export const OverrideOrder = Type.Union([
  Type.Object(
    { action: Type.Literal("lamp-override"), level: Type.Number({ minimum: 0, maximum: 1 }) },
    { additionalProperties: false },
  ),
  Type.Object(
    { action: Type.Literal("signal-override"), mode: Type.Enum(["frame", "fixed", "flash"]) },
    { additionalProperties: false },
  ),
]);
export type OverrideOrder = Static<typeof OverrideOrder>;

export const Override = Type.Object({
  id: Id,
  author: Type.String(),
  reason: Type.String(),
  scope: Type.Object({ kind: Type.Enum([...OVERRIDE_SCOPES]), id: Type.String() }),
  order: OverrideOrder,
  from: At,
  until: At,
  state: Type.Enum(["active", "released", "expired"]),
  /** The devices it reaches. */
  devices: Type.Array(Type.String()),
  endedAt: AtOrNull,
  endedBy: TextOrNull,
});
export type Override = Static<typeof Override>;

/** Devices under one name: the lamps of a feeder, or what a person has put together. */
export const Group = Type.Object({ id: Type.String(), name: Type.String(), devices: Type.Array(Type.String()) });
export type Group = Static<typeof Group>;

export const NewOverride = Type.Object(
  {
    scope: Type.Object(
      { kind: Type.Enum([...OVERRIDE_SCOPES]), id: Type.String({ minLength: 1, maxLength: 64 }) },
      { additionalProperties: false },
    ),
    order: OverrideOrder,
    reason: Type.String({ minLength: 1, maxLength: 300 }),
    until: At,
  },
  { additionalProperties: false },
);
export type NewOverride = Static<typeof NewOverride>;

/** An order for a device, and how far it came. */
export const CommandState = Type.Object({
  order: Type.Unsafe<Order>({ type: "object", description: "an order as in docs/messages.schema.json" }),
  progress: Type.Enum(["waiting", "sent", "applied", "refused", "expired", "ended"]),
  /** When it was decided. */
  since: At,
  expiresAt: At,
  /** The journal entry behind it. */
  decision: TextOrNull,
  answeredAt: AtOrNull,
  /** Why the device refused. */
  because: TextOrNull,
});
export type CommandState = Static<typeof CommandState>;

export const Twin = Type.Object({
  ...Device.properties,
  /** Every measure of the kind that was ever reported. */
  reported: Type.Record(Type.String(), LatestValue),
  /** What it should do now, and by whom: the hand before the machine. */
  desired: Type.Union([Type.Object({ ...CommandState.properties, by: Type.Enum(["machine", "hand"]) }), Type.Null()]),
  /** The machine's own plan, also while a hand is on the device. */
  machine: Type.Union([CommandState, Type.Null()]),
  hand: Type.Union([CommandState, Type.Null()]),
  override: Type.Union([Override, Type.Null()]),
  accepts: Type.Array(Type.String()),
  stationClockError_s: NumberOrNull,
  stationWaiting: NumberOrNull,
});
export type Twin = Static<typeof Twin>;

/** The drawer "why?": one device, its value now, and everything behind it. */
export const Why = Type.Object({
  device: Id,
  kind: DeviceKindName,
  at: At,
  measure: TextOrNull,
  latest: Type.Union([LatestValue, Type.Null()]),
  /** The rule that decided; its sentence is `rule.{because}` in the dictionary. */
  because: TextOrNull,
  evidence: Evidence,
  alternatives: Type.Array(Alternative),
  validUntil: AtOrNull,
  /** The journal entry behind it, and the value it decided. */
  decision: TextOrNull,
  value: Json,
  override: Type.Union([Override, Type.Null()]),
  /** What the machine would do if the hand let go; null without an override. */
  machine: Type.Union([Type.Object({ because: Type.String(), value: Json }), Type.Null()]),
});
export type Why = Static<typeof Why>;

/** Readings as they came, or one row a step with `every`. */
export const Readings = Type.Object({
  device: Id,
  measure: Type.String(),
  unit: Type.String(),
  from: At,
  to: At,
  every_s: NumberOrNull,
  /** True when more were stored than `limit`: ask again from the last `at`. */
  more: Type.Boolean(),
  rows: Type.Array(
    Type.Object({
      at: At,
      value: Type.Number({ description: "the value, or the mean of the step" }),
      count: Type.Optional(Type.Integer()),
      min: Type.Optional(Type.Number()),
      max: Type.Optional(Type.Number()),
      first: Type.Optional(Type.Number()),
      last: Type.Optional(Type.Number()),
    }),
  ),
});
export type Readings = Static<typeof Readings>;
