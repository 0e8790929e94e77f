import type { DuckDBConnection, DuckDBValue } from "@duckdb/node-api";
import type { Archive, Archives } from "./archive.ts";
import { aliasOf, quoted, settled } from "./archive.ts";
import type { Compacting } from "./compact.ts";
import type { Aside } from "./aside.ts";
import { literal, rowsOf } from "./sql.ts";
import { HOUR } from "#protocol/units.ts";
import { WEEK } from "./weeks.ts";

/** Steps of the roll-ups, in milliseconds. They are of UTC, so that no change of the clock makes one longer or shorter. */
export const STEPS = { quarter: 900_000, hour: 3_600_000 } as const;
export type Rollup = keyof typeof STEPS;

/** What is kept of the readings of one series in one step: enough for any coarser step to be as right as from the readings. */
const COLUMNS = "series, instant, n, total, low, high, first, last, first_at, last_at";

/** One row for each series and step of readings in `source`, a query or a table. */
export function rolledSql(source: string, step_ms: number): string {
  // The remainder of a time before 1970 is negative.
  const step = `(instant - ((instant % ${step_ms}) + ${step_ms}) % ${step_ms})`;
  return `SELECT series, ${step} AS instant, count(*)::INTEGER AS n, sum(value) AS total, min(value) AS low, max(value) AS high,
      arg_min(value, instant) AS first, arg_max(value, instant) AS last, min(instant) AS first_at, max(instant) AS last_at
    FROM ${source} GROUP BY ALL`;
}

/**
 * As it lies in a file: what equals the mean, or lies at the first instant, is left out, since most steps hold one reading or
 * readings that are all alike. That makes the file less than half as large.
 */
const packedSql = (rolled: string): string => `
  SELECT series, instant, n, total, nullif(low, total / n) AS low, nullif(high, total / n) AS high,
    nullif(first, total / n) AS first, nullif(last, total / n) AS last,
    (first_at - instant)::INTEGER AS first_at, nullif(last_at - instant, first_at - instant)::INTEGER AS last_at
  FROM (${rolled})`;

const unpackedSql = (files: readonly string[]): string => `
  SELECT series, instant, n, total, coalesce(low, total / n) AS low, coalesce(high, total / n) AS high,
    coalesce(first, total / n) AS first, coalesce(last, total / n) AS last,
    instant + first_at AS first_at, instant + coalesce(last_at, first_at) AS last_at
  FROM read_parquet([${files.map((file) => `'${quoted(file)}'`).join(",")}])`;

/**
 * Computes both roll-ups of a week from its raw readings. Steps of which the raw readings have been dropped already stay as
 * they were.
 */
export async function rollUp({ archives, pause }: Compacting, aside: Aside, raw: Archive): Promise<Archive[]> {
  const { week, to, late_to } = raw;
  const whole = wholeFrom(archives);
  const made: Archive[] = [];
  for (const kind of ["quarter", "hour"] as const) {
    await pause();
    const before = archives.ofKind(kind).get(week);
    const from = whole > week ? ` WHERE instant >= ${literal(whole)}` : "";
    const parts = [rolledSql(`(SELECT * FROM "${aliasOf(raw.file)}".readings${from})`, STEPS[kind])];
    if (from !== "" && before !== undefined) {
      parts.push(
        `SELECT ${COLUMNS} FROM (${unpackedSql([archives.path(before.file)])}) WHERE instant < ${literal(whole)}`,
      );
    }
    const file = archives.newFile(kind, week);
    const written = await writeRollup(archives, file, parts.join(" UNION ALL "), (sql) => aside.rows(sql));
    made.push({ kind, week, file, ...written, to, late_to });
  }
  return made;
}

/**
 * Writes the steps of a week that lie in the table `taken` of a connection, beside those that its file had `before`: of two
 * about one step the one that knows more readings. What came in parts is put together.
 */
