import type { Clock } from "#protocol/ports.ts";
import type { Instant, Seconds } from "#protocol/units.ts";

/** The answer to a costly question, worked out once and given to all who ask within `life`. */
export interface Kept<Value> {
  get(): Promise<Value>;
}

/** A failed answer is not kept. */
export function keptFor<Value>(clock: Clock, life: Seconds, work: () => Promise<Value>): Kept<Value> {
  let answer: Promise<Value> | undefined;
  let until = 0 as Instant;
  return {
    get() {
      const now = clock.now();
      if (answer !== undefined && now < until) return answer;
      until = (now + life * 1000) as Instant;
      const asked = work();
      answer = asked;
      asked.catch(() => {
        if (answer === asked) answer = undefined;
      });
      return asked;
    },
  };
}
