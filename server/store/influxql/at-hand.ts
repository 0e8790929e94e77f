import { answerText } from "./answers.ts";
import type { Column, Source, Statement } from "./ast.ts";
import type { Catalogue, Slot } from "./catalogue.ts";
import type { AnswerForm, FieldValue, QueryOptions, StatementResult } from "./engine.ts";
import { parse } from "./parse.ts";
import type { Feed } from "./recent-fill.ts";
import { type PastRows, Recent } from "./recent.ts";
import { runSelect } from "./select.ts";
import { type Answering, runText } from "./statements.ts";

/** It takes more than what is at hand. */
class Beyond extends Error {}
const beyond = (): never => {
  throw new Beyond();
};

/** Measurements of more series are looked through where nobody else has to wait for it. */
const FEW = 64;
/** So are longer texts read elsewhere, and more points than these shown. */
const LONGEST = 2000;
const MOST_POINTS = 5000;
/** What took more than that is tried again at every so many times: somebody may have looked further back for once. */
const TRIED_AGAIN = 16;

/**
 * What names, newest values, and the points of measurements of few series alone answer: how things stand, mostly, and what the
 * server writes of itself. To hand such a question on to another thread would take longer than to answer it.
 */
export class AtHand {
  readonly #catalogue: Catalogue;
  readonly #most_B: number;
  #points: Recent | undefined;
  /** Of points, by the numbers of their series. */
  readonly #slots: Slot[] = [];
  #known = 0;
  /** How often what took more has been passed by, by the columns that texts of one shape share. */
  readonly #beyond = new WeakMap<readonly Column[], number>();

  /** It holds at most `most_B` bytes of points. */
  constructor(catalogue: Catalogue, most_B: number) {
    this.#catalogue = catalogue;
    this.#most_B = most_B;
  }

  /** Also takes, of what is handed to `other`, points of few series. */
  beside(other: Feed): Feed {
    const points = new Recent(this.#most_B);
    this.#points = points;
    let counts: ReadonlyMap<number, number> = new Map();
    return {
      room: other.room,
      put: (id, at_ms, value) => {
        if (this.#isOfFew(id)) points.put(id, at_ms, value);
        other.put(id, at_ms, value);
      },
      refuse(id) {
        points.refuse(id);
        other.refuse(id);
      },
      expect(given) {
        counts = given;
        other.expect(given);
      },
      past: (rows) => {
        points.takePast(this.#ofFew(rows), counts);
        return other.past(rows);
      },
      begin(from) {
        points.begin(from);
        other.begin(from);
      },
      drop: () => {
        if (this.#points === points) this.#points = undefined;
        other.drop();
      },
    };
  }

  /** What is before `at` may be gone; milliseconds since 1970. */
  forget(at: number): void {
    this.#points?.forget(at);
  }

  /** Nothing is held any more. */
  letGo(): void {
    this.#points = undefined;
  }

  /** The results; undefined: they take more. Raises InfluxError. */
  ask(text: string, options: QueryOptions): Promise<StatementResult[] | undefined> {
    return this.#results(text, options, false);
  }

  /** As `ask`, the whole body of the answer. */
  async answer(text: string, options: QueryOptions, form: AnswerForm): Promise<string | undefined> {
    const results = await this.#results(text, options, true);
    return results && answerText(results, form);
  }

  async #results(text: string, options: QueryOptions, isWritten: boolean): Promise<StatementResult[] | undefined> {
    if (options.parameters !== undefined || text.length > LONGEST) return undefined;
    const statements = parse(text);
    if (!statements.every((each) => this.#isSmall(each))) return undefined;
    try {
      return await runText(text, options, this.#answering(options, isWritten));
    } catch (problem) {
      if (!(problem instanceof Beyond)) throw problem;
      for (const each of statements) if (each.kind === "select") this.#beyond.set(each.columns, 0);
      return undefined;
    }
  }

  #answering({ now_ns, limits }: QueryOptions, isWritten: boolean): Answering {
    const catalogue = this.#catalogue;
    const recent = { readings: undefined, points: this.#points };
    let points = 0;
    const took = (more: number): void => {
      if ((points += more) > MOST_POINTS) beyond();
    };
    const context = { catalogue, recent, now_ns, limits, isWritten, took };
    const reads = { fetch: beyond, each: beyond, relation: beyond };
    return { catalogue, keeps: beyond, select: (select) => runSelect(select, { ...context, ...reads }) };
  }

  #isSmall(statement: Statement): boolean {
    if (statement.kind !== "select") return false;
    const passed = this.#beyond.get(statement.columns);
    if (passed !== undefined && passed < TRIED_AGAIN) {
      this.#beyond.set(statement.columns, passed + 1);
      return false;
    }
    return statement.from.every((source) => this.#isFew(source));
  }

  #isFew(source: Source): boolean {
    if (source.kind === "subquery") return source.select.from.every((each) => this.#isFew(each));
    if (typeof source.name !== "string") return false;
    return (this.#catalogue.measurements.get(source.name)?.series.length ?? 0) <= FEW;
  }

  #isOfFew(id: number): boolean {
    const { slots } = this.#catalogue;
    for (; this.#known < slots.length; this.#known++) {
      const slot = slots[this.#known] as Slot;
      if (slot.table !== "readings") this.#slots[slot.id] = slot;
    }
    const slot = this.#slots[id];
    return slot !== undefined && slot.series.measurement.series.length <= FEW;
  }

  #ofFew({ series, times, values }: PastRows): PastRows {
    const few: { series: number[]; times: number[]; values: FieldValue[] } = { series: [], times: [], values: [] };
    for (const [row, id] of series.entries()) {
      if (!this.#isOfFew(id)) continue;
      few.series.push(id);
      few.times.push(times[row] as number);
      few.values.push(values[row] as FieldValue);
    }
    return few;
  }
}
