import type { Map as Atlas } from "maplibre-gl";
import { spread } from "./spread.ts";

/** The numbers of a round's stops, over the map and the light of the lamps: what a driver counts is never covered. */
export interface StopNumbers {
  /** Shows these numbers and no others. */
  readonly show: (stops: readonly NumberedStop[]) => void;
  readonly remove: () => void;
}

export interface NumberedStop {
  readonly number: number;
  /** Longitude and latitude. */
  readonly position: readonly [number, number];
}

/** A number stands this far above its container. */
const ABOVE_px = 15;
/** From middle to middle: a number's height and a little air. */
const APART_px = 21;

/** `clear` are places that numbers keep off: junctions, which are read from the same map. */
export function createStopNumbers(atlas: Atlas, clear: readonly (readonly [number, number])[]): StopNumbers {
  const sheet = document.createElement("div");
  sheet.className = "stop-numbers";
  sheet.setAttribute("aria-hidden", "true");
  atlas.getCanvasContainer().append(sheet);
  let shown: readonly { readonly stop: NumberedStop; readonly mark: HTMLElement }[] = [];

  const place = (): void => {
    if (shown.length === 0) return;
    const at = ([lon, lat]: readonly [number, number]) => atlas.project([lon, lat]);
    const homes = shown.map(({ stop }) => {
      const { x, y } = at(stop.position);
      return { x, y: y - ABOVE_px };
    });
    const places = spread(homes, APART_px, clear.map(at));
    for (const [index, { x, y }] of places.entries()) {
      const mark = shown[index]?.mark;
      if (mark !== undefined)
        mark.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px) translate(-50%, -50%)`;
    }
  };
  const subscriptions = [atlas.on("move", place), atlas.on("resize", place)];
  return {
    show(stops) {
      shown = stops.map((stop) => {
        const mark = document.createElement("span");
        mark.textContent = String(stop.number);
        return { stop, mark };
      });
      sheet.replaceChildren(...shown.map(({ mark }) => mark));
      place();
    },
    remove() {
      for (const each of subscriptions) each.unsubscribe();
      sheet.remove();
    },
  };
}
