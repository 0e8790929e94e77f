import { existsSync } from "node:fs";
import { createOSMStream } from "osm-pbf-parser-node";
import { Fault } from "#protocol/faults.ts";
import { object, optional, number, oneOf } from "#protocol/shape.ts";
import type { LonLat } from "#protocol/territory.ts";

export type Tags = Readonly<Record<string, string>>;
export interface OsmNode {
  readonly id: number;
  readonly at: LonLat;
  readonly tags: Tags;
}
export interface OsmWay {
  readonly id: number;
  readonly line: readonly LonLat[];
  readonly tags: Tags;
}
export interface OsmExtract {
  /** Nodes that carry a tag we read. */
  readonly nodes: readonly OsmNode[];
  /** Ways with the tag `highway`, cut where they leave the extract. */
  readonly ways: readonly OsmWay[];
}
export type Box = readonly [west: number, south: number, east: number, north: number];

/** Tags that say something about what we run; all others stay behind. */
const NODE_TAGS = [
  "highway",
  "amenity",
  "crossing",
  "recycling:glass",
  "recycling:paper",
  "recycling:plastic_packaging",
  "height",
];
const WAY_TAGS = ["highway", "name", "oneway", "junction", "maxspeed", "lit", "lanes", "area"];
/** A metropolis fits; a country does not belong into one town. */
const MAX_NODES = 5_000_000;

const item = object(
  {
    type: optional(oneOf("node", "way", "relation")),
    id: optional(number()),
    lat: optional(number(-90, 90)),
    lon: optional(number(-180, 180)),
  },
  "ignore",
);

/**
 * Reads what concerns us from an OpenStreetMap PBF file, inside `box` where one is given.
 * Raises Fault FILE_MISSING, or TERRITORY_UNREADABLE when the file is no PBF, is too large or has no streets.
 */
export async function readOsm(file: string, box?: Box): Promise<OsmExtract> {
  if (!existsSync(file)) throw new Fault("FILE_MISSING", { file });
  const places = new Map<number, LonLat>();
  const nodes: OsmNode[] = [];
  const ways: OsmWay[] = [];
  try {
    for await (const each of createOSMStream(file, { withTags: { node: NODE_TAGS, way: WAY_TAGS, relation: false } })) {
      const { type, id, lat, lon } = item.parse(each, "");
      if (id === undefined) continue;
      const tags = (each as { tags?: Tags }).tags ?? {};
      if (type === "node" && lat !== undefined && lon !== undefined) {
        const at: LonLat = [round(lon), round(lat)];
        if (box !== undefined && !inside(at, box)) continue;
        places.set(id, at);
        if (places.size > MAX_NODES)
          throw new Fault("TERRITORY_UNREADABLE", { file, problem: `more than ${MAX_NODES} nodes; give --bbox` });
        if (Object.keys(tags).length > 0) nodes.push({ id, at, tags });
      } else if (type === "way" && tags["highway"] !== undefined) {
        for (const line of pieces((each as { refs?: number[] }).refs ?? [], places)) ways.push({ id, line, tags });
      }
    }
  } catch (problem) {
    if (problem instanceof Fault) throw problem;
    throw new Fault("TERRITORY_UNREADABLE", { file, problem: `no OpenStreetMap PBF (${(problem as Error).message})` });
  }
  if (ways.length === 0)
    throw new Fault("TERRITORY_UNREADABLE", { file, problem: "it holds no street inside the box" });
  return { nodes, ways };
}

/** Stretches of a way whose nodes are all in the extract. */
function pieces(refs: readonly number[], places: ReadonlyMap<number, LonLat>): LonLat[][] {
  const lines: LonLat[][] = [[]];
  for (const ref of refs) {
    const at = places.get(ref);
    const line = lines.at(-1) as LonLat[];
    if (at !== undefined) line.push(at);
    else if (line.length > 0) lines.push([]);
  }
  return lines.filter((line) => line.length >= 2);
}

const inside = ([lon, lat]: LonLat, [west, south, east, north]: Box): boolean =>
  lon >= west && lon <= east && lat >= south && lat <= north;
const round = (degrees: number): number => Math.round(degrees * 1e7) / 1e7;
