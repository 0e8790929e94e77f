import { seededChance } from "#protocol/chance.ts";
import type { LampState } from "#control/lighting/dimming.ts";
import { dimming } from "#control/lighting/dimming.ts";
import { PROGRAMME_POLICY, programme } from "#control/lighting/programme.ts";
import { roadGraph, travelTimes } from "#control/roads.ts";
import type { FrameInput } from "#control/traffic/frame.ts";
import { frame } from "#control/traffic/frame.ts";
import { ROUNDS_POLICY, rounds } from "#control/waste/rounds.ts";
import type { Chance } from "#protocol/ports.ts";
import type { LonLat } from "#protocol/territory.ts";
import { DAY, HOUR, instant, level } from "#protocol/units.ts";
import type { Row } from "./row.ts";

/** What deciding costs: a town's lamps and junctions at one moment, its programmes for a day, its rounds for a day. */
export function run(): Promise<Row[]> {
  const chance = seededChance(1);
  const now = Date.UTC(2026, 10, 24, 20);
  const lamps = lampStates(10_000, now, chance);
  const frames = Array.from({ length: 100 }, () => frameInput(now, chance));
  const moment = spread(40, () => {
    for (const lamp of lamps) dimming(lamp);
    for (const input of frames) frame(input);
  });
  const streets = Array.from({ length: 40 }, () => programmeInput(now, chance));
  const programmes = spread(10, () => streets.forEach((input) => programme(input)));
  const day = roundsInput(60, now, chance);
  const planned = spread(5, () => rounds(day));
  return Promise.resolve([
    { what: "decision for 10,000 lamps, 100 junctions", unit: "ms", must: 50, aim: 10, better: "less", ...moment },
    { what: "programmes of 40 streets for 36 h", unit: "ms", better: "less", ...programmes },
    { what: "rounds of a day, 60 containers, 8,000 steps", unit: "ms", must: 300, better: "less", ...planned },
  ]);
}

/** Median, least and most milliseconds of `times` turns, after one that warms up. */
function spread(times: number, turn: () => unknown): { value: number; spread: [number, number] } {
  turn();
  const took = Array.from({ length: times }, () => {
    const start = performance.now();
    turn();
    return performance.now() - start;
  }).sort((a, b) => a - b);
  return { value: took[times >> 1] as number, spread: [took[0] as number, took[times - 1] as number] };
}

/** Lamps at night: most with a programme, a tenth with someone near, some overridden, some by day. */
function lampStates(count: number, now: number, chance: Chance): LampState[] {
  const told = programme(programmeInput(now - 6 * HOUR, chance)).value;
  return Array.from({ length: count }, () => ({
    now: instant(now),
    night: { dark: chance.next() < 0.95, until: instant(now + 11 * HOUR) },
    classLevel: level(1),
    floor: level(0.1),
    ...(chance.next() < 0.9 && { programme: told }),
    ...(chance.next() < 0.1 && { lastPresence: instant(now - chance.next() * 60_000) }),
    ...(chance.next() < 0.01 && { override: { level: chance.next(), until: now + HOUR } }),
  }));
}

function programmeInput(from: number, chance: Chance): Parameters<typeof programme>[0] {
  return {
    street: "street",
    lightingClass: "P3",
    highway: "residential",
    lat: 48.85,
    lon: 2.35,
    from,
    to: from + 36 * HOUR,
    offsets: [{ from, offset_s: 3600 }],
    footfall: Array.from({ length: 168 }, (_, hour) => Math.round(chance.next() * (hour % 24 < 6 ? 5 : 100))),
    presence: true,
    policy: PROGRAMME_POLICY,
  };
}

const vehicle = (id: string) => ({
  id,
  kind: "vehicle" as const,
  turns: ["through" as const],
  lanes: 1,
  saturation_veh_h: 1800,
  min_s: 8,
  max_s: 50,
  clearance_s: 3,
});
const walkers = (id: string) => ({
  ...vehicle(id),
  kind: "pedestrian" as const,
  turns: ["crossing" as const],
  clearance_s: 8,
});

/** A crossing of two roads with four vehicle groups, two crossings and two stages. */
function frameInput(now: number, chance: Chance): FrameInput {
  const [first, second] = [["N", "S", "walkNS"], ["E", "W", "walkEW"]]; // prettier-ignore
  const conflicts = (first ?? []).flatMap((a) => (second ?? []).map((b) => [a, b]));
  return {
    junction: {
      groups: [vehicle("N"), vehicle("S"), vehicle("E"), vehicle("W"), walkers("walkNS"), walkers("walkEW")],
      conflicts,
      intergreens: conflicts.flatMap(([a, b]) => [
        { from: a as string, to: b as string, s: 6 },
        { from: b as string, to: a as string, s: 6 },
      ]),
      stages: [
        { id: "1", groups: first ?? [] },
        { id: "2", groups: second ?? [] },
      ],
      fixedPlan: { offset_s: 0, stages: [{ stage: "1", green_s: 30 }, { stage: "2", green_s: 25 }] }, // prettier-ignore
    },
    flows: { N: 200 + chance.next() * 400, S: 300, E: 100 + chance.next() * 300, W: 250 },
    calls: { walkNS: 40, walkEW: 10 },
    current: null,
    until: instant(now + HOUR),
  };
}

const at = (x: number, y: number): LonLat => [2.35 + x * 0.0015, 48.85 + y * 0.001];
const row = (fixed: number, across: boolean): LonLat[] =>
  Array.from({ length: 21 }, (_, along) => (across ? at(along, fixed) : at(fixed, along)));

/** A square of streets with containers on it, travel times and all. */
function roundsInput(containers: number, day: number, chance: Chance): Parameters<typeof rounds>[0] {
  const lines = Array.from({ length: 21 }, (_, fixed) => [row(fixed, true), row(fixed, false)]).flat();
  const graph = roadGraph(
    lines.map((line) => ({ line, highway: "residential" as const, speed_kmh: 30, oneWay: false })),
  );
  const places = [
    at(0, 0),
    at(25, 10),
    ...Array.from({ length: containers }, () => at(chance.next() * 20, chance.next() * 20)),
  ];
  return {
    plan: "bench",
    day,
    depot: "depot",
    candidates: Array.from({ length: containers }, (_, index) => ({
      container: `C${index}`,
      stream: index % 3 === 0 ? "glass" : "residual",
      volume_L: 1100,
      service_s: 90,
      now: 0.6,
      q50: 0.5 + chance.next() * 0.5,
      q90: 1,
      risk: 0.5 + chance.next() * 0.5,
      sinceEmptied_d: 3,
    })),
    tippingSites: [{ id: "tip", service_s: 600, streams: ["residual", "glass"] }],
    vehicles: ["V1", "V2"].map((id) => ({
      id,
      capacity_L: 14_000,
      streams: ["residual", "glass"],
      shiftStart: day,
      shift_s: DAY / 3000,
    })),
    travel_s: travelTimes(graph, places),
    policy: ROUNDS_POLICY,
    seed: 1,
  };
}
