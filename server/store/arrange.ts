import type { DuckDBConnection } from "@duckdb/node-api";
import { DAY } from "#protocol/units.ts";
import { quoted } from "./archive.ts";
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
const MOVED_AT_ONCE = 10_000;

/**
 * Points come mixed over measurements, and whoever asks for one of them would read all. Lays what is before `before`
 * (milliseconds, a day's beginning) by day, measurement, instant and series: points of one instant stay beside each other, so
 * that their times take next to no room. Goes piece by piece, each in a transaction of its own: killed in between, nothing is
 * lost or doubled, and it is begun anew the next time. What comes late stays where it came. Returns how many points it moved.
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
    for (const heap of await heapsOf(connection, table, from, to)) moved += await arrangeHeap(parts, table, heap);
  }
  if (moved > 0) await inTransaction(connection, ["DELETE FROM arranged", `INSERT INTO arranged VALUES (${to})`]);
  return moved;
}

/** What lies together in the end: what was measured of one thing on one day. */
interface Heap {
  readonly day: bigint;
  readonly measurement: string;
  readonly points: number;
}

async function heapsOf(connection: DuckDBConnection, table: string, from: bigint, to: bigint): Promise<Heap[]> {
  // The remainder of a time before 1970 is negative.
  const heaps = await rowsOf(
    connection,
    `SELECT instant - ((instant % ${DAY_NS}) + ${DAY_NS}) % ${DAY_NS} AS day, measurement, count(*)::DOUBLE
     FROM ${table} JOIN point_slots ON id = series
     WHERE instant >= ${from} AND instant < ${to} GROUP BY ALL ORDER BY day, measurement`,
  );
  return heaps.map(([day, measurement, points]) => ({ day, measurement, points }) as Heap);
}

async function arrangeHeap(parts: Arranging, table: string, { day, measurement, points }: Heap): Promise<number> {
  const { connection, alone, pause } = parts;
  const pieces = BigInt(Math.ceil(points / MOVED_AT_ONCE));
  const edge = (piece: bigint): bigint => day + (DAY_NS * piece) / pieces;
  for (let piece = 0n; piece < pieces; piece++) {
    await pause();
    const those = `instant >= ${edge(piece)} AND instant < ${edge(piece + 1n)}
      AND series IN (SELECT id FROM point_slots WHERE measurement = '${quoted(measurement)}')`;
    await alone(() =>
      inTransaction(connection, [
        `CREATE OR REPLACE TEMP TABLE piece AS SELECT series, instant, value FROM ${table} WHERE ${those} ORDER BY instant, series`,
        `DELETE FROM ${table} WHERE ${those}`,
        `INSERT INTO ${table} FROM piece`,
      ]),
    );
  }
  await connection.run("DROP TABLE IF EXISTS temp.piece");
  return points;
}
