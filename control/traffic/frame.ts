import type { OrderOf } from "#protocol/messages.ts";
import type { Instant, Seconds, VehiclesPerHour } from "#protocol/units.ts";
import { seconds, vehiclesPerHour } from "#protocol/units.ts";
import type { Alternative, Decision, Evidence } from "../decision.ts";
import type { Counted } from "./counts.ts";
import { countEvidence } from "./counts.ts";
import type { Doubt } from "./doubt.ts";
import { LONGEST_WAIT_S } from "./guard.ts";
import { change, longestRed_ms, shortestGreen, timingOfFrame } from "./plan.ts";
import type { JunctionPlan, JunctionTables } from "./tables.ts";
import { junctionTables, most } from "./tables.ts";
import type { CycleLimits } from "./webster.ts";
import { AMBER_GAIN_S, cycleLength, delay, roomyCycle, splits, STARTING_LOSS_S } from "./webster.ts";

/** Plain JSON, so that the decision can be computed again from the journal. */
export interface FrameInput {
  /** A territory's junction as it is. */
  readonly junction: JunctionPlan;
  /** Counted vehicles an hour by signal group; a group without a count is left out. */
  readonly flows: Readonly<Record<string, number>>;
  /** Pedestrians' calls an hour by signal group. */
  readonly calls: Readonly<Record<string, number>>;
  /**
   * How each group's count came about. A group of vehicles of which nothing is known is taken to be as busy as the fixed
   * plan was made for, a crossing whose buttons are unknown to be called regularly. Not given: a group without a count has
   * no traffic.
   */
  readonly counted?: Readonly<Record<string, Counted>>;
  /** Counters that should have spoken and did not, by name; said in the evidence. */
  readonly silent?: readonly string[];
  /** Counters that count nothing and are not believed, by name, and why; said in the evidence. */
  readonly doubted?: Readonly<Record<string, Doubt>>;
  /** The frame that the junction has now, if it has one. */
  readonly current: OrderOf<"frame"> | null;
  readonly until: Instant;
}

type Frame = OrderOf<"frame">;

/** The longest cycle: red plus its green stay below the 120 s that nobody may wait. */
export const LONGEST_CYCLE_S = 100;
/** With every stage at its longest green the cycle is still this long at most. */
const LONGEST_ROUND_S = 105;
const SHORTEST_CYCLE_S = 30;
/** A green may grow so far beyond its fair share while its queue lasts. */
const STRETCH = 1.6;
/** A frame is kept while a new one would save less of the delay than this. */
const WORTH = 0.03;
/** A pedestrian crossing is part of every cycle once it is called so often an hour. */
const REGULAR_CALLS_H = 20;
/**
 * Traffic that nobody counted is taken to fill this share of its green in the fixed plan: enough for its fair part, and not so
 * much that the cycle grows long for it, which makes everyone wait.
 */
const PLANNED_FILLED = 0.5;

/**
 * A junction's frame: Webster's cycle and splits from the counted flows, and for each stage the range in which the cabinet
 * adapts second by second. Pure; raises nothing; a junction too large for its longest cycle gets its minimum greens and
 * the evidence says so.
 */
export function frame(given: FrameInput): Decision<Frame> {
  const tables = junctionTables(given.junction);
  const input = assumed(tables, given);
  const stages = readStages(tables, input);
  const between = seconds(stages.reduce((sum, stage) => sum + stage.transition_s, 0));
  const lost = seconds(between + stages.length * (STARTING_LOSS_S - AMBER_GAIN_S));
  const shortest = seconds(between + stages.reduce((sum, stage) => sum + stage.min_s, 0));
  const limits = {
    min: seconds(Math.max(SHORTEST_CYCLE_S, Math.ceil(shortest))),
    max: seconds(Math.max(LONGEST_CYCLE_S, Math.ceil(shortest))),
  };
  const critical = stages.map((stage) => stage.critical);
  const Y = stages.reduce((sum, stage) => sum + stage.ratio, 0);
  const wanted = cycleLength(critical, lost, limits);
  const { computed, cost } = bestOf(input, stages, between, [wanted, ...roomyCycles(stages, lost, limits)]);
  const evidence: Evidence = {
    flow_ratio: round(Y),
    lost_s: round(lost),
    webster_cycle_s: Y < 1 ? round((1.5 * lost + 5) / (1 - Y)) : null,
    flow_veh_h: round(
      given.counted === undefined ? total(stages.map((each) => each.flow_veh_h)) : counted_veh_h(given),
    ),
    calls_h: round(total(Object.values(given.calls))),
    delay_s: round(cost),
    within_120_s: shortest <= LONGEST_CYCLE_S,
    ...(given.counted && countEvidence(given.junction.groups, given.counted, given.silent ?? [], given.doubted ?? {})),
  };
  const fixed = fixedPlan(input, stages, between);
  const costOfFixed = meanDelay(input, stages, fixed);
  const alternatives: Alternative<Frame>[] = [
    {
      value: fixed,
      refused: costOfFixed > cost ? "more-delay" : "saves-too-little",
      cost: round(costOfFixed),
    },
  ];
  if (input.current !== null && fits(input.current, stages)) {
    const had = meanDelay(input, stages, input.current);
    const tooLong = shortest <= LONGEST_CYCLE_S && keepsWaiting(tables, input.current);
    if (!tooLong && Y < 1 && had <= cost * (1 + WORTH)) {
      alternatives.unshift({ value: computed, refused: "saves-too-little", cost: round(cost) });
      const value = { ...input.current, until: input.until };
      return {
        value,
        because: "frame-kept",
        evidence: { ...evidence, kept_delay_s: round(had) },
        alternatives,
        validUntil: input.until,
      };
    }
    const refused = tooLong ? "red-too-long" : "more-delay";
    alternatives.unshift({ value: input.current, refused, cost: round(had) });
  }
  const uncounted = given.counted !== undefined && !anyVehicleCounted(given);
  const because = uncounted
    ? "frame-uncounted"
    : Y >= 1
      ? "frame-saturated"
      : computed.cycle_s <= limits.min
        ? "frame-minimum"
        : "frame-webster";
  return { value: computed, because, evidence, alternatives, validUntil: input.until };
}

