import type { Clock } from "#protocol/ports.ts";
import type { Instant } from "#protocol/units.ts";

/** A station's clock, put right by the server's word when it is far off. */
export interface CorrectedClock extends Clock {
  /**
   * The server said `at` when it answered what was sent at `sentAt`, both in ms, the latter by this clock. Returns whether
   * the clock moved because of it.
   */
  told(at: number, sentAt: number): boolean;
  /** A time that the board's own clock showed, put right. */
  corrected(own: Instant): Instant;
}

/** A clock that is this far off is wrong; less is the line's delay and costs nobody anything. */
const WRONG_MS = 60_000;
/** An answer that took longer says too little about now. */
const PROMPT_MS = 10_000;

/**
 * The clock that a station goes by: its own, and when the server's answers say that it is more than a minute off, its own
 * and the difference, so that a lamp whose clock was lost knows night from day. Delays pass by its own clock.
 */
export function correctedClock(own: Clock): CorrectedClock {
  let correction_ms = 0;
  const clock: CorrectedClock = {
    now: () => (own.now() + correction_ms) as Instant,
    after: (delay, action) => own.after(delay, action),
    told(at, sentAt) {
      const took_ms = clock.now() - sentAt;
      // Negative or long: the clock was set meanwhile, or the answer is stale.
      if (!(took_ms >= 0 && took_ms <= PROMPT_MS)) return false;
      const off_ms = at - own.now();
      const before = correction_ms;
      if (Math.abs(off_ms - before) > WRONG_MS) correction_ms = Math.abs(off_ms) > WRONG_MS ? off_ms : 0;
      return correction_ms !== before;
    },
    corrected: (at) => (at + correction_ms) as Instant,
  };
  return clock;
}
