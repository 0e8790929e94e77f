import { expect, test } from "vitest";
import { seededChance } from "#protocol/chance.ts";
import { parseTerritory } from "#protocol/territory.ts";
import type { Luminaire } from "#protocol/territory.ts";
import { HOUR, instant } from "#protocol/units.ts";
import { virtualClock } from "#rehearsal/clock.ts";
import { parseFaults } from "#simulators/faults.ts";
import { generateTown } from "#simulators/generate.ts";
import { simulatedHardware } from "#simulators/hardware.ts";
import { Lamp } from "#simulators/lamp.ts";
import { createWorld } from "#simulators/world.ts";

const start = instant(Date.UTC(2026, 10, 10, 5));
const territory = parseTerritory(generateTown({ seed: 1 }));
const luminaire = { id: "L1", power_W: 40 } as Luminaire;

test("a lamp at full level for ten hours uses its power times ten hours, and less by the second it takes to fade", () => {
  const lamp = new Lamp(luminaire, seededChance(1), start);
  lamp.write("level", 1, start);
  const full_W = lamp.powerAt(start + 5000);
  expect(full_W).toBeGreaterThan(40 * 0.97);
  expect(full_W).toBeLessThan(40 * 1.03);
  const fade_s = 1;
  const most_kWh = (full_W * 10) / 1000;
  const used = lamp.energy_kWh(start + 10 * HOUR);
  expect(used).toBeLessThan(most_kWh);
  expect(used).toBeGreaterThan(most_kWh - (full_W * fade_s) / 3.6e6);
});

test("a failed lamp gives no light and takes standby power until it is mended", () => {
  const lamp = new Lamp(luminaire, seededChance(1), start);
  lamp.write("level", 1, start);
  lamp.fail(start + HOUR, start + 2 * HOUR);
  expect(lamp.levelAt(start + 1.5 * HOUR)).toBe(0);
  expect(lamp.read("power_W", start + 1.5 * HOUR)).toBeLessThan(1);
  expect(lamp.levelAt(start + 3 * HOUR)).toBe(1);
});

test("a day in the street has few people at night, sensors that miss 5 to 15 %, and is the same from the same seed", async () => {
  const day = async (seed: number): Promise<{ figures: string; missed: number; footfall: readonly number[] }> => {
    const clock = virtualClock(start);
    const world = createWorld({ territory, seed, now: start, observer: {}, moved: () => {} });
    const stop = world.startPeople(clock);
    await clock.run(instant(start + 24 * HOUR));
    stop();
    const figures = world.figures(clock.now());
    return {
      figures: JSON.stringify(figures),
      missed: 1 - figures.sensed / figures.passages,
      footfall: world.people.footfall(),
    };
  };
  const [once, again, other] = [await day(1), await day(1), await day(2)];
  expect(again.figures).toBe(once.figures);
  expect(other.figures).not.toBe(once.figures);
  expect(once.missed).toBeGreaterThan(0.05);
  expect(once.missed).toBeLessThan(0.15);
  // The day begins at 6 h local: five hours from noon against five from midnight.
  const sum = (from: number): number => once.footfall.slice(from, from + 5).reduce((total, each) => total + each, 0);
  expect(sum(6)).toBeGreaterThan(10 * sum(18));
});

test("a container fills by the hour alone, whoever looks, and says when it overflows", () => {
  const overflows: string[] = [];
  const observer = { overflow: (_: number, id: string) => overflows.push(id) };
  const seen = createWorld({ territory, seed: 4, now: start, observer, moved: () => {} });
  const unseen = createWorld({ territory, seed: 4, now: start, observer: {}, moved: () => {} });
  for (let hour = 1; hour <= 96; hour++) seen.advanceContainers(start + hour * HOUR);
  unseen.advanceContainers(start + 96 * HOUR);
  for (const [id, { fill }] of seen.containers) expect(unseen.containers.get(id)?.fill).toBeCloseTo(fill, 9);
  const full = [...seen.containers.values()].filter(({ fill }) => fill >= 1).map(({ feature }) => feature.id);
  expect(overflows.sort()).toEqual(full.sort());
});

test("what is saved is what goes on", () => {
  const before = createWorld({ territory, seed: 4, now: start, observer: {}, moved: () => {} });
  before.lamps.forEach((lamp) => lamp.write("level", 1, start));
  before.advanceContainers(start + 5 * HOUR);
  const text = JSON.stringify(before.save(start + 5 * HOUR));
  const after = createWorld({ territory, seed: 4, now: start + 5 * HOUR, observer: {}, moved: () => {} });
  after.restore(JSON.parse(text));
  expect(JSON.stringify(after.save(start + 5 * HOUR)) === text).toBe(true);
  expect(after.figures(start + 6 * HOUR).energy_kWh).toBeCloseTo(before.figures(start + 6 * HOUR).energy_kWh, 9);
});

test("a stuck sensor keeps its value and a silent one says nothing, and neither is heard", () => {
  const clock = virtualClock(start);
  let value = 1;
  const wiring = simulatedHardware(new Map([["P1", { read: () => value }]]), clock, clock);
  const heard: string[] = [];
  wiring.watch((device) => heard.push(device));
  wiring.ail("P1", "stuck", true);
  expect(wiring.read("P1", "passes")).toBe(1);
  value = 2;
  wiring.moved("P1", "passes");
  expect(wiring.read("P1", "passes")).toBe(1);
  wiring.ail("P1", "silent", true);
  expect(wiring.read("P1", "passes")).toBeUndefined();
  expect(heard).toEqual([]);
  wiring.ail("P1", "silent", false);
  wiring.ail("P1", "stuck", false);
  wiring.moved("P1", "passes");
  expect(wiring.read("P1", "passes")).toBe(2);
  expect(heard).toEqual(["P1"]);
});

test("a fault schedule is sorted, and a wrong line is named", () => {
  const faults = [
    { at_s: 60, kind: "server-killed", for_s: 10 },
    { at_s: 5, kind: "sensor-stuck", for_s: 10, target: "C01" },
  ];
  expect(parseFaults(faults, territory).map(({ at_s }) => at_s)).toEqual([5, 60]);
  expect(() => parseFaults([{ at_s: 1, kind: "earthquake", for_s: 1 }])).toThrow(/\[0\]\.kind.*earthquake/);
  expect(() => parseFaults([{ at_s: 1, kind: "lamp-failed", for_s: 1, target: "L999" }], territory)).toThrow(/L999/);
});
