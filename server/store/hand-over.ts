import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Archive } from "./archive.ts";
import { quoted } from "./archive.ts";
import type { Aside } from "./aside.ts";
import { inAnotherProcess, onTheSpot } from "./aside.ts";
import type { Compacting } from "./compact.ts";
import { literal, rowsOf } from "./sql.ts";
import { WEEK } from "./weeks.ts";

/** What an archive is made of. */
interface HandedOver {
  readonly week: number;
  /** Readings of [from, to) are moved… */
  readonly from: number;
  readonly to: number;
  /** …so many… */
  readonly moved: number;
  /** …beside those that the week's archive has already. */
  readonly before: Archive | undefined;
}

/** An archive of fewer rows is written before a process that could do it has begun. */
const FEW = 50_000;
/** So many are handed over in some 3 ms. */
const HANDED_AT_ONCE = 25_000;
/** They are read once: what would make them smaller takes longer than it saves. */
const PLAIN = "FORMAT parquet, COMPRESSION uncompressed, DICTIONARY_SIZE_LIMIT 1";

/**
 * Where a week's archive can be written: in the database itself when that is little work, and else in a process of its own,
 * which is given what the archive is made of in files, a piece at a time. The tables `readings`, `late` and `series` and the
 * week's archive before it have the same names in either.
 */
export async function handOver(parts: Compacting, { week, from, to, before, moved }: HandedOver): Promise<Aside> {
  const { archives, connection, pause, closing } = parts;
  if (moved + (before?.rows ?? 0) < FEW) return onTheSpot(connection);
  const { scratch } = archives;
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  const put = (name: string, sql: string): Promise<unknown> =>
    connection.run(`COPY (${sql}) TO '${quoted(join(scratch, `${name}.parquet`))}' (${PLAIN})`);
  await put("series", "FROM series");
  await put("late", `FROM late WHERE instant >= ${week} AND instant < ${week + WEEK}`);
  const pieces = Math.max(1, Math.ceil(moved / HANDED_AT_ONCE));
  const edge = (piece: number): string => literal(from + ((to - from) * piece) / pieces);
  for (let piece = 0; piece < pieces; piece++) {
    await pause();
    await put(`readings-${piece}`, `FROM readings WHERE instant >= ${edge(piece)} AND instant < ${edge(piece + 1)}`);
  }
  const [[memory] = []] = await rowsOf(connection, "SELECT current_setting('memory_limit')");
  const aside = await inAnotherProcess({ directory: scratch, memory: memory as string }, closing);
  const end = async (): Promise<void> => {
    await aside.end();
    rmSync(scratch, { recursive: true, force: true });
  };
  try {
    for (const table of ["series", "late", "readings"]) {
      await aside.rows(`CREATE VIEW ${table} AS FROM read_parquet('${quoted(join(scratch, table))}*.parquet')`);
    }
    if (before !== undefined) await aside.rows(archives.attachSql(before));
  } catch (problem) {
    await end();
    throw problem;
  }
  return { rows: (sql) => aside.rows(sql), end };
}
