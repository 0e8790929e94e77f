import type { GeoJsonFeature, Junction, LonLat } from "#protocol/territory.ts";
import { pointFeature } from "./features.ts";
import { angleBetween } from "./geometry.ts";

/** One arm of a crossing as the map has it. */
export interface Leg {
  readonly street: string;
  /** Where the arm lies as seen from the crossing, compass degrees. */
  readonly bearing_deg: number;
  readonly lanes: number;
  /** To the next crossing. */
  readonly length_m: number;
  readonly inbound: boolean;
  readonly outbound: boolean;
  /** A through road has the longer green. */
  readonly major: boolean;
  readonly speed_kmh: number;
}

const LANE_WIDTH_m = 3.5;
/** Walking speed that a crossing is cleared with (RiLSA 2015, 2.5.2: 1.2 m/s at most in the ordinary case). */
const WALKING_m_s = 1.2;
const VEHICLE_m = 6;
const CLEARING_m_s = 10;
/** Arms that lie across from each other within this angle of a straight line run together, left turns giving way. */
const OPPOSITE_deg = 138;

type Group = Junction["groups"][number];

/**
 * Everything a signalled crossing needs, planned from its geometry alone: approaches, vehicle and pedestrian groups,
 * conflicts, intergreens after RiLSA 2015 (2.7: crossing over + clearing − entering time), stages and a fixed plan, its
 * cabinet, loops at the stop line and 40 m before it, and a button at each crossing for pedestrians.
 */
export function planJunction(
  id: string,
  name: string,
  at: LonLat,
  legs: readonly Leg[],
  place: (bearing_deg: number, metres: number, aside_m: number) => LonLat,
): GeoJsonFeature[] {
  const station = `S-${id}`;
  const arms = [...legs].sort((a, b) => a.bearing_deg - b.bearing_deg).slice(0, 12);
  const vehicles = arms.flatMap((leg, arm) => (leg.inbound ? [{ leg, arm, id: `V${arm + 1}` }] : []));
  const pedestrians = arms.flatMap((leg, arm) => (vehicles.length > 0 ? [{ leg, arm, id: `P${arm + 1}` }] : []));
  const streams = pairs(vehicles.map(({ leg }) => leg)).map((pair) => pair.map((index) => vehicles[index]));
  const partner = new Map(streams.flatMap((pair) => pair.map((each) => [each?.id, pair.map((other) => other?.id)])));

  const conflicts: [string, string][] = [];
  for (const a of vehicles) {
    for (const b of vehicles) if (a.id !== b.id && !partner.get(a.id)?.includes(b.id)) conflicts.push([a.id, b.id]);
  }
  for (const walk of pedestrians) {
    for (const drive of vehicles) {
      const leaves = walk.leg.outbound && angleBetween(walk.leg.bearing_deg, drive.leg.bearing_deg) >= OPPOSITE_deg;
      if (walk.arm === drive.arm || leaves) conflicts.push([walk.id, drive.id], [drive.id, walk.id]);
    }
  }
  const conflicting = new Set(conflicts.map(([a, b]) => `${a} ${b}`));

  const stages = streams.map((pair) => pair.flatMap((each) => (each === undefined ? [] : [each.id])));
  const unserved: string[] = [];
  for (const { id: walk } of pedestrians) {
    const fitting = stages.filter((stage) => stage.every((group) => !conflicting.has(`${walk} ${group}`)));
    for (const stage of fitting) stage.push(walk);
    if (fitting.length === 0) unserved.push(walk);
  }
  if (unserved.length > 0) stages.push(unserved);

  const width = (leg: Leg): number =>
    LANE_WIDTH_m * ((leg.inbound ? leg.lanes : 0) + (leg.outbound ? Math.max(1, leg.lanes) : 0));
  const size = Math.max(...arms.map(width)) + 7;
  const walkingTime = (leg: Leg): number => Math.ceil(width(leg) / WALKING_m_s);
  const amber = (leg: Leg): number => (leg.speed_kmh > 50 ? 4 : 3);
  const groups: Group[] = [
    ...vehicles.map(({ leg, arm, id: group }) => ({
      id: group,
      kind: "vehicle" as const,
      approach: `A${arm + 1}`,
      turns: turnsOf(leg, arms),
      lanes: leg.lanes,
      saturation_veh_h: Math.min(4000, 1800 * leg.lanes),
      min_s: leg.major ? 8 : 6,
      max_s: leg.major ? 45 : 30,
      clearance_s: amber(leg),
    })),
    ...pedestrians.map(({ leg, arm, id: group }) => ({
      id: group,
      kind: "pedestrian" as const,
      ...(leg.inbound && { approach: `A${arm + 1}` }),
      turns: ["crossing" as const],
      lanes: 1,
      saturation_veh_h: 0,
      min_s: 6,
      max_s: 45,
      clearance_s: walkingTime(leg),
    })),
  ];
  const legOf = new Map([...vehicles, ...pedestrians].map((each) => [each.id, each.leg]));
  const intergreens = conflicts.map(([from, to]) => {
    const leg = legOf.get(from) as Leg;
    // Pedestrians: the whole width at walking speed. Vehicles: amber, then out of the area; the others' way in is saved.
    const s = from.startsWith("P")
      ? walkingTime(leg)
      : amber(leg) + Math.ceil((size + VEHICLE_m) / CLEARING_m_s - (to.startsWith("P") ? 0 : 0.6));
    return { from, to, s };
  });
  const stageIds = stages.map((_, index) => `S${index + 1}`);
  const junction = {
    station,
    name: name.slice(0, 120),
    approaches: vehicles.map(({ leg, arm }) => ({
      id: `A${arm + 1}`,
      street: leg.street,
      bearing_deg: Math.round(leg.bearing_deg),
      lanes: leg.lanes,
      length_m: Math.round(Math.min(2000, Math.max(5, leg.length_m))),
    })),
    groups,
    conflicts,
    intergreens,
    stages: stages.map((names, index) => ({ id: stageIds[index], groups: names })),
    fixedPlan: { offset_s: 0, stages: fixedGreens(stages, legOf, stageIds) },
  };
  const features = [pointFeature("station", station, at), pointFeature("junction", id, at, junction)];
  for (const { leg, arm, id: group } of vehicles) {
    const right = LANE_WIDTH_m / 2;
    const advance_m = Math.round(Math.min(40, Math.max(12, leg.length_m * 0.6)));
    const loop = { station, junction: id, approach: `A${arm + 1}`, group };
    features.push(
      pointFeature("loop", `${id}-${group}-stop`, place(leg.bearing_deg, 9, right), {
        ...loop,
        place: "stop-line",
        distance_m: 1,
      }),
      pointFeature("loop", `${id}-${group}-advance`, place(leg.bearing_deg, 9 + advance_m, right), {
        ...loop,
        place: "advance",
        distance_m: advance_m,
      }),
    );
  }
  for (const { leg, id: group } of pedestrians) {
    features.push(
      pointFeature("button", `${id}-${group}-button`, place(leg.bearing_deg, 7, 5), { station, junction: id, group }),
    );
  }
  return features;
}

