import { expect, test } from "vitest";
import { parseTerritory } from "#protocol/territory.ts";
import type { Junction } from "#protocol/territory.ts";
import { instant } from "#protocol/units.ts";
import { crossing } from "#simulators/crossing.ts";
import { watchJunction } from "#simulators/junction-watch.ts";

const junction = parseTerritory(crossing()).junctions[0] as Junction;
const NORTH = 0b0001;
const EAST = 0b0010;
const VEHICLES = 0b1111;
const P_NORTH = 1 << 4;

function shown(...changes: [at_s: number, greens: number, ambers: number][]): string[] {
  const watch = watchJunction(junction);
  return changes.flatMap(([at_s, greens, ambers]) =>
    watch.changed(instant(at_s * 1000), greens, ambers).map(({ text }) => text),
  );
}

test("a proper change is no violation", () => {
  expect(shown([0, NORTH, 0], [10, 0, NORTH], [13, 0, 0], [15, EAST, 0])).toEqual([]);
});

test("conflicting greens are seen, whichever came first", () => {
  expect(shown([0, NORTH, 0], [10, NORTH | EAST, 0])).toEqual(["J1: v-east is green while v-north is green"]);
  expect(shown([0, EAST, 0], [10, NORTH | EAST, 0])).toEqual(["J1: v-east is green while v-north is green"]);
});

test("a green against an amber is seen", () => {
  expect(shown([0, NORTH, 0], [10, 0, NORTH], [12, EAST, NORTH])).toContain(
    "J1: v-east is green while v-north is amber",
  );
});

test("an intergreen that is too short is seen, with how short", () => {
  expect(shown([0, NORTH, 0], [10, 0, NORTH], [13, 0, 0], [14, EAST, 0])).toEqual([
    "J1: v-east became green 4 s after v-north ended, 5 s are due",
  ]);
});

test("vehicles that start while pedestrians are still clearing are seen", () => {
  expect(shown([0, P_NORTH, 0], [10, 0, P_NORTH], [16, 0, 0], [17, NORTH, 0])).toEqual([
    "J1: v-north became green 7 s after p-north ended, 8 s are due",
  ]);
});

test("a green that is cut before its minimum is seen", () => {
  expect(shown([0, NORTH, 0], [5.5, 0, NORTH])).toEqual(["J1: v-north was green for 5.5 s, at least 6 s are due"]);
});

test("flashing may begin at any moment, but from it greens come only after the intergreen", () => {
  expect(shown([0, NORTH, 0], [3, 0, VEHICLES], [20, 0, 0])).toEqual([]);
  expect(shown([0, NORTH, 0], [3, 0, VEHICLES], [5, 0, 0], [6, EAST, 0])).toHaveLength(1);
});
