import type { Instant } from "#protocol/units.ts";
import { KINDS } from "#protocol/kinds.ts";
import { SERIES } from "#protocol/series.ts";
import { exactly, UNDESCRIBED } from "./influx-server.ts";

/** What a database of InfluxDB 1.x is asked beside the readings themselves, in InfluxQL, whichever client carries it. */
export type Ask = (statements: string) => Promise<Answer[]>;

/** The series that answer one statement. */
export type Answer = readonly {
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
}[];

/** The measurement of the stations' marks. */
export const MARKS = "vigie_marks";
/** The measurement, beside the hourly roll-ups, that says of each hour whether they have all its readings. */
export const HOURS = "vigie_hours";
/** A regular expression for the measurements that the server writes of itself. */
export const chronicled = exactly(Object.keys(SERIES));
const MEASUREMENTS: readonly string[] = [...Object.keys(KINDS), UNDESCRIBED];
/** A regular expression for the measurements that hold readings: what others write into the same database is theirs. */
export const ours = exactly(MEASUREMENTS);

export const name = (identifier: string): string => `"${identifier.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
export const text = (value: string): string => `'${value.replaceAll(/['\\]/g, String.raw`\$&`)}'`;

interface Json {
  readonly error?: string;
  readonly results?: readonly {
    readonly error?: string;
    readonly series?: readonly {
      readonly name?: string;
      readonly tags?: Readonly<Record<string, string>>;
      readonly columns?: readonly string[];
      readonly values?: readonly (readonly unknown[])[];
    }[];
  }[];
}

/** One answer for each statement of the request; an error of any of them is thrown in the server's own words. */
export function resultsOf(json: unknown): Answer[] {
  const { error, results = [] } = json as Json;
  if (error !== undefined) throw new Error(error);
  return results.map(({ error: problem, series = [] }) => {
    if (problem !== undefined) throw new Error(problem);
    return series.map((each) => ({
      name: each.name ?? "",
      tags: each.tags ?? {},
      columns: each.columns ?? [],
      rows: each.values ?? [],
    }));
  });
}

/** Every measure that a policy has of our kinds of device: measurement and field. */
export async function floatFields(ask: Ask, database: string, policy: string): Promise<(readonly [string, string])[]> {
  const [measurements] = await ask(`SHOW FIELD KEYS FROM ${name(database)}.${name(policy)}./${ours}/`);
  return (measurements ?? []).flatMap(({ name: measurement, rows }) =>
    rows.flatMap(([field, type]) => (type === "float" ? [[measurement, String(field)] as const] : [])),
  );
}

/** Only an administrator may ask and change some things: nothing for anybody else. */
export function unlessRefused(problem: unknown): Answer[] {
  if (/not authorized|admin privilege/i.test(String(problem))) return [];
  throw problem;
}

/** Only an administrator is told: 0 for anybody else. */
export async function shardBytes(ask: Ask, database: string): Promise<number> {
  const [shards] = await ask("SHOW STATS FOR 'shard'").catch(unlessRefused);
  return (shards ?? [])
    .filter(({ tags }) => tags["database"] === database)
    .reduce((sum, { columns, rows }) => sum + Number(rows[0]?.[columns.indexOf("diskBytes")] ?? 0), 0);
}

/**
 * Drops the shards of one policy that end at or before an instant, as the server's own retention does. A DELETE would reach
 * into every policy of the database, and so into the roll-ups that outlive the readings. Whoever may not leaves it to the
 * database, which drops by the policy's own time.
 */
export async function dropOldShards(ask: Ask, database: string, retention: string, before: Instant): Promise<void> {
  const [databases] = await ask("SHOW SHARDS").catch(unlessRefused);
  const shards = (databases ?? []).find((each) => each.name === database);
  if (shards === undefined) return;
  const column = (row: readonly unknown[], label: string): unknown => row[shards.columns.indexOf(label)];
  for (const row of shards.rows) {
    if (column(row, "retention_policy") !== retention) continue;
    if (Date.parse(String(column(row, "end_time"))) <= before) await ask(`DROP SHARD ${Number(column(row, "id"))}`);
  }
}
