import type { Counter } from "#control/traffic/counts.ts";
import { countOf } from "#control/traffic/counts.ts";
import type { FrameInput } from "#control/traffic/frame.ts";
import { frame } from "#control/traffic/frame.ts";
import type { Junction, SignalGroup } from "#protocol/territory.ts";
import type { Instant } from "#protocol/units.ts";
import { MINUTE, seconds } from "#protocol/units.ts";
import type { Service, ServiceParts } from "./service.ts";
import { trafficCounts } from "./traffic-counts.ts";

/** A frame outlives the next ones by this many, so that a server that is away for a while changes nothing. */
const PERIODS_VALID = 4;
/** Junctions are decided about a second apart. */
const STAGGER = { each_ms: 1000, over: 60 };

/** Traffic frames: one a junction, every quarter of an hour, from what was counted in the last half hour. */
export function trafficService(parts: ServiceParts): Service {
  const { territory, registry, policies, clock } = parts;
  const junctions = new Map(territory.junctions.map((junction, index) => [junction.id, { junction, index }]));
  const detectors = Map.groupBy(territory.detectors, (detector) => detector.junction);
  const buttons = Map.groupBy(territory.buttons, (button) => button.junction);
  const readCounts = trafficCounts(parts);
  const parameter = (name: "every_min" | "counted_min"): number => policies.get("traffic.frame").parameters[name] ?? 15;

  return {
    name: "traffic.frame",
    subjects: [...junctions.keys()],
    dueAt(subject, last) {
      if (last === undefined) return clock.now();
      const period = parameter("every_min") * MINUTE;
      const place = ((junctions.get(subject)?.index ?? 0) % STAGGER.over) * STAGGER.each_ms;
      return ((Math.floor((last - place) / period) + 1) * period + place) as Instant;
    },
    async decide(subject, now) {
      const { junction } = junctions.get(subject) as { junction: Junction };
      const window = seconds(parameter("counted_min") * 60);
      const loops = detectors.get(subject) ?? [];
      const pressed = buttons.get(subject) ?? [];
      const { rates, doubted } = await readCounts(loops, pressed, now, window);
      const counters = [...loops, ...pressed.map((button) => ({ ...button, place: "button" as const }))];
      const counts = junction.groups.map(({ id }) => {
        const own = counters.filter(({ group }) => group === id);
        return [
          id,
          countOf(own.map((each): Counter => ({ at: each.place, rate: rates.get(each.id) ?? "silent" }))),
        ] as const;
      });
      const perHour = (kind: SignalGroup["kind"]): Record<string, number> =>
        Object.fromEntries(
          junction.groups.flatMap((group, i) => {
            const count = counts[i]?.[1].perHour;
            return group.kind === kind && count !== undefined ? [[group.id, count]] : [];
          }),
        );
      const had = registry.twin(subject)?.machine?.order;
      const { groups: signalGroups, conflicts, intergreens, stages, fixedPlan } = junction;
      const inputs: FrameInput = {
        junction: { groups: signalGroups, conflicts, intergreens, stages, fixedPlan },
        flows: perHour("vehicle"),
        calls: perHour("pedestrian"),
        counted: Object.fromEntries(counts.map(([group, { counted }]) => [group, counted])),
        ...(doubted.size > 0 && { doubted: Object.fromEntries(doubted) }),
        silent: [...rates].flatMap(([device, rate]) => (rate === "silent" ? [device] : [])),
        current: had?.action === "frame" ? had : null,
        until: (now + PERIODS_VALID * parameter("every_min") * MINUTE) as Instant,
      };
      const decision = frame(inputs);
      return { inputs, decision, orders: [{ device: subject, order: decision.value, expiresAt: decision.validUntil }] };
    },
  };
}
