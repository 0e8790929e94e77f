import type { Container, GeoJsonFeature, LightingClass, LonLat, Street } from "#protocol/territory.ts";
import type { SeededChance } from "#protocol/chance.ts";
import { pick, uniform } from "../draws.ts";
import { numbered, pointFeature } from "../features.ts";
import type { XY } from "../geometry.ts";
import { along, aside, lengthOf } from "../geometry.ts";

/** A planned street with the identifier that it has in the territory. */
export interface BuiltStreet {
  readonly id: string;
  readonly highway: Street["highway"];
  readonly line: readonly XY[];
  readonly quarter: number;
  readonly lit: boolean;
}

export type Globe = (place: XY) => LonLat;

/** What stands on a street of each kind: class after EN 13201-2, lamp, height, distance from the middle of the road. */
export const LIGHTING: Partial<
  Record<
    Street["highway"],
    { lightingClass: LightingClass; power_W: number; height_m: number; verge_m: number; speed_kmh: number }
  >
> = {
  secondary: { lightingClass: "M4", power_W: 72, height_m: 8, verge_m: 5, speed_kmh: 50 },
  tertiary: { lightingClass: "M5", power_W: 56, height_m: 7, verge_m: 4.5, speed_kmh: 50 },
  residential: { lightingClass: "P4", power_W: 34, height_m: 5, verge_m: 4, speed_kmh: 30 },
  living_street: { lightingClass: "P3", power_W: 40, height_m: 4.5, verge_m: 3, speed_kmh: 20 },
  pedestrian: { lightingClass: "P3", power_W: 36, height_m: 4, verge_m: 2, speed_kmh: 10 },
};

const SPACING_m: Partial<Record<Street["highway"], number>> = {
  secondary: 31,
  tertiary: 30,
  living_street: 25,
  pedestrian: 24,
};
const ORDINARY_SPACING_m = 28;
/** As many lamps as a cabinet feeds. */
const LAMPS_A_FEEDER = 45;
/** Poles without a presence sensor, as a share. */
const BLIND_POLES = 0.08;

/** How many lamps these streets would carry at `factor` times the usual spacing. */
export function lampCount(streets: readonly BuiltStreet[], factor: number): number[] {
  return streets.map(({ line, highway, lit }) =>
    lit ? Math.max(1, Math.round(lengthOf(line) / ((SPACING_m[highway] ?? ORDINARY_SPACING_m) * factor))) : 0,
  );
}

/** Exactly `lamps` lamps, evenly along each street, each on a pole with its station and nearly always a presence sensor. */
export function lampFeatures(
  streets: readonly BuiltStreet[],
  lamps: number,
  globe: Globe,
  chance: SeededChance,
): GeoJsonFeature[] {
  const counts = exactCounts(streets, lamps);
  const features: GeoJsonFeature[] = [];
  const feeders = new Map<number, { id: string; lamps: number; at: LonLat }>();
  const cabinets: { id: string; at: LonLat }[] = [];
  const feederTotal = Math.ceil(lamps / LAMPS_A_FEEDER) + 8;
  let lamp = 0;
  for (const [index, street] of streets.entries()) {
    const count = counts[index] as number;
    const length = lengthOf(street.line);
    const design = LIGHTING[street.highway] ?? { lightingClass: "P4", power_W: 34, height_m: 5, verge_m: 4 };
    for (let nth = 0; nth < count; nth++) {
      const { at, direction } = along(street.line, ((nth + 0.5) / count) * length);
      const place = globe(aside(at, direction, design.verge_m));
      const id = numbered("L", ++lamp, lamps);
      const station = `S-${id}`;
      let feeder = feeders.get(street.quarter);
      if (feeder === undefined || feeder.lamps >= LAMPS_A_FEEDER) {
        feeder = { id: numbered("F", cabinets.length + 1, feederTotal), lamps: 0, at: place };
        feeders.set(street.quarter, feeder);
        cabinets.push(feeder);
      }
      feeder.lamps++;
      features.push(
        pointFeature("station", station, place),
        pointFeature("luminaire", id, place, {
          station,
          street: street.id,
          power_W: design.power_W,
          height_m: design.height_m,
          lightingClass: design.lightingClass,
          feeder: feeder.id,
        }),
      );
      if (chance.next() >= BLIND_POLES) {
        const presence = { station, street: street.id, luminaire: id, range_m: Math.round(uniform(chance, 10, 16)) };
        features.push(pointFeature("presence", id.replace("L", "P"), place, presence));
      }
    }
  }
  for (const { id, at } of cabinets) {
    features.push(
      pointFeature("station", `S-${id}`, at),
      pointFeature("meter", `M-${id}`, at, { station: `S-${id}`, feeder: id }),
    );
  }
  return features;
}

