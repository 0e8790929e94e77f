import { answerText } from "./answers.ts";
import { Catalogue } from "./catalogue.ts";
import { InfluxError, type QueryOptions, type ResultSeries, type StatementResult } from "./engine.ts";
import { addTold, type Kind, type Outcome, type Word } from "./memory-words.ts";
import type { Select } from "./ast.ts";
import { Recent } from "./recent.ts";
import { runSelect } from "./select.ts";
import { type Answering, runText } from "./statements.ts";

/** Something of it is not in memory: the database must be asked. */
class NotHeld extends Error {}
const notHeld = (): never => {
  throw new NotHeld();
};

/**
 * Answers InfluxQL from what it is told and from nothing else: names, newest values, and all values since an instant. Whatever
 * needs more is not answered.
 */
export class MemoryEngine {
  readonly #catalogue = new Catalogue();
  readonly #recent: Record<Kind, Recent | undefined> = { readings: undefined, points: undefined };
  readonly #expected: Partial<Record<Kind, ReadonlyMap<number, number>>> = {};

  take(word: Exclude<Word, { readonly word: "ask" }>): void {
    switch (word.word) {
      case "slots":
        addTold(this.#catalogue, word.slots);
        break;
      case "newest":
        for (const [index, number] of word.slots.entries()) {
          const slot = this.#catalogue.slots[number];
          const value = word.values[index];
          if (slot !== undefined && value !== undefined) {
            this.#catalogue.renew(slot, word.times_ns[index] as bigint, value);
          }
        }
        break;
      case "hold":
        this.#recent[word.kind] = new Recent(word.most_B);
        break;
      case "drop":
        this.#recent[word.kind] = undefined;
        break;
      case "written": {
        const recent = this.#recent[word.kind];
        const { series, times, values } = word;
        for (const [index, id] of series.entries()) {
          const value = values[index];
          if (value !== undefined) recent?.put(id, times[index] as number, value);
        }
        break;
      }
      case "refused":
        this.#recent[word.kind]?.refuse(word.id);
        break;
      case "expect":
        this.#expected[word.kind] = word.counts;
        break;
      case "past":
        this.#recent[word.kind]?.takePast(word, this.#expected[word.kind] ?? new Map());
        break;
      case "begin":
        this.#recent[word.kind]?.begin(word.from);
        delete this.#expected[word.kind];
        break;
      case "forget":
        for (const recent of Object.values(this.#recent)) recent?.forget(word.at);
        break;
    }
  }

  /** The answer to a question; none: not all of what it asks for is here. */
  async ask({ text, options, form }: Extract<Word, { readonly word: "ask" }>): Promise<Outcome> {
    try {
      const results = await this.#results(text, options, form !== undefined);
      return { answer: form === undefined ? results : answerText(results, form) };
    } catch (problem) {
      if (problem instanceof NotHeld) return {};
      if (!(problem instanceof InfluxError)) throw problem;
      const { status, message } = problem;
      return { refused: { status, message } };
    }
  }

  #results(text: string, options: QueryOptions, isWritten: boolean): Promise<StatementResult[]> {
    const answering: Answering = {
      catalogue: this.#catalogue,
      // Which roll-ups there are is the database's to know.
      keeps: notHeld,
      select: (select) => this.#select(select, options, isWritten),
    };
    return runText(text, options, answering);
  }

  #select(select: Select, { now_ns, limits }: QueryOptions, isWritten: boolean): Promise<ResultSeries[]> {
    let points = 0;
    return runSelect(select, {
      catalogue: this.#catalogue,
      recent: this.#recent,
      now_ns,
      limits,
      isWritten,
      fetch: notHeld,
      each: notHeld,
      relation: notHeld,
      took(more) {
        points += more;
        requirePoints(points, limits.points);
      },
    });
  }
}

/** Raises InfluxError beyond the limit of points that one statement may read; 0: there is none. */
export function requirePoints(points: number, most: number): void {
  if (most > 0 && points > most) throw new InfluxError(500, `max-select-point limit exceeed: (${points}/${most})`);
}
