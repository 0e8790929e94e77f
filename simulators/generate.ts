import type { GeoJsonFeature, LonLat, TerritoryFile } from "#protocol/territory.ts";
import type { SeededChance } from "#protocol/chance.ts";
import { seededChance } from "#protocol/chance.ts";
import { pick, uniform } from "./draws.ts";
import { lineFeature, numbered, polygonFeature } from "./features.ts";
import { crossings, legsAt } from "./generate/crossings.ts";
import { passableOneWays } from "./generate/one-ways.ts";
import type { BuiltStreet, Globe } from "./generate/furnish.ts";
import { LIGHTING, containerFeatures, lampCount, lampFeatures } from "./generate/furnish.ts";
import { QUARTERS, TOWNS, dealer, slug } from "./generate/names.ts";
import type { Plan, PlannedStreet } from "./generate/plan.ts";
import { drawPlan } from "./generate/plan.ts";
import type { XY } from "./geometry.ts";
import { along, aside, lengthOf, projection } from "./geometry.ts";
import { planJunction } from "./junction-plan.ts";
import { yardFeatures } from "./yards.ts";

export interface TownWish {
  readonly seed: number;
  readonly lamps?: number;
  readonly containers?: number;
  readonly junctions?: number;
  readonly name?: string;
}

/** No generated town is larger: a map of more is no longer drawn in a breath. */
export const MAX_LAMPS = 20_000;
const FULL = 1.06;

/**
 * A small French town that never was, in the form of a territory file: the same wish gives the same town. It has exactly
 * as many lamps, containers and signalled junctions as wished (fewer junctions when the streets do not cross so often),
 * a cabinet with a meter for each 45 lamps, a photocell, a weather station, a depot with two vehicles and a tipping site.
 */
export function generateTown(wish: TownWish): TerritoryFile {
  const { seed, containers = 60, junctions = 6 } = wish;
  const lamps = Math.min(MAX_LAMPS, Math.max(12, wish.lamps ?? 240));
  const chance = seededChance(`town ${seed}`);
  const name = wish.name ?? pick(chance.branch("name"), TOWNS);
  const where = chance.branch("where");
  const position: LonLat = [round(uniform(where, 0.4, 4.4)), round(uniform(where, 46.2, 48.3))];
  const { globe } = projection(position);
  const plan = fittingPlan(chance.branch("plan"), lamps);
  const streets = built(plan.streets);
  const oneWay = passableOneWays(plan.streets);
  const quarters = dealer(QUARTERS, generator(chance.branch("quarters")));
  const zoneNames = plan.rings.map(({ quarter }) => (quarter === 0 ? "Vieille ville" : quarters()));
  const features: GeoJsonFeature[] = [
    ...plan.rings.map(({ ring }, index) =>
      polygonFeature("zone", slug(zoneNames[index] as string), ring.map(globe), { name: zoneNames[index] }),
    ),
    ...streets.map((street, index) =>
      streetFeature(
        street,
        plan.streets[index] as PlannedStreet,
        oneWay.has(index),
        slug(zoneNames[street.quarter] as string),
        globe,
      ),
    ),
    ...lampFeatures(streets, lamps, globe, chance.branch("lamps")),
    ...signals(streets, plan, oneWay, junctions, globe),
    ...containerFeatures(streets, containers, globe, chance.branch("containers")),
    ...yards(streets, globe),
  ];
  return {
    type: "FeatureCollection",
    vigie: {
      version: 1,
      id: slug(name),
      name,
      timeZone: "Europe/Paris",
      position,
      attribution: "Generated: this town does not exist",
    },
    features,
  };
}

/** A plan whose lit streets carry the lamps at about the usual spacing: the radius is corrected until they do. */
function fittingPlan(chance: SeededChance, lamps: number): Plan {
  let radius = 26 * Math.sqrt(lamps);
  let best: { plan: Plan; off: number } | undefined;
  for (let turn = 0; turn < 7; turn++) {
    const plan = drawPlan(chance, radius);
    const fits = lampCount(built(plan.streets), FULL).reduce((total, each) => total + each, 0);
    const off = Math.abs(Math.log(fits / lamps));
    if (best === undefined || off < best.off) best = { plan, off };
    if (off < 0.03) break;
    radius *= Math.min(1.4, Math.max(0.7, Math.sqrt(lamps / fits)));
  }
  return (best as { plan: Plan }).plan;
}

function built(streets: readonly PlannedStreet[]): BuiltStreet[] {
  const seen = new Map<string, number>();
  return streets.map(({ name, highway, line, quarter, lit }) => {
    const base = slug(name);
    const before = seen.get(base) ?? 0;
    seen.set(base, before + 1);
    return { id: before === 0 ? base : `${base}.${before + 1}`, highway, line, quarter, lit };
  });
}

function streetFeature(
  street: BuiltStreet,
  planned: PlannedStreet,
  oneWay: boolean,
  zone: string,
  globe: Globe,
): GeoJsonFeature {
  const design = LIGHTING[street.highway];
  return lineFeature("street", street.id, street.line.map(globe), {
    name: planned.name,
    highway: street.highway,
    lightingClass: design?.lightingClass ?? "P4",
    speed_kmh: street.lit ? (design?.speed_kmh ?? 30) : 70,
    oneWay,
    zone,
  });
}

function signals(
  streets: readonly BuiltStreet[],
  plan: Plan,
  oneWay: ReadonlySet<number>,
  junctions: number,
  globe: Globe,
): GeoJsonFeature[] {
  const chosen = crossings(streets, plan, junctions);
  return chosen.flatMap((at, index) => {
    const legs = legsAt(at, streets, oneWay);
    const place = (bearing_deg: number, metres: number, aside_m: number): LonLat => {
      const radians = (bearing_deg * Math.PI) / 180;
      const out: XY = [Math.sin(radians), Math.cos(radians)];
      return globe(aside([at[0] + out[0] * metres, at[1] + out[1] * metres], out, -aside_m));
    };
    const names = [
      ...new Set(legs.map(({ street }) => plan.streets[streets.findIndex(({ id }) => id === street)]?.name ?? street)),
    ];
    return planJunction(numbered("J", index + 1, chosen.length), names.slice(0, 2).join(" / "), globe(at), legs, place);
  });
}

/** The town hall's roof with photocell and weather station, and the depot and tipping site at the ends of two roads out. */
function yards(streets: readonly BuiltStreet[], globe: Globe): GeoJsonFeature[] {
  const square = globe(streets[0]?.line[0] ?? [0, 0]);
  const out = streets.filter(({ lit }) => !lit);
  const yard = (street: BuiltStreet | undefined, share: number, side: number): LonLat => {
    const line = street?.line ?? (streets[0] as BuiltStreet).line;
    const { at, direction } = along(line, lengthOf(line) * share);
    return globe(aside(at, direction, side));
  };
  const depot = yard(out[0], 0.35, 22);
  const tipping = yard(out[2] ?? out[1] ?? out[0], 0.85, -25);
  return yardFeatures({ middle: square, depot, tipping });
}

const round = (degrees: number): number => Math.round(degrees * 1e4) / 1e4;
const generator = (chance: SeededChance) => (): number => chance.next();
