import type { SeededChance } from "#protocol/chance.ts";
import type { Aspect, HourlyRate } from "./traffic-lane.ts";
import { nextArrival } from "./traffic-lane.ts";
import type { Waits } from "./waits.ts";
import { createWaits, recordWait } from "./waits.ts";

/** Not everyone presses: some trust that another has, or that the light will come. */
const PRESSES = 0.9;
/** What a walker waits for a gap at flashing amber. */
const GAP_S = 5;

/** The people at one pedestrian crossing: they come, press or do not, wait, and go together when it is green. */
export class Walkers {
  arrivesAt: number;
  crossed = 0;
  readonly waits: Waits = createWaits();
  private readonly waiting: number[] = [];
  private aspect: Aspect = "red";
  private readonly rate: HourlyRate;
  private readonly chance: SeededChance;

  constructor(rate: HourlyRate, chance: SeededChance, now: number) {
    this.rate = rate;
    this.chance = chance;
    this.arrivesAt = nextArrival(rate, chance, now);
  }

  get queue(): number {
    return this.waiting.length;
  }

  get headSince(): number {
    return this.waiting[0] ?? Number.POSITIVE_INFINITY;
  }

  /** Someone comes; returns whether the button is pressed, and by a share that says which one. */
  arrive(now: number): number | undefined {
    this.arrivesAt = nextArrival(this.rate, this.chance, now + 1);
    if (this.aspect === "green" || this.aspect === "flash") {
      this.cross(this.aspect === "green" ? 0 : GAP_S);
      return undefined;
    }
    this.waiting.push(now);
    const drawn = this.chance.next();
    return drawn < PRESSES ? drawn / PRESSES : undefined;
  }

  /** Returns whether those who waited went. */
  show(aspect: Aspect, now: number): boolean {
    if (aspect === this.aspect) return false;
    this.aspect = aspect;
    if (aspect !== "green" && aspect !== "flash") return false;
    for (const came of this.waiting) this.cross((now - came) / 1000);
    this.waiting.length = 0;
    return true;
  }

  private cross(wait_s: number): void {
    this.crossed++;
    recordWait(this.waits, wait_s);
  }
}
