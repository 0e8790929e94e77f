import type { DuckDBConnection } from "@duckdb/node-api";
import type { Archive, Archives } from "./archive.ts";
import { aliasOf, quoted, settled } from "./archive.ts";
import type { Aside } from "./aside.ts";
import { handOver } from "./hand-over.ts";
import { inTransaction, literal, rowsOf } from "./sql.ts";
import { rollUp } from "./rollups.ts";
import { WEEK, weekOf } from "./weeks.ts";

/** What a compaction needs of the store that it works for. */
export interface Compacting {
  readonly archives: Archives;
  /** A connection of its own, so that it never stands in a commit's way. */
  readonly connection: DuckDBConnection;
  /** From its return on nothing is added to `readings` before `to`: what comes is late. One more than the number of what was said late until then. */
  freeze(to: number): Promise<number>;
  /** Runs a short statement in the transaction of the next commit, so that the disk is not waited for once more. */
  readonly withCommit: (sql: string) => Promise<void>;
  /** So many readings are no longer among the hot ones. */
  moved(readings: number): void;
  /** Lets others go first, between two steps. */
  readonly pause: () => Promise<void>;
  /** Aborted when it is to end early. */
  readonly closing: AbortSignal;
  /** Told of each step that is done, in the order of doing. */
  done?(step: CompactionStep): void;
}
export type CompactionStep = "frozen" | "written" | "rolled up" | "listed" | "collected";

/** Twice DuckDB's own: a row takes 4 % less, and one series is found as soon. */
const GROUP_ROWS = 245_760;
/** So many are gone in some 4 ms, which is how long a commit may wait for it. */
const DELETED_AT_ONCE = 50_000;

/**
 * Moves readings before `until` into archives, a week at a time, the oldest first, and then into their weeks what was said
 * late. The main database lists a new archive and counts the readings as moved in one transaction: killed before it, the
 * readings are where they were and the new file is removed at the next opening; after it, what is left of them in the main
 * database no longer counts. Returns how many archives it wrote.
 */
export async function compact(parts: Compacting, until: number): Promise<number> {
  let weeks = 0;
  for (;;) {
    const oldest = await oldestHot(parts, until);
    if (oldest === undefined) break;
    const week = weekOf(oldest);
    await compactWeek(parts, week, Math.min(week + WEEK, until));
    weeks++;
  }
  // Each week once: what is said late meanwhile is for the next time.
  for (const week of parts.archives.lateWeeks()) {
    await compactWeek(parts, week, Math.min(week + WEEK, parts.archives.archivedTo));
    weeks++;
  }
  await collect(parts, []);
  return weeks;
}

/** The oldest reading that waits to be moved. */
async function oldestHot({ archives, connection }: Compacting, until: number): Promise<number | undefined> {
  const [[oldest] = [null]] = await rowsOf(
    connection,
    `SELECT min(instant)::DOUBLE FROM readings
     WHERE instant >= ${literal(archives.archivedTo)} AND instant < ${literal(until)}`,
  );
  return typeof oldest === "number" ? oldest : undefined;
}

async function compactWeek(parts: Compacting, week: number, to: number): Promise<void> {
  const { archives, connection } = parts;
  const said = await parts.freeze(to);
  parts.done?.("frozen");
  const before = archives.ofKind("raw").get(week);
  const from = Math.max(week, archives.archivedTo);
  const hot = `FROM readings WHERE instant >= ${literal(from)} AND instant < ${literal(to)}`;
  const [[moved] = [0]] = await rowsOf(connection, `SELECT count(*)::DOUBLE ${hot}`);
  const source = sourceSql(archives, before, hot, { week, to, said });
  const aside = await handOver(parts, { week, from, to, before, moved: moved as number });
  let raw: Archive | undefined;
  let rollups: Archive[];
  try {
    raw = await writeRaw(parts, aside, week, source, { to, late_to: said });
    parts.done?.("written");
    rollups = raw === undefined ? [] : await rollUp(parts, aside, raw);
    parts.done?.("rolled up");
  } finally {
    await aside.end();
  }
  if (raw !== undefined) await archives.attach(connection, raw);
  const written = raw === undefined ? [] : [raw, ...rollups];
  const archivedTo = Math.max(archives.archivedTo, to);
  await inTransaction(connection, [
    ...(written.length > 0 ? [`DELETE FROM archives WHERE week = ${week}`] : []),
    ...written.map(
      ({ kind, file, rows, bytes, late_to }) =>
        `INSERT INTO archives VALUES ('${kind}', ${week}, '${file}', ${rows}, ${bytes}, ${literal(to)}, ${late_to})`,
    ),
    `UPDATE keeping SET archived_to = ${literal(archivedTo)}`,
  ]);
  const replaced = written.flatMap((each) => archives.ofKind(each.kind).get(week) ?? []);
  for (const each of written) archives.ofKind(each.kind).set(week, each);
  archives.archivedTo = archivedTo;
  parts.moved(moved as number);
  parts.done?.("listed");
  await collect(parts, replaced);
  parts.done?.("collected");
}

