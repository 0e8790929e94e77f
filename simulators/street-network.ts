import type { LonLat, Street, Territory } from "#protocol/territory.ts";
import type { XY } from "./geometry.ts";
import { distance, nearest, projection } from "./geometry.ts";

/** Who is under way: by this they may use a street or not, and pass a pole at their speed in m/s. */
export const TRAVELLERS = ["foot", "bicycle", "car"] as const;
export type Traveller = (typeof TRAVELLERS)[number];

const NO_CARS: ReadonlySet<Street["highway"]> = new Set([
  "pedestrian",
  "footway",
  "cycleway",
  "path",
  "steps",
  "track",
]);
const NO_FEET: ReadonlySet<Street["highway"]> = new Set(["motorway", "trunk"]);
const NO_BICYCLES: ReadonlySet<Street["highway"]> = new Set(["motorway", "trunk", "steps"]);

/** A stretch of street between two places where streets meet. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly length_m: number;
  readonly speed_m_s: number;
  readonly highway: Street["highway"];
  readonly oneWay: boolean;
  /** Poles with a presence sensor along it: index in the territory's list, metres from `from`. */
  readonly poles: { readonly sensor: number; readonly at_m: number }[];
}

export interface StreetNetwork {
  readonly nodes: readonly XY[];
  readonly stretches: readonly Stretch[];
  flat(place: LonLat): XY;
  /** The node nearest to a place that this traveller can reach. */
  nodeNear(place: LonLat, traveller: Traveller): number;
  /** Ways to a node from all others, computed once and kept. */
  waysTo(node: number, traveller: Traveller): Ways;
}

/** From each node the stretch to go on by, as index + 1, negative against its drawing; 0 at the target and without a way. */
export interface Ways {
  readonly next: Int32Array;
  readonly metres: Float64Array;
  /** At the speed allowed; for those on foot and bicycle the order of metres. */
  readonly seconds: Float64Array;
}

/** Streets are joined where their lines share a vertex, as territories draw them. */
export function streetNetwork(territory: Territory): StreetNetwork {
  const { flat } = projection(territory.position);
  const { nodes, stretches } = build(territory, flat);
  const leaving = {} as Record<Traveller, number[][]>;
  for (const traveller of TRAVELLERS) leaving[traveller] = arrivals(nodes.length, stretches, traveller);
  const kept = new Map<string, Ways>();
  const main = {} as Record<Traveller, Uint8Array>;
  for (const traveller of TRAVELLERS) main[traveller] = largestPart(nodes.length, leaving[traveller], stretches);
  return {
    nodes,
    stretches,
    flat,
    nodeNear(place, traveller) {
      const at = flat(place);
      let best = -1;
      let least = Infinity;
      for (let node = 0; node < nodes.length; node++) {
        if (main[traveller][node] === 0) continue;
        const off = distance(nodes[node] as XY, at);
        if (off < least) [best, least] = [node, off];
      }
      return best;
    },
    waysTo(node, traveller) {
      const key = `${traveller} ${node}`;
      let ways = kept.get(key);
      if (ways === undefined)
        kept.set(key, (ways = dijkstra(node, traveller === "car", nodes.length, stretches, leaving[traveller])));
      return ways;
    },
  };
}

function build(territory: Territory, flat: (place: LonLat) => XY): { nodes: XY[]; stretches: Stretch[] } {
  const key = (place: LonLat): string => `${place[0]} ${place[1]}`;
  const seen = new Map<string, number>();
  for (const { line } of territory.streets) {
    for (const [index, place] of line.entries()) {
      const end = index === 0 || index === line.length - 1;
      seen.set(key(place), (seen.get(key(place)) ?? 0) + (end ? 2 : 1));
    }
  }
  const nodes: XY[] = [];
  const nodeOf = new Map<string, number>();
  const stretches: Stretch[] = [];
  const polesOf = new Map<string, { sensor: number; at: XY }[]>();
  for (const [sensor, { street, position }] of territory.presences.entries()) {
    const list = polesOf.get(street) ?? [];
    list.push({ sensor, at: flat(position) });
    polesOf.set(street, list);
  }
  for (const street of territory.streets) {
    const own: { stretch: Stretch; line: XY[] }[] = [];
    let line: XY[] = [];
    let from = -1;
    for (const place of street.line) {
      line.push(flat(place));
      if ((seen.get(key(place)) ?? 0) < 2) continue;
      let node = nodeOf.get(key(place));
      if (node === undefined) nodeOf.set(key(place), (node = nodes.push(flat(place)) - 1));
      if (from >= 0 && line.length > 1) {
        let length_m = 0;
        for (let index = 1; index < line.length; index++)
          length_m += distance(line[index - 1] as XY, line[index] as XY);
        const { highway, oneWay } = street;
        own.push({
          stretch: { from, to: node, length_m, speed_m_s: street.speed_kmh / 3.6, highway, oneWay, poles: [] },
          line,
        });
      }
      from = node;
      line = [flat(place)];
    }
    for (const { sensor, at } of polesOf.get(street.id) ?? []) {
      let best: { stretch: Stretch; at_m: number; off: number } | undefined;
      for (const { stretch, line: piece } of own) {
        const { off_m, along_m } = nearest(piece, at);
        if (best === undefined || off_m < best.off) best = { stretch, at_m: along_m, off: off_m };
      }
      best?.stretch.poles.push({ sensor, at_m: best.at_m });
    }
    for (const { stretch } of own) stretch.poles.sort((a, b) => a.at_m - b.at_m);
    stretches.push(...own.map(({ stretch }) => stretch));
  }
  return { nodes, stretches };
}

