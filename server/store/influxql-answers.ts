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

/** Up to which number each station is committed, in a policy of its own: a mark is kept for good, at the instant 0. */
export const MARKS = "vigie_marks";
export const MARKS_POLICY = "marks";
/**
 * The server's own series lie in a policy of their own, so that the retention of readings does not reach them. It is the
 * default, since dashboards name the policy of readings and no other.
 */
export const CHRONICLE_POLICY = "chronicle";
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

/**
 * Creates the database and its policies where they are missing. Whoever has no right to create finds out whether somebody
 * else has: the first reading says so otherwise.
 */
export async function createDatabase(ask: Ask, database: string, retention: string): Promise<void> {
  const policies = await ask(`SHOW RETENTION POLICIES ON ${name(database)}`).catch((problem: unknown) => {
    if (/database not found/i.test(String(problem))) return undefined;
    throw problem;
  });
  const known = new Set((policies?.[0] ?? []).flatMap(({ rows }) => rows.map(([policy]) => policy)));
  // A shard a day: what is older than the retention goes a day at a time, with its space.
  const days = `DURATION INF REPLICATION 1 SHARD DURATION 1d`;
  if (policies === undefined) await ask(`CREATE DATABASE ${name(database)} WITH ${days} NAME ${name(retention)}`);
  else if (!known.has(retention)) {
    await ask(`CREATE RETENTION POLICY ${name(retention)} ON ${name(database)} ${days}`);
  }
  if (!known.has(CHRONICLE_POLICY)) {
    await ask(
      `CREATE RETENTION POLICY ${name(CHRONICLE_POLICY)} ON ${name(database)} DURATION INF REPLICATION 1 SHARD DURATION 7d DEFAULT`,
    );
  }
  if (!known.has(MARKS_POLICY)) {
    await ask(`CREATE RETENTION POLICY ${name(MARKS_POLICY)} ON ${name(database)} DURATION INF REPLICATION 1`);
  }
}

/** Every measure that a policy has of our kinds of device: measurement and field. */
export async function floatFields(ask: Ask, database: string, policy: string): Promise<(readonly [string, string])[]> {
  const [measurements] = await ask(`SHOW FIELD KEYS FROM ${name(database)}.${name(policy)}./${ours}/`);
  return (measurements ?? []).flatMap(({ name: measurement, rows }) =>
    rows.flatMap(([field, type]) => (type === "float" ? [[measurement, String(field)] as const] : [])),
  );
}

/** Only an administrator is told: 0 for anybody else. */
export async function shardBytes(ask: Ask, database: string): Promise<number> {
  const [shards] = await ask("SHOW STATS FOR 'shard'").catch((problem: unknown) => {
    if (/admin privilege/i.test(String(problem))) return [];
    throw problem;
  });
  return (shards ?? [])
    .filter(({ tags }) => tags["database"] === database)
    .reduce((sum, { columns, rows }) => sum + Number(rows[0]?.[columns.indexOf("diskBytes")] ?? 0), 0);
}

/**
 * Drops the shards of one policy that end at or before an instant, as the server's own retention does. A DELETE would reach
 * into every policy of the database, and so into the roll-ups that outlive the readings.
 */
export async function dropOldShards(ask: Ask, database: string, retention: string, before: Instant): Promise<void> {
  const [databases] = await ask("SHOW SHARDS");
  const shards = (databases ?? []).find((each) => each.name === database);
  if (shards === undefined) return;
  const column = (row: readonly unknown[], label: string): unknown => row[shards.columns.indexOf(label)];
  for (const row of shards.rows) {
    if (column(row, "retention_policy") !== retention) continue;
    if (Date.parse(String(column(row, "end_time"))) <= before) await ask(`DROP SHARD ${Number(column(row, "id"))}`);
  }
}
