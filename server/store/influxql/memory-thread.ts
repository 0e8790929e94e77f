import { Worker } from "node:worker_threads";
import type { Catalogue } from "./catalogue.ts";
import { type AnswerForm, type FieldValue, InfluxError, type QueryOptions, type StatementResult } from "./engine.ts";
import { type Kind, type Outcome, type Reply, toldSlot, type Word } from "./memory-words.ts";
import type { Feed } from "./recent-fill.ts";
import { type PastRows, roomOf } from "./recent.ts";

/** So many values are handed on at once, or fewer when somebody asks. */
const BATCH = 4096;
/** What the thread may take beside the values that it holds, which lie outside of its heap: one that needs more ends, and the database answers. */
const HEAP_MB = 512;

/**
 * The newest values in the memory of a thread of their own, which answers InfluxQL from them, so that dashboards take nothing
 * from the thread that takes readings. It follows a catalogue and what it is fed.
 */
export class MemoryThread {
  readonly #worker: Worker;
  readonly #catalogue: Catalogue;
  readonly #waiting = new Map<number, (outcome: Outcome) => void>();
  readonly #feeds: ThreadFeed[] = [];
  #number = 0;
  #slotsTold = 0;
  /** Why it does not answer any more. */
  #problem: Error | undefined;
  readonly #ended: Promise<unknown>;

  /** `ended` is told when it has ended without being asked to. */
  constructor(catalogue: Catalogue, ended: (problem: Error) => void) {
    this.#catalogue = catalogue;
    // All slots are told with their newest values at first.
    catalogue.renewed = new Set(catalogue.slots.filter(({ latest_ns }) => latest_ns !== undefined));
    this.#worker = new Worker(new URL("memory-worker.ts", import.meta.url), {
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    });
    this.#worker.on("message", (reply: Reply) => this.#hear(reply));
    // It keeps nobody alive but who waits for an answer.
    this.#worker.unref();
    this.#ended = new Promise((resolve) => this.#worker.once("exit", resolve));
    const gone = (problem: Error): void => {
      if (this.#problem !== undefined) return;
      this.#give(problem);
      ended(problem);
    };
    this.#worker.once("error", gone);
    this.#worker.once("exit", (code) => gone(new Error(`the thread that answers from memory ended with ${code}`)));
  }

  /** Hands on from now on what is written of one kind, of which it holds at most `most_B` bytes. */
  hold(kind: Kind, most_B: number): Feed {
    this.#tell({ word: "hold", kind, most_B });
    const feed = new ThreadFeed(kind, roomOf(most_B), {
      tell: (word) => this.#tell(word),
      take: async (word) => {
        await this.#replyTo((number) => ({ ...word, number }));
        if (this.#problem !== undefined) throw this.#problem;
      },
    });
    this.#feeds.push(feed);
    return feed;
  }

  /** What is before `at` may be gone; milliseconds since 1970. */
  forget(at: number): void {
    this.#flush();
    this.#tell({ word: "forget", at });
  }

  /** The results; undefined: not all of what it takes is in memory. Raises InfluxError. */
  async ask(text: string, options: QueryOptions): Promise<StatementResult[] | undefined> {
    return (await this.#asked(text, options, undefined)) as StatementResult[] | undefined;
  }

  /** As `ask`, the whole body of the answer. */
  async answer(text: string, options: QueryOptions, form: AnswerForm): Promise<string | Uint8Array | undefined> {
    return (await this.#asked(text, options, form)) as string | Uint8Array | undefined;
  }

  async #asked(text: string, options: QueryOptions, form: AnswerForm | undefined): Promise<Outcome["answer"]> {
    if (this.#problem !== undefined) return undefined;
    this.#flush();
    const { signal, ...plain } = options;
    const asked = this.#replyTo((number) => ({ word: "ask", number, text, options: plain, form }));
    const { answer, refused, problem } = await (signal === undefined ? asked : this.#until(signal, asked));
    if (refused !== undefined) throw new InfluxError(refused.status, refused.message);
    if (problem !== undefined) throw new Error(problem);
    return answer;
  }

  /** Ends the thread. */
  async end(): Promise<void> {
    this.#give(new Error("the store is closed"));
    await this.#worker.terminate();
    await this.#ended;
  }

  /** A question whose time is over ends with the thread itself, for nothing else stops it. */
  async #until(signal: AbortSignal, asked: Promise<Outcome>): Promise<Outcome> {
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const abort = (): void => {
      const isOver = signal.reason instanceof InfluxError;
      reject(isOver ? signal.reason : new InfluxError(500, "query interrupted"));
      if (isOver) void this.#worker.terminate();
    };
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort);
    asked.catch(() => {});
    try {
      return await Promise.race([asked, aborted]);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  #give(problem: Error): void {
    this.#problem ??= problem;
    this.#catalogue.renewed = undefined;
    for (const resolve of this.#waiting.values()) resolve({});
    this.#waiting.clear();
  }

  #flush(): void {
    const { slots, renewed } = this.#catalogue;
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

  #replyTo(word: (number: number) => Word): Promise<Outcome> {
    if (this.#problem !== undefined) return Promise.resolve({});
    const number = ++this.#number;
    return new Promise((resolve) => {
      this.#waiting.set(number, resolve);
      this.#worker.ref();
      this.#worker.postMessage(word(number));
    });
  }

  #hear({ number, ...outcome }: Reply): void {
    this.#waiting.get(number)?.(outcome);
    this.#waiting.delete(number);
    if (this.#waiting.size === 0) this.#worker.unref();
  }
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
    this.#line.tell({ word: "refused", kind: this.#kind, id });
  }

  expect(counts: ReadonlyMap<number, number>): void {
    this.#line.tell({ word: "expect", kind: this.#kind, counts });
  }

  past(rows: PastRows): Promise<void> {
    return this.#line.take({ word: "past", kind: this.#kind, ...rows });
  }

  drop(): void {
    this.#line.tell({ word: "drop", kind: this.#kind });
  }

  begin(from: number): void {
    this.flush();
    this.#line.tell({ word: "begin", kind: this.#kind, from });
  }

  flush(): void {
    if (this.#series.length === 0) return;
    this.#line.tell({
      word: "written",
      kind: this.#kind,
      series: this.#series,
      times: this.#times,
      values: this.#values,
    });
    this.#series = [];
    this.#times = [];
    this.#values = [];
  }
}
