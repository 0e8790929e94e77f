import type { DuckDBConnection } from "@duckdb/node-api";
import type { Reading } from "#protocol/messages.ts";
import type { Instant } from "#protocol/units.ts";
import { DAY, HOUR } from "#protocol/units.ts";
import type { Archives } from "./archive.ts";
import type { Dictionary } from "./dictionary.ts";
import { literal, rowsOf } from "./sql.ts";
import { type Rollup, STEPS, rollupRelation } from "./rollups.ts";
import type { AggregateQuery } from "./store.ts";

/**
 * Columns: step, series (null together), count, mean, min, max, first, last. Where steps are made of whole quarters of an hour
 * and much of the span is archived, or the raw readings are gone, the roll-ups say the same with much less reading.
 */
export function aggregateSql(query: AggregateQuery, series: readonly number[], archives: Archives): string {
  const { from, to, every, by } = query;
  const start = literal(from);
  const step = `((instant - ${start}) // ${literal(every * 1000)})`;
  const bounds = `instant >= ${start} AND instant < ${literal(to)} AND series IN (${series.join(",")})`;
  const group = `GROUP BY ${step}${by === "device" ? ", series" : ""}`;
  const rollup = rollupFor(query, archives);
  if (rollup !== undefined) {
    return `
      SELECT ${step}::DOUBLE, ${by === "device" ? "series" : "NULL"}, sum(n)::DOUBLE, sum(total) / sum(n), min(low), max(high),
             arg_min(first, first_at), arg_max(last, last_at)
      FROM ${rollupRelation(archives, rollup, from, to)} WHERE ${bounds} ${group}`;
  }
  return `
    SELECT ${step}::DOUBLE, ${by === "device" ? "series" : "NULL"}, count(*)::DOUBLE, avg(value), min(value), max(value),
           arg_min(value, instant), arg_max(value, instant)
    FROM ${archives.relation(from, to)} WHERE ${bounds} ${group}`;
}

/** Shorter spans of archived readings are read faster than they are looked up. */
const LONG = 2 * DAY;

function rollupFor({ from, to, every }: AggregateQuery, archives: Archives): Rollup | undefined {
  const isGone = from < archives.rawFrom;
  const isLong = Math.min(to, archives.archivedTo) - from > LONG;
  if (!isGone && !isLong) return undefined;
  for (const kind of ["hour", "quarter"] as const) {
    const fits = (at: number): boolean => at % STEPS[kind] === 0;
    if (fits(every * 1000) && fits(from) && (fits(to) || to > archives.archivedTo)) return kind;
  }
  return isGone ? "quarter" : undefined;
}

/** The first look back for the newest values; each further one is four times as long. */
const FIRST_LOOK = 6 * HOUR;

/**
 * The newest reading of every series: looks back from the end in growing steps until each was seen, so that a town that is
 * alive costs hours of readings and not years.
 */
export async function latestOf(
  connection: DuckDBConnection,
  seriesIds: Dictionary,
  archives: Archives,
): Promise<Reading[]> {
  const [[oldest, newest] = [null, null]] = await rowsOf(
    connection,
    `SELECT min(instant)::DOUBLE, max(instant)::DOUBLE FROM ${archives.relation()}`,
  );
  const latest = new Map<number, Reading>();
  if (typeof oldest !== "number" || typeof newest !== "number") return [];
  let to = newest + 1;
  for (let look = FIRST_LOOK; to > oldest && latest.size < seriesIds.size; look *= 4) {
    const from = to - look;
    const rows = await rowsOf(
      connection,
      `SELECT series, max(instant)::DOUBLE, arg_max(value, instant) FROM ${archives.relation(from, to)}
       WHERE instant >= ${literal(from)} AND instant < ${literal(to)} GROUP BY series`,
    );
    for (const [series, at, value] of rows) {
      const id = series as number;
      if (latest.has(id)) continue;
      const [device, measure] = seriesIds.names(id);
      latest.set(id, { device, measure, at: at as Instant, value: value as number });
    }
    to = from;
  }
  return [...latest.values()];
}