/** Arms that run together: each with the one most nearly across from it, where there is one. */
function pairs(legs: readonly Leg[]): number[][] {
  const candidates: { a: number; b: number; angle: number }[] = [];
  for (let a = 0; a < legs.length; a++) {
    for (let b = a + 1; b < legs.length; b++) {
      const angle = angleBetween((legs[a] as Leg).bearing_deg, (legs[b] as Leg).bearing_deg);
      if (angle >= OPPOSITE_deg) candidates.push({ a, b, angle });
    }
  }
  candidates.sort((x, y) => y.angle - x.angle);
  const taken = new Set<number>();
  const together: number[][] = [];
  for (const { a, b } of candidates) {
    if (taken.has(a) || taken.has(b)) continue;
    taken.add(a).add(b);
    together.push([a, b]);
  }
  for (let each = 0; each < legs.length; each++) if (!taken.has(each)) together.push([each]);
  return together.sort((x, y) => (x[0] as number) - (y[0] as number));
}

function turnsOf(leg: Leg, arms: readonly Leg[]): Group["turns"] {
  const turns = new Set<Group["turns"][number]>();
  for (const other of arms) {
    if (other === leg || !other.outbound) continue;
    const turned = (other.bearing_deg - leg.bearing_deg + 360) % 360;
    turns.add(turned < 360 - OPPOSITE_deg && turned < 138 ? "left" : turned > 222 ? "right" : "through");
  }
  return turns.size === 0 ? ["u-turn"] : [...turns];
}

/** Longer greens on the through road; the cycle stays well under the wait that nobody should exceed. */
function fixedGreens(
  stages: readonly string[][],
  legOf: Map<string, Leg>,
  ids: readonly string[],
): { stage: string; green_s: number }[] {
  const wanted = stages.map((groups) => {
    const drives = groups.filter((group) => group.startsWith("V"));
    if (drives.length === 0) return 10;
    return drives.some((group) => legOf.get(group)?.major) ? 26 : 16;
  });
  const scale = Math.min(1, 70 / wanted.reduce((sum, each) => sum + each, 0));
  return wanted.map((green, index) => ({
    stage: ids[index] as string,
    green_s: Math.max(8, Math.round(green * scale)),
  }));
}
