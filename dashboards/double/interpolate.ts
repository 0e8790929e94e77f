import type { VariableFile } from "./provisioned.ts";

/** The value that a variable has: one, several, or `$__all`. */
export type Values = ReadonlyMap<string, string | readonly string[]>;

/** `$name`, `[[name]]`, `${name}`, as Grafana's template service reads them. */
const REFERENCE = /\$(\w+)|\[\[(\w+?)(?::\w+)?\]\]|\$\{(\w+)(?:\.[^:^}]+)?(?::[^}]+)?\}/g;

/**
 * Puts variables into a query as Grafana's InfluxDB data source does in InfluxQL: several values become `(a|b)`, each made
 * harmless for a regular expression; one value is, too, where it stands between slashes; a number stays as it is. What is no
 * variable (`$timeFilter`, `$tag_device`) stays for the backend. An `All` with a value of its own is put in untouched.
 */
export function interpolate(query: string, variables: readonly VariableFile[], values: Values): string {
  const known = new Map(variables.map((variable) => [variable.name, variable]));
  return query.replaceAll(REFERENCE, (match, plain?: string, squared?: string, braced?: string) => {
    const variable = known.get(plain ?? squared ?? braced ?? "");
    if (variable === undefined) return match;
    const value = values.get(variable.name) ?? "";
    const all = value === "$__all" || (Array.isArray(value) && value[0] === "$__all");
    if (all && variable.allValue !== undefined) return variable.allValue;
    return expression(value, variable, query);
  });
}

function expression(value: string | readonly string[], variable: VariableFile, query: string): string {
  const several = typeof value !== "string";
  if (!several && !Number.isNaN(Number.parseFloat(value))) return value;
  if (variable.multi === true) return several ? alternatives(value) : escaped(value);
  const between = new RegExp(`\\/(?:\\^)?(.*)(\\$${variable.name})(.*)(?:\\$)?\\/`);
  if (!between.test(query)) return several ? value.join(",") : value;
  return several ? alternatives(value) : escaped(value);
}

const alternatives = (values: readonly string[]): string => `(${values.map(escaped).join("|")})`;
const escaped = (value: string): string => value.replaceAll(/[\\^$*+?.()|[\]{}/]/g, "\\$&");
