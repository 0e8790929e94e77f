import { h } from "preact";
import type { ComponentChild } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { History } from "../api/resources.ts";
import { useCell } from "./cell.ts";
import { clockTime, duration, percent } from "./format.ts";
import { say } from "./language.ts";
import { after } from "./pageClock.ts";
import { useResource } from "./resource.ts";
import { go, here } from "./route.ts";
import { noticeSilence, now, readLamps, stirred, townTime } from "./state.ts";

const STEP_ms = 900_000;
const DAY_ms = 86_400_000;
const WIDTH = 300;
const HEIGHT = 40;

/** The last 24 hours, one small picture a service, over a slider that replays the town. */
export function Strip(): ComponentChild {
  const stir = useCell(stirred);
  const ready = useCell(now)?.state === "ready";
  const of = (service: string) =>
    useResource<History>(ready ? `/history?service=${service}` : undefined, stir.everything, 300).value;
  const lighting = of("lighting");
  const waste = of("waste");
  const traffic = of("traffic");
  return h(
    "footer",
    { class: "strip", "aria-label": say("strip.label") },
    h(
      "div",
      { class: "pictures" },
      picture("lighting", lighting, "energy_kWh", "fullNight_kWh", (value, full) =>
        full === undefined || full === 0 ? "" : say("strip.lighting", { share: percent(value / full) }),
      ),
      picture("waste", waste, "fill", undefined, (value) => say("strip.waste", { fill: percent(value) })),
      picture("traffic", traffic, "longest_wait_s", undefined, (value) =>
        say("strip.traffic", { wait: duration(value) }),
      ),
    ),
    h(TimeSlider, null),
  );
}

const total = (list: readonly (number | null)[]): number => list.reduce<number>((sum, each) => sum + (each ?? 0), 0);

function picture(
  service: "lighting" | "waste" | "traffic",
  history: History | undefined,
  name: string,
  boundName: string | undefined,
  tell: (value: number, bound?: number) => string,
): ComponentChild {
  const values = history?.series[name] ?? [];
  const bounds = boundName === undefined ? undefined : (history?.series[boundName] ?? []);
  const most = Math.max(
    service === "waste" ? 1 : 1e-9,
    ...values.map((each) => each ?? 0),
    ...(bounds ?? []).map((each) => each ?? 0),
  );
  const last = values.findLast((each) => each !== null) ?? undefined;
  const told =
    last === undefined
      ? say("strip.nothing")
      : bounds === undefined
        ? tell(service === "traffic" ? Math.max(...values.map((each) => each ?? 0)) : last)
        : tell(total(values), total(bounds));
  return h(
    "figure",
    { class: service, key: service },
    h("figcaption", null, h("span", null, say(`service.${service}`)), h("span", null, told)),
    h(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
      bounds !== undefined && h("path", { class: "bound", d: line(bounds, most) }),
      h("path", { class: "area", d: area(values, most) }),
      h("path", { class: "line", d: line(values, most) }),
    ),
  );
}

const x = (index: number, count: number): string => ((index / Math.max(1, count - 1)) * WIDTH).toFixed(1);
const y = (value: number, most: number): string => (HEIGHT - 2 - (value / most) * (HEIGHT - 6)).toFixed(1);

/** A line with gaps where nothing was reported. */
function line(values: readonly (number | null)[], most: number): string {
  let path = "";
  let drawing = false;
  values.forEach((value, index) => {
    if (value !== null) path += `${drawing ? "L" : "M"}${x(index, values.length)} ${y(value, most)}`;
    drawing = value !== null;
  });
  return path;
}

function area(values: readonly (number | null)[], most: number): string {
  if (values.length < 2) return "";
  return `M0 ${HEIGHT}${values.map((value, index) => `L${x(index, values.length)} ${y(value ?? 0, most)}`).join("")}L${WIDTH} ${HEIGHT}Z`;
}

/** Where in the last 24 hours the page stands; at its end it is now again. */
function TimeSlider(): ComponentChild {
  const route = useCell(here);
  const callOff = useRef<(() => void) | undefined>(undefined);
  const end = Math.floor(townTime() / STEP_ms) * STEP_ms;
  const steps = DAY_ms / STEP_ms;
  const step =
    route.at === undefined ? steps : Math.max(0, Math.min(steps, Math.round(steps - (end - route.at) / STEP_ms)));
  useEffect(() => {
    // A hand that moves over the slider asks for the hour where it rests, not for each it passes.
    callOff.current?.();
    callOff.current = after(route.at === undefined ? 0 : 120, () => {
      if (now.get()?.state === "ready") readLamps(route.at).catch(noticeSilence);
    });
    return () => callOff.current?.();
  }, [route.at]);
  const move = (event: Event): void => {
    const chosen = Number((event.target as HTMLInputElement).value);
    const { at: _, ...rest } = here.get();
    go(chosen >= steps ? rest : { ...rest, at: end - (steps - chosen) * STEP_ms }, true);
  };
  const told = route.at === undefined ? say("view.now") : clockTime(route.at);
  return h(
    "label",
    { class: "time" },
    h("span", null, clockTime(end - DAY_ms)),
    h("span", { class: "apart" }, say("strip.slider")),
    h("input", { type: "range", min: 0, max: steps, step: 1, value: step, "aria-valuetext": told, onInput: move }),
    h("output", null, told),
  );
}
