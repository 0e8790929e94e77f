import type { ResultSeries } from "./engine.ts";
import type { Value } from "./evaluate.ts";
import type { Run } from "./stream.ts";

/** What all series of an answer have in common. */
export type Heads = Pick<ResultSeries, "columns" | "types">;

/** A series of an answer that shows one value beside the time, as it was found: rows are made for who asks for them. */
export class RunSeries implements ResultSeries {
  readonly #run: Run;
  readonly #heads: Heads;

  constructor(run: Run, heads: Heads) {
    this.#run = run;
    this.#heads = heads;
  }

  get name(): string {
    return this.#run.name;
  }

  get tags(): Readonly<Record<string, string>> | undefined {
    const { tags } = this.#run;
    return tags.values.size === 0 ? undefined : tags.object;
  }

  get tagsText(): string {
    return this.#run.tags.json;
  }

  get columns(): readonly string[] {
    return this.#heads.columns;
  }

  get types(): Heads["types"] {
    return this.#heads.types;
  }

  get points(): NonNullable<ResultSeries["points"]> {
    return this.#run;
  }

  get values(): Value[][] {
    const { times, values } = this.#run;
    return values.map((value, index) => [times[index] as bigint, withoutNaN(value)]);
  }
}

/** What is no number is shown as nothing: the deviation of one value, say. */
export const withoutNaN = (value: Value): Value => (typeof value === "number" && Number.isNaN(value) ? null : value);
