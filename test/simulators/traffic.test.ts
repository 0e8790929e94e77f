import { expect, test } from "vitest";
import { seededChance } from "#protocol/chance.ts";
import type { Junction, SignalGroup } from "#protocol/territory.ts";
import { parseTerritory } from "#protocol/territory.ts";
import { HOUR, instant } from "#protocol/units.ts";
import { crossing } from "#simulators/crossing.ts";
import { createJunctionTruth } from "#simulators/traffic.ts";
import { meanWait_s, waitQuantile_s, waitedOver } from "#simulators/waits.ts";

const territory = parseTerritory(crossing());
const junction = territory.junctions[0] as Junction;
const NORTH = 0b0001;

function truth(rate: (group: SignalGroup, at: number) => number, seed = 1) {
  return createJunctionTruth({
    junction,
    detectors: territory.detectors,
    buttons: territory.buttons,
    rate,
    chance: seededChance(seed),
    now: instant(0),
  });
}
const only = (id: string, perHour: number) => (group: SignalGroup) => (group.id === id ? perHour : 0);
const both = (group: SignalGroup): number => (/v-(north|east)/.test(group.id) ? 200 : 0);
const movement = (from: ReturnType<typeof truth>, id: string) => {
  const found = from.movements().find(({ group }) => group === id);
  if (found === undefined) throw new Error(id);
  return found;
};

test("as many vehicles come as the rate says, hour by hour", () => {
  const world = truth((group, at) => (group.id === "v-north" ? (Math.floor(at / HOUR) % 2 === 0 ? 600 : 60) : 0));
  world.greens(NORTH, 0, instant(0));
  const counts: number[] = [];
  for (let hour = 1; hour <= 40; hour++) {
    world.advanceTo(instant(hour * HOUR));
    counts.push(world.read("A-J1-north", "vehicles", instant(hour * HOUR)) as number);
  }
  const gained = counts.map((count, i) => count - (counts[i - 1] ?? 0));
  const sum = (parity: number) => gained.filter((_, i) => i % 2 === parity).reduce((a, b) => a + b, 0);
  // 20 hours of 600 and 20 of 60; Poisson's spread over the sum is its root, and three of them are allowed.
  expect(Math.abs(sum(0) - 12_000)).toBeLessThan(3 * Math.sqrt(12_000));
  expect(Math.abs(sum(1) - 1200)).toBeLessThan(3 * Math.sqrt(1200));
});

test("at green nobody waits, apart from a moment behind the one ahead", () => {
  const world = truth(only("v-north", 100));
  world.greens(NORTH, 0, instant(0));
  world.advanceTo(instant(10 * HOUR));
  expect(meanWait_s(movement(world, "v-north").waits)).toBeLessThan(0.2);
});

test("a queue leaves at saturation flow after 2 s of starting: 1800 veh/h is one in 2 s", () => {
  const world = truth(only("v-north", 1200));
  world.advanceTo(instant(600_000));
  const before = movement(world, "v-north");
  expect(before.waiting).toBeGreaterThan(150);
  world.greens(NORTH, 0, instant(600_000));
  world.advanceTo(instant(600_000 + 102_000));
  // The first at 2 s, then one in about 2 s: 51 within 102 s.
  expect(Math.abs(movement(world, "v-north").waits.served - 51)).toBeLessThanOrEqual(3);
});

test("at red nobody leaves, and in the first 2 s of amber the moving queue still does", () => {
  const world = truth(only("v-north", 1200));
  world.advanceTo(instant(600_000));
  world.greens(NORTH, 0, instant(600_000));
  world.greens(0, NORTH, instant(620_000));
  const atAmber = movement(world, "v-north").waits.served;
  world.greens(0, 0, instant(623_000));
  const atRed = movement(world, "v-north").waits.served;
  world.advanceTo(instant(700_000));
  expect(atRed - atAmber).toBeLessThanOrEqual(1);
  expect(movement(world, "v-north").waits.served).toBe(atRed);
});

