import type { Plane } from "#control/geometry.ts";
import { east, footOnSegment, north } from "#control/geometry.ts";
import type { LonLat } from "#protocol/territory.ts";
import type { Road } from "./network.ts";

/** A place on a road: on which segment of its line, at which share of the road's whole length. */
export interface Foothold {
  readonly road: Road;
  readonly segment: number;
  readonly share: number;
  readonly position: LonLat;
}

const CELL_M = 60;
/** A point further than this from every road has no foothold. */
const FURTHEST_CELLS = 500;

interface Segment {
  readonly road: Road;
  readonly segment: number;
  /** Metres on the plane. */
  readonly ax: number;
  readonly ay: number;
  readonly bx: number;
  readonly by: number;
  /** Metres of the road before this segment, and in all. */
  readonly before: number;
  readonly whole: number;
}

/** Finds the nearest road to a point: segments by the square cells that their bounds touch. */
export class SegmentGrid {
  private readonly plane: Plane;
  private readonly cells = new Map<string, Segment[]>();

  constructor(plane: Plane, roads: readonly Road[], included: (road: Road) => boolean) {
    this.plane = plane;
    for (const road of roads) if (road.drawn && included(road)) this.add(road);
  }

  private add(road: Road): void {
    const x = road.line.map((vertex) => east(this.plane, vertex));
    const y = road.line.map((vertex) => north(this.plane, vertex));
    const lengths = x
      .slice(1)
      .map((to, index) => Math.hypot(to - (x[index] as number), (y[index + 1] as number) - (y[index] as number)));
    const whole = lengths.reduce((sum, length) => sum + length, 0);
    let before = 0;
    lengths.forEach((length, segment) => {
      const [ax, ay, bx, by] = [x[segment], y[segment], x[segment + 1], y[segment + 1]] as [
        number,
        number,
        number,
        number,
      ];
      const stretch: Segment = { road, segment, ax, ay, bx, by, before, whole };
      before += length;
      for (let column = cell(Math.min(ax, bx)); column <= cell(Math.max(ax, bx)); column++) {
        for (let row = cell(Math.min(ay, by)); row <= cell(Math.max(ay, by)); row++) {
          const name = `${column} ${row}`;
          const there = this.cells.get(name);
          if (there === undefined) this.cells.set(name, [stretch]);
          else there.push(stretch);
        }
      }
    });
  }

  /** The nearest place on a road; undefined when there is none within 30 km. */
  nearest(point: LonLat): Foothold | undefined {
    if (this.cells.size === 0) return undefined;
    const px = east(this.plane, point);
    const py = north(this.plane, point);
    const [column, row] = [cell(px), cell(py)];
    let best: { segment: Segment; share: number; beside: number; length: number } | undefined;
    for (let ring = 0; ring <= FURTHEST_CELLS; ring++) {
      // What stands in a ring is at least this far away.
      if (best !== undefined && best.beside <= (ring - 1) * CELL_M) break;
      for (const [dx, dy] of ringOf(ring)) {
        for (const segment of this.cells.get(`${column + dx} ${row + dy}`) ?? []) {
          const foot = footOnSegment(segment.ax - px, segment.ay - py, segment.bx - px, segment.by - py);
          if (best === undefined || foot.beside < best.beside) best = { segment, ...foot };
        }
      }
    }
    return best === undefined ? undefined : this.foothold(best.segment, best.share, best.length);
  }

  private foothold(segment: Segment, share: number, length: number): Foothold {
    const { road, ax, ay, bx, by, before, whole } = segment;
    return {
      road,
      segment: segment.segment,
      // Whole millionths: the position on the road then does not hang on the last bit of a cosine.
      share: whole === 0 ? 0 : Math.round(((before + share * length) / whole) * 1e6) / 1e6,
      position: [
        this.plane.origin[0] + (ax + share * (bx - ax)) / this.plane.metresPerDegreeEast,
        this.plane.origin[1] + (ay + share * (by - ay)) / this.plane.metresPerDegreeNorth,
      ],
    };
  }
}

const cell = (metres: number): number => Math.floor(metres / CELL_M);

function* ringOf(ring: number): Generator<[number, number]> {
  if (ring === 0) {
    yield [0, 0];
    return;
  }
  for (let step = -ring; step < ring; step++) {
    yield [step, -ring];
    yield [ring, step];
    yield [-step, ring];
    yield [-ring, -step];
  }
}
