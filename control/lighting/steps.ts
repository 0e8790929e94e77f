import type { OrderOf } from "#protocol/messages.ts";
import { DAY } from "#protocol/units.ts";

/** One step of a programme: its levels hold from `at` until the next step. */
export type Step = OrderOf<"programme">["steps"][number];

/** The step in force, and the moment at which another one takes over. */
export interface StepInForce {
  readonly step: Step;
  readonly until: number;
}

/**
 * The step in force at `now`. Steps are sorted by time and there is at least one. Outside the programme (the server has
 * been away) its last day is repeated by whole days of UTC: the steps after `last - 24 h`, and before the first of these
 * the last one again. In UTC the lamps keep to the sun over a clock change; only the hours of the clock are then one off.
 */
export function stepAt(steps: readonly Step[], now: number): StepInForce {
  const first = steps[0] as Step;
  const last = steps[steps.length - 1] as Step;
  if (now >= first.at && now < last.at) return within(steps, now);
  const { step, until } = repeated(steps, last, now);
  return { step, until: now < first.at ? Math.min(until, first.at) : until };
}

function repeated(steps: readonly Step[], last: Step, now: number): StepInForce {
  const days = Math.ceil((now - last.at) / DAY);
  const sameTime = now - days * DAY;
  const dayStart = last.at - DAY;
  let held = last;
  for (const step of steps) {
    if (step.at <= dayStart) continue;
    if (step.at > sameTime) return { step: held, until: step.at + days * DAY };
    held = step;
  }
  return { step: held, until: firstAfter(steps, dayStart).at + (days + 1) * DAY };
}

function within(steps: readonly Step[], now: number): StepInForce {
  let low = 0;
  let high = steps.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((steps[middle] as Step).at <= now) low = middle;
    else high = middle;
  }
  return { step: steps[low] as Step, until: (steps[high] as Step).at };
}

function firstAfter(steps: readonly Step[], at: number): Step {
  for (const step of steps) if (step.at > at) return step;
  return steps[steps.length - 1] as Step;
}
