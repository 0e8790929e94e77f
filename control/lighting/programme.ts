import type { Alternative, Decision, Evidence } from "#control/decision.ts";
import type { OffsetFrom } from "#control/localTime.ts";
import { hourOfWeek, nextLocalHour } from "#control/localTime.ts";
import type { OrderOf } from "#protocol/messages.ts";
import type { LightingClass } from "#protocol/territory.ts";
import type { Instant, Level } from "#protocol/units.ts";
import { HOUR, MINUTE, level } from "#protocol/units.ts";
import { classAt, familyOf, levelFor, lowered, volumeOf } from "./classes.ts";
import type { Step } from "./steps.ts";
import type { Interval } from "./sun.ts";
import { darkness } from "./sun.ts";

/** One street and what is known of it; plain JSON, as it goes into the journal. */
export interface ProgrammeInput {
  readonly street: string;
  /** The class that the street asks for in its busiest hours. */
  readonly lightingClass: LightingClass;
  /** The class that its luminaires give at full output; that of the street when left out. */
  readonly designClass?: LightingClass;
  readonly highway: string;
  readonly lat: number;
  readonly lon: number;
  readonly from: number;
  readonly to: number;
  /** The territory's offsets to UTC over [from, to), the first one at or before `from`. */
  readonly offsets: readonly OffsetFrom[];
  /** People and vehicles an hour at the 90 % quantile, by hour of the local week from Monday 00:00; null: never counted. */
  readonly footfall: readonly (number | null)[];
  /** How the last day went against the usual, and how far off its forecast was; left out: nothing was forecast. */
  readonly recent?: RecentDay;
  /** False: no sensor sees who passes, so the class must hold all the time. */
  readonly presence: boolean;
  readonly policy: ProgrammePolicy;
}

export interface RecentDay {
  /** What was counted as a multiple of the usual: the coming hours are expected to go the same way. */
  readonly correction: number;
  /** Mean absolute error of the usual as a share of what came, and the share of hours at or below the 90 % quantile. */
  readonly error: number;
  readonly covered: number;
}

export interface ProgrammePolicy {
  /** Share of full output while nobody is near. */
  readonly idle: number;
  /** Never darker at night, whatever else is decided. */
  readonly floor: number;
  /** How long a lamp stays active after a passage. */
  readonly hold_s: number;
}

export const PROGRAMME_POLICY: ProgrammePolicy = { idle: 0.2, floor: 0.1, hold_s: 30 };

/** Why a programme looks as it does; each has a sentence in the console's dictionary. */
export const PROGRAMME_RULES = ["class-by-traffic", "class-all-night", "no-darkness"] as const;
export const PROGRAMME_REFUSALS = ["uses-more-energy", "below-class", "below-floor"] as const;

/** An order holds 100 steps; two nights by the hour are 36. The rest of a longer window is left to the next programme. */
const MOST_STEPS = 100;

/** A street's class is designed for its busiest hour; below this many an hour no hour makes a share meaningful. */
const LEAST_BUSY = 6;

interface Period {
  readonly from: number;
  readonly to: number;
  readonly footfall: number | null;
  readonly lightingClass: LightingClass;
  readonly idle: Level;
  readonly active: Level;
}

/**
 * The programme of one street for [from, to): off by day; from dusk to dawn, hour by hour, the level of the lighting
 * class that the forecast traffic asks for while someone is near, and the idle level while nobody is.
 * Dusk is taken down and dawn up to the whole minute, so that the lamps' own sun never finds the programme late.
 */
export function programme(input: ProgrammeInput): Decision<OrderOf<"programme">> {
  const nights = darkness(input.from as Instant, input.to as Instant, input.lat, input.lon).map(wholeMinutes(input));
  const busiest = Math.max(0, ...input.footfall.map((each) => each ?? 0));
  const periods = nights.flatMap((night) => periodsOf(night, input, busiest));
  const floor = atLeast(0, input.policy.floor);
  const value = { action: "programme", steps: stepsOf(input, periods), floor, hold_s: input.policy.hold_s } as const;
  return {
    value,
    because: nights.length === 0 ? "no-darkness" : busiest >= LEAST_BUSY ? "class-by-traffic" : "class-all-night",
    evidence: evidenceOf(input, nights, periods, busiest),
    alternatives: alternativesOf(input, periods),
    validUntil: input.to as Instant,
  };
}

function wholeMinutes(input: ProgrammeInput): (night: Interval) => Interval {
  return ({ from, to }) => ({
    from: Math.max(input.from, Math.floor(from / MINUTE) * MINUTE) as Instant,
    to: Math.min(input.to, Math.ceil(to / MINUTE) * MINUTE) as Instant,
  });
}

function periodsOf(night: Interval, input: ProgrammeInput, busiest: number): Period[] {
  const periods: Period[] = [];
  for (let at: number = night.from; at < night.to;) {
    const end = Math.min(nextLocalHour(at, input.offsets), night.to);
    const usual = input.footfall[hourOfWeek(at, input.offsets)] ?? null;
    const footfall = usual === null ? null : usual * (input.recent?.correction ?? 1);
    const known = footfall !== null && busiest >= LEAST_BUSY;
    const lightingClass = known ? classAt(input.lightingClass, volumeOf(footfall / busiest)) : input.lightingClass;
    const active = atLeast(input.policy.floor, levelFor(input.designClass ?? input.lightingClass, lightingClass));
    periods.push({ from: at, to: end, footfall, lightingClass, active, idle: idleLevel(input, active) });
    at = end;
  }
  return periods;
}

