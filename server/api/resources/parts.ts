import type { Static, TSchema } from "@fastify/type-provider-typebox";
import { Type } from "../schema.ts";

/**
 * What several resources are made of. Times are milliseconds since 1970-01-01T00:00:00Z, shares lie between 0 and 1, and
 * every other quantity carries its unit at the end of its name.
 */
export const At = Type.Integer({ minimum: 0, description: "milliseconds since 1970-01-01T00:00:00Z" });
export const Id = Type.String({ maxLength: 64, pattern: "^[A-Za-z0-9][A-Za-z0-9._-]*$" });
export const NumberOrNull = Type.Unsafe<number | null>({ type: ["number", "null"] });
export const AtOrNull = Type.Unsafe<number | null>({ type: ["integer", "null"] });
export const TextOrNull = Type.Unsafe<string | null>({ type: ["string", "null"] });
/** Any JSON: what is recorded by others and shown as it is. */
export const Json = Type.Unsafe<unknown>({ description: "any JSON" });

export const Position = Type.Unsafe<readonly [lon: number, lat: number]>({
  type: "array",
  items: { type: "number" },
  minItems: 2,
  maxItems: 2,
  description: "longitude and latitude in degrees (WGS 84)",
});

/** A figure with its unit, the time it holds for, and its change against an hour before (null: unknown). */
export const Figure = Type.Object({
  figure: NumberOrNull,
  unit: Type.String(),
  at: AtOrNull,
  trend: NumberOrNull,
});
export type Figure = Static<typeof Figure>;

/** Facts by name; the unit ends the name. */
export const Evidence = Type.Record(
  Type.String(),
  Type.Unsafe<number | string | boolean | null>({ type: ["number", "string", "boolean", "null"] }),
);
export type Evidence = Static<typeof Evidence>;

export const Alternative = Type.Object({
  value: Json,
  refused: Type.String({ description: "the rule that refused it; its sentence is rule.{refused}" }),
  cost: Type.Optional(Type.Number()),
});
export type Alternative = Static<typeof Alternative>;

export const LineGeometry = Type.Object({
  type: Type.Literal("LineString"),
  coordinates: Type.Array(Position),
});

/** One page of a list; `next` is the cursor of the page after, null on the last one. */
export const pageOf = <Entry extends TSchema>(entry: Entry) =>
  Type.Object({ entries: Type.Array(entry), next: TextOrNull });
export interface Page<Entry> {
  readonly entries: Entry[];
  readonly next: string | null;
}

/** What every list takes. */
export const Paging = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 100 })),
  cursor: Type.Optional(Type.String({ maxLength: 200 })),
};

/** RFC 9457, with the code and the facts of the fault beside its sentence. */
export const Problem = Type.Object({
  type: Type.String(),
  title: Type.String({ description: "the code of the fault" }),
  status: Type.Integer(),
  detail: Type.String({ description: "one sentence in the language of Accept-Language (en or fr)" }),
  instance: Type.String(),
  facts: Type.Record(Type.String(), Type.Unsafe<string | number | boolean>({ type: ["string", "number", "boolean"] })),
  /** Where a request had wrong fields: the first is the one in `detail`. */
  fields: Type.Optional(Type.Array(Type.Object({ path: Type.String(), problem: Type.String() }))),
});
export type Problem = Static<typeof Problem>;
