import { seededChance } from "#protocol/chance.ts";
import type { Alternative, Decision } from "#control/decision.ts";
import type { Instant } from "#protocol/units.ts";
import { DAY } from "#protocol/units.ts";
import type { Candidate } from "./fill.ts";
import type { Problem } from "./rounds/problem.ts";
import { roundOf } from "./rounds/sheet.ts";
import { savings } from "./rounds/savings.ts";
import { search } from "./rounds/search.ts";
import type { Solution } from "./rounds/solution.ts";
import { TravelTable } from "./rounds/travel.ts";
import type { Choice, SelectionPolicy, VisitRule } from "./selection.ts";
import { SELECTION_POLICY, selection } from "./selection.ts";

/** One depot and one day; plain JSON, as it goes into the journal. */
export interface RoundsInput {
  /** Begins the names of the rounds: one depot's and day's own. */
  readonly plan: string;
  /** The start of the day; the plan holds for 24 h. */
  readonly day: number;
  readonly depot: string;
  readonly candidates: readonly Candidate[];
  readonly tippingSites: readonly {
    readonly id: string;
    readonly service_s: number;
    readonly streams: readonly string[];
  }[];
  readonly vehicles: readonly RoundVehicle[];
  /** Driving seconds, whole: the depot first, then the tipping sites, then the candidates, in their order here. */
  readonly travel_s: readonly (readonly number[])[];
  readonly policy: RoundsPolicy;
  readonly seed: number;
}

export interface RoundVehicle {
  readonly id: string;
  readonly capacity_L: number;
  readonly streams: readonly string[];
  readonly shiftStart: number;
  readonly shift_s: number;
}

export interface RoundsPolicy {
  readonly selection: SelectionPolicy;
  /** Steps of the search; 10,000 take about a tenth of a second for 60 containers. */
  readonly iterations: number;
  /** Of a vehicle's capacity: what forecasts may be wrong by. */
  readonly loadedTo: number;
}

export const ROUNDS_POLICY: RoundsPolicy = { selection: SELECTION_POLICY, iterations: 8000, loadedTo: 0.95 };

export interface PlannedStop {
  readonly site: string;
  readonly what: "container" | "tipping-site" | "depot";
  readonly eta: number;
  /** Level expected at a container, as likely more as less, and passed once in ten times. */
  readonly expectedFill_q50?: number;
  readonly expectedFill_q90?: number;
  readonly because?: VisitRule;
}

export interface PlannedRound {
  readonly id: string;
  readonly vehicle: string;
  readonly stops: readonly PlannedStop[];
  readonly duration_s: number;
  readonly driving_s: number;
  readonly load_L: number;
}

export interface RoundPlan {
  readonly rounds: readonly PlannedRound[];
  readonly skipped: readonly Skipped[];
}

export interface Skipped {
  readonly container: string;
  readonly because: VisitRule;
  readonly q50: number;
  readonly q90: number;
  readonly risk: number;
}

export const ROUNDS_RULES = ["risk-against-visit", "nothing-to-collect"] as const;
export const ROUNDS_REFUSALS = ["takes-longer", "overflows-more"] as const;

/** What leaving out a stop that must be visited costs, so that it only happens when hours or vehicles do not suffice. */
const LEFT_OUT_S = 100_000;