/** While nobody is near; traffic at speed outruns a lamp that lights late, so motor classes keep their family's lowest. */
function idleLevel(input: ProgrammeInput, active: Level): Level {
  if (!input.presence) return active;
  const family = familyOf(input.lightingClass);
  const lowest =
    family === "P" ? level(0) : levelFor(input.designClass ?? input.lightingClass, family === "M" ? "M6" : "C5");
  const idle = atLeast(Math.max(input.policy.floor, input.policy.idle), lowest);
  return idle < active ? idle : active;
}

/** Levels are sent in whole thousandths: finer than any driver, and the same on every machine. */
function atLeast(least: number, wanted: number): Level {
  return level(Math.ceil(Math.max(least, wanted) * 1000 - 1e-6) / 1000);
}

function stepsOf(input: ProgrammeInput, periods: readonly Period[]): Step[] {
  const steps: Step[] = [{ at: input.from, idle: 0, active: 0 }];
  const add = (at: number, idle: number, active: number): void => {
    const last = steps.at(-1);
    if (last?.at === at) steps[steps.length - 1] = { at, idle, active };
    else if (last?.idle !== idle || last.active !== active) steps.push({ at, idle, active });
  };
  periods.forEach((period, index) => {
    add(period.from, period.idle, period.active);
    const next = periods[index + 1];
    // A window that ends by night must not end in the dark: the last levels go on until a new programme comes.
    if (next?.from !== period.to && period.to < input.to) add(period.to, 0, 0);
  });
  return steps.slice(0, MOST_STEPS);
}

function evidenceOf(
  input: ProgrammeInput,
  nights: readonly Interval[],
  periods: readonly Period[],
  busiest: number,
): Evidence {
  const counted = periods.map((period) => period.footfall).filter((each) => each !== null);
  return {
    street: input.street,
    highway: input.highway,
    street_class: input.lightingClass,
    design_class: input.designClass ?? input.lightingClass,
    dusk: nights[0]?.from ?? null,
    dawn: nights[0]?.to ?? null,
    dark_h: tenths(nights.reduce((sum, night) => sum + night.to - night.from, 0) / HOUR),
    busiest_per_h: tenths(busiest),
    night_most_per_h: counted.length === 0 ? null : tenths(Math.max(...counted)),
    night_least_per_h: counted.length === 0 ? null : tenths(Math.min(...counted)),
    recent_share: input.recent?.correction ?? null,
    forecast_error_share: input.recent === undefined ? null : hundredths(input.recent.error),
    forecast_covered_share: input.recent === undefined ? null : hundredths(input.recent.covered),
    presence: input.presence,
    idle_level: periods[0]?.idle ?? 0,
    energy_share: energyShare(periods, "as-decided", input),
    ...hoursByClass(periods),
  };
}

function hoursByClass(periods: readonly Period[]): Record<string, number> {
  const hours: Record<string, number> = {};
  for (const { from, to, lightingClass } of periods) {
    const name = `hours_${lightingClass}`;
    hours[name] = tenths((hours[name] ?? 0) + (to - from) / HOUR);
  }
  return hours;
}

/** Energy relative to full output all night, from the share of time in which someone is expected within reach. */
function energyShare(periods: readonly Period[], how: "as-decided" | "always-active", input: ProgrammeInput): number {
  let used = 0;
  let full = 0;
  for (const { from, to, footfall, idle, active } of periods) {
    // Passages come independently of each other: P(none within the hold) = exp(-rate × hold) (Poisson).
    const occupied =
      how === "always-active" || footfall === null ? 1 : 1 - Math.exp((-footfall * input.policy.hold_s) / 3600);
    used += (to - from) * (idle + occupied * (active - idle));
    full += to - from;
  }
  return full === 0 ? 0 : Math.round((used / full) * 1000) / 1000;
}

function alternativesOf(input: ProgrammeInput, periods: readonly Period[]): Alternative<OrderOf<"programme">>[] {
  if (periods.length === 0) return [];
  const quietest = periods.reduce((least, period) => (period.active < least.active ? period : least));
  const below = lowered(quietest.lightingClass, 1);
  const alternatives: Alternative<OrderOf<"programme">>[] = [
    { value: `${input.lightingClass} all night`, refused: "uses-more-energy", cost: 1 },
    {
      value: "classes by traffic, never idle",
      refused: "uses-more-energy",
      cost: energyShare(periods, "always-active", input),
    },
  ];
  if (below !== quietest.lightingClass)
    alternatives.push({ value: `${below} in the quietest hours`, refused: "below-class" });
  alternatives.push({ value: "off when nobody is near", refused: "below-floor" });
  return alternatives;
}

const hundredths = (value: number): number => Math.round(value * 100) / 100;
const tenths = (value: number): number => Math.round(value * 10) / 10;
