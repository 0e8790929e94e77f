import { DuckDBInstance } from "@duckdb/node-api";
import { DuckdbEngine } from "#server/store/influxql/duckdb-engine.ts";
import { InfluxError, type QueryLimits } from "#server/store/influxql/engine.ts";

export const LIMITS: QueryLimits = { points: 0, series: 0, buckets: 0, time_ms: 30_000 };

/** What either server says to one text, in a form that can be compared. */
export type Answer = readonly { readonly error?: string; readonly series?: readonly AnswerSeries[] }[];

export interface AnswerSeries {
  readonly name?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly columns: readonly string[];
  readonly values: readonly (readonly unknown[])[];
}

export async function askInfluxd(url: string, database: string, text: string): Promise<Answer> {
  const response = await fetch(`${url}/query`, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ db: database, q: text, epoch: "ms" }),
  });
  const json = (await response.json()) as { error?: string; results?: { error?: string; series?: AnswerSeries[] }[] };
  if (json.error !== undefined) return [{ error: json.error }];
  return (json.results ?? []).map(({ error, series }) => ({
    ...(error !== undefined && { error }),
    ...(series && { series }),
  }));
}

export async function askEngine(engine: DuckdbEngine, text: string, now_ns: bigint): Promise<Answer> {
  try {
    const results = await engine.query(text, { database: "vigie", now_ns, limits: LIMITS });
    return results.map(({ error, series }) => ({
      ...(error !== undefined && { error }),
      ...(series.length > 0 && {
        series: series.map(({ name, tags, columns, values, types }) => ({
          name,
          ...(tags && { tags }),
          columns,
          values: values.map((row) =>
            row.map((value, index) => {
              if (typeof value !== "bigint") return value;
              return types[index] === "time"
                ? Number(value / 1_000_000n) - (value % 1_000_000n < 0n ? 1 : 0)
                : Number(value);
            }),
          ),
        })),
      }),
    }));
  } catch (problem) {
    if (problem instanceof InfluxError) return [{ error: problem.message }];
    throw problem;
  }
}

/** What is different between two answers; undefined: nothing. Floats may differ by the order in which they were added. */
export function difference(ours: Answer, theirs: Answer): string | undefined {
  if (ours.length !== theirs.length) return `${ours.length} results, not ${theirs.length}`;
  for (const [index, mine] of ours.entries()) {
    const other = theirs[index];
    if (mine.error !== other?.error) return `error ${mine.error ?? "none"}, not ${other?.error ?? "none"}`;
    const [a, b] = [mine.series ?? [], other?.series ?? []];
    if (a.length !== b.length) return `${a.length} series, not ${b.length}`;
    for (const [place, one] of a.entries()) {
      const found = seriesDifference(one, b[place] as AnswerSeries);
      if (found !== undefined) return `series ${place}: ${found}`;
    }
  }
  return undefined;
}

function seriesDifference(a: AnswerSeries, b: AnswerSeries): string | undefined {
  const head = ({ name, tags, columns }: AnswerSeries): string => JSON.stringify([name ?? "", tags, columns]);
  if (head(a) !== head(b)) return `${head(a)}, not ${head(b)}`;
  for (let row = 0; row < Math.max(a.values.length, b.values.length); row++) {
    const [x, y] = [a.values[row], b.values[row]];
    if (x === undefined || y === undefined)
      return `${a.values.length} rows, not ${b.values.length}; row ${row}: ${JSON.stringify(x ?? y)}`;
    if (!x.every((value, column) => isSame(value, y[column])))
      return `row ${row}: ${JSON.stringify(x)}, not ${JSON.stringify(y)}`;
  }
  return undefined;
}

function isSame(a: unknown, b: unknown): boolean {
  if (typeof a === "number" && typeof b === "number") {
    return a === b || Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a), Math.abs(b));
  }
  return a === b;
}

/** `recent_MB`: how much it may hold in memory of its own; 0: all is answered by SQL. */
export async function engineInMemory(recent_MB = 0): Promise<DuckdbEngine> {
  const engine = new DuckdbEngine(await DuckDBInstance.create(":memory:", { threads: "2" }), undefined, recent_MB);
  await engine.open();
  return engine;
}
