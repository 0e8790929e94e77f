import type { Clock } from "#protocol/ports.ts";
import type { Instant } from "#protocol/units.ts";

/** The longest delay that a timer of Node takes; a longer one is waited for in turns. */
const LONGEST_MS = 2_147_483_647;

/** The system's clock. A timer keeps the process alive until it has run or was called off. */
export const systemClock: Clock = {
  now: () => Date.now() as Instant,
  after(delay, action) {
    let timer: NodeJS.Timeout;
    const wait = (left_ms: number): void => {
      timer =
        left_ms > LONGEST_MS
          ? setTimeout(() => wait(left_ms - LONGEST_MS), LONGEST_MS)
          : setTimeout(action, Math.max(0, left_ms));
    };
    wait(delay * 1000);
    return () => clearTimeout(timer);
  },
};
