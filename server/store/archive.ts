import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import { inTransaction, literal, rowsOf } from "./sql.ts";
import { Readers } from "./readers.ts";
import type { Instant } from "#protocol/units.ts";
import type { Reach } from "./store.ts";
import { WEEK, dateOf, weekOf, weekSql } from "./weeks.ts";

/**
 * Raw readings of a week lie in a DuckDB file of their own, sorted, each instant of a series once; roll-ups of a week in
 * Parquet files. Such a file never changes: late readings make a new one with a higher number.
 */
export type ArchiveKind = "raw" | "quarter" | "hour";

export interface Archive {
  readonly kind: ArchiveKind;
  /** The Monday that its week begins with. */
  readonly week: number;
  readonly file: string;
  readonly rows: number;
  readonly bytes: number;
  /** It holds what its week has before this instant… */
  readonly to: number;
  /** …and of what was said late about that, all before this number. */
  readonly late_to: number;
}

/**
 * Which archives count, as the main database lists them, and what a span of readings is called in SQL.
 * A file of ours that is not listed is what a crash left behind, and is removed at the next opening.
 */
export class Archives {
  readonly directory: string;
  /** Whoever reads by SQL what `relation` names is one of them. */
  readonly readers = new Readers();
  /** Stands in the names of its files, so that no other database takes them for its own. */
  private identity = "";
  private readonly raw = new Map<number, Archive>();
  private readonly rollups: Record<"quarter" | "hour", Map<number, Archive>> = { quarter: new Map(), hour: new Map() };
  /** Readings before this instant lie in archives, or came late; from it on in the table `readings`. */
  archivedTo = Number.NEGATIVE_INFINITY;
  /** Raw readings before this instant have been dropped. */
  rawFrom = Number.NEGATIVE_INFINITY;
  /** For each week, what was said late about it. */
  private readonly late = new Map<number, Late>();
  private number = 0;

  /** Archives of the database at `path` lie beside it. */
  constructor(path: string) {
    this.directory = archivesBeside(path);
  }

  /** Creates the tables, reads them, removes what a crash left, and attaches what is listed. */
  async open(connection: DuckDBConnection): Promise<void> {
    await connection.run(`
      CREATE TABLE IF NOT EXISTS late(series INTEGER, instant BIGINT, value DOUBLE, said BIGINT);
      CREATE TABLE IF NOT EXISTS keeping(identity VARCHAR, archived_to BIGINT, raw_from BIGINT);
      CREATE TABLE IF NOT EXISTS archives(kind VARCHAR, week BIGINT, file VARCHAR, rows BIGINT, bytes BIGINT, to_instant BIGINT, late_to BIGINT);
      INSERT INTO keeping SELECT left(uuid()::VARCHAR, 8), NULL, NULL WHERE NOT EXISTS (FROM keeping)`);
    const [[identity, archivedTo, rawFrom] = []] = await rowsOf(
      connection,
      "SELECT identity, archived_to::DOUBLE, raw_from::DOUBLE FROM keeping",
    );
    this.identity = identity as string;
    this.archivedTo = (archivedTo as number | null) ?? Number.NEGATIVE_INFINITY;
    this.rawFrom = (rawFrom as number | null) ?? Number.NEGATIVE_INFINITY;
    const listed = await rowsOf(
      connection,
      "SELECT kind, week::DOUBLE, file, rows::DOUBLE, bytes::DOUBLE, to_instant::DOUBLE, late_to::DOUBLE FROM archives",
    );
    for (const [kind, week, file, rows, bytes, to, late_to] of listed) {
      const archive = { kind, week, file, rows, bytes, to, late_to } as Archive;
      this.ofKind(archive.kind).set(archive.week, archive);
      this.number = Math.max(this.number, Number(/-(\d+)\./.exec(archive.file)?.[1] ?? 0));
    }
    this.sweep();
    for (const archive of this.raw.values()) await this.attach(connection, archive);
    const late = await rowsOf(
      connection,
      `SELECT min(instant)::DOUBLE, max(instant)::DOUBLE, max(said)::DOUBLE + 1 FROM late GROUP BY ${weekSql("instant")}`,
    );
    for (const [oldest, newest, next] of late as number[][]) {
      this.saidLate(oldest as number, next as number);
      this.saidLate(newest as number, next as number);
    }
  }

  ofKind(kind: ArchiveKind): Map<number, Archive> {
    return kind === "raw" ? this.raw : this.rollups[kind];
  }

  /** Every file that counts. */
  files(): Archive[] {
    return [this.raw, this.rollups.quarter, this.rollups.hour].flatMap((each) => [...each.values()]);
  }

  /** Readings that lie in archives, before what was said late of their weeks. */
  get rows(): number {
    return [...this.raw.values()].reduce((sum, { rows }) => sum + rows, 0);
  }

