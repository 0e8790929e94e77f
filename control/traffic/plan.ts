import type { OrderOf } from "#protocol/messages.ts";
import type { JunctionPlan, JunctionTables } from "./tables.ts";
import { most, transition_ms } from "./tables.ts";

/** What a junction runs by: stages in order with their greens, and where in the day its cycle begins. Times in ms. */
export interface Timing {
  readonly cycle_ms: number;
  readonly offset_ms: number;
  readonly slots: readonly Slot[];
}

export interface Slot {
  /** Index of the stage. */
  readonly stage: number;
  readonly mask: number;
  readonly min_ms: number;
  readonly target_ms: number;
  readonly max_ms: number;
  /** From the end of its green to the start of the next one. */
  readonly transition_ms: number;
  /** How long before the end of its green its pedestrians must stop entering, beyond the transition. */
  readonly pedestrianLead_ms: number;
  /** From the start of the cycle to the start of this green. */
  readonly startsAt_ms: number;
}

/** The timing of a frame for this junction; undefined when the frame names a stage that the junction does not have. */
export function timingOfFrame(tables: JunctionTables, frame: OrderOf<"frame">): Timing | undefined {
  return timing(
    tables,
    frame.offset_s,
    frame.stages.map(({ stage, min_s, target_s, max_s }) => ({ stage, min_s, target_s, max_s })),
    frame.cycle_s,
  );
}

/** The timing of the territory's fixed plan. */
export function timingOfFixedPlan(tables: JunctionTables, junction: JunctionPlan): Timing {
  const { offset_s, stages } = junction.fixedPlan;
  const fixed = stages.map(({ stage, green_s }) => ({ stage, min_s: green_s, target_s: green_s, max_s: green_s }));
  return timing(tables, offset_s, fixed, 0) as Timing;
}

interface Share {
  readonly stage: string;
  readonly min_s: number;
  readonly target_s: number;
  readonly max_s: number;
}

function timing(
  tables: JunctionTables,
  offset_s: number,
  shares: readonly Share[],
  cycle_s: number,
): Timing | undefined {
  const stages = shares.map((share) => tables.stages.findIndex((stage) => stage.id === share.stage));
  if (stages.includes(-1)) return undefined;
  const masks = stages.map((stage) => tables.stages[stage]?.mask as number);
  const slots: Slot[] = [];
  let at = 0;
  for (const [i, share] of shares.entries()) {
    const mask = masks[i] as number;
    const next = masks[(i + 1) % masks.length] as number;
    const { transition, lead } = change(tables, mask, next);
    const target_ms = share.target_s * 1000;
    slots.push({
      stage: stages[i] as number,
      mask,
      min_ms: share.min_s * 1000,
      target_ms,
      max_ms: Math.max(share.max_s, share.target_s) * 1000,
      transition_ms: transition,
      pedestrianLead_ms: lead,
      startsAt_ms: at,
    });
    at += target_ms + transition;
  }
  // A cycle longer than its parts, as coordination may ask, ends with the last stage's clearing.
  return { cycle_ms: Math.max(at, cycle_s * 1000), offset_ms: offset_s * 1000, slots };
}

/**
 * The change between two stages: the transition is what the vehicles need; where pedestrians need longer to clear, they
 * are stopped earlier by `lead`, while the vehicles of their stage still run.
 */
export function change(tables: JunctionTables, from: number, to: number): { transition: number; lead: number } {
  const carriers = (from & tables.vehicles) === 0 ? from : from & tables.vehicles;
  const transition = transition_ms(tables, (carriers | (from & to)) >>> 0, to);
  return { transition, lead: Math.max(0, transition_ms(tables, from, to) - transition) };
}

/** The shortest green of a stage that leaves its pedestrians their minimum, in ms. */
export function shortestGreen(tables: JunctionTables, mask: number, lead_ms: number): number {
  const walking = most(tables.min_ms, (mask & tables.pedestrians) >>> 0);
  const driving = most(tables.min_ms, (mask & tables.vehicles) >>> 0);
  return Math.max(driving, walking === 0 ? 0 : walking + lead_ms);
}

/**
 * The longest in ms that a group which `timing` serves stays red when every stage lasts its maximum and none is left out:
 * a vehicle group from the end of one of its stages to the next one's start, a pedestrian group from the end of its own minimum.
 * What nothing serves is left out.
 */
export function longestRed_ms(tables: JunctionTables, { slots }: Timing): number {
  let longest = 0;
  for (let group = 0; group < tables.size; group++) {
    const serves = ({ mask }: Slot): boolean => ((mask >>> group) & 1) === 1;
    const first = slots.findIndex(serves);
    if (first < 0) continue;
    const walks = ((tables.pedestrians >>> group) & 1) === 1;
    let red = 0;
    for (let step = 0; step <= slots.length; step++) {
      const slot = slots[(first + step) % slots.length] as Slot;
      const next = slots[(first + step + 1) % slots.length] as Slot;
      if (serves(slot)) {
        longest = Math.max(longest, red);
        red = walks ? Math.max(0, slot.max_ms - (tables.min_ms[group] as number)) : 0;
        // A green that goes on into the next stage has no red between them.
        if (!walks && serves(next)) continue;
      } else red += slot.max_ms;
      red += slot.transition_ms;
    }
  }
  return longest;
}

/** Which slot the wall clock is in, and how far into it, in ms. `wall` is ms since 1970. */
export function positionAt(timing: Timing, wall: number): { slot: number; into_ms: number } {
  const position = (((wall - timing.offset_ms) % timing.cycle_ms) + timing.cycle_ms) % timing.cycle_ms;
  let slot = timing.slots.length - 1;
  while (slot > 0 && (timing.slots[slot] as Slot).startsAt_ms > position) slot--;
  return { slot, into_ms: position - (timing.slots[slot] as Slot).startsAt_ms };
}
