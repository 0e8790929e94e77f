import type { SeededChance } from "#protocol/chance.ts";
import { HOUR } from "#protocol/units.ts";
import { exponential, uniform } from "./draws.ts";
import type { Instrument } from "./instrument.ts";

/** A passive infrared sensor does not count the same warmth twice within this time. */
const DEAD_TIME_MS = 1500;
/** Cats, branches, warm air: about two times a day at each pole. */
const FALSE_PER_HOUR = 0.08;

/** A presence sensor on a pole: misses between 5 and 15 % of those who pass, and sees some who are not there. */
export class PresenceSensor implements Instrument {
  readonly id: string;
  passes = 0;
  private readonly misses: number;
  private readonly chance: SeededChance;
  private lastAt = -Infinity;

  constructor(id: string, chance: SeededChance) {
    this.id = id;
    this.chance = chance;
    this.misses = uniform(chance, 0.05, 0.15);
  }

  /** Someone passes; whether the sensor says so. */
  passed(now: number): boolean {
    if (this.chance.next() < this.misses) return false;
    return this.trigger(now);
  }

  trigger(now: number): boolean {
    if (now - this.lastAt < DEAD_TIME_MS) return false;
    this.lastAt = now;
    this.passes++;
    return true;
  }

  /** Milliseconds to the next time it sees someone who is not there. */
  nextFalse(): number {
    return exponential(this.chance, FALSE_PER_HOUR) * HOUR;
  }

  read(measure: string): number | undefined {
    return measure === "passes" ? this.passes : undefined;
  }
}