/** The rounds of one depot for one day: whom to visit, by which vehicle, in which order, and where to tip. */
export function rounds(input: RoundsInput): Decision<RoundPlan> {
  const travel = new TravelTable(input);
  const choices = selection(input.candidates, travel.betweenCandidates(), input.policy.selection);
  const visited = choices.filter((choice) => choice.visit);
  const problem = problemOf(input, travel, visited);
  const { solution, start_s } = search(problem, input.policy.iterations, seededChance(input.seed));
  const value: RoundPlan = {
    rounds: solution.shifts.flatMap((shift, vehicle) =>
      shift.trips.length === 0 ? [] : [roundOf(input, travel, visited, shift, vehicle)],
    ),
    skipped: [
      ...choices.filter((choice) => !choice.visit).map((choice) => skippedOf(choice, choice.because)),
      ...solution.absent.map((stop) => leftOut(input, visited[stop] as Choice)),
    ],
  };
  const unvisited = [
    ...choices.filter((choice) => !choice.visit),
    ...solution.absent.map((stop) => visited[stop] as Choice),
  ];
  return {
    value,
    because: value.rounds.length === 0 ? "nothing-to-collect" : "risk-against-visit",
    evidence: {
      containers: choices.length,
      visited: choices.length - unvisited.length,
      full: visited.filter((choice) => choice.because === "full").length,
      on_the_way: visited.filter((choice) => choice.because === "on-the-way").length,
      left_out: solution.absent.length,
      overflows_expected_without: expectedOverflows(choices),
      overflows_expected: expectedOverflows(unvisited),
      duration_s: durationOf(solution),
      load_L: value.rounds.reduce((sum, round) => sum + round.load_L, 0),
      iterations: input.policy.iterations,
      seed: input.seed,
    },
    alternatives: alternativesOf(input, travel, choices, start_s),
    validUntil: (input.day + DAY) as Instant,
  };
}

function problemOf(input: RoundsInput, travel: TravelTable, visited: readonly Choice[]): Problem {
  const streams = [...new Set(input.candidates.map(({ stream }) => stream))].sort();
  const largest = (stream: string): number =>
    Math.max(0, ...input.vehicles.filter((each) => each.streams.includes(stream)).map((each) => loadable(input, each)));
  return {
    stops: visited.map(({ candidate, because, risk_s, worth_s }) => ({
      // A container that alone is more than a vehicle holds is taken in full and the vehicle sent to tip.
      load: Math.min(largest(candidate.stream), Math.round(candidate.q50 * candidate.volume_L)),
      service_s: candidate.service_s,
      stream: streams.indexOf(candidate.stream),
      price_s: because === "on-the-way" ? worth_s : LEFT_OUT_S + 100 * risk_s,
    })),
    vehicles: input.vehicles.map((vehicle) => ({
      capacity: loadable(input, vehicle),
      shift_s: vehicle.shift_s,
      streams: vehicle.streams.map((stream) => streams.indexOf(stream)).filter((stream) => stream !== -1),
    })),
    ...travel.forStops(visited),
  };
}

const loadable = (input: RoundsInput, vehicle: RoundVehicle): number =>
  Math.floor(vehicle.capacity_L * input.policy.loadedTo);

function skippedOf({ candidate: { container, q50, q90, risk } }: Choice, because: VisitRule): Skipped {
  return { container, because, q50, q90, risk };
}

/** Why a chosen container is not on any round after all. */
function leftOut(input: RoundsInput, choice: Choice): Skipped {
  if (choice.because === "on-the-way") return skippedOf(choice, "room-left");
  const served = input.vehicles.some((vehicle) => vehicle.streams.includes(choice.candidate.stream));
  return skippedOf(choice, served ? "no-time" : "no-vehicle");
}

function expectedOverflows(choices: readonly Choice[]): number {
  return Math.round(choices.reduce((sum, choice) => sum + choice.candidate.risk, 0) * 100) / 100;
}

const durationOf = (solution: Solution): number => solution.shifts.reduce((sum, shift) => sum + shift.duration_s, 0);

/** Costs are seconds of work and of what overflows cost, so that all three compare with `duration_s` and its risk. */
function alternativesOf(
  input: RoundsInput,
  travel: TravelTable,
  choices: readonly Choice[],
  start_s: number,
): Alternative<RoundPlan>[] {
  const everyone = savings(problemOf(input, travel, choices));
  const nobody_s = choices.reduce((sum, choice) => sum + choice.risk_s, 0);
  return [
    { value: "every container", refused: "takes-longer", cost: durationOf(everyone) },
    { value: "nobody comes today", refused: "overflows-more", cost: nobody_s },
    { value: "savings without search", refused: "takes-longer", cost: start_s },
  ];
}
