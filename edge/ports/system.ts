import { randomBytes } from "node:crypto";
import type { Chance, Clock } from "#protocol/ports.ts";
import type { Instant } from "#protocol/units.ts";

/** The clock of this computer. A delay beyond what a timer can hold (24 days) is waited for in pieces. */
export const systemClock: Clock = {
  now: () => Date.now() as Instant,
  after(delay, action) {
    let timer: NodeJS.Timeout;
    const wait = (left_ms: number): void => {
      timer = setTimeout(
        () => (left_ms > LONGEST_MS ? wait(left_ms - LONGEST_MS) : action()),
        Math.min(left_ms, LONGEST_MS),
      );
    };
    wait(delay * 1000);
    return () => clearTimeout(timer);
  },
};
const LONGEST_MS = 2 ** 31 - 1;

/** Chance from the operating system: an epoch must not be guessed and must not come twice. */
export const systemChance: Chance = { next: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48 };
