import type { DuckDBAppender, DuckDBConnection, DuckDBType } from "@duckdb/node-api";
import { BIGINT, BOOLEAN, DOUBLE, DuckDBDataChunk, INTEGER, VARCHAR } from "@duckdb/node-api";
import type { LineSlot } from "../line-series.ts";
import { type Columns, VALUE_TYPES } from "../line-protocol.ts";
import { rowsOf } from "../sql.ts";
import type { FieldType } from "./ast.ts";
import type { Catalogue, Slot } from "./catalogue.ts";
import type { FieldValue } from "./engine.ts";
import { type Feed, type Filling, fillRecent, type Past } from "./recent-fill.ts";
import { compareText } from "./tags.ts";

const CHUNK_ROWS = 2048;
const TYPES = { float: DOUBLE, integer: BIGINT, string: VARCHAR, boolean: BOOLEAN } as const;
type Stored = keyof typeof TYPES;
const TABLES: Readonly<Record<Stored, Slot["table"]>> = {
  float: "point_floats",
  integer: "point_integers",
  string: "point_strings",
  boolean: "point_booleans",
};
const SQL_TYPES: Readonly<Record<Stored, string>> = {
  float: "DOUBLE",
  integer: "BIGINT",
  string: "VARCHAR",
  boolean: "BOOLEAN",
};
const STORED = Object.keys(TYPES) as Stored[];
const NS_PER_MS = 1_000_000n;

const pastOf = (type: Stored): Past => ({
  relation: () => TABLES[type],
  perMs: Number(NS_PER_MS),
  rows: `(SELECT count(*) FROM ${TABLES[type]})`,
});

/** The points of others on disk: what they are filed under, and a table of values for each type. */
export class PointTables {
  readonly #connection: DuckDBConnection;
  readonly #catalogue: Catalogue;
  readonly #appenders: Record<Stored, DuckDBAppender>;
  readonly #chunks: Record<Stored, DuckDBDataChunk>;
  readonly #slotAppender: DuckDBAppender;
  readonly #slotOf: (Slot | undefined)[] = [];
  #slots: number;
  /** Is handed all that is written, once somebody asked. */
  feed: Feed | undefined;

