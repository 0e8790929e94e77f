import { DAY, HOUR } from "#protocol/units.ts";
import type { Retention } from "../keeping.ts";
import { type Ask, name, unlessRefused } from "./influxql-answers.ts";
import { ROLLED } from "./influxql/rolled.ts";

/** What is kept apart for a time of its own: a retention policy of 1.x, a bucket of 2.x. */
export interface Policy {
  readonly name: string;
  /** Undefined: for good. */
  readonly kept_h?: number;
  /** What goes together when it is past its time. */
  readonly shard_h: number;
  /** What a query reads that names none. */
  readonly isDefault?: boolean;
}

/** Up to which number each station is committed: kept for good, at the instant 0. */
export const MARKS_POLICY = "marks";
/**
 * The server's own series lie in a policy of their own, so that the retention of readings does not reach them. It is the
 * default, since dashboards name the policies of readings and no other.
 */
export const CHRONICLE_POLICY = "chronicle";
/** Readings summed up, by the names that dashboards use. */
export const ROLLED_POLICIES = Object.keys(ROLLED) as (keyof typeof ROLLED)[];

const DAY_H = DAY / HOUR;

/** All that a town's database has. Readings go by the day; what is kept for years needs few shards. */
export const policiesOf = (readings: string, { raw_d, quarters_d }: Retention): readonly Policy[] => [
  policy(readings, raw_d, 1),
  { ...policy(CHRONICLE_POLICY, quarters_d, 7), isDefault: true },
  policy("quarter", quarters_d, 28),
  policy("hour", undefined, 364),
  policy(MARKS_POLICY, undefined, 7),
];

function policy(called: string, kept_d: number | undefined, shard_d: number): Policy {
  const shard_h = shard_d * DAY_H;
  if (kept_d === undefined) return { name: called, shard_h };
  // InfluxDB keeps nothing for less than an hour, and no shard for longer than what is in it.
  const kept_h = Math.max(1, Math.ceil(kept_d * DAY_H));
  return { name: called, kept_h, shard_h: Math.min(shard_h, kept_h) };
}

/**
 * Creates the database and its policies where they are missing, and gives those that are there their time; without a
 * `retention` they keep the one they have. Whoever has no right to create finds out whether somebody else has: the first
 * reading says so otherwise. Whoever has no right to change leaves things to those who have.
 */
export async function createDatabase(
  ask: Ask,
  database: string,
  readings: string,
  retention: Retention | undefined,
): Promise<void> {
  const found = await ask(`SHOW RETENTION POLICIES ON ${name(database)}`).catch((problem: unknown) => {
    if (/database not found/i.test(String(problem))) return undefined;
    throw problem;
  });
  const [first, ...others] = policiesOf(readings, retention ?? {}) as [Policy, ...Policy[]];
  if (found === undefined)
    await ask(`CREATE DATABASE ${name(database)} WITH ${lasting(first)} NAME ${name(first.name)}`);
  const known = new Map<string, number | undefined>();
  for (const { columns, rows } of found?.[0] ?? []) {
    for (const row of rows) known.set(String(row[columns.indexOf("name")]), hoursIn(row[columns.indexOf("duration")]));
  }
  for (const each of found === undefined ? others : [first, ...others]) {
    const policy = `RETENTION POLICY ${name(each.name)} ON ${name(database)} ${lasting(each)}`;
    if (!known.has(each.name)) await ask(`CREATE ${policy}${each.isDefault ? " DEFAULT" : ""}`);
    else if (retention !== undefined && known.get(each.name) !== each.kept_h) {
      await ask(`ALTER ${policy}`).catch(unlessRefused);
    }
  }
}

const lasting = ({ kept_h, shard_h }: Policy): string =>
  `DURATION ${kept_h === undefined ? "INF" : `${kept_h}h`} REPLICATION 1 SHARD DURATION ${shard_h}h`;

/** "2160h0m0s"; "0s" is for good. */
function hoursIn(duration: unknown): number | undefined {
  const hours = Number.parseInt(/(\d+)h/.exec(String(duration))?.[1] ?? "0", 10);
  return hours === 0 ? undefined : hours;
}