export async function writeTaken(
  archives: Archives,
  connection: DuckDBConnection,
  { policy, week, to, before }: { policy: Rollup; week: number; to: number; before: Archive | undefined },
): Promise<Archive> {
  const taken = `SELECT series, instant, sum(n)::INTEGER AS n, sum(total) AS total, min(low) AS low, max(high) AS high,
      arg_min(first, first_at) AS first, arg_max(last, last_at) AS last, min(first_at) AS first_at, max(last_at) AS last_at
    FROM taken GROUP BY series, instant`;
  const all =
    before === undefined
      ? taken
      : `SELECT ${COLUMNS} FROM (${taken} UNION ALL SELECT ${COLUMNS} FROM (${unpackedSql([archives.path(before.file)])}))
         QUALIFY row_number() OVER (PARTITION BY series, instant ORDER BY n DESC) = 1`;
  const file = archives.newFile(policy, week);
  const written = await writeRollup(archives, file, all, (sql) => rowsOf(connection, sql));
  return { kind: policy, week, file, ...written, to: before?.to ?? to, late_to: before?.late_to ?? 0 };
}

async function writeRollup(
  archives: Archives,
  file: string,
  rolled: string,
  rowsOf: (sql: string) => Promise<DuckDBValue[][]>,
): Promise<Pick<Archive, "rows" | "bytes">> {
  const path = archives.path(file);
  await rowsOf(`COPY (${packedSql(rolled)} ORDER BY series, instant)
    TO '${quoted(path)}' (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2)`);
  const [[rows] = [0]] = await rowsOf(`SELECT count(*)::DOUBLE FROM read_parquet('${quoted(path)}')`);
  return { rows: rows as number, bytes: await settled(path, archives.directory) };
}

/**
 * What to write behind FROM for the roll-ups of [from, to): columns `series`, `instant` (where the step begins), `n`, `total`,
 * `low`, `high`, `first`, `last`, `first_at`, `last_at`. What is in no archive yet, or was said late, is rolled up as it is
 * asked for. `from` and `to` are multiples of the step. It is good while `archives.readers.read` runs.
 */
export function rollupRelation(archives: Archives, kind: Rollup, from: number, to: number): string {
  // Where quarters have been dropped, hours say what is left to say.
  return relationOf(archives, kind, new Map([...archives.ofKind("hour"), ...archives.ofKind(kind)]), from, to);
}

/** The same without what stands in for steps that have been dropped. */
export function keptRelation(archives: Archives, kind: Rollup, from: number, to: number): string {
  return relationOf(archives, kind, archives.ofKind(kind), from, to);
}

function relationOf(
  archives: Archives,
  kind: Rollup,
  kept: ReadonlyMap<number, Archive>,
  from: number,
  to: number,
): string {
  const rolled = (start: number, end: number): string =>
    rolledSql(
      `(SELECT * FROM ${archives.relation(start, end)} WHERE instant >= ${literal(start)} AND instant < ${literal(end)})`,
      STEPS[kind],
    );
  const whole = wholeFrom(archives);
  const late = new Set(archives.lateWeeks());
  const files: string[] = [];
  const parts: string[] = [];
  for (const { week, file } of kept.values()) {
    if (week >= to || week + WEEK <= from) continue;
    if (!late.has(week)) files.push(archives.path(file));
    else if (week < whole) parts.push(`${unpackedSql([archives.path(file)])} WHERE instant < ${literal(whole)}`);
  }
  for (const week of late) {
    const [start, end] = [Math.max(week, whole, from), Math.min(week + WEEK, archives.archivedTo, to)];
    if (start < end) parts.push(rolled(start, end));
  }
  if (files.length > 0) parts.push(unpackedSql(files.sort()));
  if (to > archives.archivedTo || parts.length === 0)
    parts.push(rolled(Math.max(from, archives.archivedTo, whole), to));
  return `(${parts.map((sql) => `SELECT ${COLUMNS} FROM (${sql})`).join(" UNION ALL ")})`;
}

/** From here on every step has all its readings. */
export const wholeFrom = ({ rawFrom }: Archives): number => Math.ceil(rawFrom / HOUR) * HOUR;
