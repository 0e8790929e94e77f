import { SIGNAL_MODES } from "#protocol/kinds.ts";
import type { Detection } from "./detection.ts";
import { demandOf, isExtended } from "./detection.ts";
import type { Guard } from "./guard.ts";
import { createGuard, FLASHING, stepGuard } from "./guard.ts";
import type { SignalMeasures } from "./measures.ts";
import { createMeasures, measure, noteEnd } from "./measures.ts";
import type { Slot, Timing } from "./plan.ts";
import { positionAt } from "./plan.ts";
import type { JunctionTables } from "./tables.ts";

export type SignalMode = (typeof SIGNAL_MODES)[number];

/** Why a junction shows what it shows; the sentences are in the console's dictionary under `rule.{because}`. */
export const JUNCTION_RULES = [
  "minimum-green",
  "extension",
  "rest",
  "gap-out",
  "max-out",
  "force-off",
  "longest-wait",
  "frame-plan",
  "fixed-plan",
  "flash",
] as const;
export type JunctionRule = (typeof JUNCTION_RULES)[number];

/**
 * A junction second by second: it decides what is wanted, the guard decides what is shown. The state is changed in place
 * and nothing is allocated, since it is stepped every second of every day; given the same inputs it takes the same way.
 */
export interface JunctionState {
  readonly tables: JunctionTables;
  readonly guard: Guard;
  mode: SignalMode;
  /** Index of the stage shown or gone to, and whether it is still being gone to. */
  stage: number;
  changing: boolean;
  /** Steady ms: when the stage stood, and since when someone waits against it (-1: nobody). */
  stageSince: number;
  contestedSince: number;
  /** The pedestrian groups that the present stage serves. */
  walking: number;
  readonly measures: SignalMeasures;
  because: JunctionRule;
}

export interface JunctionInputs {
  readonly detection: Detection;
  readonly mode: SignalMode;
  readonly timing: Timing;
  /** The time of day by which fixed plans keep their offset: ms since 1970. */
  readonly wall: number;
}

/** Pedestrians who did not press are let go along with their stage when they were last served so long ago. */
const WALK_ANYWAY_MS = 60_000;

export function createJunction(tables: JunctionTables, now: number): JunctionState {
  return {
    tables,
    guard: createGuard(tables, now),
    mode: "fixed",
    stage: 0,
    changing: true,
    stageSince: now,
    contestedSince: -1,
    walking: 0,
    measures: createMeasures(tables, now),
    because: "fixed-plan",
  };
}

/**
 * One step at steady time `now` in ms, every second or sooner: afterwards `guard.greens`, `guard.ambers` and
 * `guard.flashing` are what to show. In a mode that changes, greens under way still have their minimum.
 */
export function stepJunction(state: JunctionState, inputs: JunctionInputs, now: number): JunctionState {
  const { guard } = state;
  if (state.mode !== inputs.mode) {
    if (!state.changing) noteEnd(state.measures, "force-off");
    state.mode = inputs.mode;
    enter(state, inputs, state.stage, now);
  }
  const demand = demandOf(inputs.detection, guard.greens, guard.endedAt);
  let wanted: number;
  if (state.mode === "flash") {
    state.because = "flash";
    wanted = FLASHING;
  } else if (guard.forced >= 0) {
    wanted = yieldToGuard(state, inputs, now);
  } else if (state.mode === "adaptive") {
    wanted = adapt(state, inputs, demand, now);
  } else {
    wanted = followPlan(state, inputs, now);
  }
  stepGuard(guard, wanted, demand, now);
  if (state.changing && guard.greens !== 0) arrive(state, now);
  measure(state.measures, guard, inputs.detection, demand, now);
  return state;
}

/** The guard serves someone who has waited long: the stage it goes to becomes ours, so that we go on from there. */
function yieldToGuard(state: JunctionState, inputs: JunctionInputs, now: number): number {
  const stage = state.guard.forcedStage;
  if (stage >= 0) {
    if (stage !== state.stage) {
      if (!state.changing) noteEnd(state.measures, "force-off");
      enter(state, inputs, stage, now);
    }
    state.walking = ((state.tables.stages[stage]?.mask as number) & state.tables.pedestrians) >>> 0;
  }
  state.because = "longest-wait";
  return wantedNow(state);
}

/** Adaptive: hold the stage as long as it is needed, then go to the next stage where someone waits. */
function adapt(state: JunctionState, inputs: JunctionInputs, demand: number, now: number): number {
  if (state.changing) return wantedNow(state);
  const { tables, guard } = state;
  const { slots } = inputs.timing;
  const mask = tables.stages[state.stage]?.mask as number;
  const at = slots.findIndex((slot) => slot.stage === state.stage);
  const slot = slots[Math.max(at, 0)] as Slot;
  const against = (demand & ~mask) >>> 0;
  walk(state, inputs.detection, slot, against !== 0, now);
  if (against === 0) {
    state.contestedSince = -1;
    state.because = "rest";
    return wantedNow(state);
  }
  if (state.contestedSince < 0) state.contestedSince = now;
  const elapsed = now - state.stageSince;
  const least = Math.max(slot.min_ms, tables.stages[state.stage]?.vehicleMin_ms as number);
  if (elapsed < least) {
    state.because = "minimum-green";
    return wantedNow(state);
  }
  const contested = now - Math.max(state.stageSince, state.contestedSince);
  const vehicles = (mask & tables.vehicles & guard.greens) >>> 0;
  const extended = isExtended(inputs.detection, vehicles, now, contested >= slot.target_ms);
  if (extended && contested < slot.max_ms) {
    state.because = "extension";
    return wantedNow(state);
  }
  noteEnd(state.measures, extended ? "max-out" : "gap-out");
  enter(state, inputs, nextStage(state, slots, at, against), now);
  state.because = extended ? "max-out" : "gap-out";
  return wantedNow(state);
}

