import type { Street } from "#protocol/territory.ts";
import type { SeededChance } from "#protocol/chance.ts";
import { uniform } from "../draws.ts";
import type { XY } from "../geometry.ts";
import { distance, lengthOf } from "../geometry.ts";
import { AVENUES, BOULEVARDS, DEAD_ENDS, HIGH_STREETS, LANES, RESIDENTIAL, SQUARES, dealer } from "./names.ts";

/** A street as it is drawn, in metres around the market place. */
export interface PlannedStreet {
  readonly name: string;
  readonly highway: Street["highway"];
  readonly line: readonly XY[];
  /** 0: the old town; s + 1: the quarter between radial s and the next. */
  readonly quarter: number;
  readonly lit: boolean;
  readonly oneWay: boolean;
}

export interface Plan {
  readonly streets: readonly PlannedStreet[];
  readonly rings: readonly { readonly quarter: number; readonly ring: readonly XY[] }[];
  /** Where boulevard and radials meet, the busiest first. */
  readonly gates: readonly XY[];
}

/** Blocks are about so deep and wide, in metres; a river bed is kept free of all but the through roads. */
const BLOCK = { depth: 82, width: 92 };
const RIVER_WIDTH = 36;

/**
 * Draws a town of `radius` metres the way many French ones have grown: a market place, lanes inside a boulevard where
 * the walls stood, radial roads out of its gates, and between them quarters each laid out by itself, so that streets
 * meet the radials in T-junctions. A smooth bend of the whole plane takes the geometry out of it; a river cuts it.
 */
export function drawPlan(chance: SeededChance, radius: number): Plan {
  return new Draughtsman(chance, radius).draw();
}

interface Quarter {
  readonly index: number;
  /** Distances from the centre of its rungs on the radial at its start and at its end. */
  readonly rungs: { readonly from: number; readonly to: number; readonly joints: Set<number> }[];
}

class Draughtsman {
  private readonly chance: SeededChance;
  private readonly radius: number;
  private readonly radials: number;
  private readonly turn: number;
  private readonly wallRadius: number;
  private readonly streets: PlannedStreet[] = [];
  private readonly joints: Set<number>[];
  private readonly phases: readonly number[];
  private readonly names;

  constructor(chance: SeededChance, radius: number) {
    this.chance = chance;
    this.radius = radius;
    this.radials = radius < 650 ? 5 : radius < 1400 ? 6 : 7;
    this.turn = uniform(chance.branch("turn"), 0, Math.PI * 2);
    this.wallRadius = Math.max(105, Math.min(0.36 * radius, 420));
    this.joints = Array.from({ length: this.radials }, () => new Set<number>());
    const waves = chance.branch("waves");
    this.phases = Array.from({ length: 12 }, () => uniform(waves, 0, Math.PI * 2));
    const deal = chance.branch("names");
    const next = (): number => deal.next();
    this.names = {
      avenue: dealer(AVENUES, next),
      high: dealer(HIGH_STREETS, next),
      boulevard: dealer(BOULEVARDS, next),
      lane: dealer(LANES, next),
      residential: dealer(RESIDENTIAL, next),
      deadEnd: dealer(DEAD_ENDS, next),
      square: dealer(SQUARES, next),
    };
  }

  draw(): Plan {
    const quarters = Array.from({ length: this.radials }, (_, index) => this.quarter(index));
    this.oldTown();
    for (const quarter of quarters) this.layOut(quarter);
    this.boulevard(quarters);
    this.radialRoads();
    return {
      streets: this.connected(this.streets),
      rings: this.outlines(quarters),
      gates: Array.from({ length: this.radials }, (_, index) => this.bend(this.onRadial(index, this.wall(index)))),
    };
  }

  /** The direction of a radial, which wanders a little on its way out. */
  private angle(radial: number, out: number): number {
    const spread = (Math.PI * 2) / this.radials;
    const own = this.chance.branch(`radial ${radial % this.radials}`);
    const shift = uniform(own, -0.24, 0.24) * spread;
    const wander = uniform(own, 0.05, 0.13) * Math.sin(out / uniform(own, 90, 150) + uniform(own, 0, 6));
    return this.turn + radial * spread + shift + wander;
  }

  private onRadial(radial: number, out: number): XY {
    const angle = this.angle(radial, out);
    return [Math.cos(angle) * out, Math.sin(angle) * out];
  }

  private wall(radial: number): number {
    const own = this.chance.branch(`wall ${radial % this.radials}`);
    return this.wallRadius * uniform(own, 0.88, 1.14);
  }

