import { Type as TypeBox } from "@fastify/type-provider-typebox";
import { expect, test } from "vitest";
import { Type } from "#server/api/schema.ts";

/** Every word, one in another, with options and without. */
const written = (word: typeof Type) => ({
  plain: [word.String(), word.Number(), word.Integer(), word.Boolean(), word.Null()],
  bounded: [word.String({ maxLength: 64, pattern: "^a" }), word.Integer({ minimum: 1, default: 100 })],
  literals: [word.Literal("frame"), word.Literal(3), word.Literal(true, { description: "yes" })],
  choice: word.Enum(["en", "fr"], { description: "language" }),
  list: word.Array(word.Number({ minimum: 0 }), { maxItems: 3 }),
  either: word.Union([word.Object({ id: word.String() }), word.Null()], { description: "either" }),
  bag: word.Record(word.String(), word.Array(word.Number())),
  any: word.Unsafe<unknown>({ description: "any JSON" }),
  typed: word.Unsafe<number | null>({ type: ["number", "null"] }),
  thing: word.Object(
    {
      at: word.Integer(),
      note: word.Optional(word.String({ maxLength: 5 })),
      owner: word.Optional(word.Unsafe<string | null>({ type: ["string", "null"] })),
    },
    { additionalProperties: false },
  ),
  empty: word.Object({}),
  whole: word.Object({ note: word.Optional(word.Record(word.String(), word.Number())) }),
});

/** A value with what is hidden in it: TypeBox keeps the kind of a schema in fields that JSON does not show. */
function laidOpen(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(laidOpen);
  if (typeof value !== "object" || value === null) return value;
  return Object.getOwnPropertyNames(value)
    .sort()
    .map((key) => [
      key,
      Object.getOwnPropertyDescriptor(value, key)?.enumerable,
      laidOpen((value as Record<string, unknown>)[key]),
    ]);
}

test("each word makes what TypeBox makes of it, to the field that is not shown", () => {
  expect(laidOpen(written(Type))).toEqual(laidOpen(written(TypeBox as typeof Type)));
});

test("making a schema optional leaves the schema itself as it was", () => {
  const name = Type.String();
  Type.Optional(name);
  expect(Type.Object({ name })).toEqual({
    type: "object",
    required: ["name"],
    properties: { name: { type: "string" } },
  });
});
