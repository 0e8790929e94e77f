import type { Clock } from "#protocol/ports.ts";
import type { Instant, Seconds } from "#protocol/units.ts";

/** The answer to a costly question, worked out once and given to all who ask within `life`. */
export interface Kept<Value> {
  get(): Promise<Value>;
}

/** A failed answer is not kept; `orLast` gives the last good one in its place, for answers that say of when they are. */
export function keptFor<Value>(
  clock: Clock,
  life: Seconds,
  work: () => Promise<Value>,
  failed: "throw" | "orLast" = "throw",
): Kept<Value> {
  let answer: Promise<Value> | undefined;
  let good: Promise<Value> | undefined;
  let until = 0 as Instant;
  return {
    get() {
      const now = clock.now();
      if (answer !== undefined && now < until) return answer;
      until = (now + life * 1000) as Instant;
      const asked = work();
      answer = asked;
      asked.then(
        () => (good = asked),
        () => {
          if (answer === asked) answer = undefined;
        },
      );
      const last = good;
      return failed === "orLast" && last !== undefined ? asked.catch(() => last) : asked;
    },
  };
}
