import { useEffect, useReducer } from "preact/hooks";
import { after, every } from "./pageClock.ts";
import { watchLamps } from "./state.ts";

/** Words follow the lamps once a second at most: nobody reads faster, and light on the map does not wait for them. */
const WORDS_ms = 1000;

/** Draws the component again after lamps changed; at once when it is about this one. */
export function useLampTick(lamp?: string): void {
  const [, redraw] = useReducer<number, null>((count) => count + 1, 0);
  useEffect(() => {
    let callOff: (() => void) | undefined;
    const stop = watchLamps((ids) => {
      if (lamp !== undefined && ids.includes(lamp)) redraw(null);
      callOff ??= after(WORDS_ms, () => {
        callOff = undefined;
        redraw(null);
      });
    });
    return () => {
      stop();
      callOff?.();
    };
  }, [lamp]);
}

/** Draws the component again every `period_s`, for ages and clocks. */
export function useClock(period_s: number): void {
  const [, redraw] = useReducer<number, null>((count) => count + 1, 0);
  useEffect(() => every(period_s * 1000, () => redraw(null)), [period_s]);
}
