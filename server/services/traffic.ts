import type { FrameInput } from "#control/traffic/frame.ts";
import { frame } from "#control/traffic/frame.ts";
import type { Detector, Junction } from "#protocol/territory.ts";
import type { Instant, Seconds } from "#protocol/units.ts";
import { MINUTE, seconds } from "#protocol/units.ts";
import type { Service, ServiceParts } from "./service.ts";

/** A frame outlives the next ones by this many, so that a server that is away for a while changes nothing. */
const PERIODS_VALID = 4;
/** Loops report each minute, buttons each quarter of an hour: the first reading stands so long after the window's start. */
const REPORTED_EVERY = { vehicles: seconds(60), calls: seconds(900) };
/** Junctions are decided about a second apart. */
const STAGGER = { each_ms: 1000, over: 60 };

/** Traffic frames: one a junction, every quarter of an hour, from what was counted in the last half hour. */
export function trafficService(parts: ServiceParts): Service {
  const { territory, registry, policies, clock } = parts;
  const junctions = new Map(territory.junctions.map((junction, index) => [junction.id, { junction, index }]));
  const detectors = Map.groupBy(territory.detectors, (detector) => detector.junction);
  const buttons = Map.groupBy(territory.buttons, (button) => button.junction);
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
      const groups = Map.groupBy(countingDetectors(detectors.get(subject) ?? []), (detector) => detector.group);
      const vehicles = await perHour(
        parts,
        "vehicles",
        [...groups.values()].flat().map((each) => each.id),
        now,
        window,
      );
      const pressed = await perHour(
        parts,
        "calls",
        (buttons.get(subject) ?? []).map((each) => each.id),
        now,
        window,
      );
      const had = registry.twin(subject)?.machine?.order;
      const { groups: signalGroups, conflicts, intergreens, stages, fixedPlan } = junction;
      const inputs: FrameInput = {
        junction: { groups: signalGroups, conflicts, intergreens, stages, fixedPlan },
        flows: sums([...groups].map(([group, each]) => [group, each.map((detector) => vehicles.get(detector.id))])),
        calls: sums(
          [...Map.groupBy(buttons.get(subject) ?? [], (button) => button.group)].map(([group, each]) => [
            group,
            each.map((button) => pressed.get(button.id)),
          ]),
        ),
        current: had?.action === "frame" ? had : null,
        until: (now + PERIODS_VALID * parameter("every_min") * MINUTE) as Instant,
      };
      const decision = frame(inputs);
      return { inputs, decision, orders: [{ device: subject, order: decision.value, expiresAt: decision.validUntil }] };
    },
  };
}

/** Where a group has loops at the stop line and before it, each vehicle is counted once: at the stop line. */
function countingDetectors(detectors: readonly Detector[]): Detector[] {
  const atLine = new Set(detectors.filter((each) => each.place === "stop-line").map((each) => each.group));
  return detectors.filter((each) => each.place === "stop-line" || !atLine.has(each.group));
}

/** Events an hour of each counter over the last `window`; a counter that said less than two words is left out. */
async function perHour(
  { store }: ServiceParts,
  measure: "vehicles" | "calls",
  devices: readonly string[],
  now: Instant,
  window: Seconds,
): Promise<ReadonlyMap<string, number>> {
  if (devices.length === 0) return new Map();
  const span = seconds(window + REPORTED_EVERY[measure]);
  const from = (now - span * 1000) as Instant;
  const rows = await store.aggregate({ devices, measure, from, to: now, every: span, by: "device" });
  const counted = rows.filter((row) => row.count >= 2);
  return new Map(counted.map((row) => [row.device ?? "", (Math.max(0, row.last - row.first) * 3600) / window]));
}

function sums(groups: readonly [group: string, counts: readonly (number | undefined)[]][]): Record<string, number> {
  const known = groups.filter(([, counts]) => counts.some((each) => each !== undefined));
  return Object.fromEntries(
    known.map(([group, counts]) => [
      group,
      Math.round(counts.reduce<number>((sum, each) => sum + (each ?? 0), 0) * 10) / 10,
    ]),
  );
}