test("the stop line is occupied while someone stands there", () => {
  const world = truth(only("v-north", 300));
  world.advanceTo(instant(120_000));
  expect(world.read("D-J1-north", "occupied", instant(120_000))).toBe(1);
  world.greens(NORTH, 0, instant(120_000));
  world.advanceTo(instant(200_000));
  expect(world.read("D-J1-north", "vehicles", instant(200_000))).toBeGreaterThan(5);
  expect(world.read("D-J1-east", "occupied", instant(200_000))).toBe(0);
});

test("occupancy is the share of the time since it was last read", () => {
  const world = truth(only("v-north", 3000));
  world.advanceTo(instant(60_000));
  world.read("D-J1-north", "occupancy", instant(60_000));
  world.advanceTo(instant(120_000));
  // At red a car stands on it all the time.
  expect(world.read("D-J1-north", "occupancy", instant(120_000))).toBe(1);
  expect(world.read("D-J1-east", "occupancy", instant(120_000))).toBe(0);
});

test("pedestrians press, wait together and go when it is green; the call is then off", () => {
  const world = truth(only("p-north", 60));
  const told: string[] = [];
  world.onDetector((device, measure) => told.push(`${device} ${measure}`));
  world.advanceTo(instant(600_000));
  expect(world.read("B-J1-north", "waiting", instant(600_000))).toBe(1);
  const waiting = movement(world, "p-north").waiting;
  world.greens(1 << 4, 0, instant(600_000));
  expect(movement(world, "p-north")).toMatchObject({ waiting: 0, waits: { served: waiting } });
  expect(world.read("B-J1-north", "waiting", instant(600_000))).toBe(0);
  expect(told.filter((each) => each === "B-J1-north waiting")).toHaveLength(2);
});

test("when flashing drivers find their way, about a quarter as many as at green", () => {
  const world = truth(only("v-north", 1500));
  world.greens(0, 0b1111, instant(0));
  world.advanceTo(instant(HOUR));
  expect(Math.abs(movement(world, "v-north").waits.served - 450)).toBeLessThan(25);
});

test("the same seed gives the same traffic, another seed another, and one group's does not move the other's", () => {
  const count = (rate: (group: SignalGroup) => number, seed: number): unknown => {
    const world = truth(rate, seed);
    world.advanceTo(instant(HOUR));
    return world.save();
  };
  expect(count(both, 7)).toEqual(count(both, 7));
  expect(count(both, 7)).not.toEqual(count(both, 8));
  expect((count(both, 7) as Record<string, number>)["A-J1-north"]).toBe(
    (count(only("v-north", 200), 7) as Record<string, number>)["A-J1-north"],
  );
});

test("counters go on where they were after a restart", () => {
  const before = truth(only("v-north", 300));
  before.advanceTo(instant(HOUR));
  const counted = before.save();
  const after = truth(only("v-north", 300), 2);
  after.restore(counted);
  expect(after.read("A-J1-north", "vehicles", instant(0))).toBe(counted["A-J1-north"]);
  after.advanceTo(instant(HOUR));
  expect(after.read("A-J1-north", "vehicles", instant(HOUR))).toBeGreaterThan(counted["A-J1-north"] as number);
});

test("waits keep their mean, quantiles and worst", () => {
  const world = truth(only("v-north", 200));
  // Everyone of the first hour waits for its end.
  world.advanceTo(instant(1_799_999));
  world.greens(NORTH, 0, instant(1_800_000));
  world.advanceTo(instant(HOUR));
  const { waits } = movement(world, "v-north");
  expect(waits.worst_s).toBeGreaterThan(1700);
  expect(waitQuantile_s(waits, 0.5)).toBeLessThan(waits.worst_s);
  expect(waitedOver(waits, 120)).toBeGreaterThan(40);
});
