import type { DuckDBConnection } from "@duckdb/node-api";
import { FINE_SERIES, SERIES } from "#protocol/series.ts";
import { rowsOf } from "./sql.ts";

/** Where points of the server's own and of others lie, by the type of their values. */
export const POINT_TABLES = ["point_floats", "point_integers", "point_strings", "point_booleans"] as const;
const NS_PER_MS = 1_000_000n;

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
    for (const table of POINT_TABLES) {
      await connection.run(
        `DELETE FROM ${table} WHERE instant < ${BigInt(Math.ceil(at)) * NS_PER_MS}
         AND series IN (SELECT id FROM point_slots WHERE measurement ${slots} (${coarse}))`,
      );
    }
  };
  await drop("NOT IN", before);
  if (coarseBefore !== undefined) await drop("IN", coarseBefore);
}
