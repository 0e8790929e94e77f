import { describe, expect, test } from "vitest";
import * as fc from "fast-check";
import type { RoadStreet } from "#control/roads.ts";
import { path, roadGraph, travelTimes } from "#control/roads.ts";
import { seededChance } from "#protocol/chance.ts";
import type { LonLat } from "#protocol/territory.ts";

/** Metres east and north of a point on the equator. */
const at = (east_m: number, north_m = 0): LonLat => [east_m / 111_195, north_m / 111_195];
const street = (line: readonly LonLat[], change: Partial<RoadStreet> = {}): RoadStreet => ({
  line,
  highway: "residential",
  speed_kmh: 36,
  oneWay: false,
  ...change,
});

// 36 km/h is 10 m/s; vehicles get 0.7 of it: 700 m take 100 s.
describe("driving times", () => {
  const square = [at(0), at(700), at(700, 700), at(0, 700), at(0)];

  test("along a straight street of 700 m at 36 km/h are 100 s", () => {
    const graph = roadGraph([street([at(0), at(700)])]);
    expect(travelTimes(graph, [at(0), at(700), at(350, 12)])).toEqual([
      [0, 100, 50],
      [100, 0, 50],
      [50, 50, 0],
    ]);
  });

  test("on a one-way ring go round: 700 m one way are 2,100 m back", () => {
    const graph = roadGraph([street(square, { oneWay: true })]);
    const [there, back] = travelTimes(graph, [at(0), at(700)]);
    expect([there?.[1], back?.[0]]).toEqual([100, 300]);
  });

  test("within one one-way street, what lies behind is a whole round away", () => {
    const graph = roadGraph([street(square, { oneWay: true })]);
    // 350 m ahead, or the ring's 2,800 m less these.
    expect(travelTimes(graph, [at(0, 600), at(0, 250)])[0]?.[1]).toBe(50);
    expect(travelTimes(graph, [at(0, 250), at(0, 600)])[0]?.[1]).toBe(350);
  });

  test("turn off where streets share a vertex, and nowhere else", () => {
    const crossing = [street([at(0), at(350), at(700)]), street([at(350), at(350, 350)])];
    expect(travelTimes(roadGraph(crossing), [at(0), at(350, 350)])[0]?.[1]).toBe(100);
    const bridge = [
      street([at(0), at(700)]),
      street([at(350, -350), at(350, 350)]),
      street([at(700), at(700, 350), at(350, 350)]),
    ];
    expect(travelTimes(roadGraph(bridge), [at(350, -350), at(350, 10), at(0)])[0]?.[2]).toBe(
      350 / 7 + 350 / 7 + 50 + 50 + 100,
    );
  });

  test("do not lead through a footway, nor into a street of no return", () => {
    const streets = [
      street(square),
      street([at(0), at(700, 700)], { highway: "footway" }),
      street([at(700), at(1400)], { oneWay: true }),
    ];
    const times = travelTimes(roadGraph(streets), [at(0), at(700, 700), at(1390, 3)]);
    expect(times[0]?.[1]).toBe(200);
    // The point at the end of the street of no return is served from the ring's nearest corner.
    expect(times[2]?.[0]).toBe(100);
  });

  test("between a town and its island stay finite", () => {
    const graph = roadGraph([street(square), street([at(5000), at(5700)])]);
    for (const row of travelTimes(graph, [at(0), at(5400), at(700)])) expect(row.every(Number.isFinite)).toBe(true);
  });

  test("without streets are as the crow flies at 5 m/s", () => {
    expect(travelTimes(roadGraph([]), [at(0), at(500)])).toEqual([
      [0, 100],
      [100, 0],
    ]);
  });
});

describe("on any town of crooked blocks", () => {
  const town = (seed: number): RoadStreet[] => {
    const chance = seededChance(seed);
    const size = 6;
    const vertex = Array.from({ length: size * size }, (_, index) =>
      at((index % size) * 120 + chance.next() * 40, Math.floor(index / size) * 120 + chance.next() * 40),
    );
    const row = (index: number) => vertex.slice(index * size, index * size + size);
    const column = (index: number) => vertex.filter((_, each) => each % size === index);
    return Array.from({ length: size }, (_, index) => [
      street(row(index), { oneWay: chance.next() < 0.4, speed_kmh: 20 + Math.floor(chance.next() * 40) }),
      street(column(index), { oneWay: chance.next() < 0.4 }),
    ]).flat();
  };
  const point = fc
    .tuple(fc.integer({ min: -50, max: 700 }), fc.integer({ min: -50, max: 700 }))
    .map(([x, y]) => at(x, y));

  test("no way is longer than by way of a third place (to the rounding of whole seconds)", () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(point, { minLength: 3, maxLength: 12 }), (seed, points) => {
        const times = travelTimes(roadGraph(town(seed)), points);
        for (const [a] of points.entries())
          for (const [b] of points.entries())
            for (const [c] of points.entries()) {
              expect(times[a]?.[c]).toBeLessThanOrEqual((times[a]?.[b] ?? 0) + (times[b]?.[c] ?? 0) + 1);
            }
      }),
      { numRuns: 60 },
    );
  });

  test("the same streets in another order give the same times, to the second", () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(point, { minLength: 2, maxLength: 8 }), (seed, points) => {
        const streets = town(seed);
        const there = travelTimes(roadGraph(streets), points).flat();
        const reversed = travelTimes(roadGraph(streets.toReversed()), points).flat();
        there.forEach((time, index) => expect(Math.abs(time - (reversed[index] ?? 0))).toBeLessThanOrEqual(1));
      }),
      { numRuns: 40 },
    );
  });

  test("the drawn path is as long as it is driven: from vertex to vertex along streets, the right way round", () => {
    fc.assert(
      fc.property(fc.integer(), point, point, (seed, a, b) => {
        const streets = town(seed).map((each) => ({ ...each, speed_kmh: 36 }));
        const graph = roadGraph(streets);
        const line = path(graph, a, b);
        let metres = 0;
        for (let index = 1; index < line.length; index++) {
          const [from, to] = [line[index - 1] as LonLat, line[index] as LonLat];
          metres += Math.hypot(to[0] - from[0], to[1] - from[1]) * 111_195;
        }
        expect(Math.abs(metres / 7 - (travelTimes(graph, [a, b])[0]?.[1] ?? 0))).toBeLessThan(1);
      }),
      { numRuns: 100 },
    );
  });
});