  private constructor(
    connection: DuckDBConnection,
    catalogue: Catalogue,
    appenders: Record<Stored, DuckDBAppender>,
    slotAppender: DuckDBAppender,
    slots: number,
  ) {
    this.#connection = connection;
    this.#catalogue = catalogue;
    this.#appenders = appenders;
    this.#slotAppender = slotAppender;
    this.#slots = slots;
    const chunk = (type: DuckDBType): DuckDBDataChunk => DuckDBDataChunk.create([INTEGER, BIGINT, type], CHUNK_ROWS);
    this.#chunks = {
      float: chunk(DOUBLE),
      integer: chunk(BIGINT),
      string: chunk(VARCHAR),
      boolean: chunk(BOOLEAN),
    };
  }

  /** Makes the tables where they are missing and reads into the catalogue what there is. */
  static async open(connection: DuckDBConnection, catalogue: Catalogue): Promise<PointTables> {
    for (const type of STORED) {
      await connection.run(
        `CREATE TABLE IF NOT EXISTS ${TABLES[type]}(series INTEGER, instant BIGINT, value ${SQL_TYPES[type]})`,
      );
    }
    await connection.run(
      "CREATE TABLE IF NOT EXISTS point_slots(id INTEGER, measurement VARCHAR, tags VARCHAR, field VARCHAR, type VARCHAR)",
    );
    const slots: Slot[] = [];
    const known = await rowsOf(connection, "SELECT id, measurement, tags, field, type FROM point_slots ORDER BY id");
    for (const [id, measurement, tags, field, type] of known) {
      const series = catalogue.seriesOf(measurement as string, JSON.parse(tags as string) as [string, string][]);
      slots.push(catalogue.add(series, field as string, type as FieldType, TABLES[type as Stored], id as number));
    }
    for (const type of STORED) {
      const newest = await rowsOf(
        connection,
        `SELECT series, max(instant), arg_max(value, instant) FROM ${TABLES[type]} GROUP BY series`,
      );
      for (const [id, at_ns, value] of newest) {
        const slot = slots[id as number];
        if (slot === undefined) continue;
        catalogue.renew(slot, at_ns as bigint, value as FieldValue);
      }
    }
    const appender = async (type: Stored): Promise<DuckDBAppender> => connection.createAppender(TABLES[type]);
    const appenders = {
      float: await appender("float"),
      integer: await appender("integer"),
      string: await appender("string"),
      boolean: await appender("boolean"),
    };
    return new PointTables(
      connection,
      catalogue,
      appenders,
      await connection.createAppender("point_slots"),
      slots.length,
    );
  }

  /** Hands all that there is to `feed`, and what is written from now on; no write may run while it begins. */
  hold(feed: Feed, filling: Filling): Promise<void> {
    this.feed = feed;
    return fillRecent(feed, STORED.map(pastOf), filling);
  }

  /**
   * Commits rows that a reader of line protocol has read. A point whose field is of another type than it was is dropped:
   * the first of them is said, with how many they were.
   */
  async write(columns: Columns, slots: readonly LineSlot[]): Promise<{ dropped: number; reason: string | undefined }> {
    const { refused, reason } = this.#refusals(columns, slots);
    await this.#connection.run("BEGIN");
    try {
      await this.#insert(columns, slots, refused);
      await this.#connection.run("COMMIT");
    } catch (problem) {
      await this.#connection.run("ROLLBACK").catch(() => {});
      // It may hold what was not kept; who asks next has it filled anew.
      this.feed?.drop();
      this.feed = undefined;
      throw problem;
    }
    return { dropped: refused.size, reason };
  }

  #refusals(columns: Columns, slots: readonly LineSlot[]): { refused: Set<number>; reason: string | undefined } {
    const refused = new Set<number>();
    const begun = new Map<string, Map<string, FieldType>>();
    let reason: string | undefined;
    for (let row = 0; row < columns.length; row++) {
      const line = slots[columns.slots[row] as number] as LineSlot;
      const type = VALUE_TYPES[columns.types[row] as number] as Stored;
      const slot = this.#slotOf[line.id];
      if (slot !== undefined && slot.type === type) continue;
      const { measurement } = line.series;
      let own = begun.get(measurement);
      if (own === undefined) begun.set(measurement, (own = new Map()));
      const known = this.#catalogue.measurements.get(measurement)?.fields.get(line.field) ?? own.get(line.field);
      if (known === undefined) own.set(line.field, type);
      else if (known !== type) {
        refused.add(columns.pointOf[row] as number);
        reason ??= `field type conflict: input field "${line.field}" on measurement "${measurement}" is type ${type}, already exists as type ${known}`;
      }
    }
    return { refused, reason };
  }

  async #insert(columns: Columns, slots: readonly LineSlot[], refused: ReadonlySet<number>): Promise<void> {
    const batches: Record<Stored, Batch> = { float: batch(), integer: batch(), string: batch(), boolean: batch() };
    const late = new Map<Slot, Map<bigint, number>>();
    const added: Slot[] = [];
    for (let row = 0; row < columns.length; row++) {
      if (refused.size > 0 && refused.has(columns.pointOf[row] as number)) continue;
      const line = slots[columns.slots[row] as number] as LineSlot;
      if (line.field === "time") continue;
      const type = VALUE_TYPES[columns.types[row] as number] as Stored;
      let slot = this.#slotOf[line.id];
      if (slot === undefined) {
        slot = this.#slotFor(line, type, added);
        this.#slotOf[line.id] = slot;
      }
      const time = columns.times[row] as bigint;
      const value = columns.value(row);
      const { series, instants, values } = batches[type];
      if (slot.latest_ns !== undefined && time <= slot.latest_ns) {
        let times = late.get(slot);
        if (times === undefined) late.set(slot, (times = new Map()));
        times.set(time, series.length);
        if (time === slot.latest_ns) this.#catalogue.renew(slot, time, value);
      } else this.#catalogue.renew(slot, time, value);
      series.push(slot.id);
      instants.push(time);
      values.push(value);
      if (this.feed === undefined) continue;
      if (time % NS_PER_MS === 0n) this.feed.put(slot.id, Number(time / NS_PER_MS), value);
      else this.feed.refuse(slot.id);
    }
    this.#addSlots(added);
    if (late.size > 0) await this.#makeRoom(late, batches);
    for (const type of STORED) this.#append(type, batches[type]);
  }

  #slotFor(line: LineSlot, type: Stored, added: Slot[]): Slot {
    const tags = [...line.series.tags].filter(([, value]) => value !== "").sort(([a], [b]) => compareText(a, b));
    const series = this.#catalogue.seriesOf(line.series.measurement, tags);
    const known = series.slots.get(line.field)?.find(({ table }) => table !== "readings");
    if (known !== undefined) return known;
    const slot = this.#catalogue.add(series, line.field, type, TABLES[type], this.#slots++);
    added.push(slot);
    return slot;
  }

  #addSlots(added: readonly Slot[]): void {
    if (added.length === 0) return;
    for (const { id, series, field, type } of added) {
      this.#slotAppender.appendInteger(id);
      this.#slotAppender.appendVarchar(series.measurement.name);
      this.#slotAppender.appendVarchar(JSON.stringify([...series.tags]));
      this.#slotAppender.appendVarchar(field);
      this.#slotAppender.appendVarchar(type);
      this.#slotAppender.endRow();
    }
    this.#slotAppender.flushSync();
  }

  /** What is written again, or late, replaces what is there: of the body the last, and none of the table. */
  async #makeRoom(late: ReadonlyMap<Slot, ReadonlyMap<bigint, number>>, batches: Record<Stored, Batch>): Promise<void> {
    for (const type of STORED) {
      const keys: string[] = [];
      for (const [slot, times] of late) {
        if (slot.type !== type) continue;
        for (const time of times.keys()) keys.push(`(${slot.id},${time})`);
      }
      if (keys.length === 0) continue;
      await this.#connection.run(`DELETE FROM ${TABLES[type]} WHERE (series, instant) IN (VALUES ${keys.join(",")})`);
      batches[type] = withoutRepeats(batches[type]);
    }
  }

  #append(type: Stored, { series, instants, values }: Batch): void {
    const chunk = this.#chunks[type];
    const appender = this.#appenders[type];
    for (let from = 0; from < series.length; from += CHUNK_ROWS) {
      const to = from + CHUNK_ROWS;
      chunk.reset();
      chunk.setColumns([series.slice(from, to), instants.slice(from, to), values.slice(from, to)]);
      appender.appendDataChunk(chunk);
    }
    if (series.length > 0) appender.flushSync();
  }

  close(): void {
    for (const appender of [...Object.values(this.#appenders), this.#slotAppender]) appender.closeSync();
    this.#connection.closeSync();
  }
}

interface Batch {
  readonly series: number[];
  readonly instants: bigint[];
  readonly values: (number | bigint | string | boolean)[];
}

const batch = (): Batch => ({ series: [], instants: [], values: [] });

function withoutRepeats({ series, instants, values }: Batch): Batch {
  const last = new Map<string, number>();
  series.forEach((id, row) => last.set(`${id} ${instants[row]}`, row));
  const kept = series.map((id, row) => last.get(`${id} ${instants[row]}`) === row);
  return {
    series: series.filter((_, row) => kept[row]),
    instants: instants.filter((_, row) => kept[row]),
    values: values.filter((_, row) => kept[row]),
  };
}
