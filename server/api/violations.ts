import type { FastifySchemaValidationError } from "fastify/types/schema.js";

/** A field that is not as it should be. */
export interface Violation {
  /** Like `scope.kind`; empty for the whole. */
  readonly path: string;
  readonly expected: string;
}

/** What TypeBox says about a request, as paths and expectations, one a field; the first is the one to mend first. */
export function violationsOf(errors: readonly FastifySchemaValidationError[]): Violation[] {
  const violations: Violation[] = [];
  for (const { keyword, instancePath, params } of likeliest(errors)) {
    const path = instancePath.slice(1).replaceAll("/", ".");
    // Said again, with the name of the field, by "additionalProperties" and by the branches of "anyOf".
    if (keyword === "boolean" || keyword === "anyOf") continue;
    for (const violation of violationOf(keyword, path, params)) {
      if (!violations.some((known) => known.path === violation.path)) violations.push(violation);
    }
  }
  const first = errors[0];
  if (violations.length === 0 && first !== undefined) {
    violations.push({
      path: first.instancePath.slice(1).replaceAll("/", "."),
      expected: first.message ?? "another value",
    });
  }
  return violations;
}

/**
 * Where one of several forms is asked for, every form complains; only the one that was likely meant is of interest: the
 * one whose tag fits, or else the one with the fewest fields missing or too many. Where no tag fits, that is what is said.
 */
function likeliest(errors: readonly FastifySchemaValidationError[]): FastifySchemaValidationError[] {
  const unions = new Map<string, Map<string, FastifySchemaValidationError[]>>();
  for (const error of errors) {
    const [, union, branch] = /^(.*?\/anyOf)\/(\d+)(?:\/|$)/.exec(error.schemaPath) ?? [];
    if (union === undefined || branch === undefined) continue;
    const branches = unions.get(union) ?? new Map<string, FastifySchemaValidationError[]>();
    unions.set(union, branches.set(branch, [...(branches.get(branch) ?? []), error]));
  }
  let chosen = [...errors];
  for (const branches of unions.values()) {
    const ranked = [...branches.values()].sort((a, b) => strangeness(a) - strangeness(b));
    const [best = [], ...others] = ranked;
    const tags = ranked.map((branch) => branch.find(({ keyword }) => keyword === "const"));
    const dropped = new Set(others.flat());
    const tag = tags[0];
    if (tag !== undefined && tags.every((each) => each !== undefined)) {
      const allowedValues = tags.map((each) => each?.params["allowedValue"]);
      for (const error of best) dropped.add(error);
      chosen = chosen.map((error) => (error === tag ? { ...tag, keyword: "enum", params: { allowedValues } } : error));
      dropped.delete(tag);
    }
    chosen = chosen.filter((error) => !dropped.has(error));
  }
  return chosen;
}

function strangeness(branch: readonly FastifySchemaValidationError[]): number {
  const weights: Readonly<Record<string, number>> = { const: 100, required: 10, additionalProperties: 10, boolean: 0 };
  return branch.reduce((sum, { keyword }) => sum + (weights[keyword] ?? 1), 0);
}

function violationOf(keyword: string, path: string, params: Readonly<Record<string, unknown>>): Violation[] {
  const inside = (names: unknown): string[] =>
    (names as string[]).map((name) => (path === "" ? name : `${path}.${name}`));
  const limit = String(params["limit"]);
  switch (keyword) {
    case "required":
      return inside(params["requiredProperties"]).map((each) => ({ path: each, expected: "a value" }));
    case "additionalProperties":
      return inside(params["additionalProperties"]).map((each) => ({ path: each, expected: "no such field" }));
    case "enum":
      return [{ path, expected: `one of ${(params["allowedValues"] as unknown[]).join(", ")}` }];
    case "const":
      return [{ path, expected: String(params["allowedValue"]) }];
    case "type":
      return [{ path, expected: typeName(params["type"]) }];
    case "minimum":
      return [{ path, expected: `at least ${limit}` }];
    case "maximum":
      return [{ path, expected: `at most ${limit}` }];
    case "minLength":
      return [{ path, expected: `at least ${limit} characters` }];
    case "maxLength":
      return [{ path, expected: `at most ${limit} characters` }];
    case "minItems":
      return [{ path, expected: `at least ${limit} entries` }];
    case "maxItems":
      return [{ path, expected: `at most ${limit} entries` }];
    case "minProperties":
      return [{ path, expected: "at least one field" }];
    case "pattern":
      return [{ path, expected: "a text of the form asked for" }];
    default:
      return [{ path, expected: keyword }];
  }
}

function typeName(type: unknown): string {
  const names: Readonly<Record<string, string>> = {
    object: "an object",
    array: "a list",
    string: "a text",
    number: "a number",
    integer: "a whole number",
    boolean: "true or false",
  };
  const first = Array.isArray(type) ? (type as string[])[0] : (type as string);
  return names[first ?? ""] ?? String(first);
}
