import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "./schema.ts";
import { Fault } from "#protocol/faults.ts";
import { SIGNAL_MODES } from "#protocol/kinds.ts";
import type { Junction as Known, Territory } from "#protocol/territory.ts";
import type { ApiContext, RunningServer } from "./context.ts";
import type { JunctionDetail as Detail } from "./resources.ts";
import { Id, Junction, JunctionDetail } from "./resources.ts";
import { isHeld } from "./twin.ts";

/** Nobody at a junction waits longer: the bound of the guard in the cabinet. */
export const WAIT_BOUND_S = 120;

/** /junctions: what is green, who waits, and the frame each cabinet adapts inside. */
export const junctions =
  (context: ApiContext): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { territory } = context;

    app.get(
      "/junctions",
      { schema: { tags: ["traffic"], summary: "Signalled junctions now", response: { 200: Type.Array(Junction) } } },
      async () => territory.junctions.map((junction) => junctionOf(context.parts(), junction)),
    );

    app.get(
      "/junctions/:id",
      {
        schema: {
          tags: ["traffic"],
          summary: "A junction: approaches, groups, stages, frame",
          params: Type.Object({ id: Id }),
          response: { 200: JunctionDetail },
        },
      },
      async ({ params: { id } }) => {
        const junction = territory.junctions.find((each) => each.id === id);
        if (junction === undefined) throw new Fault("NOT_FOUND", { thing: "junction", id });
        return detailOf(context.parts(), territory, junction);
      },
    );
  };

/** A junction as the list, the map and the event stream show it. */
export function junctionOf({ registry }: RunningServer, junction: Known): Junction {
  const { id } = junction;
  const value = (measure: string): number | null => registry.value(id, measure) ?? null;
  const mode = value("mode");
  const stage = value("stage");
  const greens = value("greens") ?? 0;
  return {
    id,
    name: junction.name,
    position: junction.position,
    online: registry.station(junction.station)?.online ?? false,
    mode: mode === null ? null : (SIGNAL_MODES[mode] ?? null),
    stage: stage === null ? null : (junction.stages[stage]?.id ?? null),
    greens: junction.groups.flatMap((group, bit) => (isGreen(greens, bit) ? [group.id] : [])),
    longestWait_s: value("longest_wait_s"),
    queue: value("queue"),
    at: registry.latest(id, "stage")?.at ?? null,
    overridden: isHeld(registry, id),
  };
}

/** Division, not a shift: bit 31 of the mask is a sign in JavaScript's 32-bit operators. */
const isGreen = (mask: number, bit: number): boolean => Math.floor(mask / 2 ** bit) % 2 === 1;

function detailOf(parts: RunningServer, territory: Territory, junction: Known): Detail {
  const { registry } = parts;
  const streets = new Map(territory.streets.map((street) => [street.id, street.name]));
  const now = junctionOf(parts, junction);
  const green = new Set(now.greens);
  const machine = registry.twin(junction.id)?.machine;
  const frame = machine?.order.action === "frame" ? machine.order : undefined;
  return {
    ...now,
    approaches: junction.approaches.map(({ id, street, bearing_deg, lanes }) => ({
      id,
      street,
      streetName: streets.get(street) ?? street,
      bearing_deg,
      lanes,
    })),
    groups: junction.groups.map(({ id, kind, approach, turns }) => {
      const loops = territory.detectors.filter((each) => each.junction === junction.id && each.group === id);
      const buttons = territory.buttons.filter((each) => each.junction === junction.id && each.group === id);
      const occupancies = loops.flatMap((loop) => registry.value(loop.id, "occupancy") ?? []);
      const occupancy = occupancies.length === 0 ? null : Math.max(...occupancies);
      const pressed = buttons.some((button) => registry.value(button.id, "waiting") === 1);
      return {
        id,
        kind,
        approach: approach ?? null,
        turns,
        green: green.has(id),
        waiting: !green.has(id) && (pressed || (occupancy ?? 0) > 0.5),
        occupancy,
      };
    }),
    stages: junction.stages,
    waitBound_s: WAIT_BOUND_S,
    frame:
      frame === undefined
        ? null
        : {
            cycle_s: frame.cycle_s,
            offset_s: frame.offset_s,
            until: frame.until,
            stages: frame.stages,
            decision: machine?.entry === undefined ? null : String(machine.entry),
          },
  };
}
