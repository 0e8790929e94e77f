import { copyFileSync, linkSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import type { Archives } from "./archive.ts";
import { archivesBeside, quoted, settled } from "./archive.ts";
import { rowsOf } from "./sql.ts";

/**
 * Copies an open database to `path`, as of one moment, and its archives beside it: as hard links where the disk is the same,
 * since they never change. No compaction may run meanwhile; commits may.
 */
export async function copyDatabase(
  connection: DuckDBConnection,
  archives: Archives,
  path: string,
  progress: (share: number) => void,
): Promise<void> {
  const [[name] = []] = await rowsOf(connection, "SELECT current_database()");
  await connection.run(`ATTACH '${quoted(path)}' AS backup`);
  try {
    await connection.run(`COPY FROM DATABASE "${name as string}" TO backup`);
  } finally {
    await connection.run("DETACH backup");
  }
  await settled(path, dirname(path));
  const files = archives.files();
  const directory = archivesBeside(path);
  if (files.length > 0) mkdirSync(directory, { recursive: true });
  for (const [index, { file }] of files.entries()) {
    progress((index + 1) / (files.length + 1));
    const to = join(directory, file);
    try {
      linkSync(archives.path(file), to);
    } catch {
      copyFileSync(archives.path(file), to);
      await settled(to, directory);
    }
  }
  progress(1);
}
