import { existsSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import type { DuckDBInstance } from "@duckdb/node-api";
import { quoted, settled } from "./archive.ts";
import { rowsOf } from "./sql.ts";

/** A smaller waste is not worth the copying. */
const WASTE_B = 4 * 1024 * 1024;

/**
 * Writes a database anew when most of its file is blocks that nothing lies in: DuckDB uses them again, but gives back to the
 * disk only those at the file's end. Closes the instance when it did so; what was there is replaced at once or not at all.
 */
export async function shrink(path: string, instance: DuckDBInstance): Promise<boolean> {
  const fresh = `${path}.new`;
  for (const left of [fresh, `${fresh}.wal`]) rmSync(left, { force: true });
  const connection = await instance.connect();
  try {
    await connection.run("CHECKPOINT");
    const [[block, used, free] = [0, 0, 0]] = await rowsOf(
      connection,
      `SELECT block_size::DOUBLE, used_blocks::DOUBLE, free_blocks::DOUBLE FROM pragma_database_size()
       WHERE database_name = current_database()`,
    );
    if ((free as number) * (block as number) < WASTE_B || (free as number) < (used as number)) return false;
    await connection.run(`ATTACH '${quoted(fresh)}' AS fresh`);
    const [[name] = []] = await rowsOf(connection, "SELECT current_database()");
    await connection.run(`COPY FROM DATABASE "${name as string}" TO fresh`);
    await connection.run("DETACH fresh");
  } finally {
    connection.closeSync();
  }
  await settled(fresh, dirname(path));
  instance.closeSync();
  // What it holds would be written a second time into a file that has it already.
  if (existsSync(`${path}.wal`)) rmSync(fresh);
  else renameSync(fresh, path);
  return true;
}