  /** The point at share `t` of the way between the radials of a quarter, on the arc from distance `from` to `to`. */
  private onRung(quarter: number, from: number, to: number, t: number): XY {
    if (t <= 0) return this.onRadial(quarter, from);
    if (t >= 1) return this.onRadial(quarter + 1, to);
    const a = this.angle(quarter, from);
    const b = this.angle(quarter + 1, to);
    const angle = a + (b - a) * t;
    // Between arc and chord: streets of a quarter are nearly straight.
    const arc = from + (to - from) * t;
    const sag = Math.cos((b - a) / 2) / Math.cos((b - a) * (t - 0.5));
    const out = arc * (0.45 + 0.55 * sag);
    return [Math.cos(angle) * out, Math.sin(angle) * out];
  }

  private quarter(index: number): Quarter {
    const own = this.chance.branch(`quarter ${index}`);
    const depth = BLOCK.depth * uniform(own, 0.86, 1.15);
    const extent = this.radius * uniform(own, 0.72, 1.18);
    const start = [this.wall(index), this.wall(index + 1)] as const;
    const offset = [uniform(own, 0.75, 1.3) * depth, uniform(own, 0.75, 1.3) * depth] as const;
    const rungs = [{ from: start[0], to: start[1], joints: new Set<number>() }];
    for (let step = 0; Math.max(start[0], start[1]) + offset[0] + step * depth < extent; step++) {
      const from = start[0] + offset[0] + step * depth * uniform(own, 0.94, 1.06);
      const to = start[1] + offset[1] + step * depth * uniform(own, 0.94, 1.06);
      rungs.push({ from, to, joints: new Set<number>() });
    }
    return { index, rungs };
  }

  private layOut(quarter: Quarter): void {
    const own = this.chance.branch(`lay-out ${quarter.index}`);
    this.rails(quarter, own);
    this.deadEnds(quarter, own);
    for (const [order, rung] of quarter.rungs.entries()) {
      if (order === 0) continue;
      const collector = order % 4 === 0;
      const ts = [0, ...[...rung.joints].sort((a, b) => a - b), 1];
      this.joints[quarter.index]?.add(rung.from);
      this.joints[(quarter.index + 1) % this.radials]?.add(rung.to);
      const pieces: number[][] = [[0]];
      for (let cell = 1; cell < ts.length; cell++) {
        // Here and there a block was never cut through.
        const missing = !collector && order > 1 && ts.length > 3 && own.next() < 0.14;
        if (missing) pieces.push([]);
        pieces.at(-1)?.push(ts[cell] as number);
      }
      for (const piece of pieces.flatMap((each) => inParts(each, collector ? 9 : 6))) {
        const points = piece.map((t) => this.onRung(quarter.index, rung.from, rung.to, t));
        const oneWay = !collector && own.next() < 0.28;
        this.add(collector ? "tertiary" : "residential", this.names.residential(), points, quarter.index + 1, oneWay);
      }
    }
  }

  /** Streets that lead outwards from rung to rung, twice as many whenever the blocks have become twice as wide. */
  private rails(quarter: Quarter, own: SeededChance): void {
    const open = new Map<number, { points: XY[] }>();
    for (let order = 0; order + 1 < quarter.rungs.length; order++) {
      const inner = quarter.rungs[order] as Quarter["rungs"][number];
      const outer = quarter.rungs[order + 1] as Quarter["rungs"][number];
      const width = distance(
        this.onRung(quarter.index, inner.from, inner.to, 0),
        this.onRung(quarter.index, inner.from, inner.to, 1),
      );
      const cells = 2 ** Math.max(1, Math.round(Math.log2(width / BLOCK.width)));
      for (let cell = 1; cell < cells; cell++) {
        const place = cell / cells;
        if (own.next() < 0.13) {
          this.rail(quarter, open.get(place)?.points);
          open.delete(place);
          continue;
        }
        const t = place + uniform(this.chance.branch(`rail ${quarter.index} ${place}`), -0.2, 0.2) / cells;
        inner.joints.add(t);
        outer.joints.add(t);
        const street = open.get(place) ?? { points: [this.onRung(quarter.index, inner.from, inner.to, t)] };
        street.points.push(this.onRung(quarter.index, outer.from, outer.to, t));
        open.set(place, street);
        if (street.points.length > 7) {
          this.rail(quarter, street.points);
          open.delete(place);
        }
      }
    }
    for (const { points } of open.values()) this.rail(quarter, points);
  }

  private rail(quarter: Quarter, points: XY[] | undefined): void {
    if (points === undefined) return;
    this.add("residential", this.names.residential(), points, quarter.index + 1, false);
  }

