import { KINDS } from "#protocol/kinds.ts";
import { SERIES } from "#protocol/series.ts";
import type { Language, Text } from "./language.ts";

/** Readings are read from the policy that is chosen at the top of a dashboard; the server's own series have only one. */
export type Measurement = keyof typeof KINDS | keyof typeof SERIES;
/** How far readings are summed up: as they came, by 15 minutes, by the hour. */
export const POLICIES = ["raw", "quarter", "hour"] as const;

export interface Query {
  readonly influxql: string;
  readonly format: "time_series" | "table";
  /** How a series is called in the legend; `$tag_device` stands for the tag. */
  readonly alias?: string | Text;
}

/** A query that asks for sentences, which are stored in both languages. */
export type Worded = Readonly<Record<Language, Query>>;

export interface Selection {
  /** Each an expression of InfluxQL, names in double quotes. */
  readonly columns: readonly string[];
  readonly from: Measurement | Selection;
  /** "chosen": the policy chosen on the dashboard. Else readings as they came, which hold the newest. */
  readonly policy?: "chosen";
  /** Conditions on fields and tags; which place it is about is asked by `place`. */
  readonly where?: readonly string[];
  /** Which of the variables at the top narrow it. */
  readonly place?: readonly Variable[];
  /** "any": as long as anything is kept. */
  readonly time?: "any";
  readonly every?: string;
  readonly by?: readonly string[];
  readonly fill?: "none" | "previous" | "linear" | "0";
  readonly order?: "newest first";
  readonly limit?: number;
}

/** The variables of places; each is also the name of the tag that it narrows. */
export type Variable = "zone" | "street" | "device";

/** A chart over time. */
export const series = (selection: Selection, alias?: string | Text): Query => ({
  influxql: influxql(selection),
  format: "time_series",
  ...(alias !== undefined && { alias }),
});

/** Rows, one for each group or point. */
export const table = (selection: Selection): Query => ({ influxql: influxql(selection), format: "table" });

/** Rows with a sentence in the reader's language. */
export const worded = (of: (language: Language) => Selection): Worded => ({ en: table(of("en")), fr: table(of("fr")) });

/**
 * An aggregate of a measure under any policy: as it came, or summed up where the field is called `mean_x`, `max_x`….
 * The regular expression matches exactly one of the two.
 */
export const rolled = (aggregate: "mean" | "min" | "max" | "last" | "sum", measure: string): string =>
  `${aggregate}(/^(${aggregate}_)?${measure}$/)`;

/**
 * How much a counter grew in each step, all devices that are chosen together, by these tags. It is counted device by device,
 * since one that is new must not count as growth.
 */
export function growth(
  measurement: keyof typeof KINDS,
  measure: string,
  options: Pick<Selection, "place" | "where" | "by"> & { readonly every: string; readonly per?: string },
): Selection {
  const { every, by = [], per = "", ...rest } = options;
  const grown: Selection = {
    columns: [`non_negative_difference(${rolled("last", measure)})`],
    from: measurement,
    policy: "chosen",
    ...rest,
    every,
    by: ["device", ...by.filter((tag) => tag !== "device")],
  };
  return { columns: [`sum(/${measure}$/)${per}`], from: grown, every, by, fill: "none" };
}

/** The text of a query; raises an assertion when it names a field or tag that the measurement does not have. */
export function influxql(selection: Selection): string {
  const { columns, from, where = [], place = [], time, every, by = [], fill, order, limit } = selection;
  const inner = typeof from !== "string";
  if (!inner) for (const each of [...columns, ...where]) check(each, from, by);
  const conditions = [
    ...(time === "any" ? [] : ["$timeFilter"]),
    ...place.map((variable) => `"${variable}" =~ /^$${variable}$/`),
    ...where,
  ];
  const groups = [...(every === undefined ? [] : [`time(${every})`]), ...by.map((tag) => `"${tag}"`)];
  return [
    `SELECT ${columns.join(", ")}`,
    `FROM ${inner ? `(${influxql(from)})` : source(from, selection.policy)}`,
    ...(conditions.length > 0 ? [`WHERE ${conditions.join(" AND ")}`] : []),
    ...(groups.length > 0 ? [`GROUP BY ${groups.join(", ")}`] : []),
    ...(fill === undefined ? [] : [`fill(${fill})`]),
    ...(order === undefined ? [] : ["ORDER BY time DESC"]),
    ...(limit === undefined ? [] : [`LIMIT ${limit}`]),
  ].join(" ");
}

function source(measurement: Measurement, policy: Selection["policy"]): string {
  if (policy === "chosen") return `"$policy"."${measurement}"`;
  return measurement in KINDS ? `"raw"."${measurement}"` : `"${measurement}"`;
}

/** Tags that readings carry beside the device. */
const TAGS = ["device", "station", "street", "zone", "junction", "group", "stream"];

function check(expression: string, measurement: Measurement, by: readonly string[]): void {
  const names = new Set([...fieldsOf(measurement), ...tagsOf(measurement)]);
  const written = expression.replaceAll(/ AS "\w+"/g, "");
  const named = [...written.matchAll(/"(\w+)"/g)].map((match) => match[1] as string);
  const matched = [...written.matchAll(/\(\w+_\)\?(\w+)\$/g)].map((match) => match[1] as string);
  for (const name of [...named, ...matched, ...by]) {
    if (!names.has(name)) throw new Error(`${measurement} has no ${name}, which ${expression} asks for`);
  }
}

export function fieldsOf(measurement: Measurement): string[] {
  return Object.keys(
    measurement in KINDS
      ? KINDS[measurement as keyof typeof KINDS].measures
      : SERIES[measurement as keyof typeof SERIES].fields,
  );
}

export function tagsOf(measurement: Measurement): readonly string[] {
  return measurement in KINDS ? TAGS : Object.keys(SERIES[measurement as keyof typeof SERIES].tags);
}
