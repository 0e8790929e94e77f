import type { Plane } from "#control/geometry.ts";
import { east, north } from "#control/geometry.ts";
import type { LonLat, Street } from "#protocol/territory.ts";

/** One drivable direction of the stretch between two nodes. */
export interface Road {
  readonly from: number;
  readonly to: number;
  readonly time_s: number;
  readonly line: readonly LonLat[];
  /** The index of the same stretch the other way, where both ways are driven. */
  readonly twin?: number;
  /** True for the one of two twins that the street was drawn along. */
  readonly drawn: boolean;
}

/** Lights, bends and parked cars leave a vehicle this share of the speed limit on average. */
const SHARE_OF_LIMIT = 0.7;
/** Walking pace at least, whatever the sign says. */
const SLOWEST_KMH = 5;

/** Splits streets where they meet. Nodes are the ends of lines and the vertices that more than one line passes. */
export function network(
  streets: readonly Pick<Street, "line" | "speed_kmh" | "oneWay">[],
  plane: Plane,
): { nodes: LonLat[]; roads: Road[] } {
  const passes = new Map<string, number>();
  for (const { line } of streets) {
    line.forEach((vertex, index) => {
      const end = index === 0 || index === line.length - 1;
      passes.set(nameOf(vertex), (passes.get(nameOf(vertex)) ?? 0) + (end ? 2 : 1));
    });
  }
  const nodes: LonLat[] = [];
  const named = new Map<string, number>();
  const nodeAt = (vertex: LonLat): number => {
    const name = nameOf(vertex);
    let node = named.get(name);
    if (node === undefined) {
      node = nodes.push(vertex) - 1;
      named.set(name, node);
    }
    return node;
  };
  const roads: Road[] = [];
  for (const { line, speed_kmh, oneWay } of streets) {
    const speed_m_s = (Math.max(SLOWEST_KMH, speed_kmh * SHARE_OF_LIMIT) * 1000) / 3600;
    let start = 0;
    for (let index = 1; index < line.length; index++) {
      if ((passes.get(nameOf(line[index] as LonLat)) ?? 0) < 2) continue;
      const stretch = line.slice(start, index + 1);
      start = index;
      // Whole milliseconds, so that sums of times are the same in any order and on any machine.
      const time_s = Math.round((lengthOf(stretch, plane) / speed_m_s) * 1000) / 1000;
      const [from, to] = [nodeAt(stretch[0] as LonLat), nodeAt(stretch.at(-1) as LonLat)];
      const place = roads.length;
      roads.push({ from, to, time_s, line: stretch, drawn: true, ...(!oneWay && { twin: place + 1 }) });
      if (!oneWay) roads.push({ from: to, to: from, time_s, line: stretch.toReversed(), drawn: false, twin: place });
    }
  }
  return { nodes, roads };
}

/** Vertices are the same place when they agree to the centimetre. */
function nameOf([lon, lat]: LonLat): string {
  return `${Math.round(lon * 1e7)} ${Math.round(lat * 1e7)}`;
}

function lengthOf(line: readonly LonLat[], plane: Plane): number {
  let length = 0;
  for (let index = 1; index < line.length; index++) {
    const [a, b] = [line[index - 1] as LonLat, line[index] as LonLat];
    length += Math.hypot(east(plane, b) - east(plane, a), north(plane, b) - north(plane, a));
  }
  return length;
}