const total = (values: readonly number[]): number => values.reduce((sum, each) => sum + each, 0);

const anyVehicleCounted = ({ junction, counted }: FrameInput): boolean =>
  junction.groups.some(({ id, kind }) => kind === "vehicle" && (counted?.[id]?.known ?? 0) > 0);

const counted_veh_h = ({ junction, flows }: FrameInput): number =>
  total(junction.groups.map(({ id, kind }) => (kind === "vehicle" ? Math.max(0, flows[id] ?? 0) : 0)));

/** What was not counted is assumed: see `FrameInput.counted`. */
function assumed(tables: JunctionTables, input: FrameInput): FrameInput {
  const { junction, counted } = input;
  if (counted === undefined) return input;
  const flows = { ...input.flows };
  const calls = { ...input.calls };
  const { stages } = junction.fixedPlan;
  const masks = stages.map(({ stage }) => tables.stages.find(({ id }) => id === stage)?.mask ?? 0);
  const cycle_s = total(
    stages.map(({ green_s }, i) => {
      const next = masks[(i + 1) % masks.length] as number;
      return green_s + change(tables, masks[i] as number, next).transition / 1000;
    }),
  );
  for (const [g, { id, kind, saturation_veh_h }] of junction.groups.entries()) {
    const { counters, known } = counted[id] ?? { counters: 0, known: 0 };
    if (known > 0) continue;
    if (kind === "pedestrian" && counters > 0) calls[id] = REGULAR_CALLS_H;
    if (kind !== "vehicle") continue;
    const green_s = total(stages.map((stage, i) => (((masks[i] as number) >>> g) & 1 ? stage.green_s : 0)));
    flows[id] = Math.round(((PLANNED_FILLED * saturation_veh_h * green_s) / cycle_s) * 10) / 10;
  }
  return { ...input, flows, calls };
}

interface Stage {
  readonly id: string;
  readonly mask: number;
  readonly critical: { readonly flow: VehiclesPerHour; readonly saturation: VehiclesPerHour };
  readonly ratio: number;
  readonly flow_veh_h: number;
  readonly min_s: number;
  readonly max_s: number;
  readonly transition_s: number;
}

/** The stages in the order of the fixed plan, with the flow that decides for each. */
function readStages(tables: JunctionTables, input: FrameInput): Stage[] {
  const order = input.junction.fixedPlan.stages.map(({ stage }) =>
    tables.stages.findIndex((each) => each.id === stage),
  );
  const stages = order.map((index) => tables.stages[index]).filter((stage) => stage !== undefined);
  const counted = new Set<string>();
  return stages.map((stage, i) => {
    const next = stages[(i + 1) % stages.length] ?? stage;
    const { transition, lead } = change(tables, stage.mask, next.mask);
    let critical = { flow: vehiclesPerHour(0), saturation: vehiclesPerHour(1) };
    let flow_veh_h = 0;
    let regular = 0;
    for (const [g, group] of input.junction.groups.entries()) {
      if (((stage.mask >>> g) & 1) === 0) continue;
      if ((input.calls[group.id] ?? 0) >= REGULAR_CALLS_H) regular |= 1 << g;
      // A group that two stages serve is counted in the first alone, or its flow would ask for green twice.
      if (group.kind !== "vehicle" || counted.has(group.id)) continue;
      counted.add(group.id);
      const flow = Math.max(0, input.flows[group.id] ?? 0);
      flow_veh_h += flow;
      if (group.saturation_veh_h > 0 && flow / group.saturation_veh_h > critical.flow / critical.saturation) {
        critical = { flow: vehiclesPerHour(flow), saturation: vehiclesPerHour(group.saturation_veh_h) };
      }
    }
    const vehicles = (stage.mask & tables.vehicles) >>> 0;
    const served = vehicles === 0 ? stage.mask : (vehicles | regular) >>> 0;
    const min_ms = shortestGreen(tables, served, lead);
    return {
      id: stage.id,
      mask: stage.mask,
      critical,
      ratio: critical.flow / critical.saturation,
      flow_veh_h,
      min_s: Math.ceil(min_ms / 1000),
      max_s: Math.max(
        Math.ceil(min_ms / 1000),
        Math.floor(most(tables.max_ms, vehicles === 0 ? stage.mask : vehicles) / 1000),
      ),
      transition_s: transition / 1000,
    };
  });
}

