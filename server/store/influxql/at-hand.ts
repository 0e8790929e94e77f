import { answerText } from "./answers.ts";
import type { Column, Source, Statement } from "./ast.ts";
import type { Catalogue } from "./catalogue.ts";
import type { AnswerForm, QueryOptions, StatementResult } from "./engine.ts";
import { parse } from "./parse.ts";
import { runSelect } from "./select.ts";
import { type Answering, runText } from "./statements.ts";

/** It takes more than names and newest values. */
class Beyond extends Error {}
const beyond = (): never => {
  throw new Beyond();
};

/** Of a measurement of more series the newest values are looked through where nobody else has to wait for it. */
const FEW = 64;
/** So are longer texts read elsewhere. */
const LONGEST = 2000;

/**
 * What names and newest values alone answer, of few series: whether there is anything, and what was written last. To hand such
 * a question on would take longer than to answer it.
 */
export class AtHand {
  readonly #catalogue: Catalogue;
  /** What took more than that, by the columns that texts of one shape share. */
  readonly #beyond = new WeakSet<readonly Column[]>();

  constructor(catalogue: Catalogue) {
    this.#catalogue = catalogue;
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
      for (const each of statements) if (each.kind === "select") this.#beyond.add(each.columns);
      return undefined;
    }
  }

  #answering({ now_ns, limits }: QueryOptions, isWritten: boolean): Answering {
    const catalogue = this.#catalogue;
    const context = { catalogue, recent: undefined, now_ns, limits, isWritten } as const;
    const reads = { fetch: beyond, each: beyond, relation: beyond, took: beyond };
    return { catalogue, keeps: beyond, select: (select) => runSelect(select, { ...context, ...reads }) };
  }

  #isSmall(statement: Statement): boolean {
    return (
      statement.kind === "select" &&
      !this.#beyond.has(statement.columns) &&
      statement.from.every((source) => this.#isFew(source))
    );
  }

  #isFew(source: Source): boolean {
    if (source.kind !== "measurement" || typeof source.name !== "string") return false;
    return (this.#catalogue.measurements.get(source.name)?.series.length ?? 0) <= FEW;
  }
}
