import type { FieldType, Measurement, RegularExpression, Show } from "./ast.ts";
import type { Catalogue, MeasurementEntry, SeriesEntry } from "./catalogue.ts";
import { conditionOf, fault } from "./condition.ts";
import { InfluxError, type ResultSeries } from "./engine.ts";
import { compilePattern } from "./pattern.ts";
import { compareText } from "./tags.ts";
import { decide } from "./where.ts";

export interface RetentionPolicy {
  readonly name: string;
  /** As Go writes a duration: `2160h0m0s`; `0s` is for good. */
  readonly duration: string;
  readonly isDefault: boolean;
}

export interface ShowContext {
  readonly catalogue: Catalogue;
  readonly database: string | undefined;
  readonly databases: readonly string[];
  readonly policies: readonly RetentionPolicy[];
  readonly now_ns: bigint;
}

/** Answers SHOW from memory alone. Raises InfluxError. */
export function show(statement: Show, context: ShowContext): ResultSeries[] {
  const answer = ANSWERS[statement.what];
  return answer === undefined ? [] : answer(statement, context);
}

type Answer = (statement: Show, context: ShowContext) => ResultSeries[];

const ANSWERS: Partial<Readonly<Record<Show["what"], Answer>>> = {
  databases: (_, { databases }) => [
    table(
      "databases",
      ["name"],
      databases.map((name) => [name]),
    ),
  ],
  "retention policies": (statement, context) => {
    requireDatabase(statement, context);
    const rows = context.policies.map(({ name, duration, isDefault }) => [name, duration, "168h0m0s", 1n, isDefault]);
    return [table("", ["name", "duration", "shardGroupDuration", "replicaN", "default"], rows)];
  },
  measurements: (statement, context) => {
    // Of a database that there is not, InfluxDB says that it has no measurements.
    if (!context.databases.includes(statement.database ?? context.database ?? context.databases[0] ?? "")) return [];
    const names = measurementsOf(statement, context).map(({ measurement: { name } }) => [name]);
    return some(table("measurements", ["name"], cut(names, statement)));
  },
  series: (statement, context) => {
    const keys = measurementsOf(statement, context).flatMap(({ series }) => series.map(({ key }) => key));
    return some(
      table(
        "",
        ["key"],
        cut(
          keys.sort(compareText).map((key) => [key]),
          statement,
        ),
      ),
    );
  },
  "tag keys": (statement, context) =>
    measurementsOf(statement, context).flatMap(({ measurement, series }) => {
      const keys = [...tagsOf(series).keys()].sort(compareText).filter((key) => isKeyWanted(statement, key));
      return some(
        table(
          measurement.name,
          ["tagKey"],
          cut(
            keys.map((key) => [key]),
            statement,
          ),
        ),
      );
    }),
  "tag values": (statement, context) =>
    measurementsOf(statement, context).flatMap(({ measurement, series }) => {
      const rows = [...tagsOf(series)]
        .filter(([key]) => isKeyWanted(statement, key))
        .sort(([a], [b]) => compareText(a, b))
        .flatMap(([key, values]) => [...values].sort(compareText).map((value) => [key, value]));
      return some(table(measurement.name, ["key", "value"], cut(rows, statement)));
    }),
  "field keys": (statement, context) =>
    measurementsOf({ ...statement, where: undefined as never }, context).flatMap(({ measurement }) => {
      const rows = [...measurement.fields].sort(([a], [b]) => compareText(a, b)).map(([field, type]) => [field, type]);
      return some(table(measurement.name, ["fieldKey", "fieldType"], cut(rows, statement)));
    }),
  "series cardinality": (statement, context) => cardinality(statement, context, ({ series }) => series.length),
  "measurement cardinality": (statement, context) => {
    const count = BigInt(measurementsOf(statement, context).length);
    return [table("", [isEstimate(statement) ? "cardinality estimation" : "count"], [[count]])];
  },
  "tag key cardinality": (statement, context) =>
    cardinality(statement, context, ({ series }) => tagsOf(series).size, "count"),
  "tag values cardinality": (statement, context) =>
    cardinality(
      statement,
      context,
      ({ series }) =>
        new Set([...tagsOf(series)].filter(([key]) => isKeyWanted(statement, key)).flatMap(([, values]) => [...values]))
          .size,
      "count",
    ),
  "field key cardinality": (statement, context) =>
    cardinality(statement, context, ({ measurement }) => measurement.fields.size, "count"),
  users: () => [table("", ["user", "admin"], [])],
  grants: () => [table("", ["database", "privilege"], [])],
  queries: () => [table("", ["qid", "query", "database", "duration", "status"], [])],
  "continuous queries": (_, { databases }) => databases.map((name) => table(name, ["name", "query"], [])),
  shards: (_, { databases }) =>
    databases.map((name) =>
      table(
        name,
        ["id", "database", "retention_policy", "shard_group", "start_time", "end_time", "expiry_time", "owners"],
        [],
      ),
    ),
  "shard groups": () => [
    table("shard groups", ["id", "database", "retention_policy", "start_time", "end_time", "expiry_time"], []),
  ],
};

