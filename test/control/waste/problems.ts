import type { Chance } from "#protocol/ports.ts";
import type { Problem } from "#control/waste/rounds/problem.ts";

export interface Spot {
  readonly x: number;
  readonly y: number;
}

export interface Shape {
  readonly depot: Spot;
  readonly tip: Spot;
  readonly stops: readonly Spot[];
  readonly load: number;
  readonly capacity: number;
  readonly vehicles: number;
  readonly shift_s?: number;
  readonly tip_s?: number;
  readonly price_s?: number;
}

const time = (a: Spot, b: Spot): number => Math.round(Math.hypot(a.x - b.x, a.y - b.y));

/** A problem on a plane: a second a metre, one tipping site, alike vehicles. */
export function planar(shape: Shape): Problem {
  const places = [shape.depot, ...shape.stops];
  return {
    stops: shape.stops.map(() => ({ load: shape.load, service_s: 0, stream: 0, price_s: shape.price_s ?? 1_000_000 })),
    vehicles: Array.from({ length: shape.vehicles }, () => ({
      capacity: shape.capacity,
      shift_s: shape.shift_s ?? 1e9,
      streams: [0],
    })),
    direct: places.map((from) => places.map((to) => time(from, to))),
    tipping: places.map((from) => places.map((to) => time(from, shape.tip) + (shape.tip_s ?? 0) + time(shape.tip, to))),
  };
}

/** Stops strewn over a square kilometre with loads from 1 to 10, two streams, vehicles of two sizes. */
export function strewn(count: number, chance: Chance): Problem {
  const spot = (): Spot => ({ x: chance.next() * 1000, y: chance.next() * 1000 });
  const plain = planar({
    depot: spot(),
    tip: spot(),
    stops: Array.from({ length: count }, spot),
    load: 1,
    capacity: 20,
    vehicles: 3,
    tip_s: 100,
  });
  return {
    ...plain,
    stops: plain.stops.map(() => ({
      load: 1 + Math.floor(chance.next() * 10),
      service_s: Math.floor(chance.next() * 60),
      stream: chance.next() < 0.5 ? 0 : 1,
      price_s: 200 + Math.floor(chance.next() * 2000),
    })),
    vehicles: [
      { capacity: 20, shift_s: 6000, streams: [0, 1] },
      { capacity: 40, shift_s: 8000, streams: [0] },
      { capacity: 20, shift_s: 6000, streams: [0, 1] },
    ],
  };
}
