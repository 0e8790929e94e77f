import { Worker } from "node:worker_threads";
import type { Catalogue } from "./catalogue.ts";
import { type AnswerForm, type FieldValue, InfluxError, type QueryOptions, type StatementResult } from "./engine.ts";
import type { Value } from "./evaluate.ts";
import { type Kind, MARK, type Outcome, type Said, type ToldRelation, toldSlot, type Word } from "./thread-words.ts";
import type { Feed } from "./recent-fill.ts";
import { type PastRows, roomOf } from "./recent.ts";

/** So many values are handed on at once, or fewer when somebody asks. */
const BATCH = 4096;
/** What answers may take in the thread, beside the values that it holds: these lie outside of its heap. */
const HEAP_MB = 512;
const TOO_LARGE = { status: 500, message: `query needs more memory than it may have (${HEAP_MB} MB)` };

/** Reads for a question what is not in memory, piece by piece; the next piece comes when `take` has resolved. */
export type ReadHere = (
  sql: string,
  relations: ReadonlyMap<number, ToldRelation>,
  take: (columns: readonly (readonly Value[])[]) => Promise<void>,
) => Promise<void>;

export interface ThreadParts {
  /** What there is; the thread follows it. */
  readonly catalogue: Catalogue;
  /** Whether the database has roll-ups of readings. */
  readonly keepsRolled: boolean;
  /** What its heap may grow to, where that is not the usual. */
  readonly heap_MB?: number;
  /** Told when it has ended without being asked to, and whether it ever began. */
  readonly ended: (hasBegun: boolean) => void;
}

/** An answer, and whether it came from memory alone. */
export interface Answered<Whole> {
  readonly answer: Whole;
  readonly isHeld: boolean;
}

/**
 * Answers InfluxQL in a thread of its own, so that dashboards take nothing from the thread that takes readings: from the newest
 * values, which lie in its memory, and from what this thread reads for it by SQL.
 */
export class EngineThread {
  readonly #worker: Worker;
  readonly #parts: ThreadParts;
  readonly #waiting = new Map<number, (outcome: Outcome) => void>();
  /** By question: how it reads, and how many of its readings are under way. */
  readonly #reading = new Map<number, { readonly read: ReadHere; open: number }>();
  /** Pieces that are not taken yet, by the reading. */
  readonly #pieces = new Map<number, (problem?: Error) => void>();
  readonly #feeds: ThreadFeed[] = [];
  #number = 0;
  #slotsTold = 0;
  readonly #begun = Promise.withResolvers<void>();
  #hasBegun = false;
  /** Why it does not answer any more. */
  #problem: Error | undefined;
  readonly #ended: Promise<unknown>;