function exactCounts(streets: readonly BuiltStreet[], lamps: number): number[] {
  let dense = 0.2;
  let sparse = 8;
  for (let turn = 0; turn < 50; turn++) {
    const factor = (dense + sparse) / 2;
    if (sum(lampCount(streets, factor)) >= lamps) dense = factor;
    else sparse = factor;
  }
  const counts = lampCount(streets, dense);
  // Streets of one length change their number together; what that leaves over comes off the longest.
  for (let surplus = sum(counts) - lamps; surplus > 0; surplus--) {
    const most = counts.indexOf(Math.max(...counts));
    counts[most] = (counts[most] as number) - 1;
  }
  return counts;
}

const sum = (counts: readonly number[]): number => counts.reduce((total, each) => total + each, 0);

type Place = Container["place"];
const STREAM_OF_PLACE: Record<Place, readonly Container["stream"][]> = {
  housing: ["residual", "residual", "packaging", "paper", "glass", "organic"],
  shops: ["litter", "litter", "litter", "packaging", "glass"],
  park: ["litter"],
  station: ["litter", "litter", "paper"],
  school: ["litter", "litter", "paper"],
};
const VOLUME_L: Record<Container["stream"], number> = {
  litter: 120,
  residual: 770,
  packaging: 770,
  paper: 1100,
  glass: 2500,
  organic: 360,
};
const SERVICE_S: Record<Container["stream"], number> = {
  litter: 45,
  residual: 75,
  packaging: 75,
  paper: 100,
  glass: 150,
  organic: 60,
};

/** Containers beside the streets that a vehicle can use, by what the street is like: shops in the old town, housing outside. */
export function containerFeatures(
  streets: readonly BuiltStreet[],
  containers: number,
  globe: Globe,
  chance: SeededChance,
): GeoJsonFeature[] {
  const driven = streets.filter(({ lit, highway, line }) => lit && highway !== "pedestrian" && lengthOf(line) > 30);
  const features: GeoJsonFeature[] = [];
  const quarters = Math.max(...driven.map(({ quarter }) => quarter));
  const shares = driven.map(({ line, quarter }) => lengthOf(line) * (quarter === 0 ? 1.9 : 1));
  const total = sum(shares);
  let passed = 0;
  let nth = 0;
  for (const [index, street] of driven.entries()) {
    passed += shares[index] as number;
    // The running total gives each street its share of containers without rounding any of them away.
    for (; nth < containers && (nth + 0.5) / containers <= passed / total + 1e-12; nth++) {
      const place = placeOf(street, quarters, chance);
      const stream = pick(chance, STREAM_OF_PLACE[place]);
      const { at, direction } = along(street.line, lengthOf(street.line) * uniform(chance, 0.15, 0.85));
      const where = globe(aside(at, direction, -5));
      const id = numbered("C", nth + 1, containers);
      features.push(
        pointFeature("station", `S-${id}`, where),
        pointFeature("container", id, where, {
          station: `S-${id}`,
          street: street.id,
          stream,
          volume_L: VOLUME_L[stream],
          place,
          service_s: SERVICE_S[stream],
        }),
      );
    }
  }
  return features;
}

function placeOf(street: BuiltStreet, quarters: number, chance: SeededChance): Place {
  if (street.quarter === 0) return chance.next() < 0.85 ? "shops" : "school";
  const turn = chance.next();
  if (street.quarter === quarters && turn < 0.25) return "station";
  if (street.highway === "secondary" || street.highway === "tertiary") return turn < 0.5 ? "shops" : "housing";
  return turn < 0.14 ? "park" : turn < 0.22 ? "school" : "housing";
}