  /** Remembers that something was said late; `next` is one more than its number. */
  saidLate(instant: number, next: number): void {
    const week = weekOf(instant);
    const known = this.late.get(week);
    if (known === undefined) this.late.set(week, { oldest: instant, newest: instant, next });
    else {
      known.oldest = Math.min(known.oldest, instant);
      known.newest = Math.max(known.newest, instant);
      known.next = Math.max(known.next, next);
    }
  }

  /** One more than the highest number of what was said late. */
  get nextLate(): number {
    return Math.max(0, ...[...this.late.values()].map(({ next }) => next), ...this.files().map((each) => each.late_to));
  }

  /** Weeks about which something was said late that their archive does not hold and could. */
  lateWeeks(): number[] {
    return [...this.late].flatMap(([week, { oldest, newest, next }]) => {
      const { to, late_to } = this.heldOf(week);
      const grows = to < Math.min(week + WEEK, this.archivedTo) && newest >= to;
      return (next > late_to && oldest < this.archivedTo) || grows ? [week] : [];
    });
  }

  hasLate(week: number): boolean {
    return this.late.has(week);
  }

  /** Forgets weeks of which the archive holds all that was said late. */
  forgetLate(): void {
    for (const week of this.late.keys()) if (!this.isLate(week)) this.late.delete(week);
  }

  /** Whether something was said late about a week that its archive does not hold. */
  private isLate(week: number): boolean {
    const late = this.late.get(week);
    if (late === undefined) return false;
    const { to, late_to } = this.heldOf(week);
    return late.next > late_to || late.newest >= to;
  }

  private heldOf(week: number): Pick<Archive, "to" | "late_to"> {
    return this.raw.get(week) ?? { to: Math.min(week, this.archivedTo), late_to: 0 };
  }

  /** The name of a new file. */
  newFile(kind: ArchiveKind, week: number): string {
    mkdirSync(this.directory, { recursive: true });
    const end = kind === "raw" ? "duckdb" : "parquet";
    const file = `${this.identity}-${dateOf(week)}-${kind}-${++this.number}.${end}`;
    rmSync(this.path(file), { force: true });
    rmSync(`${this.path(file)}.wal`, { force: true });
    return file;
  }

  path(file: string): string {
    return join(this.directory, file);
  }

  async attach(connection: DuckDBConnection, archive: Pick<Archive, "file">): Promise<void> {
    await connection.run(this.attachSql(archive));
  }

  attachSql({ file }: Pick<Archive, "file">): string {
    return `ATTACH IF NOT EXISTS '${quoted(this.path(file))}' AS "${aliasOf(file)}" (READ_ONLY)`;
  }

  /** Where files lie while an archive is written; what a crash leaves of them is swept up like archives. */
  get scratch(): string {
    return this.path(`${this.identity}-scratch`);
  }

  /** Removes files that count no more. */
  async remove(connection: DuckDBConnection, archives: readonly Archive[]): Promise<void> {
    for (const { kind, file } of archives) {
      if (kind === "raw") await connection.run(`DETACH "${aliasOf(file)}"`);
      rmSync(this.path(file), { force: true });
    }
  }

  /** How many instants only what was said late knows. */
  async addedLate(connection: DuckDBConnection): Promise<number> {
    const late = this.lateSql(this.rawFrom, Number.POSITIVE_INFINITY);
    if (late === undefined) return 0;
    const [[from, to] = [0, 0]] = await rowsOf(
      connection,
      `SELECT min(instant)::DOUBLE, max(instant)::DOUBLE FROM late`,
    );
    const base = this.parts(Math.max(from as number, this.rawFrom), (to as number) + 1);
    const [[added] = [0]] = await rowsOf(
      connection,
      `SELECT count(*)::DOUBLE FROM (${late}) ANTI JOIN (${base.join(" UNION ALL ") || NOTHING}) USING (series, instant)`,
    );
    return added as number;
  }

  /** Drops raw readings before an instant: archives as a whole when their week is past, and what is left does not count. */
  async dropRaw(connection: DuckDBConnection, before: number): Promise<void> {
    await this.drop(connection, "raw", before, [`UPDATE keeping SET raw_from = ${literal(before)}`], () => {
      this.rawFrom = Math.max(this.rawFrom, before);
    });
    for (const table of ["readings", "late"]) {
      await connection.run(`DELETE FROM ${table} WHERE instant < ${literal(before)}`);
    }
    // Gives the room back to the disk; what a commit holds on to is given back at the next one of its own.
    await connection.run("CHECKPOINT").catch(() => {});
  }

  /** Drops roll-ups by quarters of weeks that are past. */
  async dropQuarters(connection: DuckDBConnection, before: number): Promise<void> {
    await this.drop(connection, "quarter", before, [], () => {});
  }