  constructor(parts: ThreadParts) {
    const { catalogue, keepsRolled, heap_MB = HEAP_MB, ended } = parts;
    this.#parts = parts;
    // All slots are told with their newest values at first.
    catalogue.renewed = new Set(catalogue.slots.filter(({ latest_ns }) => latest_ns !== undefined));
    this.#worker = new Worker(new URL("engine-worker.ts", import.meta.url), {
      execArgv: [],
      workerData: keepsRolled,
      resourceLimits: { maxOldGenerationSizeMb: heap_MB, maxYoungGenerationSizeMb: 64 },
    });
    this.#worker.on("message", (said: Said) => this.#hear(said));
    // It keeps nobody alive but who waits for an answer.
    this.#worker.unref();
    this.#ended = new Promise((resolve) => this.#worker.once("exit", resolve));
    const gone = (problem: Error): void => {
      if (this.#problem !== undefined) return;
      const isTooLarge = (problem as NodeJS.ErrnoException).code === "ERR_WORKER_OUT_OF_MEMORY";
      this.#give(problem, isTooLarge ? { refused: TOO_LARGE } : {});
      ended(this.#hasBegun);
    };
    this.#worker.once("error", gone);
    this.#worker.once("exit", (code) => gone(new Error(`the thread that answers ended with ${code}`)));
  }

  /** Hands on from now on what is written of one kind, of which it holds at most `most_B` bytes. */
  hold(kind: Kind, most_B: number): Feed {
    this.#tell({ word: "hold", kind, most_B });
    const feed = new ThreadFeed(kind, roomOf(most_B), {
      tell: (word) => this.#tell(word),
      take: async (word) => {
        const number = ++this.#number;
        await this.#replyTo(number, { ...word, number });
        if (this.#problem !== undefined) throw this.#problem;
      },
    });
    this.#feeds.push(feed);
    return feed;
  }

  /** What it holds does not hold any more. */
  letGo(): void {
    for (const feed of this.#feeds.splice(0)) feed.drop();
  }

  /** What is before `at` may be gone; milliseconds since 1970. */
  forget(at: number): void {
    this.#flush();
    this.#tell({ word: "forget", at });
  }

  /** The results of a text; undefined: it cannot say. Raises InfluxError. */
  ask(text: string, options: QueryOptions, read: ReadHere): Promise<Answered<StatementResult[]> | undefined> {
    return this.#asked(text, options, undefined, read) as Promise<Answered<StatementResult[]> | undefined>;
  }

  /** As `ask`, the whole body of the answer. */
  answer(
    text: string,
    options: QueryOptions,
    form: AnswerForm,
    read: ReadHere,
  ): Promise<Answered<string | Uint8Array> | undefined> {
    return this.#asked(text, options, form, read) as Promise<Answered<string | Uint8Array> | undefined>;
  }

  async #asked(
    text: string,
    options: QueryOptions,
    form: AnswerForm | undefined,
    read: ReadHere,
  ): Promise<Answered<unknown> | undefined> {
    const { signal, ...plain } = options;
    if (isMarked(text, plain.parameters)) return undefined;
    if (!this.#hasBegun) await this.#begun.promise;
    if (this.#problem !== undefined) return undefined;
    this.#flush();
    const number = ++this.#number;
    this.#reading.set(number, { read, open: 0 });
    const asked = this.#replyTo(number, { word: "ask", number, text, options: plain, form });
    try {
      const { answer, isHeld, refused, problem } = await (signal === undefined
        ? asked
        : this.#until(signal, number, asked));
      if (refused !== undefined) throw new InfluxError(refused.status, refused.message);
      if (problem !== undefined) throw new Error(problem);
      return answer === undefined ? undefined : { answer, isHeld: isHeld === true };
    } finally {
      this.#reading.delete(number);
    }
  }

  /** Ends the thread. */
  async end(): Promise<void> {
    this.#give(new Error("the thread that answers was ended"), {});
    await this.#worker.terminate();
    await this.#ended;
  }

  /** A question whose time is over while nothing is read for it ends with the thread itself, for nothing else stops it. */
  async #until(signal: AbortSignal, number: number, asked: Promise<Outcome>): Promise<Outcome> {
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const abort = (): void => {
      const isOver = signal.reason instanceof InfluxError;
      reject(isOver ? signal.reason : new InfluxError(500, "query interrupted"));
      if (isOver && this.#reading.get(number)?.open === 0) void this.#worker.terminate();
    };
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort);
    try {
      return await Promise.race([asked, aborted]);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  async #fetch({ number, question, sql, relations }: Extract<Said, { readonly said: "fetch" }>): Promise<void> {
    const reading = this.#reading.get(question);
    if (reading === undefined) {
      this.#tell({ word: "ended", number, refused: { status: 500, message: "query interrupted" } });
      return;
    }
    reading.open++;
    try {
      await reading.read(sql, relations, (columns) => this.#hand(number, columns));
      this.#tell({ word: "ended", number });
    } catch (problem) {
      if (problem instanceof InfluxError) {
        const { status, message } = problem;
        this.#tell({ word: "ended", number, refused: { status, message } });
      } else this.#tell({ word: "ended", number, problem: (problem as Error).message });
    } finally {
      reading.open--;
    }
  }

  #hand(number: number, columns: readonly (readonly Value[])[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pieces.set(number, (problem) => {
        this.#pieces.delete(number);
        if (problem === undefined) resolve();
        else reject(problem);
      });
      if (this.#problem === undefined) this.#tell({ word: "rows", number, columns });
      else this.#pieces.get(number)?.(this.#problem);
    });
  }

  #give(problem: Error, outcome: Outcome): void {
    this.#problem ??= problem;
    this.#parts.catalogue.renewed = undefined;
    this.#begun.resolve();
    for (const resolve of this.#waiting.values()) resolve(outcome);
    this.#waiting.clear();
    for (const settle of this.#pieces.values()) settle(problem);
  }

  #flush(): void {
    const { slots, renewed } = this.#parts.catalogue;
    if (slots.length > this.#slotsTold) {
      this.#tell({ word: "slots", slots: slots.slice(this.#slotsTold).map(toldSlot) });
      this.#slotsTold = slots.length;
    }
    if (renewed !== undefined && renewed.size > 0) {
      const all = [...renewed];
      renewed.clear();
      this.#tell({
        word: "newest",
        slots: all.map(({ number }) => number),
        times_ns: all.map(({ latest_ns }) => latest_ns as bigint),
        values: all.map(({ latest }) => latest as FieldValue),
      });
    }
    for (const feed of this.#feeds) feed.flush();
  }

  #tell(word: Word): void {
    if (this.#problem === undefined) this.#worker.postMessage(word);
  }

  #replyTo(number: number, word: Word): Promise<Outcome> {
    if (this.#problem !== undefined) return Promise.resolve({});
    return new Promise((resolve) => {
      this.#waiting.set(number, resolve);
      this.#worker.ref();
      this.#worker.postMessage(word);
    });
  }

  #hear(said: Said): void {
    switch (said.said) {
      case "ready":
        this.#hasBegun = true;
        this.#begun.resolve();
        break;
      case "fetch":
        void this.#fetch(said);
        break;
      case "taken":
        this.#pieces.get(said.number)?.();
        break;
      case "reply":
        this.#waiting.get(said.number)?.(said);
        this.#waiting.delete(said.number);
        if (this.#waiting.size === 0) this.#worker.unref();
        break;
    }
  }
}

