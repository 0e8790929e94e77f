import type { Plane } from "#control/geometry.ts";
import { distance, planeAt } from "#control/geometry.ts";
import type { LonLat, Street } from "#protocol/territory.ts";
import type { Foothold } from "./roads/grid.ts";
import { SegmentGrid } from "./roads/grid.ts";
import { mainland } from "./roads/mainland.ts";
import type { Road } from "./roads/network.ts";
import { network } from "./roads/network.ts";
import { Queue } from "./roads/queue.ts";

/**
 * The street network for vehicles: streets that share a vertex meet there, one-way streets are driven one way. Shapes
 * between meetings are kept for drawing but not searched.
 */
export interface RoadGraph {
  readonly plane: Plane;
  readonly nodes: readonly LonLat[];
  readonly roads: readonly Road[];
  /** Roads out of node n are `outgoing[firstOut[n]]` up to `outgoing[firstOut[n + 1] - 1]`. */
  readonly firstOut: Int32Array;
  readonly outgoing: Int32Array;
  /** The end and the driving time of each of `outgoing`, side by side for the search. */
  readonly ends: Int32Array;
  readonly times_s: Float64Array;
  /** Only roads from which every place can be reached, and which every place can reach. */
  readonly grid: SegmentGrid;
}

export type RoadStreet = Pick<Street, "line" | "highway" | "speed_kmh" | "oneWay">;

/** Where motor vehicles do not go, not even at walking pace. */
const CLOSED: ReadonlySet<string> = new Set(["footway", "cycleway", "path", "steps"]);

/** Without any street, as the crow flies at this speed. */
const CROW_M_PER_S = 5;

/** Builds the network once for a territory. Streets closed to vehicles are left out; where all are closed, all are open. */
export function roadGraph(streets: readonly RoadStreet[]): RoadGraph {
  const open = streets.filter((street) => !CLOSED.has(street.highway));
  const used = open.length > 0 ? open : streets;
  const plane = planeAt(used[0]?.line[0] ?? [0, 0]);
  const { nodes, roads } = network(used, plane);
  const firstOut = new Int32Array(nodes.length + 1);
  for (const road of roads) firstOut[road.from + 1] = (firstOut[road.from + 1] as number) + 1;
  for (let node = 0; node < nodes.length; node++)
    firstOut[node + 1] = (firstOut[node + 1] as number) + (firstOut[node] as number);
  const outgoing = new Int32Array(roads.length);
  const filled = firstOut.slice();
  roads.forEach((road, index) => {
    const place = filled[road.from] as number;
    outgoing[place] = index;
    filled[road.from] = place + 1;
  });
  const onMainland = mainland(nodes.length, firstOut, outgoing, roads);
  const grid = new SegmentGrid(plane, roads, (road) => onMainland[road.from] === 1 && onMainland[road.to] === 1);
  const ends = Int32Array.from(outgoing, (index) => (roads[index] as Road).to);
  const times_s = Float64Array.from(outgoing, (index) => (roads[index] as Road).time_s);
  return { plane, nodes, roads, firstOut, outgoing, ends, times_s, grid };
}

/**
 * Driving times in whole seconds from each point to each other: `times[from][to]`. Every point stands at the nearest
 * road that leads on; the way from there to the point is not counted.
 */
export function travelTimes(graph: RoadGraph, points: readonly LonLat[]): number[][] {
  const footholds = points.map((point) => graph.grid.nearest(point));
  const search = new Search(graph);
  const ends = footholds.flatMap((foothold) => (foothold === undefined ? [] : [foothold.road.from, foothold.road.to]));
  return footholds.map((start, from) => {
    if (start === undefined) return points.map((point) => crow(points[from] as LonLat, point));
    search.run(start, ends);
    return footholds.map((end, to) => {
      if (from === to) return 0;
      return end === undefined
        ? crow(points[from] as LonLat, points[to] as LonLat)
        : Math.round(search.timeTo(start, end).time_s);
    });
  });
}