  private deadEnds(quarter: Quarter, own: SeededChance): void {
    const last = quarter.rungs.at(-1);
    if (last === undefined || quarter.rungs.length < 2) return;
    const width = distance(
      this.onRung(quarter.index, last.from, last.to, 0),
      this.onRung(quarter.index, last.from, last.to, 1),
    );
    const many = Math.floor(width / 120);
    for (let each = 0; each < many; each++) {
      const t = (each + uniform(own, 0.35, 0.65)) / many;
      last.joints.add(t);
      const start = this.onRung(quarter.index, last.from, last.to, t);
      const out = Math.hypot(start[0], start[1]);
      const skew = uniform(own, -0.35, 0.35);
      const reach = uniform(own, 38, 72);
      const unit: XY = [start[0] / out, start[1] / out];
      const middle: XY = [start[0] + unit[0] * reach * 0.5, start[1] + unit[1] * reach * 0.5];
      const end: XY = [
        middle[0] + (unit[0] - unit[1] * skew) * reach * 0.5,
        middle[1] + (unit[1] + unit[0] * skew) * reach * 0.5,
      ];
      this.add("residential", this.names.deadEnd(), [start, middle, end], quarter.index + 1, false);
    }
  }

  private oldTown(): void {
    const own = this.chance.branch("old town");
    const square = Array.from({ length: this.radials }, (_, index) => this.onRadial(index, this.square(index)));
    const closed = [...square, square[0] as XY];
    this.add("living_street", this.names.square(), closed, 0, false);
    for (let index = 0; index < this.radials; index++) {
      const depth = [uniform(own, 0.52, 0.66), uniform(own, 0.52, 0.66)] as const;
      const from = this.wall(index) * depth[0];
      const to = this.wall(index + 1) * depth[1];
      if (own.next() < 0.2) continue;
      this.joints[index]?.add(from);
      this.joints[(index + 1) % this.radials]?.add(to);
      const t = uniform(own, 0.4, 0.6);
      const lane = [0, t, 1].map((each) => this.onRung(index, from, to, each));
      this.add(own.next() < 0.3 ? "pedestrian" : "living_street", this.names.lane(), lane, 0, own.next() < 0.5);
      this.lane(index, t, lane[1] as XY);
    }
  }

  /** From the middle of a lane out to the boulevard: the postern. */
  private lane(quarter: number, t: number, start: XY): void {
    this.posterns.push({ quarter, t });
    const end = this.onRung(quarter, this.wall(quarter), this.wall(quarter + 1), t);
    this.add("living_street", this.names.lane(), [start, end], 0, false);
  }
  private readonly posterns: { quarter: number; t: number }[] = [];

  private square(radial: number): number {
    return uniform(this.chance.branch(`square ${radial % this.radials}`), 22, 36);
  }

  private boulevard(quarters: readonly Quarter[]): void {
    const names = [this.names.boulevard(), this.names.boulevard(), this.names.boulevard()];
    let line: XY[] = [];
    let part = 0;
    for (const { index, rungs } of quarters) {
      const wall = rungs[0] as Quarter["rungs"][number];
      const posterns = this.posterns.filter((each) => each.quarter === index).map(({ t }) => t);
      const ts = [...wall.joints, ...posterns, ...(line.length === 0 ? [0] : []), 1].sort((a, b) => a - b);
      line.push(...ts.map((t) => this.onRung(index, wall.from, wall.to, t)));
      this.joints[index]?.add(wall.from);
      if ((index + 1) % 2 === 0 || index === quarters.length - 1) {
        this.add("secondary", names[part++ % 3] as string, line, 0, false);
        line = [line.at(-1) as XY];
      }
    }
  }

  private radialRoads(): void {
    const through = [0, Math.floor(this.radials / 2)];
    for (let index = 0; index < this.radials; index++) {
      const wall = this.wall(index);
      const start = this.square(index);
      const lit = Math.max(...(this.joints[index] as Set<number>), wall + 60);
      const end = Math.max(lit, this.radius) + uniform(this.chance.branch(`end ${index}`), 60, 130);
      const outs = [...(this.joints[index] as Set<number>)].sort((a, b) => a - b);
      const draw = (from: number, to: number): XY[] =>
        [from, ...outs.filter((out) => out > from && out < to), to].map((out) => this.onRadial(index, out));
      this.add("living_street", this.names.high(), draw(start, wall), 0, false);
      const highway = through.includes(index) ? "secondary" : "tertiary";
      const avenue = this.names.avenue();
      for (const part of inParts(
        outs.filter((out) => out >= wall),
        12,
      )) {
        const name = part[0] === wall ? avenue : this.names.avenue();
        if (part.length > 1)
          this.add(
            highway,
            name,
            part.map((out) => this.onRadial(index, out)),
            index + 1,
            false,
          );
      }
      this.add(highway, avenue.replace(/^Avenue/, "Route"), draw(lit, end), index + 1, false, false);
    }
  }

