import type { DuckDBConnection, DuckDBValue } from "@duckdb/node-api";

/** All rows of a query, each an array of its columns. */
export async function rowsOf(connection: DuckDBConnection, sql: string): Promise<DuckDBValue[][]> {
  return (await connection.runAndReadAll(sql)).getRows();
}

/**
 * A whole number as SQL text. Bound parameters would be doubles, and a comparison in doubles passes over the zone maps.
 * Rounded up: `instant >= x` and `instant < x` then mean the same for instants, which are whole.
 */
export function literal(number: number): string {
  const most = Number.MAX_SAFE_INTEGER;
  return String(Math.ceil(Math.min(Math.max(number, -most), most)));
}

/** All of these statements, or none of them. */
export async function inTransaction(connection: DuckDBConnection, statements: readonly string[]): Promise<void> {
  await connection.run("BEGIN");
  try {
    for (const sql of statements) await connection.run(sql);
    await connection.run("COMMIT");
  } catch (problem) {
    await connection.run("ROLLBACK").catch(() => {});
    throw problem;
  }
}
