import type { Clock } from "#protocol/ports.ts";

/** A clock for one life of a process: when it dies, nothing that it had planned happens any more. */
export function mortalClock(clock: Clock): Clock & { die(): void } {
  let alive = true;
  return {
    now: () => clock.now(),
    after: (delay, action) =>
      clock.after(delay, () => {
        if (alive) action();
      }),
    die: () => {
      alive = false;
    },
  };
}
