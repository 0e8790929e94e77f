import { nextFrame } from "./pageClock.ts";

/** A lamp takes this long from one level to another, as the eye (and the driver) does. */
const RAMP_ms = 700;
/** Twenty steps a second make a smooth fade; more would only heat a telephone that draws without help. */
const STEP_ms = 45;

interface Ramp {
  readonly from: number;
  readonly to: number;
  readonly start_ms: number;
}

/** Leads each lamp's drawn level softly to the level that was heard; frames are asked for only while something moves. */
export interface Walk {
  lead(lamp: string, level: number): void;
  stop(): void;
}

/** `draw` is called with each lamp and its level, 0 to 1; with `still` there is no ramp, each level is drawn at once. */
export function createWalk(draw: (lamp: string, level: number) => void, still: boolean): Walk {
  const drawnLevels = new Map<string, number>();
  const ramps = new Map<string, Ramp>();
  let time_ms = 0;
  let callOff: (() => void) | undefined;

  const show = (lamp: string, level: number): void => {
    drawnLevels.set(lamp, level);
    draw(lamp, level);
  };
  const step = (at_ms: number): void => {
    if (at_ms - time_ms < STEP_ms) {
      callOff = nextFrame(step);
      return;
    }
    time_ms = at_ms;
    for (const [lamp, ramp] of ramps) {
      const start_ms = ramp.start_ms < 0 ? at_ms : ramp.start_ms;
      if (ramp.start_ms < 0) ramps.set(lamp, { ...ramp, start_ms });
      const share = Math.min(1, (at_ms - start_ms) / RAMP_ms);
      show(lamp, ramp.from + (ramp.to - ramp.from) * share * (2 - share));
      if (share >= 1) ramps.delete(lamp);
    }
    callOff = ramps.size > 0 ? nextFrame(step) : undefined;
  };

  return {
    lead(lamp, level) {
      const from = drawnLevels.get(lamp);
      // What was never drawn appears as it is: the page does not play a dusk when it is opened.
      if (still || from === undefined) {
        show(lamp, level);
        return;
      }
      if (from === level && !ramps.has(lamp)) return;
      ramps.set(lamp, { from, to: level, start_ms: callOff === undefined ? -1 : time_ms });
      callOff ??= nextFrame(step);
    },
    stop() {
      callOff?.();
      callOff = undefined;
      ramps.clear();
    },
  };
}
