import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "./schema.ts";
import { darkness, overlap } from "#control/lighting/sun.ts";
import type { Territory } from "#protocol/territory.ts";
import type { Instant, Seconds } from "#protocol/units.ts";
import { DAY, HOUR, seconds } from "#protocol/units.ts";
import type { Store } from "../store/store.ts";
import type { ApiContext } from "./context.ts";
import { type Kept, keptFor } from "./kept.ts";
import { History } from "./resources.ts";

const EVERY_S = seconds(900);
const STEP = EVERY_S * 1000;
const STEPS = DAY / STEP;
/** Read before the first step, so that a counter has something to be counted from. */
const LEAD_STEPS = 2;
/** In a larger town every n-th device is read and the sum scaled up: the strip stays quick whatever the size. */
const MOST_DEVICES = 1000;

const SERVICES = ["lighting", "waste", "traffic"] as const;

/** /history: the last 24 hours of a service in steps of a quarter of an hour. */
export const history =
  (context: ApiContext): FastifyPluginAsyncTypebox =>
  async (app) => {
    const kept = new Map<string, Kept<History>>();
    app.get(
      "/history",
      {
        schema: {
          tags: ["town"],
          summary: "The last 24 hours of a service, in steps of a quarter of an hour",
          querystring: Type.Object({ service: Type.Enum([...SERVICES]) }),
          response: { 200: History },
        },
      },
      async ({ query: { service } }) => {
        let answer = kept.get(service);
        if (answer === undefined) {
          answer = keptFor(context.clock, seconds(60), () => historyOf(context, service));
          kept.set(service, answer);
        }
        return answer.get();
      },
    );
  };

async function historyOf(context: ApiContext, service: History["service"]): Promise<History> {
  const now = context.clock.now();
  const from = ((Math.floor(now / STEP) + 1) * STEP - DAY) as Instant;
  const window: Window = { store: context.parts().store, from };
  return {
    service,
    from,
    to: from + DAY,
    every_s: EVERY_S,
    at: Array.from({ length: STEPS }, (_, step) => from + step * STEP),
    series: await SERIES[service](context.territory, window),
  };
}

interface Window {
  readonly store: Store;
  readonly from: Instant;
}
type Series = Record<string, (number | null)[]>;

const SERIES: Readonly<Record<History["service"], (territory: Territory, window: Window) => Promise<Series>>> = {
  async lighting(territory, window) {
    const lamps = ids(territory.luminaires);
    const [lon, lat] = territory.position;
    const rated_W = territory.luminaires.reduce((sum, lamp) => sum + lamp.power_W, 0);
    const nights = darkness(window.from, (window.from + DAY) as Instant, lat, lon);
    const energy_kWh = await counted(window, lamps, "energy_kWh");
    return {
      energy_kWh,
      // Where nothing was counted there is nothing to compare: a town that has just begun has not saved the night before.
      fullNight_kWh: energy_kWh.map((used, step) => {
        const start = window.from + step * STEP;
        return used === null ? null : (rated_W / 1000) * (overlap(nights, start, start + STEP) / HOUR);
      }),
      level: await held(window, lamps, "level", mean),
      passes: await counted(window, ids(territory.presences), "passes"),
    };
  },
  async waste(territory, window) {
    const containers = ids(territory.containers);
    return {
      fill: await held(window, containers, "fill", mean),
      over80: await held(window, containers, "fill", (fills) => fills.filter((fill) => fill > 0.8).length),
    };
  },
  async traffic(territory, window) {
    const junctions = ids(territory.junctions);
    return {
      vehicles: await counted(window, countingLoops(territory), "vehicles"),
      longest_wait_s: await held(window, junctions, "longest_wait_s", (waits) => Math.max(...waits), "max"),
      queue: await held(window, junctions, "queue", (queues) => queues.reduce((sum, queue) => sum + queue, 0)),
    };
  },
};

/** Loops at the stop line count each vehicle once; those further out would count it again. */
export function countingLoops({ detectors }: Territory): string[] {
  const atLine = detectors.filter((detector) => detector.place === "stop-line");
  return ids(atLine.length > 0 ? atLine : detectors);
}

/** How much counters grew in each step, all devices together; null where none of them has been heard of yet. */
async function counted(window: Window, devices: readonly string[], measure: string): Promise<(number | null)[]> {
  const { chosen, scale } = sample(devices);
  const rows = await byStep(window, chosen, measure);
  const before = new Map<string, number>();
  const grown = rows.map((step) => {
    let sum = 0;
    for (const [device, { first, last }] of step) {
      // A counter never falls; where it does, a device was replaced and counts from its new beginning.
      sum += Math.max(0, last - (before.get(device) ?? first));
      before.set(device, last);
    }
    return before.size === 0 ? null : sum * scale;
  });
  return grown.slice(LEAD_STEPS);
}

/** A value in each step from what every device said in it, or said last; null where none has been heard of yet. */
async function held(
  window: Window,
  devices: readonly string[],
  measure: string,
  over: (values: readonly number[]) => number,
  of: "last" | "max" = "last",
): Promise<(number | null)[]> {
  const rows = await byStep(window, sample(devices).chosen, measure);
  const known = new Map<string, number>();
  const values = rows.map((step) => {
    for (const [device, row] of step) known.set(device, row[of]);
    return known.size === 0 ? null : over([...known.values()]);
  });
  return values.slice(LEAD_STEPS);
}

interface StepRow {
  readonly first: number;
  readonly last: number;
  readonly max: number;
}

async function byStep(
  { store, from }: Window,
  devices: readonly string[],
  measure: string,
): Promise<Map<string, StepRow>[]> {
  const start = (from - LEAD_STEPS * STEP) as Instant;
  const steps = Array.from({ length: STEPS + LEAD_STEPS }, () => new Map<string, StepRow>());
  if (devices.length === 0) return steps;
  const every: Seconds = EVERY_S;
  const rows = await store.aggregate({
    devices,
    measure,
    from: start,
    to: (from + DAY) as Instant,
    every,
    by: "device",
  });
  for (const { at, device, first, last, max } of rows) {
    if (device !== undefined) steps[Math.floor((at - start) / STEP)]?.set(device, { first, last, max });
  }
  return steps;
}

function sample(devices: readonly string[]): { chosen: readonly string[]; scale: number } {
  if (devices.length <= MOST_DEVICES) return { chosen: devices, scale: 1 };
  const nth = Math.ceil(devices.length / MOST_DEVICES);
  const chosen = devices.filter((_, index) => index % nth === 0);
  return { chosen, scale: devices.length / chosen.length };
}

const ids = (features: readonly { readonly id: string }[]): string[] => features.map(({ id }) => id);
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