  private add(
    highway: Street["highway"],
    name: string,
    points: readonly XY[],
    quarter: number,
    oneWay: boolean,
    lit = true,
  ): void {
    const major = highway === "secondary" || highway === "tertiary";
    for (const dry of major ? [points] : this.outsideRiver(points)) {
      if (dry.length < 2 || lengthOf(dry) < 18) continue;
      this.streets.push({ name, highway, line: this.curve(dry), quarter, lit, oneWay });
    }
  }

  /** Cuts a street where it would run through the river; what is left ends at the bank. */
  private outsideRiver(points: readonly XY[]): XY[][] {
    const parts: XY[][] = [[]];
    for (const [index, point] of points.entries()) {
      const before = points[index - 1];
      if (before !== undefined && this.wet(before, point) && parts.at(-1)?.length !== 0) parts.push([]);
      if (!this.inRiver(point)) parts.at(-1)?.push(point);
    }
    return parts;
  }

  private wet(a: XY, b: XY): boolean {
    for (let share = 0; share <= 1; share += 0.1) {
      if (this.inRiver([a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share])) return true;
    }
    return false;
  }

  private inRiver([x, y]: XY): boolean {
    const direction = this.turn + 0.7;
    const across = x * Math.cos(direction) + y * Math.sin(direction);
    const down = -x * Math.sin(direction) + y * Math.cos(direction);
    const bed = this.wallRadius * 1.55 + 26 * Math.sin(down / 130 + (this.phases[10] as number));
    return Math.abs(across - bed) < RIVER_WIDTH / 2;
  }

  /** Adds points each 22 m or so and bends them all with the plane; where two streets share a point they still do. */
  private curve(points: readonly XY[]): XY[] {
    const curved: XY[] = [this.bend(points[0] as XY)];
    for (let index = 1; index < points.length; index++) {
      const from = points[index - 1] as XY;
      const to = points[index] as XY;
      const parts = Math.max(1, Math.round(distance(from, to) / 22));
      for (let part = 1; part <= parts; part++) {
        const share = part / parts;
        const at: XY = part === parts ? to : [from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share];
        curved.push(this.bend(at));
      }
    }
    return curved;
  }

  private bend([x, y]: XY): XY {
    const [a, b, c, d, e, f] = this.phases as unknown as [number, number, number, number, number, number];
    return [
      x * 1.12 + 15 * Math.sin(y / 95 + a) + 7 * Math.sin((x + y) / 52 + b) + 22 * Math.sin(y / 310 + e),
      y * 0.93 + 15 * Math.sin(x / 105 + c) + 7 * Math.sin((x - y) / 47 + d) + 22 * Math.sin(x / 270 + f),
    ];
  }

  private outlines(quarters: readonly Quarter[]): { quarter: number; ring: XY[] }[] {
    const loop = (points: XY[]): XY[] => [...points, points[0] as XY].map((point) => this.bend(point));
    const steps = [0, 0.25, 0.5, 0.75];
    const old = quarters.flatMap(({ index, rungs: [wall] }) =>
      steps.map((t) => this.onRung(index, wall?.from ?? 0, wall?.to ?? 0, t)),
    );
    return [
      { quarter: 0, ring: loop(old) },
      ...quarters.map(({ index, rungs }) => {
        const wall = rungs[0] as Quarter["rungs"][number];
        const last = rungs.at(-1) as Quarter["rungs"][number];
        const inner = [...steps, 1].map((t) => this.onRung(index, wall.from, wall.to, t));
        const outer = [...steps, 1].map((t) => this.onRung(index, last.from + 90, last.to + 90, t)).toReversed();
        return { quarter: index + 1, ring: loop([...inner, ...outer]) };
      }),
    ];
  }

  /** Streets that a cut by the river left without a way to the market place are not built. */
  private connected(streets: readonly PlannedStreet[]): PlannedStreet[] {
    const key = ([x, y]: XY): string => `${x.toFixed(3)} ${y.toFixed(3)}`;
    const at = new Map<string, PlannedStreet[]>();
    for (const street of streets)
      for (const point of street.line) at.set(key(point), [...(at.get(key(point)) ?? []), street]);
    const reached = new Set<PlannedStreet>(streets.slice(0, 1));
    for (const street of reached)
      for (const point of street.line) for (const next of at.get(key(point)) ?? []) reached.add(next);
    return streets.filter((street) => reached.has(street));
  }
}

function inParts<T>(points: readonly T[], most: number): T[][] {
  const parts: T[][] = [];
  for (let start = 0; start < points.length - 1 || (start === 0 && points.length > 0); start += most) {
    parts.push(points.slice(start, start + most + 1));
    if (points.length === 1) break;
  }
  return parts;
}