/** Whether a question holds what stands around relations in SQL. */
function isMarked(text: string, parameters: QueryOptions["parameters"]): boolean {
  return [text, ...Object.values(parameters ?? {})].some((each) => typeof each === "string" && each.includes(MARK));
}

interface Line {
  readonly tell: (word: Word) => void;
  readonly take: (word: Omit<Extract<Word, { word: "past" }>, "number">) => Promise<void>;
}

/** Gathers what is written, so that it is handed on in batches. */
class ThreadFeed implements Feed {
  readonly room: number;
  readonly #kind: Kind;
  readonly #line: Line;
  #isDropped = false;
  #series: number[] = [];
  #times: number[] = [];
  #values: FieldValue[] = [];

  constructor(kind: Kind, room: number, line: Line) {
    this.#kind = kind;
    this.room = room;
    this.#line = line;
  }

  put(id: number, at_ms: number, value: FieldValue): void {
    this.#series.push(id);
    this.#times.push(at_ms);
    this.#values.push(value);
    if (this.#series.length >= BATCH) this.flush();
  }

  refuse(id: number): void {
    this.#tell({ word: "refused", kind: this.#kind, id });
  }

  expect(counts: ReadonlyMap<number, number>): void {
    this.#tell({ word: "expect", kind: this.#kind, counts });
  }

  async past(rows: PastRows): Promise<void> {
    if (this.#isDropped) throw new Error("what was held was given up");
    await this.#line.take({ word: "past", kind: this.#kind, ...rows });
  }

  drop(): void {
    this.#tell({ word: "drop", kind: this.#kind });
    this.#isDropped = true;
  }

  begin(from: number): void {
    this.flush();
    this.#tell({ word: "begin", kind: this.#kind, from });
  }

  flush(): void {
    if (this.#series.length === 0) return;
    const [series, times, values] = [this.#series, this.#times, this.#values];
    this.#tell({ word: "written", kind: this.#kind, series, times, values });
    this.#series = [];
    this.#times = [];
    this.#values = [];
  }

  /** Another feed of the same kind may have taken its place. */
  #tell(word: Word): void {
    if (!this.#isDropped) this.#line.tell(word);
  }
}