/** The readings of a week before `to`, as far as they were said before number `said`. */
function sourceSql(
  archives: Archives,
  before: Archive | undefined,
  hot: string,
  { week, to, said }: { week: number; to: number; said: number },
): string {
  const base = [
    ...(before === undefined ? [] : [`SELECT series, instant, value FROM "${aliasOf(before.file)}".readings`]),
    `SELECT series, instant, value ${hot}`,
  ].join(" UNION ALL ");
  const late = archives.lateSql(week, to, said);
  const all =
    late === undefined
      ? base
      : `WITH late_said AS MATERIALIZED (${late})
         SELECT series, instant, value FROM (${base}) ANTI JOIN late_said USING (series, instant)
         UNION ALL SELECT series, instant, value FROM late_said`;
  return `(SELECT * FROM (${all}) WHERE instant >= ${literal(archives.rawFrom)})`;
}

/**
 * Writes them sorted by measure, series and instant: what is asked for together lies together, and like numbers compress
 * best. Undefined when there is nothing to write.
 */
async function writeRaw(
  { archives, pause }: Compacting,
  aside: Aside,
  week: number,
  source: string,
  held: Pick<Archive, "to" | "late_to">,
): Promise<Archive | undefined> {
  await aside.rows(`CREATE OR REPLACE TEMP TABLE places AS
    SELECT id AS series, row_number() OVER (ORDER BY measure, device) AS place FROM series`);
  const [[rows] = [0]] = await aside.rows(`SELECT count(*)::DOUBLE FROM ${source}`);
  if (rows === 0) return undefined;
  await pause();
  const file = archives.newFile("raw", week);
  const path = archives.path(file);
  await aside.rows(`ATTACH '${quoted(path)}' AS archive (STORAGE_VERSION 'latest', ROW_GROUP_SIZE ${GROUP_ROWS})`);
  try {
    // In one piece: a file that grows piece by piece is to a third blocks that nothing lies in.
    await aside.rows(`CREATE TABLE archive.readings AS
      SELECT series, instant, value FROM ${source} JOIN places USING (series) ORDER BY place, instant`);
  } finally {
    await aside.rows("DETACH archive");
  }
  const bytes = await settled(path, archives.directory);
  await aside.rows(archives.attachSql({ file }));
  return { kind: "raw", week, file, rows: rows as number, bytes, ...held };
}

/** Removes what counts no more, once nobody reads it: rows that moved, and files that were replaced. */
async function collect(parts: Compacting, replaced: readonly Archive[]): Promise<void> {
  const { archives, connection } = parts;
  await archives.readers.ended();
  await archives.remove(connection, replaced);
  await removeMoved(parts, archives.archivedTo);
  for (const held of archives.ofKind("raw").values()) {
    if (!archives.hasLate(held.week)) continue;
    await connection.run(
      `DELETE FROM late WHERE instant >= ${held.week} AND instant < ${literal(held.to)} AND said < ${held.late_to}`,
    );
  }
  archives.forgetLate();
}

/** What a checkpoint has to do for it is left to the one that comes anyway: at one made here every commit would wait. */
async function removeMoved({ connection, pause, withCommit }: Compacting, to: number): Promise<void> {
  const [[oldest, rows] = [null, 0]] = await rowsOf(
    connection,
    `SELECT min(instant)::DOUBLE, count(*)::DOUBLE FROM readings WHERE instant < ${literal(to)}`,
  );
  if (typeof oldest !== "number") return;
  const steps = Math.ceil((rows as number) / DELETED_AT_ONCE);
  const edge = (step: number): string => literal(step === steps ? to : oldest + ((to - oldest) * step) / steps);
  for (let step = 1; step <= steps; step++) {
    await pause();
    await withCommit(`DELETE FROM readings WHERE instant >= ${edge(step - 1)} AND instant < ${edge(step)}`);
  }
}
