import type { DuckDBConnection, DuckDBValue } from "@duckdb/node-api";
import type { Reading } from "#protocol/messages.ts";
import type { Instant } from "#protocol/units.ts";
import { HOUR } from "#protocol/units.ts";
import type { Dictionary } from "./dictionary.ts";
import type { AggregateQuery } from "./store.ts";

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

/** Columns: step, series (null together), count, mean, min, max, first, last. */
export function aggregateSql(query: AggregateQuery, series: readonly number[]): string {
  const { from, to, every, by } = query;
  const start = literal(from);
  const step = `((instant - ${start}) // ${literal(every * 1000)})`;
  return `
    SELECT ${step}::DOUBLE, ${by === "device" ? "series" : "NULL"}, count(*)::DOUBLE, avg(value), min(value), max(value),
           arg_min(value, instant), arg_max(value, instant)
    FROM readings
    WHERE instant >= ${start} AND instant < ${literal(to)} AND series IN (${series.join(",")})
    GROUP BY ${step}${by === "device" ? ", series" : ""}`;
}

/** The first look back for the newest values; each further one is four times as long. */
const FIRST_LOOK = 6 * HOUR;

/**
 * The newest reading of every series: looks back from the end in growing steps until each was seen, so that a town that is
 * alive costs hours of readings and not years.
 */
export async function latestOf(connection: DuckDBConnection, seriesIds: Dictionary): Promise<Reading[]> {
  const [[oldest, newest] = [null, null]] = await rowsOf(
    connection,
    "SELECT min(instant)::DOUBLE, max(instant)::DOUBLE FROM readings",
  );
  const latest = new Map<number, Reading>();
  if (typeof oldest !== "number" || typeof newest !== "number") return [];
  let to = newest + 1;
  for (let look = FIRST_LOOK; to > oldest && latest.size < seriesIds.size; look *= 4) {
    const from = to - look;
    const rows = await rowsOf(
      connection,
      `SELECT series, max(instant)::DOUBLE, arg_max(value, instant) FROM readings
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
