import type { Type as TypeBox } from "@fastify/type-provider-typebox";

type Hidden = Readonly<Record<`~${string}`, unknown>>;
type Schema = Record<string, unknown>;

/** TypeBox tells its types apart by fields that do not appear in the JSON. */
function schema(hidden: Hidden, shown: Schema): Schema {
  const made = { ...shown };
  for (const [key, value] of Object.entries(hidden)) {
    Object.defineProperty(made, key, { value, enumerable: false, configurable: true, writable: true });
  }
  return made;
}

/** Another name for the same schema with one hidden field more. */
function marked(given: Schema, key: `~${string}`, value: unknown): Schema {
  const made = Object.defineProperties({}, Object.getOwnPropertyDescriptors(given)) as Schema;
  return Object.defineProperty(made, key, { value, enumerable: false, configurable: true, writable: true });
}

const plain =
  (kind: string, type: string) =>
  (options?: Schema): Schema =>
    schema({ "~kind": kind }, { type, ...options });

const WORDS = {
  String: plain("String", "string"),
  Number: plain("Number", "number"),
  Integer: plain("Integer", "integer"),
  Boolean: plain("Boolean", "boolean"),
  Null: plain("Null", "null"),
  Literal: (value: string | number | boolean, options?: Schema) =>
    schema({ "~kind": "Literal" }, { type: typeof value, const: value, ...options }),
  Enum: (values: readonly string[], options?: Schema) => schema({ "~kind": "Enum" }, { enum: values, ...options }),
  Array: (items: Schema, options?: Schema) => schema({ "~kind": "Array" }, { type: "array", items, ...options }),
  Union: (anyOf: readonly Schema[], options?: Schema) => schema({ "~kind": "Union" }, { anyOf, ...options }),
  Object(properties: Record<string, Schema>, options?: Schema) {
    const required = Object.keys(properties).filter((key) => !("~optional" in (properties[key] as Schema)));
    return schema(
      { "~kind": "Object" },
      { type: "object", ...(required.length > 0 && { required }), properties, ...options },
    );
  },
  /** By names that are any text. */
  Record: (_: Schema, value: Schema, options?: Schema) =>
    schema({ "~kind": "Record" }, { type: "object", patternProperties: { "^.*$": value }, ...options }),
  Optional: (given: Schema) => marked(given, "~optional", true),
  Unsafe: (given: Schema) => marked(given, "~unsafe", null),
};

/**
 * The words in which the API's schemas are written: TypeBox's, with its types and what it makes of them, but without its
 * 15 MB of memory, which a server needs only to check a request. A test holds each word to TypeBox's own.
 */
export const Type = WORDS as unknown as Pick<typeof TypeBox, keyof typeof WORDS>;
