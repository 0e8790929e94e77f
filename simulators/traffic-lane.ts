import type { SeededChance } from "#protocol/chance.ts";
import { HOUR } from "#protocol/units.ts";
import type { Waits } from "./waits.ts";
import { createWaits, recordWait } from "./waits.ts";

/** Arrivals an hour at a moment (ms since 1970); read anew in every hour. */
export type HourlyRate = (at: number) => number;

/** What a signal shows to one group. `flash` lets drivers and walkers find their own way, slowly. */
export type Aspect = "red" | "amber" | "green" | "flash";

/** A movement with no arrivals in so many hours has none. */
const FORGOTTEN_H = 24 * 8;

/** The next arrival after `from`: Poisson with the rate of each hour, which needs no memory at the hour's end. */
export function nextArrival(rate: HourlyRate, chance: SeededChance, from: number): number {
  let at = from;
  for (let hours = 0; hours < FORGOTTEN_H; hours++) {
    const end = (Math.floor(at / HOUR) + 1) * HOUR;
    const perHour = rate(at);
    if (perHour > 0) {
      const drawn = at + (-Math.log(1 - chance.next()) / perHour) * HOUR;
      if (drawn < end) return Math.ceil(drawn);
    }
    at = end;
  }
  return Number.POSITIVE_INFINITY;
}

/**
 * The vehicles of one signal group: they enter at the advance loop, drive to the stop line, queue there and leave at
 * saturation headway. The queue is a point queue (Daganzo's cell 0): its length in metres holds nobody up upstream.
 */
export class Lane {
  /** When the next vehicle enters, reaches the stop line, and leaves it; ms, infinite when none will. */
  entersAt: number;
  reachesAt = Number.POSITIVE_INFINITY;
  leavesAt = Number.POSITIVE_INFINITY;
  entered = 0;
  left = 0;
  readonly waits: Waits = createWaits();
  /** Arrivals at the stop line of those on their way and of those queued, oldest first. */
  private readonly coming: number[] = [];
  private readonly queued: number[] = [];
  private aspect: Aspect = "red";
  private aspectSince = 0;
  private lastReach = 0;
  private lastLeave = 0;
  private headway: number;
  private readonly saturated_ms: number;
  private readonly travel_ms: number;
  private readonly rate: HourlyRate;
  private readonly chance: SeededChance;

  constructor(options: LaneOptions) {
    this.saturated_ms = HOUR / Math.max(1, options.saturation_veh_h);
    this.headway = this.saturated_ms;
    this.travel_ms = options.travel_ms;
    this.rate = options.rate;
    this.chance = options.chance;
    this.entersAt = nextArrival(options.rate, options.chance, options.now);
  }

  get queue(): number {
    return this.queued.length;
  }

  /** When the first of the queue came, or infinite. */
  get headSince(): number {
    return this.queued[0] ?? Number.POSITIVE_INFINITY;
  }

  /** A vehicle passes the advance loop. */
  enter(now: number): void {
    this.entered++;
    // Drivers differ in speed, but nobody overtakes on the approach.
    const travel = this.travel_ms * (0.85 + 0.3 * this.chance.next());
    this.lastReach = Math.ceil(Math.max(now + travel, this.lastReach + 0.9 * this.saturated_ms));
    this.coming.push(this.lastReach);
    if (this.coming.length === 1) this.reachesAt = this.lastReach;
    this.entersAt = nextArrival(this.rate, this.chance, now + 1);
  }

  /** It reaches the stop line; whether it must stop is said by `leavesAt`. */
  reach(now: number): void {
    this.coming.shift();
    this.reachesAt = this.coming[0] ?? Number.POSITIVE_INFINITY;
    this.queued.push(now);
    if (this.queued.length === 1) this.settle(now);
  }

  /** The first of the queue crosses the stop line. */
  leave(now: number): void {
    const came = this.queued.shift() as number;
    this.left++;
    this.lastLeave = now;
    recordWait(this.waits, (now - came) / 1000);
    this.headway = this.saturated_ms * (0.85 + 0.3 * this.chance.next());
    this.settle(now);
  }

  show(aspect: Aspect, now: number): void {
    if (aspect === this.aspect) return;
    this.aspect = aspect;
    this.aspectSince = now;
    this.settle(now);
  }

  /** Works out when the first of the queue may go, as the signal stands. */
  private settle(now: number): void {
    this.leavesAt = Number.POSITIVE_INFINITY;
    const came = this.queued[0];
    if (came === undefined || this.aspect === "red") return;
    const slower = this.aspect === "flash" ? GIVE_WAY : 1;
    let at = Math.max(came, this.lastLeave + this.headway * slower);
    if (this.aspect === "green" && came <= this.aspectSince + STARTING_LOSS_MS) {
      at = Math.max(at, this.aspectSince + STARTING_LOSS_MS);
    }
    if (this.aspect === "amber" && at > this.aspectSince + AMBER_USED_MS) return;
    this.leavesAt = Math.ceil(Math.max(at, now));
  }
}

export interface LaneOptions {
  readonly saturation_veh_h: number;
  readonly travel_ms: number;
  readonly rate: HourlyRate;
  readonly chance: SeededChance;
  readonly now: number;
}

/** HCM 2016, ch. 19: the first drivers of a queue lose about 2 s, and the first 2 s of amber are still driven through. */
const STARTING_LOSS_MS = 2000;
const AMBER_USED_MS = 2000;
/** At flashing amber drivers find gaps: about a quarter of the saturation flow. */
const GIVE_WAY = 4;
