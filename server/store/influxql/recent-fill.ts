import type { DuckDBConnection } from "@duckdb/node-api";
import { DAY, HOUR } from "#protocol/units.ts";
import { rowsOf } from "../sql.ts";
import type { FieldValue } from "./engine.ts";
import type { PastRows } from "./recent.ts";

/** What is handed the newest values, of readings or of points, so that they are held in memory. */
export interface Feed {
  /** How many values of the past there is room for. */
  readonly room: number;
  /** Hands on a value as it is written. */
  put(id: number, at_ms: number, value: FieldValue): void;
  /** Of this series nothing can be held. */
  refuse(id: number): void;
  /** What was handed on does not hold any more. */
  drop(): void;
  /** Says of how many values each series of the past will be. */
  expect(counts: ReadonlyMap<number, number>): void;
  /** Hands on a piece of the past; resolves when it was taken. */
  past(rows: PastRows): Promise<void>;
  /** All of the past from here on was handed on. */
  begin(from: number): void;
}

/** Where values of the past lie: `relation` stands behind FROM and has `series`, `instant` (in `unit_ms`) and `value`. */
export interface Past {
  readonly relation: (from_ms: number) => string;
  /** Milliseconds in one unit of `instant`, as SQL divides by it. */
  readonly perMs: number;
  /** SQL that says how many there are, over all times. */
  readonly rows: string;
}

/** How far back is looked, the longest first: whatever fits is held. */
const SPANS = [8 * DAY, 4 * DAY, 2 * DAY, DAY, 12 * HOUR, 6 * HOUR, 3 * HOUR, HOUR, HOUR / 4] as const;

/** How the past is read. */
export interface Filling {
  readonly connection: DuckDBConnection;
  readonly now_ms: number;
  /** What is before this instant is gone, and does not come again. */
  readonly least_ms: number;
  /** Lets others go first, between two pieces. */
  readonly pause: () => Promise<void>;
}

/** Reads into memory what is newest, as far as there is room for it. */
export async function fillRecent(feed: Feed, pasts: readonly Past[], filling: Filling): Promise<void> {
  const { connection } = filling;
  const from = Math.max(filling.least_ms, await beginning(feed, pasts, filling));
  const counts = new Map<number, number>();
  for (const { relation, perMs } of pasts) {
    const rows = await rowsOf(
      connection,
      `SELECT series, count(*)::DOUBLE, bool_or(instant % ${perMs} <> 0) FROM ${relation(from)} WHERE true${since(from, perMs)} GROUP BY series`,
    );
    for (const [series, count, isFiner] of rows) {
      counts.set(series as number, count as number);
      if (isFiner === true) feed.refuse(series as number);
    }
  }
  feed.expect(counts);
  for await (const rows of rowsSince(pasts, filling, from)) await feed.past(rows);
  feed.begin(from);
}

async function beginning({ room }: Feed, pasts: readonly Past[], { connection, now_ms }: Filling): Promise<number> {
  const all = await rowsOf(connection, `SELECT (${pasts.map(({ rows }) => rows).join(" + ")})::DOUBLE`);
  if ((all[0]?.[0] as number) <= room) return Number.NEGATIVE_INFINITY;
  const found = SPANS.map(() => 0);
  for (const { relation, perMs } of pasts) {
    const longest = now_ms - SPANS[0];
    const counts = SPANS.map((span) => `count(*) FILTER (instant >= ${at(now_ms - span, perMs)})::DOUBLE`);
    const [row = []] = await rowsOf(
      connection,
      `SELECT ${counts.join(", ")} FROM ${relation(longest)} WHERE true${since(longest, perMs)}`,
    );
    row.forEach((count, place) => (found[place] = (found[place] ?? 0) + (count as number)));
  }
  const place = found.findIndex((count) => count <= room);
  return now_ms - (SPANS[place] ?? 0);
}

/** Unordered, so that nothing gathers in DuckDB's memory, which other questions need. */
async function* rowsSince(
  pasts: readonly Past[],
  { connection, pause }: Filling,
  from: number,
): AsyncIterable<PastRows> {
  for (const { relation, perMs } of pasts) {
    const time = perMs === 1 ? "instant" : `instant // ${perMs}`;
    const result = await connection.stream(
      `SELECT series, (${time})::DOUBLE, value FROM ${relation(from)} WHERE true${since(from, perMs)}`,
    );
    for (;;) {
      await pause();
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) break;
      yield {
        series: chunk.getColumnValues(0) as number[],
        times: chunk.getColumnValues(1) as number[],
        values: chunk.getColumnValues(2) as FieldValue[],
      };
    }
  }
}

const at = (ms: number, perMs: number): string => String(BigInt(Math.ceil(ms)) * BigInt(perMs));
const since = (from: number, perMs: number): string =>
  from === Number.NEGATIVE_INFINITY ? "" : ` AND instant >= ${at(from, perMs)}`;
