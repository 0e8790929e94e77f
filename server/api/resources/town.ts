import type { Static } from "@fastify/type-provider-typebox";
import { Type } from "../schema.ts";
import { At, AtOrNull, Evidence, Figure, Id, NumberOrNull, Position, TextOrNull } from "./parts.ts";

/** The territory as it was given, with what is needed to show it. */
export const Town = Type.Object({
  id: Id,
  name: Type.String(),
  timeZone: Type.String({ description: "IANA time zone" }),
  position: Position,
  attribution: TextOrNull,
  /** The FeatureCollection as it was given. */
  geojson: Type.Unsafe<{
    readonly type: "FeatureCollection";
    readonly features: readonly {
      readonly type: "Feature";
      readonly geometry: { readonly type: string; readonly coordinates: unknown };
      readonly properties: Readonly<Record<string, unknown>>;
    }[];
  }>({ type: "object" }),
});
export type Town = Static<typeof Town>;

/** Four sentences' worth of figures, one object a service and one for health. */
export const Now = Type.Object({
  at: At,
  /** "preparing": history is being laid down; figures are still empty. */
  state: Type.Enum(["ready", "preparing"]),
  /** Share of the history that is laid down; 1 when ready. */
  progress: Type.Number(),
  /** What stands in the way of going on, as a sentence in each language. */
  waitsFor: Type.Optional(Type.Object({ en: Type.String(), fr: Type.String() })),
  lighting: Type.Object({
    power_W: Figure,
    /**
     * Energy since the last local noon (by day: of the night before it), and what full output of the same lamps would
     * have taken while it was dark; `energyFrom` is where the counting begins.
     */
    energy_kWh: Figure,
    fullNight_kWh: Figure,
    /** Energy over full night, in percent. */
    energyShare_percent: Figure,
    energyFrom: AtOrNull,
    lampsLit: Figure,
    lamps: Type.Integer(),
    /** Lamps that are bright because someone is there. */
    peopleLit: Figure,
    failed: Figure,
  }),
  waste: Type.Object({
    over80: Figure,
    containers: Type.Integer(),
    fullest: Type.Union([Type.Object({ id: Id, fill: Type.Number() }), Type.Null()]),
    nextRound: Type.Union([Type.Object({ id: Id, at: At, stops: Type.Integer() }), Type.Null()]),
  }),
  traffic: Type.Object({
    vehiclesToday: Figure,
    longestWait_s: Figure,
    longestWaitAt: TextOrNull,
    queued: Figure,
    junctions: Type.Integer(),
    /** Junctions that run anything but their adaptive mode. */
    degraded: Figure,
  }),
  health: Type.Object({
    stationsLive: Figure,
    stationsSilent: Figure,
    stations: Type.Integer(),
    quarantined: Figure,
    alarmsOpen: Figure,
    overrides: Figure,
    readingsStored: Figure,
  }),
});
export type Now = Static<typeof Now>;

/** The last 24 hours of one service, one value a step; null where nothing was reported. */
export const History = Type.Object({
  service: Type.Enum(["lighting", "waste", "traffic"]),
  from: At,
  to: At,
  every_s: Type.Integer(),
  at: Type.Array(At),
  /**
   * By name (the unit ends it). lighting: `energy_kWh`, `fullNight_kWh`, `level`, `passes`; waste: `fill`, `over80`;
   * traffic: `vehicles`, `longest_wait_s`, `queue`.
   */
  series: Type.Record(Type.String(), Type.Array(NumberOrNull)),
});
export type History = Static<typeof History>;

/** All lamps in columns: now, or at the time the slider points to. */
export const LampLevels = Type.Object({
  at: At,
  ids: Type.Array(Type.String()),
  /** Share of rated flux, in the order of `ids`; null: never reported. */
  levels: Type.Array(NumberOrNull),
  /** Index into LAMP_RULES of protocol/kinds.ts; null: never reported. */
  rules: Type.Array(NumberOrNull),
});
export type LampLevels = Static<typeof LampLevels>;

/** Stations and what holds them together. */
export const StationHealth = Type.Object({
  station: Id,
  devices: Type.Integer(),
  kinds: Type.Array(Type.String()),
  online: Type.Boolean(),
  since: Type.Union([At, Type.Null()]),
  lastSeen: Type.Union([At, Type.Null()]),
  clockError_s: NumberOrNull,
  /** Readings that wait in its outbox, and readings it had to drop. */
  waiting: NumberOrNull,
  dropped: NumberOrNull,
  version: TextOrNull,
});
export type StationHealth = Static<typeof StationHealth>;

export const Fleet = Type.Object({
  at: At,
  entries: Type.Array(StationHealth),
  next: TextOrNull,
  totals: Type.Object({
    stations: Type.Integer(),
    live: Type.Integer(),
    silent: Type.Integer(),
    waiting: Type.Integer(),
    dropped: Type.Integer(),
    readingsStored: NumberOrNull,
    storeSize_B: NumberOrNull,
    quarantined: Type.Integer(),
  }),
});
export type Fleet = Static<typeof Fleet>;

export const QuarantineEntry = Type.Object({
  at: At,
  station: Type.String(),
  code: Type.String({ description: "the code of the fault" }),
  /** One sentence in the language asked for. */
  reason: Type.String(),
  facts: Type.Optional(Evidence),
  /** The first 512 bytes as they came: base64, and as text where they are text. */
  payload_base64: Type.String(),
  text: TextOrNull,
});
export type QuarantineEntry = Static<typeof QuarantineEntry>;
