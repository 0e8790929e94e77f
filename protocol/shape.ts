import { Fault } from "./faults.ts";

/**
 * Shapes: one declaration gives the parser, the TypeScript type and the JSON Schema.
 * A parser turns `unknown` into a type or raises Fault PAYLOAD_INVALID with the path, what was found and what was expected.
 */
export interface Shape<T> {
  readonly schema: JsonSchema;
  readonly optional?: true;
  parse(value: unknown, path: string): T;
}
export type Shaped<S> = S extends Shape<infer T> ? T : never;
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

function refuse(path: string, found: unknown, expected: string): never {
  throw new Fault("PAYLOAD_INVALID", { path: path === "" ? "(whole)" : path, found: show(found), expected });
}

function show(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "number") return String(value);
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** A finite number within [min, max]; NaN and infinities are refused. */
export function number(min = -Number.MAX_VALUE, max = Number.MAX_VALUE): Shape<number> {
  const bounds = { ...(min > -Number.MAX_VALUE && { minimum: min }), ...(max < Number.MAX_VALUE && { maximum: max }) };
  return {
    schema: { type: "number", ...bounds },
    parse(value, path) {
      if (typeof value !== "number" || !Number.isFinite(value)) refuse(path, value, "a finite number");
      if (value < min || value > max) refuse(path, value, `a number from ${min} to ${max}`);
      return value;
    },
  };
}

export function integer(min = 0, max = Number.MAX_SAFE_INTEGER): Shape<number> {
  return {
    schema: { type: "integer", minimum: min, maximum: max },
    parse(value, path) {
      if (!Number.isSafeInteger(value)) refuse(path, value, "a whole number");
      const whole = value as number;
      if (whole < min || whole > max) refuse(path, value, `a whole number from ${min} to ${max}`);
      return whole;
    },
  };
}

/** A string of at most `most` characters that matches `pattern`. */
export function text(most = 200, pattern?: RegExp, expected?: string): Shape<string> {
  return {
    schema: { type: "string", maxLength: most, ...(pattern && { pattern: pattern.source }) },
    parse(value, path) {
      if (typeof value !== "string") refuse(path, value, expected ?? "a text");
      if (value.length > most) refuse(path, value, `a text of at most ${most} characters`);
      if (pattern && !pattern.test(value)) refuse(path, value, expected ?? `a text like ${pattern.source}`);
      return value;
    },
  };
}

/** An identifier: letters, digits, `-`, `_` and `.`, so that it fits into a topic, an address and a file name. */
export const identifier: Shape<string> = text(
  64,
  /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
  "an identifier (letters, digits, - _ .)",
);

export const boolean: Shape<boolean> = {
  schema: { type: "boolean" },
  parse(value, path) {
    if (typeof value !== "boolean") refuse(path, value, "true or false");
    return value;
  },
};

export function oneOf<const T extends readonly string[]>(...values: T): Shape<T[number]> {
  return {
    schema: { enum: values },
    parse(value, path) {
      if (!values.includes(value as string)) refuse(path, value, `one of ${values.join(", ")}`);
      return value as T[number];
    },
  };
}

export function list<T>(element: Shape<T>, most = 1000, least = 0): Shape<T[]> {
  return {
    schema: { type: "array", items: element.schema, maxItems: most, ...(least > 0 && { minItems: least }) },
    parse(value, path) {
      if (!Array.isArray(value)) refuse(path, value, "a list");
      if (value.length > most) refuse(path, `${value.length} entries`, `at most ${most} entries`);
      if (value.length < least) refuse(path, `${value.length} entries`, `at least ${least} entries`);
      const parsed: T[] = [];
      for (let index = 0; index < value.length; index++) parsed.push(element.parse(value[index], `${path}[${index}]`));
      return parsed;
    },
  };
}

export function optional<T>(shape: Shape<T>): Shape<T | undefined> & { readonly optional: true } {
  return {
    schema: shape.schema,
    optional: true,
    parse: (value, path) => (value === undefined || value === null ? undefined : shape.parse(value, path)),
  };
}

type Fields = Record<string, Shape<unknown>>;
type OptionalKeys<F> = { [K in keyof F]: F[K] extends { readonly optional: true } ? K : never }[keyof F];
type ObjectOf<F> = { [K in Exclude<keyof F, OptionalKeys<F>>]: Shaped<F[K]> } & {
  [K in OptionalKeys<F>]?: Exclude<Shaped<F[K]>, undefined>;
};

/** An object with these fields; unknown fields are refused, so that a misspelt one is not silently ignored. */
export function object<F extends Fields>(fields: F, extra: "refuse" | "ignore" = "refuse"): Shape<ObjectOf<F>> {
  const rows = Object.entries(fields);
  const required = Object.keys(fields).filter((key) => !fields[key]?.optional);
  return {
    schema: {
      type: "object",
      properties: Object.fromEntries(rows.map(([key, shape]) => [key, shape.schema])),
      required,
      ...(extra === "refuse" && { additionalProperties: false }),
    },
    parse(value, path) {
      if (typeof value !== "object" || value === null || Array.isArray(value)) refuse(path, value, "an object");
      const given = value as Record<string, unknown>;
      if (extra === "refuse") {
        for (const key of Object.keys(given)) {
          if (!Object.hasOwn(fields, key)) {
            refuse(join(path, key), given[key], `only ${Object.keys(fields).join(", ")}`);
          }
        }
      }
      const parsed: Record<string, unknown> = {};
      for (const [key, shape] of rows) {
        const result = shape.parse(given[key], join(path, key));
        if (result !== undefined) parsed[key] = result;
      }
      return parsed as ObjectOf<F>;
    },
  };
}

/** One of several objects told apart by the text in field `tag`. */
export function variant<Tag extends string, V extends Record<string, Shape<object>>>(
  tag: Tag,
  variants: V,
): Shape<{ [K in keyof V]: { [T in Tag]: K } & Shaped<V[K]> }[keyof V]> {
  return {
    schema: {
      oneOf: Object.entries(variants).map(([name, shape]) => ({
        ...shape.schema,
        properties: { [tag]: { const: name }, ...(shape.schema["properties"] as object) },
        required: [tag, ...(shape.schema["required"] as string[])],
      })),
    },
    parse(value, path) {
      if (typeof value !== "object" || value === null) refuse(path, value, "an object");
      const { [tag]: name, ...rest } = value as Record<string, unknown>;
      if (typeof name !== "string" || !Object.hasOwn(variants, name)) {
        refuse(join(path, tag), name, `one of ${Object.keys(variants).join(", ")}`);
      }
      return { [tag]: name, ...variants[name]?.parse(rest, path) } as never;
    },
  };
}

const join = (path: string, key: string): string => (path === "" ? key : `${path}.${key}`);
