import { answerText } from "./answers.ts";
import { Catalogue } from "./catalogue.ts";
import { InfluxError, type QueryOptions, type ResultSeries } from "./engine.ts";
import type { Value } from "./evaluate.ts";
import { addTold, type Kind, MARK, type Outcome, type ToldRelation, type Word } from "./thread-words.ts";
import type { Select } from "./ast.ts";
import { Recent } from "./recent.ts";
import { isRolled, Rolled } from "./rolled.ts";
import { type Context, runSelect } from "./select.ts";
import { runText } from "./statements.ts";

/** Reads by SQL in the thread that has the database; `relations` by the numbers that stand between two marks in it. */
export type ReadFor = (
  question: number,
  sql: string,
  relations: ReadonlyMap<number, ToldRelation>,
  take: (columns: readonly (readonly Value[])[]) => void,
) => Promise<void>;

/**
 * Answers InfluxQL from what it is told: names, newest values, and all values since an instant. What is older is read for it
 * where the database is; all that is computed of it is computed here.
 */
export class ThreadEngine {
  readonly #catalogue = new Catalogue();
  readonly #recent: Record<Kind, Recent | undefined> = { readings: undefined, points: undefined };
  readonly #keepsRolled: boolean;
  readonly #read: ReadFor;
  #rolled: Rolled | undefined;
  readonly #expected: Partial<Record<Kind, ReadonlyMap<number, number>>> = {};

  /** `keepsRolled`: whether the database has roll-ups of readings. */
  constructor(keepsRolled: boolean, read: ReadFor) {
    this.#keepsRolled = keepsRolled;
    this.#read = read;
  }

  take(word: Exclude<Word, { readonly word: "ask" | "rows" | "ended" }>): void {
    switch (word.word) {
      case "slots":
        for (const slot of addTold(this.#catalogue, word.slots)) {
          if (slot.table === "readings") this.#rolled?.add(slot);
        }
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

  /** The answer to a question. */
  async ask({ number, text, options, form }: Extract<Word, { readonly word: "ask" }>): Promise<Outcome> {
    const asked: Asked = { number, options, isWritten: form !== undefined, isHeld: true };
    try {
      const results = await runText(text, options, {
        catalogue: this.#catalogue,
        keeps: (policy) => this.#keepsRolled && isRolled(policy),
        select: (select, policy) => this.#select(select, policy, asked),
      });
      return { answer: form === undefined ? results : answerText(results, form), isHeld: asked.isHeld };
    } catch (problem) {
      if (!(problem instanceof InfluxError)) throw problem;
      const { status, message } = problem;
      return { refused: { status, message } };
    }
  }

  #select(select: Select, policy: string, asked: Asked): Promise<ResultSeries[]> {
    const { now_ns, limits } = asked.options;
    const isRaw = !isRolled(policy);
    let points = 0;
    const took = (more: number): void => {
      points += more;
      requirePoints(points, limits.points);
    };
    const relations: ToldRelation[] = [];
    const each: Context["each"] = (sql, take) => {
      asked.isHeld = false;
      return this.#read(asked.number, sql, namedIn(sql, relations), (columns) => {
        took(columns[0]?.length ?? 0);
        take(columns);
      });
    };
    return runSelect(select, {
      catalogue: isRaw ? this.#catalogue : this.#rolledCatalogue(),
      recent: isRaw ? this.#recent : undefined,
      now_ns,
      limits,
      isWritten: asked.isWritten,
      fetch: (sql) => collected((take) => each(sql, take)),
      each,
      relation(from_ms, to_ms, ids) {
        relations.push({ policy, from_ms, to_ms, ids });
        return `${MARK}${relations.length - 1}${MARK}`;
      },
      took,
    });
  }

  #rolledCatalogue(): Catalogue {
    if (this.#rolled === undefined) {
      this.#rolled = new Rolled();
      for (const slot of this.#catalogue.slots) if (slot.table === "readings") this.#rolled.add(slot);
    }
    return this.#rolled.catalogue;
  }
}

interface Asked {
  readonly number: number;
  readonly options: QueryOptions;
  readonly isWritten: boolean;
  /** So far nothing had to be read. */
  isHeld: boolean;
}

const MARKED = new RegExp(`${MARK}(\\d+)${MARK}`, "g");

function namedIn(sql: string, relations: readonly ToldRelation[]): Map<number, ToldRelation> {
  const named = new Map<number, ToldRelation>();
  for (const [, digits] of sql.matchAll(MARKED)) {
    const relation = relations[Number(digits)];
    if (relation !== undefined) named.set(Number(digits), relation);
  }
  return named;
}

/** SQL with what relations are called where they were marked. */
export const unmarked = (sql: string, relationOf: (number: number) => string): string =>
  sql.replace(MARKED, (_, digits: string) => relationOf(Number(digits)));

/** All columns of what comes piece by piece. */
export async function collected(
  each: (take: (columns: readonly (readonly Value[])[]) => void) => Promise<void>,
): Promise<Value[][]> {
  const columns: Value[][] = [];
  await each((piece) => {
    piece.forEach((values, column) => {
      const known = columns[column];
      if (known === undefined) columns[column] = [...values];
      else for (const value of values) known.push(value);
    });
  });
  return columns;
}

/** Raises InfluxError beyond the limit of points that one statement may read; 0: there is none. */
export function requirePoints(points: number, most: number): void {
  if (most > 0 && points > most) throw new InfluxError(500, `max-select-point limit exceeed: (${points}/${most})`);
}
