import type { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { LineReader, type Precision } from "../line-protocol.ts";
import { Readers } from "../readers.ts";
import type { Select } from "./ast.ts";
import type { Describe } from "../describe.ts";
import { Catalogue, type Slot } from "./catalogue.ts";
import { Descriptions } from "./descriptions.ts";
import {
  type AnswerForm,
  type InfluxEngine,
  InfluxError,
  type QueryOptions,
  type ResultSeries,
  type StatementResult,
  type WriteOptions,
} from "./engine.ts";
import { answerText } from "./answers.ts";
import { AtHand } from "./at-hand.ts";
import type { Value } from "./evaluate.ts";
import { type Answered, EngineThread, type ReadHere } from "./engine-thread.ts";
import { PointTables } from "./point-tables.ts";
import { type Feed, type Filling, fillRecent } from "./recent-fill.ts";
import { type Context, runSelect } from "./select.ts";
import { isRolled, Rolled, rolledRelation, type RolledPolicy } from "./rolled.ts";
import { type Answering, DATABASE, RAW, runText } from "./statements.ts";
import { collected, requirePoints, unmarked } from "./thread-engine.ts";

/** What each part may take of the memory for newest values. */
const SHARES = { readings: 0.4, points: 0.4, atHand: 0.2 } as const;
/** After what was held has failed, nothing is held for so long. */
const AGAIN_MS = 600_000;

const PRECISIONS = new Map<bigint, Precision>([
  [1n, "n"],
  [1000n, "u"],
  [1_000_000n, "ms"],
  [1_000_000_000n, "s"],
  [60_000_000_000n, "m"],
  [3_600_000_000_000n, "h"],
]);

/** The readings of our own devices, as the store that keeps them offers them. */
export interface OwnReadings {
  /** What to write behind FROM for readings in [from, to), milliseconds since 1970: `series`, `instant`, `value`, each instant once. */
  relation(from: number, to: number): string;
  /** The same of their roll-ups: `series`, `instant`, `n`, `total`, `low`, `high`, `first`, `last`; in whole steps. */
  readonly rolled?: (policy: RolledPolicy, from: number, to: number) => string;
  /** Hands on to `feed`, from now on, all that is written; resolves to how many readings there are that it was not handed, and from when on. */
  readonly hold?: (feed: Feed | undefined) => Promise<{ readonly rows: number; readonly least_ms: number }>;
  /** Runs `work` while nothing is removed that it may read. */
  read<Result>(work: () => Promise<Result>): Promise<Result>;
  readonly describe: Describe;
}

/** Answers InfluxQL and takes line protocol over an open DuckDB: names from the catalogue in memory, values by SQL. */
export class DuckdbEngine implements Pick<InfluxEngine, "query" | "writeLines"> {
  readonly catalogue = new Catalogue();
  readonly answered = { memory: 0, database: 0 };
  readonly #instance: DuckDBInstance;
  readonly #reader = new LineReader();
  readonly #idle: DuckDBConnection[] = [];
  #tables: PointTables | undefined;
  /** Writes go one after the other. */
  #writing: Promise<unknown> = Promise.resolve();

  readonly #own: OwnReadings | undefined;
  /** By the number of the series among our own readings. */
  readonly #ownSlots: (Slot | undefined)[] = [];
  #descriptions: Descriptions | undefined;
  /** Made when somebody first asks for what is summed up. */
  #rolled: Rolled | undefined;
  readonly #recent_B: number;
  /** What answers at once. */
  readonly #atHand: AtHand | undefined;
  /** What answers, once somebody has asked. */
  #thread: EngineThread | undefined;
  #pointFeed: Feed | undefined;
  #remembering: Promise<void> | undefined;
  #asked_ms = 0;
  /** From when on something may be held, and the thread be begun, again. */
  #again_ms = Number.NEGATIVE_INFINITY;
  #restart_ms = Number.NEGATIVE_INFINITY;
  /** Who asks. */
  readonly #asking = new Readers();

  /** `recent_MB`: how much of the newest values is held in memory for dashboards, once one asks; 0: nothing. */
  constructor(instance: DuckDBInstance, own?: OwnReadings, recent_MB = 0) {
    this.#instance = instance;
    this.#own = own;
    this.#recent_B = recent_MB * 1_000_000;
    if (recent_MB > 0) this.#atHand = new AtHand(this.catalogue, this.#recent_B * SHARES.atHand);
  }

  async open(): Promise<void> {
    if (this.#tables !== undefined) return;
    this.#tables = await PointTables.open(await this.#instance.connect(), this.catalogue);
    if (this.#own !== undefined) {
      this.#descriptions = await Descriptions.open(await this.#instance.connect(), this.#own.describe);
    }
  }

  /**
   * Tells of the newest reading of a measure of a device, `id` being the number of its series: whoever asks for last values
   * is answered from what was told last.
   */
  note(id: number, device: string, measure: string, at_ms: number, value: number): void {
    const slot = (this.#ownSlots[id] ??= this.#ownSlot(id, device, measure));
    const at_ns = BigInt(at_ms) * 1_000_000n;
    if (slot.latest_ns !== undefined && at_ns < slot.latest_ns) return;
    this.catalogue.renew(slot, at_ns, value);
  }

  /** Tells of a measure of a device that it has no readings any more, if no newest one was told. */
  noteSilent(id: number, device: string, measure: string): void {
    if (this.#ownSlots[id] !== undefined) return;
    const slot = this.#ownSlot(id, device, measure);
    slot.isSilent = true;
    this.#ownSlots[id] = slot;
  }

  #ownSlot(id: number, device: string, measure: string): Slot {
    const { measurement, tags } = (this.#descriptions as Descriptions).of(device);
    const slot = this.catalogue.add(this.catalogue.seriesOf(measurement, tags), measure, "float", "readings", id);
    this.#rolled?.add(slot);
    return slot;
  }

  /**
   * From now on another thread answers, and holds the newest values in memory; resolves when they are there. `heap_MB`: what
   * that thread may take, where it is not the usual.
   */
  remember(now_ms: number, heap_MB?: number): Promise<void> {
    this.#asked_ms = now_ms;
    this.#begin(now_ms, heap_MB);
    if (this.#thread === undefined || this.#recent_B === 0 || now_ms < this.#again_ms) return Promise.resolve();
    // Begun once, and again only when what was held was given up: after a write that failed.
    if (this.#remembering === undefined || this.#tables?.feed !== this.#pointFeed) {
      const begun = this.#hold(this.#thread, now_ms).catch(() => {
        if (this.#remembering === begun) this.#giveUp();
      });
      this.#remembering = begun;
    }
    return this.#remembering;
  }

  #begin(now_ms: number, heap_MB: number | undefined): void {
    if (this.#thread !== undefined || now_ms < this.#restart_ms) return;
    const thread = new EngineThread({
      catalogue: this.catalogue,
      keepsRolled: this.#own?.rolled !== undefined,
      ...(heap_MB !== undefined && { heap_MB }),
      ended: (hasBegun) => {
        if (this.#thread !== thread) return;
        this.#thread = undefined;
        if (!hasBegun) this.#restart_ms = this.#asked_ms + AGAIN_MS;
        this.#giveUp();
      },
    });
    this.#thread = thread;
  }

  async #hold(thread: EngineThread, now_ms: number): Promise<void> {
    this.#letGo();
    const connection = await this.#instance.connect();
    // Whoever asks meanwhile goes first.
    const filling: Filling = {
      connection,
      now_ms,
      least_ms: Number.NEGATIVE_INFINITY,
      pause: () => this.#asking.ended(),
    };
    try {
      const begun = this.#writing.then(() => {
        const held = thread.hold("points", this.#recent_B * SHARES.points);
        const feed = this.#atHand?.beside(held) ?? held;
        this.#pointFeed = feed;
        return { filled: (this.#tables as PointTables).hold(feed, filling) };
      });
      this.#writing = begun.catch(() => {});
      await (
        await begun
      ).filled;
      const own = this.#own;
      if (own?.hold === undefined) return;
      const feed = thread.hold("readings", this.#recent_B * SHARES.readings);
      const { rows, least_ms } = await own.hold(feed);
      const relation = (from_ms: number): string => own.relation(from_ms, Number.POSITIVE_INFINITY);
      await own.read(() => fillRecent(feed, [{ relation, perMs: 1, rows: String(rows) }], { ...filling, least_ms }));
    } finally {
      connection.closeSync();
    }
  }

  /** Nothing is held for a while. */
  #giveUp(): void {
    this.#again_ms = this.#asked_ms + AGAIN_MS;
    this.#letGo();
  }

  /** Nothing is held until somebody asks again. */
  #letGo(): void {
    this.#thread?.letGo();
    this.#atHand?.letGo();
    if (this.#tables !== undefined) this.#tables.feed = undefined;
    this.#pointFeed = undefined;
    void this.#own?.hold?.(undefined);
    this.#remembering = undefined;
  }

  /** What is before `at` may no longer be in the database; milliseconds since 1970. */
  forget(at: number): void {
    this.#thread?.forget(at);
    this.#atHand?.forget(at);
  }

  async close(): Promise<void> {
    await this.#remembering;
    await this.#writing.catch(() => {});
    await this.#thread?.end();
    this.#thread = undefined;
    await this.#descriptions?.close();
    this.#tables?.close();
    this.#tables = undefined;
    for (const connection of this.#idle.splice(0)) connection.closeSync();
  }

  query(text: string, options: QueryOptions): Promise<StatementResult[]> {
    return this.#asking.read(
      async () =>
        this.#atOnce(await this.#atHand?.ask(text, options)) ??
        this.#handed(await this.#thread?.ask(text, options, this.#readFor(options))) ??
        this.ask(text, options),
    );
  }

  answer(text: string, options: QueryOptions, form: AnswerForm): Promise<string | Uint8Array> {
    return this.#asking.read(
      async () =>
        this.#atOnce(await this.#atHand?.answer(text, options, form)) ??
        this.#handed(await this.#thread?.answer(text, options, form, this.#readFor(options))) ??
        answerText(await runText(text, options, this.#answering(options, true)), form),
    );
  }

  /** Answers in this thread, by the database alone. */
  ask(text: string, options: QueryOptions): Promise<StatementResult[]> {
    return runText(text, options, this.#answering(options, false));
  }

  #atOnce<Whole>(answer: Whole | undefined): Whole | undefined {
    if (answer !== undefined) this.answered.memory++;
    return answer;
  }

  #handed<Whole>(answered: Answered<Whole> | undefined): Whole | undefined {
    this.answered[answered?.isHeld === true ? "memory" : "database"]++;
    return answered?.answer;
  }

  /** How the other thread reads for a question. */
  #readFor(options: QueryOptions): ReadHere {
    return async (sql, relations, take) => {
      const reading = new Reading(this.#instance, this.#idle, options);
      const work = async (): Promise<void> => {
        const whole = unmarked(sql, (number) => {
          const relation = relations.get(number);
          if (relation === undefined) throw new Error(`there is no relation ${number} in ${sql}`);
          const { policy, from_ms, to_ms, ids } = relation;
          return this.#placesOf(policy).relation(from_ms, to_ms, ids);
        });
        await reading.each(whole, take);
      };
      try {
        await (this.#own === undefined ? work() : this.#own.read(work));
      } finally {
        reading.end();
      }
    };
  }

  #answering(options: QueryOptions, isWritten: boolean): Answering {
    return {
      catalogue: this.catalogue,
      keeps: (policy) => this.#own?.rolled !== undefined && isRolled(policy),
      select: (select, policy) => this.#select(select, policy, options, isWritten),
    };
  }

  async #select(select: Select, policy: string, options: QueryOptions, isWritten: boolean): Promise<ResultSeries[]> {
    const { now_ns, limits } = options;
    const reading = new Reading(this.#instance, this.#idle, options);
    try {
      const work = (): Promise<ResultSeries[]> =>
        runSelect(select, {
          ...this.#placesOf(policy),
          recent: undefined,
          isWritten,
          now_ns,
          limits,
          fetch: (sql) => reading.fetch(sql),
          each: (sql, take) => reading.each(sql, take),
          took: (points) => reading.took(points),
        });
      return await (this.#own === undefined ? work() : this.#own.read(work));
    } finally {
      reading.end();
    }
  }

  /** Where names and readings of a policy are found. */
  #placesOf(policy: string): Pick<Context, "catalogue" | "relation"> {
    const own = this.#own;
    if (own?.rolled === undefined || !isRolled(policy)) {
      return {
        catalogue: this.catalogue,
        relation: (from_ms, to_ms) => own?.relation(from_ms, to_ms) ?? "readings",
      };
    }
    if (this.#rolled === undefined) {
      this.#rolled = new Rolled();
      for (const slot of this.#ownSlots) if (slot !== undefined) this.#rolled.add(slot);
    }
    const { rolled } = own;
    return {
      catalogue: this.#rolled.catalogue,
      relation: (from_ms, to_ms, ids) => rolledRelation(policy, rolled, from_ms, to_ms, ids),
    };
  }

  async writeLines(body: Uint8Array, options: WriteOptions): Promise<void> {
    if (options.database !== DATABASE) throw new InfluxError(404, `database not found: "${options.database}"`);
    if (options.retention !== undefined && options.retention !== "" && !RAW.has(options.retention)) {
      throw new InfluxError(500, `retention policy not found: ${options.retention}`);
    }
    const precision = PRECISIONS.get(options.precision_ns);
    if (precision === undefined) throw new InfluxError(400, "invalid precision");
    const turn = this.#writing.then(() => this.#write(body, precision, options.now_ns));
    this.#writing = turn.catch(() => {});
    return turn;
  }

  async #write(body: Uint8Array, precision: Precision, now_ns: bigint): Promise<void> {
    await this.open();
    const columns = this.#reader.read(body, precision, now_ns);
    const errors = columns.errors.join("\n");
    const { dropped, reason } =
      columns.length === 0
        ? { dropped: 0, reason: undefined }
        : await (this.#tables as PointTables).write(columns, this.#reader.table.slots);
    if (errors !== "") {
      throw new InfluxError(400, columns.points === 0 ? errors : `partial write: ${errors} dropped=0`);
    }
    if (reason !== undefined) throw new InfluxError(400, `partial write: ${reason} dropped=${dropped}`);
  }
}

/** The reading of one statement: its connection, and what it may still take. */
class Reading {
  readonly #instance: DuckDBInstance;
  readonly #idle: DuckDBConnection[];
  readonly #options: QueryOptions;
  #connection: DuckDBConnection | undefined;
  #points = 0;

  constructor(instance: DuckDBInstance, idle: DuckDBConnection[], options: QueryOptions) {
    this.#instance = instance;
    this.#idle = idle;
    this.#options = options;
  }

  fetch(sql: string): Promise<Value[][]> {
    return collected((take) => this.each(sql, take));
  }

  /** Gives what comes piece by piece, each the columns of some two thousand rows. */
  async each(sql: string, take: (columns: Value[][]) => void | Promise<void>): Promise<void> {
    const connection = (this.#connection ??= this.#idle.pop() ?? (await this.#instance.connect()));
    const { signal } = this.#options;
    let reason = "";
    const stop = (why: string): void => {
      reason = why;
      connection.interrupt();
    };
    const why = (): string => (signal?.reason instanceof InfluxError ? signal.reason.message : "query interrupted");
    const gone = (): void => stop(why());
    if (signal?.aborted === true) throw new InfluxError(500, why());
    signal?.addEventListener("abort", gone);
    try {
      const result = await connection.stream(sql);
      for (;;) {
        const chunk = await result.fetchChunk();
        if (chunk === null || chunk.rowCount === 0) return;
        this.took(chunk.rowCount);
        await take(Array.from({ length: result.columnCount }, (_, column) => chunk.getColumnValues(column) as Value[]));
      }
    } catch (problem) {
      if (reason !== "") throw new InfluxError(500, reason);
      if (problem instanceof InfluxError) throw problem;
      const text = problem instanceof Error ? problem.message : String(problem);
      if (/Out of Memory|memory_limit/i.test(text))
        throw new InfluxError(500, "query needs more memory than it may have");
      // What a question computes may leave the range of its numbers.
      if (/^(Out of Range|Conversion) Error/.test(text)) throw new InfluxError(500, text.split("\n")[0] as string);
      throw problem;
    } finally {
      signal?.removeEventListener("abort", gone);
    }
  }

  took(points: number): void {
    this.#points += points;
    requirePoints(this.#points, this.#options.limits.points);
  }

  end(): void {
    if (this.#connection !== undefined) this.#idle.push(this.#connection);
    this.#connection = undefined;
  }
}
