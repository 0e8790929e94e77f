import type { SeededChance } from "#protocol/chance.ts";
import type { Container as ContainerFeature } from "#protocol/territory.ts";
import { DAY, HOUR } from "#protocol/units.ts";
import { fluctuation, normal, uniform } from "./draws.ts";
import type { Instrument } from "./instrument.ts";
import type { LocalHours } from "./local-hours.ts";
import { FILLING } from "./rates/waste.ts";
import type { Weather } from "./weather.ts";

export interface ContainerState {
  readonly fill: number;
  readonly collections: number;
  readonly filledUntil: number;
}

/** What lies beside a container, once it is full: no more than half as much again is left there. */
const MOST_FILL = 1.5;
/** Containers for households and glass are emptied once a week; the measured bins fill three times as fast. */
const STREAM_PACE: Record<ContainerFeature["stream"], number> = {
  litter: 1,
  residual: 0.5,
  packaging: 0.42,
  paper: 0.35,
  glass: 0.22,
  organic: 0.5,
};

/**
 * One container: it fills hour by hour at the rate of its place, more or less as the day goes, and what does not fit lies
 * beside it. The filling of an hour depends on seed, container and hour alone, not on who looks when.
 */
export class Container implements Instrument {
  readonly feature: ContainerFeature;
  fill: number;
  collections = 0;
  private filledUntil: number;
  private readonly perDay: number;
  private readonly chance: SeededChance;
  private readonly noise: SeededChance;
  private readonly hours: LocalHours;
  private readonly weather: Weather;
  private readonly bias: number;
  private day = -1;
  private dayPace = 1;
  private ofDay: SeededChance | undefined;

  private readonly overflows: (at: number) => void;

  /** `overflows` is told when the container has become full. */
  constructor(
    feature: ContainerFeature,
    chance: SeededChance,
    hours: LocalHours,
    weather: Weather,
    now: number,
    overflows: (at: number) => void,
  ) {
    this.overflows = overflows;
    this.feature = feature;
    this.chance = chance;
    this.noise = chance.branch("sensor");
    this.hours = hours;
    this.weather = weather;
    const own = chance.branch("bin");
    const [low, median, high] = FILLING[feature.place].perDay;
    const turn = own.next();
    const rate = turn < 0.5 ? low + (median - low) * turn * 2 : median + (high - median) * (turn * 2 - 1);
    this.perDay = rate * STREAM_PACE[feature.stream];
    this.bias = uniform(own, -0.015, 0.015);
    this.fill = uniform(own, 0.05, 0.75);
    this.filledUntil = Math.floor(now / HOUR) * HOUR;
  }

  /** Lets it fill until `now`. */
  advanceTo(now: number): void {
    while (this.filledUntil < now) {
      const hour = Math.floor(this.filledUntil / HOUR);
      const end = Math.min(now, (hour + 1) * HOUR);
      const added = this.addedIn(hour) * ((end - this.filledUntil) / HOUR);
      if (this.fill < 1 && this.fill + added >= 1) {
        this.overflows(Math.round(this.filledUntil + ((1 - this.fill) / added) * (end - this.filledUntil)));
      }
      this.fill = Math.min(MOST_FILL, this.fill + added);
      this.filledUntil = end;
    }
  }

  /** What comes in during an hour, as a share of the volume. */
  addedIn(hour: number): number {
    const { week, variation } = FILLING[this.feature.place];
    const day = Math.floor((hour * HOUR) / DAY);
    if (day !== this.day) {
      this.day = day;
      this.ofDay = this.chance.branch(`day ${day}`);
      this.dayPace = fluctuation(this.ofDay, variation * 0.6);
    }
    const share = week[this.hours.hourOfWeek(hour * HOUR)] ?? 0;
    return (
      ((this.perDay * 7 * share) / 1e5) *
      this.dayPace *
      fluctuation((this.ofDay as SeededChance).branch(String(hour)), 0.7)
    );
  }

  empty(now: number): number {
    this.advanceTo(now);
    const before = this.fill;
    this.fill = uniform(this.noise, 0, 0.03);
    this.collections++;
    return before;
  }

  read(measure: string, now: number): number | undefined {
    if (measure === "collections") return this.collections;
    if (measure === "temperature_C") return Math.round((this.weather.temperature_C(now) + 1 + 2 * this.fill) * 10) / 10;
    if (measure !== "fill") return undefined;
    this.advanceTo(now);
    const seen = this.fill + this.bias + 0.012 * normal(this.noise);
    return Math.min(MOST_FILL, Math.max(0, Math.round(seen * 1000) / 1000));
  }

  save(): ContainerState {
    return { fill: this.fill, collections: this.collections, filledUntil: this.filledUntil };
  }

  restore(state: ContainerState): void {
    this.fill = state.fill;
    this.collections = state.collections;
    this.filledUntil = state.filledUntil;
  }
}
