import type { DuckDBConnection } from "@duckdb/node-api";
import { FINE_SERIES, SERIES } from "#protocol/series.ts";
import { DAY } from "#protocol/units.ts";
import { rowsOf } from "./sql.ts";

/** Where points of the server's own and of others lie, by the type of their values. */
export const POINT_TABLES = ["point_floats", "point_integers", "point_strings", "point_booleans"] as const;
const NS_PER_MS = 1_000_000n;
const DAY_NS = BigInt(DAY) * NS_PER_MS;

/** Whether anybody has written or asked for a point. */
export async function hasPoints(connection: DuckDBConnection): Promise<boolean> {
  const [[tables] = [0n]] = await rowsOf(
    connection,
    "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'point_slots' AND database_name = current_database()",
  );
  return tables !== 0n;
}

/**
 * Drops points of others, and those of the server's own that are as fine as readings, before `before`; the rest of its own before
 * `coarseBefore`, where that is given; both in milliseconds.
 */
export async function prunePoints(connection: DuckDBConnection, before: number, coarseBefore?: number): Promise<void> {
  if (!(await hasPoints(connection))) return;
  const coarse = Object.keys(SERIES)
    .filter((name) => !FINE_SERIES.has(name))
    .map((name) => `'${name}'`)
    .join(",");
  const drop = async (slots: string, at: number): Promise<void> => {
    const to = BigInt(Math.ceil(at)) * NS_PER_MS;
    const those = `series IN (SELECT id FROM point_slots WHERE measurement ${slots} (${coarse}))`;
    for (const table of POINT_TABLES) {
      const [[oldest] = [null]] = await rowsOf(connection, `SELECT min(instant) FROM ${table} WHERE ${those}`);
      if (typeof oldest !== "bigint") continue;
      // Day by day: what is deleted at once is held in memory.
      for (let day = oldest; day < to; day += DAY_NS) {
        const end = day + DAY_NS < to ? day + DAY_NS : to;
        await connection.run(`DELETE FROM ${table} WHERE instant >= ${day} AND instant < ${end} AND ${those}`);
      }
    }
  };
  await drop("NOT IN", before);
  if (coarseBefore !== undefined) await drop("IN", coarseBefore);
}

/** How many values each measurement has, and the times of the oldest and the newest, in nanoseconds. */
export async function pointsByMeasurement(
  connection: DuckDBConnection,
): Promise<{ measurement: string; values: number; first: bigint; last: bigint }[]> {
  if (!(await hasPoints(connection))) return [];
  // Of each series first: there are few of them, and so nothing gathers in DuckDB's memory.
  const each = POINT_TABLES.map(
    (table) =>
      `SELECT series, count(*) AS n, min(instant) AS first, max(instant) AS last FROM ${table} GROUP BY series`,
  );
  const rows = await rowsOf(
    connection,
    `SELECT measurement, sum(n)::DOUBLE, min(first), max(last)
     FROM (${each.join(" UNION ALL ")}) JOIN point_slots ON id = series GROUP BY measurement`,
  );
  return rows.map(([measurement, values, first, last]) => ({ measurement, values, first, last })) as never;
}