/** The line to draw for driving from `a` to `b`. */
export function path(graph: RoadGraph, a: LonLat, b: LonLat): LonLat[] {
  const start = graph.grid.nearest(a);
  const end = graph.grid.nearest(b);
  if (start === undefined || end === undefined) return [a, b];
  const search = new Search(graph);
  search.run(start, [end.road.from, end.road.to]);
  const { last } = search.timeTo(start, end);
  if (last === undefined) return [start.position, ...between(start, end), end.position];
  const line: LonLat[] = [];
  for (let node = last; ;) {
    const road = graph.roads[search.by[node] as number];
    if (road === undefined) {
      line.unshift(...towards(start, node));
      break;
    }
    line.unshift(...road.line.slice(0, -1));
    node = road.from;
  }
  return [start.position, ...line, ...awayFrom(end, last), end.position];
}

function crow(a: LonLat, b: LonLat): number {
  return Math.round(distance(a, b) / CROW_M_PER_S);
}

/** Vertices passed on one road between two places on it. */
function between(start: Foothold, end: Foothold): LonLat[] {
  const line = start.road.line;
  return start.share <= end.share
    ? line.slice(start.segment + 1, end.segment + 1)
    : line.slice(end.segment + 1, start.segment + 1).toReversed();
}

/** Vertices from a place on a road to its end `node`, that end not included. */
function towards({ road, segment, share }: Foothold, node: number): LonLat[] {
  const forwards = node === road.to && (node !== road.from || share >= 0.5 || road.twin === undefined);
  return forwards ? road.line.slice(segment + 1, -1) : road.line.slice(1, segment + 1).toReversed();
}

/** Vertices from a road's end `node`, that end included, to a place on the road. */
function awayFrom({ road, segment }: Foothold, node: number): LonLat[] {
  return node === road.from ? road.line.slice(0, segment + 1) : road.line.slice(segment + 1).toReversed();
}

/** One-to-many shortest times (Dijkstra 1959), with its arrays kept from one start to the next. */
class Search {
  readonly time: Float64Array;
  /** The road by which a node was reached; -1 at a start. */
  readonly by: Int32Array;
  private readonly graph: RoadGraph;
  private readonly queue = new Queue();
  private readonly wanted: Uint8Array;

  constructor(graph: RoadGraph) {
    this.graph = graph;
    this.time = new Float64Array(graph.nodes.length);
    this.by = new Int32Array(graph.nodes.length);
    this.wanted = new Uint8Array(graph.nodes.length);
  }

  /** Times from `start` until every node of `ends` is settled. */
  run(start: Foothold, ends: readonly number[]): void {
    const { time, by, queue, wanted } = this;
    const { firstOut, outgoing, ends: to, times_s } = this.graph;
    time.fill(Number.POSITIVE_INFINITY);
    by.fill(-1);
    queue.clear();
    let left = 0;
    for (const end of ends) {
      if (wanted[end] === 0) left++;
      wanted[end] = 1;
    }
    this.reach(start.road.to, (1 - start.share) * start.road.time_s, -1);
    // Whoever stands at the very start of a one-way road stands at its node, and may leave by any other.
    if (start.road.twin !== undefined || start.share === 0)
      this.reach(start.road.from, start.share * start.road.time_s, -1);
    while (left > 0) {
      const node = queue.take();
      if (node === undefined) break;
      const at = queue.key;
      if (at > (time[node] as number)) continue;
      if (wanted[node] === 1) left--;
      wanted[node] = 0;
      const last = firstOut[node + 1] as number;
      for (let place = firstOut[node] as number; place < last; place++) {
        this.reach(to[place] as number, at + (times_s[place] as number), outgoing[place] as number);
      }
    }
    for (const end of ends) wanted[end] = 0;
  }

  private reach(node: number, at: number, by: number): void {
    if (at >= (this.time[node] as number)) return;
    this.time[node] = at;
    this.by[node] = by;
    this.queue.add(at, node);
  }

  /** Seconds to a place on a road, and the last node before it; no node when it lies ahead on the same road. */
  timeTo(start: Foothold, end: Foothold): { time_s: number; last?: number } {
    const { road, share } = end;
    const forwards = (this.time[road.from] as number) + share * road.time_s;
    const reversible = road.twin !== undefined || share === 1;
    const backwards = reversible
      ? (this.time[road.to] as number) + (1 - share) * road.time_s
      : Number.POSITIVE_INFINITY;
    const best = forwards <= backwards ? { time_s: forwards, last: road.from } : { time_s: backwards, last: road.to };
    if (start.road === road && (share >= start.share || road.twin !== undefined)) {
      const direct = Math.abs(share - start.share) * road.time_s;
      if (direct <= best.time_s) return { time_s: direct };
    }
    return best;
  }
}
