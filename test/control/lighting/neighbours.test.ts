import { expect, test } from "vitest";
import { distanceAlong, neighbours } from "#control/lighting/neighbours.ts";
import type { LonLat } from "#protocol/territory.ts";

/** At the equator a thousandth of a degree is 111.2 m. */
const at = (east_m: number, north_m = 0): LonLat => [east_m / 111_195, north_m / 111_195];
const lamp = (id: string, position: LonLat) => ({ id, position });

test("of lamps every 30 m, those within 60 m of the passage light: two behind, two ahead and the one above", () => {
  const lamps = [0, 30, 60, 90, 120, 150].map((metres) => lamp(`L${metres}`, at(metres, 4)));
  expect(neighbours(lamps, [at(0), at(200)], at(60)).map((each) => each.id)).toEqual([
    "L60",
    "L30",
    "L90",
    "L0",
    "L120",
  ]);
});

test("a lamp across the block, near as the crow flies but far along a street that bends, stays dark", () => {
  const line = [at(0), at(100), at(100, 40), at(0, 40)];
  expect(distanceAlong(line, at(10), at(10, 40))).toBeCloseTo(90 + 40 + 90);
  expect(neighbours([lamp("across", at(10, 38))], line, at(10))).toEqual([]);
});

test("a lamp that stands far beside its street's line is measured straight", () => {
  expect(distanceAlong([at(0), at(100)], at(50, 80), at(50))).toBeCloseTo(80, 1);
});
