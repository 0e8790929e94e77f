import type { SeededChance } from "#protocol/chance.ts";
import type { Luminaire } from "#protocol/territory.ts";
import { HOUR } from "#protocol/units.ts";
import { uniform } from "./draws.ts";
import type { Instrument } from "./instrument.ts";

/** Seconds for the whole way up and down, as drivers for street lamps are set. */
const FADE_S = { up: 1, down: 4 };

/** What a lamp carries over a restart of the simulation, as it is counted, so that nothing is rounded on the way. */
export interface LampState {
  readonly level: number;
  readonly energy_Wms: number;
  readonly burning_ms: number;
  readonly failedUntil: number;
}

/**
 * An LED luminaire with its driver: it fades, takes standby power when dark, loses most at low levels, and counts energy
 * and burning hours between the changes of its level, so that a lamp nobody touches costs nothing.
 */
export class Lamp implements Instrument {
  readonly id: string;
  /** Level it is told to have. */
  target = 0;
  private readonly rated_W: number;
  private readonly standby_W: number;
  private readonly fixed: number;
  private from = 0;
  private fadedAt: number;
  private changedAt: number;
  private countedAt: number;
  private energy_Wms = 0;
  private burning_ms = 0;
  private failedUntil = 0;

  constructor(luminaire: Luminaire, chance: SeededChance, now: number) {
    this.id = luminaire.id;
    // Tolerance of drivers and modules, standby of the controller, losses of the driver that do not shrink with the level.
    this.rated_W = luminaire.power_W * uniform(chance, 0.97, 1.03);
    this.standby_W = uniform(chance, 0.4, 0.9);
    this.fixed = uniform(chance, 0.04, 0.08);
    this.changedAt = now;
    this.fadedAt = now;
    this.countedAt = now;
  }

  /** Light really given, as a share of the rated flux. */
  levelAt(now: number): number {
    if (now < this.failedUntil) return 0;
    if (now >= this.fadedAt) return this.target;
    return this.from + ((this.target - this.from) * (now - this.changedAt)) / (this.fadedAt - this.changedAt);
  }

  powerAt(now: number): number {
    return now < this.failedUntil ? this.standby_W : this.power(this.levelAt(now));
  }

  /** Where it is going: what it takes now, and what it gives and takes once it has faded. */
  course(now: number): { level: number; power_W: number; from_W: number; fade_s: number } {
    if (now < this.failedUntil) return { level: 0, power_W: this.standby_W, from_W: this.standby_W, fade_s: 0 };
    const fade_s = Math.max(0, this.fadedAt - now) / 1000;
    return { level: this.target, power_W: this.power(this.target), from_W: this.powerAt(now), fade_s };
  }

  private power(level: number): number {
    return level <= 0 ? this.standby_W : this.rated_W * (this.fixed + (1 - this.fixed) * level);
  }

  write(output: string, value: number, now: number): void {
    if (output !== "level" || value === this.target) return;
    this.from = this.levelAt(now);
    this.count(now);
    this.target = value;
    this.changedAt = now;
    this.fadedAt = now + Math.abs(value - this.from) * (value > this.from ? FADE_S.up : FADE_S.down) * 1000;
  }

  read(measure: string, now: number): number | undefined {
    if (measure === "level") return this.target;
    if (measure === "power_W") return Math.round(this.powerAt(now) * 10) / 10;
    if (measure === "failed") return now < this.failedUntil ? 1 : 0;
    if (measure === "energy_kWh") return Math.round(this.energy_kWh(now) * 1e4) / 1e4;
    if (measure === "burning_h") {
      this.count(now);
      return Math.round((this.burning_ms / HOUR) * 100) / 100;
    }
    return undefined;
  }

  energy_kWh(now: number): number {
    this.count(now);
    return this.energy_Wms / (HOUR * 1000);
  }

  fail(now: number, until: number): void {
    this.count(now);
    this.failedUntil = Math.max(this.failedUntil, until);
  }

  /** Adds what was used since last counted: the fade as a trapezium, the rest as a rectangle. */
  private count(now: number): void {
    if (now <= this.countedAt) return;
    const from = this.countedAt;
    this.countedAt = now;
    if (from < this.failedUntil) {
      const dead = Math.min(now, this.failedUntil);
      this.energy_Wms += this.standby_W * (dead - from);
      if (dead < now) this.steady(dead, now);
      return;
    }
    if (from >= this.fadedAt) return this.steady(from, now);
    const end = Math.min(now, this.fadedAt);
    this.energy_Wms += ((this.power(this.levelAt(from)) + this.power(this.levelAt(end))) / 2) * (end - from);
    this.burning_ms += end - from;
    if (end < now) this.steady(end, now);
  }

  private steady(from: number, to: number): void {
    this.energy_Wms += this.power(this.target) * (to - from);
    if (this.target > 0) this.burning_ms += to - from;
  }

  save(now: number): LampState {
    this.count(now);
    return {
      level: this.target,
      energy_Wms: this.energy_Wms,
      burning_ms: this.burning_ms,
      failedUntil: this.failedUntil,
    };
  }

  restore(state: LampState): void {
    this.target = state.level;
    this.from = state.level;
    this.energy_Wms = state.energy_Wms;
    this.burning_ms = state.burning_ms;
    this.failedUntil = state.failedUntil;
  }
}

/** The meter of a cabinet: its lamps, what the cables lose, and the cabinet itself. */
export class FeederMeter implements Instrument {
  private readonly lamps: readonly Lamp[];
  private readonly began: () => number;

  /** `began` says since when the cabinet itself has been drawing power. */
  constructor(lamps: readonly Lamp[], began: () => number) {
    this.lamps = lamps;
    this.began = began;
  }

  read(measure: string, now: number): number | undefined {
    if (measure === "power_W")
      return Math.round(this.lamps.reduce((sum, lamp) => sum + lamp.powerAt(now), 0) * LOSS + CABINET_W);
    if (measure !== "energy_kWh") return undefined;
    const lamps_kWh = this.lamps.reduce((sum, lamp) => sum + lamp.energy_kWh(now), 0);
    return Math.round((lamps_kWh * LOSS + (CABINET_W * Math.max(0, now - this.began())) / (HOUR * 1000)) * 1000) / 1000;
  }
}

const LOSS = 1.02;
const CABINET_W = 4;
