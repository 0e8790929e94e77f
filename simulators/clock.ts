import type { Cancel, Clock } from "#protocol/ports.ts";
import type { Instant, Seconds } from "#protocol/units.ts";

/**
 * A clock on which a town lives faster than life: it shows `origin` when `base` shows `anchor`, and from then on `speed`
 * seconds pass in one second of `base`. Server and town must share all three, or each finds the other in its future.
 */
export function scaledClock(
  base: Clock,
  speed: number,
  origin: Instant = base.now(),
  anchor: Instant = base.now(),
): Clock {
  return {
    now: () => Math.round(origin + (base.now() - anchor) * speed) as Instant,
    after: (delay, action) => base.after((delay / speed) as Seconds, action),
  };
}

/** A station's own clock: wrong by what `offset` says at the moment, in milliseconds. Delays pass as they should. */
export function stationClock(clock: Clock, offset: () => number): Clock {
  return {
    now: () => (clock.now() + offset()) as Instant,
    after: (delay, action): Cancel => clock.after(delay, action),
  };
}
