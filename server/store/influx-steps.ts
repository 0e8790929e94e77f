/** What roll-ups keep of a measure `x`, each in a field of its own: `mean_x`, `min_x`… */
export const KEPT = ["mean", "min", "max", "first", "last", "sum", "count"] as const;

/** Readings of one series in one step of time, summed up. */
export interface Step {
  /** The beginning of the step, in milliseconds. */
  readonly at: number;
  readonly fields: Readonly<Record<string, number>>;
}

/** Sums up values of one measure of one series that come in the order of time, step by step. */
export class Steps {
  private readonly step_ms: number;
  private readonly measure: string;
  private at = Number.NaN;
  private count = 0;
  private sum = 0;
  private min = 0;
  private max = 0;
  private first = 0;
  private last = 0;

  constructor(step_ms: number, measure: string) {
    this.step_ms = step_ms;
    this.measure = measure;
  }

  /** The step before, where this value begins another. */
  add(at: number, value: number): Step | undefined {
    const step = Math.floor(at / this.step_ms) * this.step_ms;
    if (step === this.at) {
      this.count++;
      this.sum += value;
      this.min = Math.min(this.min, value);
      this.max = Math.max(this.max, value);
      this.last = value;
      return undefined;
    }
    const before = this.end();
    this.at = step;
    this.count = 1;
    this.sum = this.min = this.max = this.first = this.last = value;
    return before;
  }

  /** The last step, when no value comes any more. */
  end(): Step | undefined {
    if (this.count === 0) return undefined;
    const { at, count, sum, min, max, first, last } = this;
    const kept = { mean: sum / count, min, max, first, last, sum, count };
    return { at, fields: Object.fromEntries(KEPT.map((each) => [`${each}_${this.measure}`, kept[each]])) };
  }
}