type Cell = string | boolean | bigint;

function table(name: string, columns: readonly string[], values: readonly (readonly Cell[])[]): ResultSeries {
  const types = columns.map((_, index): FieldType => {
    const cell = values[0]?.[index];
    return typeof cell === "bigint" ? "integer" : typeof cell === "boolean" ? "boolean" : "string";
  });
  return { name, columns, types, values };
}

const some = (found: ResultSeries): ResultSeries[] => (found.values.length === 0 ? [] : [found]);

function cut<Row>(rows: readonly Row[], { limit, offset }: Show): readonly Row[] {
  return rows.slice(offset, limit > 0 ? offset + limit : undefined);
}

function requireDatabase(statement: Show, { database, databases }: ShowContext): void {
  const name = statement.database ?? database ?? "";
  if (name === "") throw fault("database name required");
  if (!databases.includes(name)) throw new InfluxError(404, `database not found: ${name}`);
}

interface Found {
  readonly measurement: MeasurementEntry;
  readonly series: readonly SeriesEntry[];
}

/** Measurements that FROM, WITH and WHERE leave, with their series, in order. */
function measurementsOf(statement: Show, context: ShowContext): Found[] {
  requireDatabase(statement, context);
  const { from, withMeasurement, where } = statement;
  const condition = where === undefined ? undefined : conditionOf(where, context.now_ns, undefined).where;
  return context.catalogue.sorted().flatMap((measurement) => {
    if (from.length > 0 && !from.some((each) => isNamed(each, measurement.name))) return [];
    if (withMeasurement !== undefined && !matches(withMeasurement, measurement.name)) return [];
    if (condition === undefined) return [{ measurement, series: measurement.series }];
    const series = measurement.series.filter((each) => {
      const outcome = decide(condition, each);
      if (typeof outcome !== "boolean") throw fault("invalid tag comparison operator");
      return outcome;
    });
    return series.length === 0 ? [] : [{ measurement, series }];
  });
}

const isNamed = ({ name }: Measurement, measurement: string): boolean => matches(name, measurement);
const matches = (wanted: string | RegularExpression, text: string): boolean =>
  typeof wanted === "string" ? wanted === text : compilePattern(wanted.source).test(text);

function isKeyWanted({ withKey }: Show, key: string): boolean {
  if (withKey === undefined) return true;
  const { operator, keys } = withKey;
  const isAmong = "kind" in keys ? matches(keys, key) : keys.includes(key);
  return operator === "!=" || operator === "!~" ? !isAmong : isAmong;
}

function tagsOf(series: readonly SeriesEntry[]): Map<string, Set<string>> {
  const tags = new Map<string, Set<string>>();
  for (const each of series) {
    for (const [key, value] of each.tags) {
      const values = tags.get(key);
      if (values === undefined) tags.set(key, new Set([value]));
      else values.add(value);
    }
  }
  return tags;
}

/** InfluxDB estimates what is asked for as a whole, and says so. */
const isEstimate = ({ isExact, from, where, group, limit, offset }: Show): boolean =>
  isExact !== true && from.length === 0 && where === undefined && group === undefined && limit === 0 && offset === 0;

function cardinality(
  statement: Show,
  context: ShowContext,
  count: (found: Found) => number,
  column?: string,
): ResultSeries[] {
  const found = measurementsOf(statement, context);
  if (column === undefined && isEstimate(statement)) {
    const total = found.reduce((sum, each) => sum + count(each), 0);
    return [table("", ["cardinality estimation"], [[BigInt(total)]])];
  }
  return found.map((each) => table(each.measurement.name, ["count"], [[BigInt(count(each))]]));
}