/** For each node the stretches by which one arrives there: index + 1, negative when it is walked against its drawing. */
function arrivals(nodes: number, stretches: readonly Stretch[], traveller: Traveller): number[][] {
  const closed = traveller === "car" ? NO_CARS : traveller === "foot" ? NO_FEET : NO_BICYCLES;
  const lists: number[][] = Array.from({ length: nodes }, () => []);
  for (const [index, { from, to, highway, oneWay }] of stretches.entries()) {
    if (closed.has(highway)) continue;
    lists[to]?.push(index + 1);
    if (!oneWay || traveller === "foot") lists[from]?.push(-index - 1);
  }
  return lists;
}

/** Marks the nodes from which, and to which, most of the town can be reached. */
function largestPart(nodes: number, arriving: readonly number[][], stretches: readonly Stretch[]): Uint8Array {
  const part = new Int32Array(nodes).fill(-1);
  const size: number[] = [];
  const beside: number[][] = Array.from({ length: nodes }, () => []);
  for (const [node, list] of arriving.entries()) {
    for (const signed of list) {
      const other = otherEnd(stretches, signed);
      beside[node]?.push(other);
      beside[other]?.push(node);
    }
  }
  for (let start = 0; start < nodes; start++) {
    if (part[start] !== -1 || beside[start]?.length === 0) continue;
    const queue = [start];
    part[start] = size.length;
    for (const node of queue) {
      for (const next of beside[node] as number[]) {
        if (part[next] !== -1) continue;
        part[next] = size.length;
        queue.push(next);
      }
    }
    size.push(queue.length);
  }
  const largest = size.indexOf(Math.max(...size));
  return Uint8Array.from(part, (each) => (each === largest && largest >= 0 ? 1 : 0));
}

const otherEnd = (stretches: readonly Stretch[], signed: number): number =>
  signed > 0 ? (stretches[signed - 1] as Stretch).from : (stretches[-signed - 1] as Stretch).to;

/** Quickest ways to one node from everywhere, by a binary heap (Dijkstra 1959). */
function dijkstra(
  target: number,
  bySpeed: boolean,
  count: number,
  stretches: readonly Stretch[],
  arriving: readonly number[][],
): Ways {
  const next = new Int32Array(count);
  const seconds = new Float64Array(count).fill(Infinity);
  const metres = new Float64Array(count).fill(Infinity);
  const heap: { node: number; at: number }[] = [{ node: target, at: 0 }];
  seconds[target] = 0;
  metres[target] = 0;
  while (heap.length > 0) {
    const { node, at } = popLeast(heap);
    if (at > (seconds[node] as number)) continue;
    for (const signed of arriving[node] as number[]) {
      const stretch = stretches[Math.abs(signed) - 1] as Stretch;
      const other = otherEnd(stretches, signed);
      const there = at + stretch.length_m / (bySpeed ? stretch.speed_m_s : 1);
      if (there >= (seconds[other] as number)) continue;
      seconds[other] = there;
      metres[other] = (metres[node] as number) + stretch.length_m;
      next[other] = signed;
      pushInto(heap, { node: other, at: there });
    }
  }
  return { next, metres, seconds };
}

/** A binary heap by `at`, shared with those who wait for the next of many times. */
export function pushInto<T extends { at: number }>(heap: T[], entry: T): void {
  let index = heap.push(entry) - 1;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    if ((heap[parent] as T).at <= entry.at) break;
    heap[index] = heap[parent] as T;
    index = parent;
  }
  heap[index] = entry;
}

export function popLeast<T extends { at: number }>(heap: T[]): T {
  const least = heap[0] as T;
  const last = heap.pop() as T;
  if (heap.length === 0) return least;
  let index = 0;
  for (;;) {
    let child = index * 2 + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && (heap[child + 1] as T).at < (heap[child] as T).at) child++;
    if ((heap[child] as T).at >= last.at) break;
    heap[index] = heap[child] as T;
    index = child;
  }
  heap[index] = last;
  return least;
}
