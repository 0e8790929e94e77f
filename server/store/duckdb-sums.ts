import type { DuckDBConnection, DuckDBValue } from "@duckdb/node-api";
import { BIGINT, DOUBLE, DuckDBDataChunk, INTEGER } from "@duckdb/node-api";
import { instant, type Instant } from "#protocol/units.ts";
import { type Archives, quoted } from "./archive.ts";
import type { Describe, Description } from "./describe.ts";
import type { Dictionary } from "./dictionary.ts";
import type { OpenDatabase } from "./duckdb-open.ts";
import type { RolledPolicy } from "./influxql/rolled.ts";
import { keptRelation, wholeFrom, writeTaken } from "./rollups.ts";
import { inTransaction, literal, rowsOf } from "./sql.ts";
import type { Gone, Span, Sum, Sums, Tally } from "./sums.ts";
import { weekOf } from "./weeks.ts";

/** What it needs of the store that it belongs to. */
export interface SumsOwner {
  opened(): Promise<OpenDatabase>;
  /** Runs `work` while nothing is removed that it may read. */
  reading<T>(work: (open: OpenDatabase) => Promise<T>): Promise<T>;
  /** Runs `work` while there is no compaction. */
  keep<T>(work: (open: OpenDatabase) => Promise<T>): Promise<T>;
  /** Runs statements in a commit. */
  committed(sql: string): Promise<void>;
  readonly describe: Describe | undefined;
}

/** The roll-ups of an embedded store, as another store reads them and hands its own over. */
export class DuckdbSums implements Sums {
  private readonly owner: SumsOwner;
  private lost: Promise<Map<string, Description>> | undefined;

  constructor(owner: SumsOwner) {
    this.owner = owner;
  }

  async gone(): Promise<Gone | undefined> {
    const { archives } = await this.owner.opened();
    const whole = wholeFrom(archives);
    const weeks = [...archives.ofKind("hour").keys(), ...archives.ofKind("quarter").keys()];
    const first = weeks.reduce((least, week) => Math.min(least, week), Number.POSITIVE_INFINITY);
    if (!Number.isFinite(whole) || first >= whole) return undefined;
    return { readings: instant(archives.rawFrom), whole: instant(whole), first: instant(first) };
  }

  tally(policy: RolledPolicy, span: Span): Promise<Tally | undefined> {
    return this.owner.reading(async ({ reader, archives }) => {
      const [[steps, count, sum, first, last] = []] = await rowsOf(
        reader,
        `SELECT count(*)::DOUBLE, sum(n)::DOUBLE, sum(total), min(instant)::DOUBLE, max(instant)::DOUBLE ${within(archives, policy, span)}`,
      );
      return steps === 0 ? undefined : ({ steps, count, sum, first, last } as unknown as Tally);
    });
  }

  async *read(policy: RolledPolicy, span: Span): AsyncGenerator<readonly Sum[]> {
    const { instance, archives, seriesIds } = await this.owner.opened();
    const lost = await this.lostOnes();
    const read = Promise.withResolvers<void>();
    void archives.readers.read(() => read.promise);
    // Of its own, since its answer is taken piece by piece.
    const connection = await instance.connect();
    try {
      const answer = await connection.stream(
        `SELECT series, instant::DOUBLE, n, total, low, high, first, last, first_at::DOUBLE, last_at::DOUBLE ${within(archives, policy, span)}`,
      );
      for await (const rows of answer.yieldRows()) yield rows.map((row) => sumOf(row, seriesIds, lost));
    } finally {
      connection.closeSync();
      read.resolve();
    }
  }

  leave({ readings }: Gone): Promise<Instant> {
    return this.owner.keep(async ({ archives, keeper }) => {
      const [[older] = []] = await rowsOf(
        keeper,
        `SELECT min(instant)::DOUBLE FROM ${archives.relation(undefined, readings)} WHERE instant < ${literal(readings)}`,
      );
      // Of older readings than the other store has, those that are there say more than anybody.
      const rawFrom = Math.max(archives.rawFrom, typeof older === "number" ? older : readings);
      await inTransaction(keeper, [`UPDATE keeping SET raw_from = ${literal(rawFrom)}`]);
      archives.rawFrom = rawFrom;
      return instant(wholeFrom(archives));
    });
  }

  async take(policy: RolledPolicy, span: Span, pieces: AsyncIterable<readonly Sum[]>): Promise<number> {
    const { instance } = await this.owner.opened();
    const connection = await instance.connect();
    try {
      const rows = await this.stage(connection, pieces);
      if (rows > 0) await this.list(connection, policy, span);
      return rows;
    } finally {
      connection.closeSync();
    }
  }

