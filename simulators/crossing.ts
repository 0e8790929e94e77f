import type { GeoJsonFeature, TerritoryFile } from "#protocol/territory.ts";

/** Where the smallest junction that has everything stands, and how it is built. */
export interface CrossingOptions {
  readonly id?: string;
  readonly advance_m?: number;
  /** Green in s of the two stages of the fixed plan. */
  readonly fixed_s?: readonly [number, number];
}

/** Walking at 1.2 m/s over two lanes and a median. */
const WALK_CLEARANCE_S = 7;
const ARMS = [
  { id: "north", bearing: 0, axis: "ns" },
  { id: "east", bearing: 90, axis: "ew" },
  { id: "south", bearing: 180, axis: "ns" },
  { id: "west", bearing: 270, axis: "ew" },
] as const;

/**
 * A territory of one crossing of four arms with a zebra over each, loops and buttons everywhere and two stages: for trying
 * a junction alone. Vehicle groups v-north, v-east…; the zebra over an arm, p-north…, is green with the other axis.
 */
export function crossing(options: CrossingOptions = {}): TerritoryFile {
  const { id = "J1", advance_m = 40, fixed_s = [28, 22] } = options;
  const station = `S-${id}`;
  const position = [2.35, 48.85];
  const point = (kind: string, name: string, properties: object): GeoJsonFeature => ({
    type: "Feature",
    geometry: { type: "Point", coordinates: position },
    properties: { kind, id: name, ...properties },
  });
  const street = (name: string, far: number[]): GeoJsonFeature => ({
    type: "Feature",
    geometry: { type: "LineString", coordinates: [position, far] },
    properties: {
      kind: "street",
      id: name,
      name,
      highway: "tertiary",
      lightingClass: "M4",
      speed_kmh: 50,
      oneWay: false,
    },
  });
  const conflicts: string[][] = [];
  const intergreens: object[] = [];
  for (const a of ARMS) {
    for (const b of ARMS) {
      if (a.axis === "ns" && b.axis === "ew") {
        conflicts.push([`v-${a.id}`, `v-${b.id}`]);
        intergreens.push({ from: `v-${a.id}`, to: `v-${b.id}`, s: 5 }, { from: `v-${b.id}`, to: `v-${a.id}`, s: 5 });
      }
      // The zebra over an arm crosses the vehicles of its own axis, in and out.
      if (a.axis === b.axis) {
        conflicts.push([`p-${a.id}`, `v-${b.id}`]);
        intergreens.push(
          { from: `p-${a.id}`, to: `v-${b.id}`, s: WALK_CLEARANCE_S + 1 },
          { from: `v-${b.id}`, to: `p-${a.id}`, s: 5 },
        );
      }
    }
  }
  const detector = (arm: string, place: string, distance_m: number): GeoJsonFeature =>
    point("loop", `${place === "advance" ? "A" : "D"}-${id}-${arm}`, {
      station,
      junction: id,
      approach: arm,
      group: `v-${arm}`,
      place,
      distance_m,
    });
  return {
    type: "FeatureCollection",
    vigie: { version: 1, id: "crossing", name: "Crossing", timeZone: "Europe/Paris", position },
    features: [
      street("NS", [2.35, 48.852]),
      street("EW", [2.353, 48.85]),
      point("station", station, {}),
      point("junction", id, {
        station,
        name: "Crossing",
        approaches: ARMS.map((arm) => ({
          id: arm.id,
          street: arm.axis === "ns" ? "NS" : "EW",
          bearing_deg: arm.bearing,
          lanes: 1,
          length_m: 150,
        })),
        groups: [...ARMS.map((arm) => vehicle(arm.id)), ...ARMS.map((arm) => walker(arm.id))],
        conflicts,
        intergreens,
        stages: [
          { id: "ns", groups: ["v-north", "v-south", "p-east", "p-west"] },
          { id: "ew", groups: ["v-east", "v-west", "p-north", "p-south"] },
        ],
        fixedPlan: {
          offset_s: 0,
          stages: [
            { stage: "ns", green_s: fixed_s[0] },
            { stage: "ew", green_s: fixed_s[1] },
          ],
        },
      }),
      ...ARMS.flatMap((arm) => [detector(arm.id, "stop-line", 0), detector(arm.id, "advance", advance_m)]),
      ...ARMS.map((arm) => point("button", `B-${id}-${arm.id}`, { station, junction: id, group: `p-${arm.id}` })),
    ],
  };
}

const vehicle = (arm: string) => ({
  id: `v-${arm}`,
  kind: "vehicle",
  approach: arm,
  turns: ["left", "through", "right"],
  lanes: 1,
  saturation_veh_h: 1800,
  min_s: 6,
  max_s: 50,
  clearance_s: 3,
});

const walker = (arm: string) => ({
  id: `p-${arm}`,
  kind: "pedestrian",
  approach: arm,
  turns: ["crossing"],
  lanes: 1,
  saturation_veh_h: 0,
  min_s: 6,
  max_s: 50,
  clearance_s: WALK_CLEARANCE_S,
});