  private async drop(
    connection: DuckDBConnection,
    kind: ArchiveKind,
    before: number,
    beside: readonly string[],
    then: () => void,
  ): Promise<void> {
    const past = [...this.ofKind(kind).values()].filter(({ week }) => week + WEEK <= before);
    await inTransaction(connection, [
      ...past.map(({ week }) => `DELETE FROM archives WHERE kind = '${kind}' AND week = ${week}`),
      ...beside,
    ]);
    for (const { week } of past) this.ofKind(kind).delete(week);
    then();
    await this.readers.ended();
    await this.remove(connection, past);
  }

  /** From when on there are readings and roll-ups. */
  reach(): Reach {
    const oldest = (kind: ArchiveKind): Instant | undefined => {
      const weeks = [...this.ofKind(kind).keys()];
      return weeks.length === 0 ? undefined : (Math.min(...weeks) as Instant);
    };
    return {
      raw: Number.isFinite(this.rawFrom) ? (this.rawFrom as Instant) : undefined,
      quarter: oldest("quarter") === oldest("hour") ? undefined : oldest("quarter"),
      hour: undefined,
    };
  }

  private sweep(): void {
    const listed = new Set(this.files().map(({ file }) => file));
    let found: string[] = [];
    try {
      found = readdirSync(this.directory);
    } catch {
      // There is no archive yet.
    }
    for (const file of found) {
      if (file.startsWith(`${this.identity}-`) && !listed.has(file)) {
        rmSync(this.path(file), { force: true, recursive: true });
      }
    }
  }

  /**
   * What to write behind FROM for the readings in [from, to), in milliseconds: columns `series`, `instant`, `value`, each
   * instant of a series once. It names only what the span touches, and may hold more than the span where that costs nothing;
   * so say the bounds in WHERE, too. It is good while `readers.read` runs.
   */
  relation(from: number = Number.NEGATIVE_INFINITY, to: number = Number.POSITIVE_INFINITY): string {
    const start = Math.max(from, this.rawFrom);
    const parts = this.parts(start, to);
    const late = this.lateSql(start, to);
    if (late === undefined) return `(${parts.length === 0 ? NOTHING : parts.join(" UNION ALL ")})`;
    if (parts.length === 0) return `(${late})`;
    return `(WITH late_said AS MATERIALIZED (${late})
      SELECT series, instant, value FROM (${parts.join(" UNION ALL ")}) ANTI JOIN late_said USING (series, instant)
      UNION ALL SELECT series, instant, value FROM late_said)`;
  }

  private parts(start: number, to: number): string[] {
    const parts = [...this.raw.values()]
      .filter(({ week }) => week < to && week + WEEK > start)
      .sort((a, b) => a.week - b.week)
      .map(({ file, week }) => selection(`"${aliasOf(file)}".readings`, week < start ? start : undefined));
    if (to > this.archivedTo) parts.push(selection("readings", Math.max(start, this.archivedTo)));
    return parts;
  }

  /**
   * What was said late about instants in [from, to) and is in no archive: of two things about one instant of a series the
   * last one. Only what was said before number `said`, where that is given; undefined when there is nothing.
   */
  lateSql(from: number, to: number, said?: number): string | undefined {
    const weeks = [...this.late].filter(
      ([week, { oldest, newest }]) => this.isLate(week) && oldest < to && newest >= from,
    );
    if (weeks.length === 0) return undefined;
    const own = weeks.map(([week]) => {
      const held = this.heldOf(week);
      return `(instant >= ${week} AND instant < ${week + WEEK} AND (said >= ${held.late_to} OR instant >= ${literal(held.to)}))`;
    });
    return `SELECT series, instant, last(value ORDER BY said) AS value FROM late
      WHERE (${own.join(" OR ")}) AND instant >= ${literal(from)} AND instant < ${literal(to)}
      ${said === undefined ? "" : `AND said < ${said}`} GROUP BY series, instant`;
  }
}

interface Late {
  oldest: number;
  newest: number;
  /** One more than the number of what was said last. */
  next: number;
}

const NOTHING = "SELECT series, instant, value FROM readings WHERE false";

const selection = (table: string, from: number | undefined): string =>
  `SELECT series, instant, value FROM ${table}${from === undefined || from === Number.NEGATIVE_INFINITY ? "" : ` WHERE instant >= ${literal(from)}`}`;

/** Where the archives of a database lie. */
export const archivesBeside = (path: string): string => `${path.replace(/\.duckdb$/, "")}.archive`;

export const aliasOf = (file: string): string => file.replace(/\.duckdb$/, "");
export const quoted = (text: string): string => text.replaceAll("'", "''");

/** Resolves when a file and its name are on the disk, to how many bytes it has. */
export async function settled(path: string, directory: string): Promise<number> {
  for (const each of [path, directory]) {
    const handle = await open(each, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
  return statSync(path).size;
}
