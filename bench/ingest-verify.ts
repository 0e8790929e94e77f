import { DuckDBInstance } from "@duckdb/node-api";
import { duckdbStore } from "#server/store/duckdb.ts";
import { FIRST_NUMBER, VALUE_SCALE } from "./ingest-frames.ts";
import { lampName, stationName } from "./ingest-town.ts";

/** What lies on disk for each station: which numbers, how many rows, and the mark. */
export interface StoredState {
  readonly stations: readonly {
    readonly rows: number;
    readonly distinct: number;
    readonly last: number;
    readonly mark: number;
  }[];
}

/** Reads the database of a server that is gone. The rows are counted in SQL of their own, not through the code that wrote them. */
export async function storedState(directory: string, stations: number): Promise<StoredState> {
  const path = `${directory}/readings.duckdb`;
  const store = duckdbStore(path);
  await store.open();
  const marks = new Map((await store.marks()).map(({ station, upTo }) => [station, upTo]));
  await store.close();
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  const result = await connection.runAndReadAll(`
    SELECT device, count(*)::DOUBLE, count(DISTINCT value)::DOUBLE, max(value)
    FROM (SELECT series, value FROM readings UNION ALL SELECT series, value FROM late) said
    JOIN series ON series.id = said.series GROUP BY device`);
  const rows = new Map(result.getRows().map(([device, ...counts]) => [device as string, counts as number[]]));
  connection.closeSync();
  instance.closeSync();
  return {
    stations: Array.from({ length: stations }, (_, index) => {
      const [count = 0, distinct = 0, value = 0] = rows.get(lampName(index)) ?? [];
      return { rows: count, distinct, last: Math.round(value * VALUE_SCALE), mark: marks.get(stationName(index)) ?? 0 };
    }),
  };
}

/**
 * Holds what was acknowledged (the last number of each station; numbers are sent in order from the first) against what is
 * stored: a number at or below it that has no row is lost, a number with two rows is a duplicate.
 */
export function judge(acknowledged: readonly number[], stored: StoredState): { lost: number; duplicates: number } {
  let lost = 0;
  let duplicates = 0;
  for (const [index, last] of acknowledged.entries()) {
    const { rows, distinct, last: storedLast, mark } = stored.stations[index] as StoredState["stations"][number];
    duplicates += rows - distinct;
    // Distinct numbers from the first on: without a gap there are as many as the last one says.
    const gaps = distinct === 0 ? 0 : storedLast - FIRST_NUMBER + 1 - distinct;
    lost += Math.max(0, last - Math.max(storedLast, FIRST_NUMBER - 1)) + gaps;
    if (distinct > 0 && mark !== storedLast) lost += Math.abs(mark - storedLast);
  }
  return { lost, duplicates };
}