/** How much of a stage's green its traffic may fill: half as much again as it needs, down to just enough. */
const FILLED = [0.65, 0.8, 0.9];

const roomyCycles = (stages: readonly Stage[], lost: Seconds, limits: CycleLimits): Seconds[] =>
  FILLED.map((filled) =>
    roomyCycle(
      stages.map((stage) => stage.ratio),
      stages.map((stage) => seconds(stage.min_s)),
      lost,
      filled,
      limits,
    ),
  );

/** The frame of least mean delay among those with one of these cycles, in s; the first of equals. */
function bestOf(
  input: FrameInput,
  stages: readonly Stage[],
  between: Seconds,
  cycles: readonly Seconds[],
): { computed: Frame; cost: number } {
  let best: { computed: Frame; cost: number } | undefined;
  for (const cycle of new Set(cycles.map((each) => Math.round(each)))) {
    const computed = build(input, stages, seconds(cycle), between);
    const cost = meanDelay(input, stages, computed);
    if (best === undefined || cost < best.cost) best = { computed, cost };
  }
  return best as { computed: Frame; cost: number };
}

/** A frame of whole seconds with this cycle, in s. */
function build(input: FrameInput, stages: readonly Stage[], cycle: Seconds, between: Seconds): Frame {
  const minimums = stages.map((stage) => seconds(stage.min_s));
  const greens = splits(
    stages.map((stage) => stage.ratio),
    minimums,
    cycle,
    between,
  );
  const targets = stages.map((stage, i) =>
    Math.min(stage.max_s, Math.max(stage.min_s, Math.round(greens[i] as number))),
  );
  return frameOf(input, stages, targets, between);
}

function fixedPlan(input: FrameInput, stages: readonly Stage[], between: Seconds): Frame {
  return frameOf(
    input,
    stages,
    input.junction.fixedPlan.stages.map(({ green_s }) => Math.round(green_s)),
    between,
  );
}

function frameOf(input: FrameInput, stages: readonly Stage[], targets: readonly number[], between: Seconds): Frame {
  const sum = targets.reduce((total, target) => total + target, 0);
  const stretched = stages.map((stage, i) =>
    Math.max(targets[i] as number, Math.min(stage.max_s, (targets[i] as number) * STRETCH)),
  );
  const extra = stretched.reduce((total, each, i) => total + each - (targets[i] as number), 0);
  const room = Math.max(0, LONGEST_ROUND_S - between - sum);
  const share = extra > 0 ? Math.min(1, room / extra) : 0;
  return {
    action: "frame",
    cycle_s: Math.max(10, round(between + sum)),
    offset_s: input.junction.fixedPlan.offset_s,
    stages: stages.map((stage, i) => {
      const target_s = targets[i] as number;
      const max_s = Math.floor(target_s + ((stretched[i] as number) - target_s) * share);
      return { stage: stage.id, min_s: Math.min(stage.min_s, target_s), target_s, max_s };
    }),
    until: input.until,
  };
}

/** Whether a frame has these stages in this order. */
const fits = (frame: Frame, stages: readonly Stage[]): boolean =>
  frame.stages.length === stages.length && stages.every((stage, i) => frame.stages[i]?.stage === stage.id);

/** Whether a frame that came from elsewhere, a person or another edition of this house, may leave someone at red for too long. */
function keepsWaiting(tables: JunctionTables, frame: Frame): boolean {
  const timing = timingOfFrame(tables, frame);
  return timing === undefined || longestRed_ms(tables, timing) > LONGEST_WAIT_S * 1000;
}

/** Mean delay in s over all counted vehicles, by Webster's formula, when every stage has its target. */
function meanDelay(input: FrameInput, stages: readonly Stage[], frame: Frame): number {
  let vehicles = 0;
  let waited = 0;
  for (const [g, group] of input.junction.groups.entries()) {
    const flow = input.flows[group.id] ?? 0;
    if (group.kind !== "vehicle" || flow <= 0) continue;
    // Green in every stage that has it, effective green being what is shown plus what the amber gives and the start takes.
    let green = 0;
    for (const [i, stage] of stages.entries()) {
      if ((stage.mask >>> g) & 1) green += (frame.stages[i]?.target_s ?? 0) + AMBER_GAIN_S - STARTING_LOSS_S;
    }
    const each = delay(
      seconds(frame.cycle_s),
      seconds(green),
      vehiclesPerHour(flow),
      vehiclesPerHour(group.saturation_veh_h),
    );
    waited += flow * each;
    vehicles += flow;
  }
  return vehicles > 0 ? waited / vehicles : 0;
}

const round = (value: number): number => Math.round(value * 1000) / 1000;