  /** Gathers them in a table that is gone with its connection, and grows onto the disk where memory ends. */
  private async stage(connection: DuckDBConnection, pieces: AsyncIterable<readonly Sum[]>): Promise<number> {
    await connection.run(`CREATE TEMP TABLE taken(series INTEGER, instant BIGINT, n INTEGER, total DOUBLE, low DOUBLE,
      high DOUBLE, first DOUBLE, last DOUBLE, first_at BIGINT, last_at BIGINT)`);
    const appender = await connection.createAppender("taken", "main", "temp");
    const chunk = DuckDBDataChunk.create([INTEGER, BIGINT, INTEGER, DOUBLE, DOUBLE, DOUBLE, DOUBLE, DOUBLE, BIGINT, BIGINT]); // prettier-ignore
    let rows = 0;
    for await (const piece of pieces) {
      const ids = await this.idsOf(piece);
      await this.fileLost(piece);
      for (let from = 0; from < piece.length; from += CHUNK_ROWS) {
        const some = piece.slice(from, from + CHUNK_ROWS);
        chunk.reset();
        chunk.setColumns([
          ids.slice(from, from + CHUNK_ROWS),
          some.map(({ at }) => BigInt(at)),
          some.map(({ count }) => count),
          some.map(({ sum }) => sum),
          some.map(({ min }) => min),
          some.map(({ max }) => max),
          some.map(({ first }) => first),
          some.map(({ last }) => last),
          some.map(({ at, firstAt = at }) => BigInt(firstAt)),
          some.map(({ at, firstAt = at, lastAt = firstAt }) => BigInt(lastAt)),
        ]);
        appender.appendDataChunk(chunk);
      }
      rows += piece.length;
    }
    appender.closeSync();
    return rows;
  }

  /** The numbers of their series, those that are new written down. */
  private async idsOf(piece: readonly Sum[]): Promise<number[]> {
    const { seriesIds } = await this.owner.opened();
    const known = seriesIds.size;
    const ids = piece.map(({ device, measure }) => seriesIds.id(device, measure));
    const added = Array.from({ length: seriesIds.size - known }, (_, index) => {
      const [device, measure] = seriesIds.names(known + index);
      return `(${known + index}, '${quoted(device)}', '${quoted(measure)}')`;
    });
    if (added.length > 0) await this.owner.committed(`INSERT INTO series VALUES ${added.join(", ")}`);
    return ids;
  }

  /** Devices that the territory has no more, as they were filed when it had them. */
  private lostOnes(): Promise<Map<string, Description>> {
    this.lost ??= this.owner.reading(async ({ reader }) => {
      await reader.run(FILED);
      const rows = await rowsOf(reader, "SELECT device, measurement, tags FROM descriptions ORDER BY rowid");
      const filed = rows.map(([device, measurement, tags]) => {
        const description = { measurement, tags: Object.fromEntries(JSON.parse(tags as string) as [string, string][]) };
        return [device as string, description as Description] as const;
      });
      return new Map(filed.filter(([device]) => this.owner.describe?.(device) === undefined));
    });
    return this.lost;
  }

  /** Writes down how they are filed where they come from. */
  private async fileLost(piece: readonly Sum[]): Promise<void> {
    const lost = await this.lostOnes();
    const added: string[] = [];
    for (const { device, description } of piece) {
      if (description === undefined || lost.has(device) || this.owner.describe?.(device) !== undefined) continue;
      lost.set(device, description);
      const tags = JSON.stringify(Object.entries(description.tags).sort(([a], [b]) => (a < b ? -1 : 1)));
      added.push(`('${quoted(device)}', '${quoted(description.measurement)}', '${quoted(tags)}')`);
    }
    if (added.length > 0) await this.owner.committed(`INSERT INTO descriptions VALUES ${added.join(", ")}`);
  }

  private list(connection: DuckDBConnection, policy: RolledPolicy, span: Span): Promise<void> {
    return this.owner.keep(async ({ archives, keeper }) => {
      const week = weekOf(span.from);
      const before = archives.ofKind(policy).get(week);
      const made = await writeTaken(archives, connection, { policy, week, to: span.to, before });
      await inTransaction(keeper, [
        `DELETE FROM archives WHERE kind = '${policy}' AND week = ${week}`,
        `INSERT INTO archives VALUES ('${policy}', ${week}, '${made.file}', ${made.rows}, ${made.bytes}, ${literal(made.to)}, ${made.late_to})`,
      ]);
      archives.ofKind(policy).set(week, made);
      if (before === undefined) return;
      await archives.readers.ended();
      await archives.remove(keeper, [before]);
    });
  }
}

/** Rows that one data chunk of DuckDB takes. */
const CHUNK_ROWS = 2048;

/** Where InfluxQL keeps how devices were last described. */
const FILED = "CREATE TABLE IF NOT EXISTS descriptions(device VARCHAR, measurement VARCHAR, tags VARCHAR)";

const within = (archives: Archives, policy: RolledPolicy, { from, to }: Span): string =>
  `FROM ${keptRelation(archives, policy, from, to)} WHERE instant >= ${literal(from)} AND instant < ${literal(to)}`;

function sumOf(row: readonly DuckDBValue[], seriesIds: Dictionary, lost: ReadonlyMap<string, Description>): Sum {
  const [series, at, count, sum, min, max, first, last, firstAt, lastAt] = row as number[];
  const [device, measure] = seriesIds.names(series as number);
  const description = lost.get(device);
  const known = { device, measure, at, count, sum, min, max, first, last, firstAt, lastAt } as Sum;
  return description === undefined ? known : { ...known, description };
}