/** The next stage in the frame's order where someone waits; a stage outside the frame when only it serves them. */
function nextStage(state: JunctionState, slots: readonly Slot[], at: number, against: number): number {
  for (let step = 1; step <= slots.length; step++) {
    const slot = slots[(at + step) % slots.length] as Slot;
    if ((slot.mask & against) !== 0) return slot.stage;
  }
  const other = state.tables.stages.findIndex((stage) => (stage.mask & against) !== 0);
  return other >= 0 ? other : state.stage;
}

/** Lets pedestrians of a standing stage finish after their minimum, and lets new callers go where there is time for them. */
function walk(state: JunctionState, detection: Detection, slot: Slot, contested: boolean, now: number): void {
  const { tables, guard } = state;
  const pedestrians = ((tables.stages[state.stage]?.mask as number) & tables.pedestrians) >>> 0;
  if (pedestrians === 0 || (pedestrians & tables.vehicles) !== 0) return;
  const alone = ((tables.stages[state.stage]?.mask as number) & tables.vehicles) === 0;
  for (let i = 0; i < tables.size; i++) {
    if (((pedestrians >>> i) & 1) === 0) continue;
    const bit = (1 << i) >>> 0;
    const min = tables.min_ms[i] as number;
    if ((guard.greens & bit) !== 0) {
      if (!alone && now - (guard.startedAt[i] as number) >= min) state.walking = (state.walking & ~bit) >>> 0;
    } else if ((detection.calls & bit) !== 0) {
      const room = !contested || now - state.stageSince + min + slot.pedestrianLead_ms < slot.target_ms;
      if (room) state.walking = (state.walking | bit) >>> 0;
    }
  }
}

/** Fixed: the clock says which stage, as the plan has it. */
function followPlan(state: JunctionState, inputs: JunctionInputs, now: number): number {
  const { timing } = inputs;
  const { slot: index, into_ms } = positionAt(timing, inputs.wall);
  const slot = timing.slots[index] as Slot;
  const over = into_ms >= slot.target_ms;
  const shown = over ? (timing.slots[(index + 1) % timing.slots.length] as Slot) : slot;
  if (shown.stage !== state.stage) {
    if (!state.changing) noteEnd(state.measures, "force-off");
    enter(state, inputs, shown.stage, now);
  }
  const { pedestrians } = state.tables;
  const stopping = !over && into_ms >= slot.target_ms - slot.pedestrianLead_ms;
  state.walking = stopping ? 0 : (shown.mask & pedestrians) >>> 0;
  state.because = state.mode === "frame" ? "frame-plan" : "fixed-plan";
  return wantedNow(state);
}

/**
 * Begins to go to a stage. Its pedestrians go along when they called, when the stage's fair share has room for them anyway,
 * or when they have not been served for long.
 */
function enter(state: JunctionState, inputs: JunctionInputs, stage: number, now: number): void {
  const { tables, guard } = state;
  state.stage = stage;
  state.changing = true;
  state.contestedSince = -1;
  const mask = tables.stages[stage]?.mask as number;
  const pedestrians = (mask & tables.pedestrians) >>> 0;
  state.walking = pedestrians;
  if ((mask & tables.vehicles) === 0) return;
  const slot = inputs.timing.slots.find((each) => each.stage === stage);
  const { calls, recall } = inputs.detection;
  for (let i = 0; i < tables.size; i++) {
    const bit = (1 << i) >>> 0;
    if ((pedestrians & bit) === 0 || ((calls | recall) & bit) !== 0) continue;
    const fits = slot !== undefined && (tables.min_ms[i] as number) + slot.pedestrianLead_ms <= slot.target_ms;
    const waited = now - (guard.endedAt[i] as number) >= WALK_ANYWAY_MS;
    if (!fits && !waited) state.walking = (state.walking & ~bit) >>> 0;
  }
}

function arrive(state: JunctionState, now: number): void {
  const wanted = wantedNow(state);
  const carriers = (wanted & state.tables.vehicles) === 0 ? wanted : (wanted & state.tables.vehicles) >>> 0;
  if ((state.guard.greens & carriers) >>> 0 !== carriers) return;
  state.changing = false;
  state.stageSince = now;
}

const wantedNow = (state: JunctionState): number =>
  (((state.tables.stages[state.stage]?.mask as number) & state.tables.vehicles) | state.walking) >>> 0;
