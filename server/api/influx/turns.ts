import { InfluxError } from "../../store/influxql/engine.ts";

/** Lets so many run at once and so many wait; what comes beyond is refused, in InfluxDB's words. */
export class Turns {
  private running = 0;
  private readonly waiting: (() => void)[] = [];
  private readonly limits: { readonly atOnce: number; readonly waiting: number };

  constructor(limits: { readonly atOnce: number; readonly waiting: number }) {
    this.limits = limits;
  }

  /** Raises InfluxError 503 when too many wait already. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    const { atOnce, waiting } = this.limits;
    if (this.running >= atOnce) {
      if (this.waiting.length >= waiting) {
        throw new InfluxError(503, `max-concurrent-queries limit exceeded(${atOnce + waiting}, ${atOnce + waiting})`);
      }
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    } else this.running++;
    try {
      return await work();
    } finally {
      // The turn is handed on: nobody can come between.
      const next = this.waiting.shift();
      if (next === undefined) this.running--;
      else next();
    }
  }
}
