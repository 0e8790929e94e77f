import type { DuckDBConnection } from "@duckdb/node-api";
import { DAY } from "#protocol/units.ts";
import { hasPoints, POINT_TABLES } from "./prune-points.ts";
import { inTransaction, literal, rowsOf } from "./sql.ts";

/** What putting points in order needs of the store that it works for. */
export interface Arranging {
  /** A connection of its own. */
  readonly connection: DuckDBConnection;
  /** Runs `work` while no point is written. */
  readonly alone: (work: () => Promise<void>) => Promise<void>;
  /** Lets others go first, between two pieces. */
  readonly pause: () => Promise<void>;
}

const DAY_NS = BigInt(DAY) * 1_000_000n;
/** So many are moved in some 10 ms, which is how long a writer of points may wait for it. */
const MOVED_AT_ONCE = 20_000;

/**
 * Points come mixed over series, and whoever asks for a few series of a week would read all of it. Lays what is before
 * `before` (milliseconds, a day's beginning) by day, series and instant, piece by piece, each in a transaction of its own: killed
 * in between, nothing is lost or doubled, and the day is begun anew the next time. What comes late stays where it came. Returns
 * how many points it moved.
 */
export async function arrangePoints(parts: Arranging, before: number): Promise<number> {
  const { connection } = parts;
  if (!(await hasPoints(connection))) return 0;
  await connection.run("CREATE TABLE IF NOT EXISTS arranged(up_to BIGINT)");
  const [[known] = [null]] = await rowsOf(connection, "SELECT max(up_to) FROM arranged");
  const to = BigInt(literal(before)) * 1_000_000n;
  const from = (known as bigint | null) ?? -(2n ** 63n) + 1n;
  if (from >= to) return 0;
  let moved = 0;
  for (const table of POINT_TABLES) {
    for (const day of await daysOf(connection, table, from, to)) moved += await arrangeDay(parts, table, day);
  }
  await inTransaction(connection, ["DELETE FROM arranged", `INSERT INTO arranged VALUES (${to})`]);
  // Where the rows were, others can lie from now on.
  await connection.run("CHECKPOINT").catch(() => {});
  return moved;
}

async function daysOf(connection: DuckDBConnection, table: string, from: bigint, to: bigint): Promise<bigint[]> {
  // The remainder of a time before 1970 is negative.
  const days = await rowsOf(
    connection,
    `SELECT DISTINCT instant - ((instant % ${DAY_NS}) + ${DAY_NS}) % ${DAY_NS} AS day FROM ${table}
     WHERE instant >= ${from} AND instant < ${to} ORDER BY day`,
  );
  return days.map(([day]) => day as bigint);
}

async function arrangeDay({ connection, alone, pause }: Arranging, table: string, day: bigint): Promise<number> {
  const inDay = `instant >= ${day} AND instant < ${day + DAY_NS}`;
  const counts = await rowsOf(
    connection,
    `SELECT series, count(*)::DOUBLE FROM ${table} WHERE ${inDay} GROUP BY series ORDER BY series`,
  );
  let moved = 0;
  for (const { first, last, rows } of pieces(counts as [number, number][])) {
    await pause();
    const those = `${inDay} AND series BETWEEN ${first} AND ${last}`;
    await alone(() =>
      inTransaction(connection, [
        `CREATE OR REPLACE TEMP TABLE piece AS SELECT series, instant, value FROM ${table} WHERE ${those} ORDER BY series, instant`,
        `DELETE FROM ${table} WHERE ${those}`,
        `INSERT INTO ${table} FROM piece`,
      ]),
    );
    moved += rows;
  }
  await connection.run("DROP TABLE IF EXISTS temp.piece");
  return moved;
}

interface Piece {
  first: number;
  last: number;
  rows: number;
}

/** Neighbouring series together, as long as they are not too many points; a series is never divided. */
function pieces(counts: readonly (readonly [series: number, rows: number])[]): Piece[] {
  const found: Piece[] = [];
  for (const [series, rows] of counts) {
    const open = found.at(-1);
    if (open === undefined || open.rows + rows > MOVED_AT_ONCE) found.push({ first: series, last: series, rows });
    else {
      open.last = series;
      open.rows += rows;
    }
  }
  return found;
}
