import fc from "fast-check";
import { expect, test } from "vitest";
import { roadGraph, travelTimes } from "#control/roads.ts";
import { parseTerritory } from "#protocol/territory.ts";
import { generateTown } from "#simulators/generate.ts";

const towns = fc.record({
  seed: fc.integer({ min: 0, max: 1e6 }),
  lamps: fc.integer({ min: 60, max: 500 }),
  containers: fc.integer({ min: 0, max: 90 }),
});

test("the default town has 240 lamps, 60 containers, 6 signalled junctions, a depot with two vehicles and a tipping site", () => {
  const town = parseTerritory(generateTown({ seed: 1 }));
  expect(town.luminaires).toHaveLength(240);
  expect(town.containers).toHaveLength(60);
  expect(town.junctions).toHaveLength(6);
  expect(town.depots.map(({ vehicles }) => vehicles.length)).toEqual([2]);
  expect(town.tippingSites).toHaveLength(1);
  expect(town.presences.length).toBeGreaterThan(200);
});

test("every wish is met to the lamp and to the container, and parses", () => {
  fc.assert(
    fc.property(towns, (wish) => {
      const town = parseTerritory(generateTown(wish));
      expect(town.luminaires).toHaveLength(wish.lamps);
      expect(town.containers).toHaveLength(wish.containers);
    }),
    { numRuns: 25 },
  );
});

test("the same seed gives the same town, another seed another", () => {
  expect(JSON.stringify(generateTown({ seed: 7 }))).toBe(JSON.stringify(generateTown({ seed: 7 })));
  expect(JSON.stringify(generateTown({ seed: 7 }))).not.toBe(JSON.stringify(generateTown({ seed: 8 })));
});

test("from the depot every container can be driven to, and back", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), (seed) => {
      const town = parseTerritory(generateTown({ seed }));
      const points = [...town.depots, ...town.tippingSites, ...town.containers].map(({ position }) => position);
      expect(
        travelTimes(roadGraph(town.streets), points)
          .flat()
          .every((seconds) => Number.isFinite(seconds)),
      ).toBe(true);
    }),
    { numRuns: 8 },
  );
});

test("lamps stand 15 to 45 metres apart along their street, in the mean near 28", () => {
  const town = parseTerritory(generateTown({ seed: 3 }));
  const metres = (a: readonly [number, number], b: readonly [number, number]): number =>
    Math.hypot((a[0] - b[0]) * 111_320 * Math.cos((a[1] * Math.PI) / 180), (a[1] - b[1]) * 111_320);
  const gaps = town.luminaires.flatMap((lamp, index) => {
    const before = town.luminaires[index - 1];
    return before?.street === lamp.street ? [metres(before.position, lamp.position)] : [];
  });
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  expect(mean).toBeGreaterThan(23);
  expect(mean).toBeLessThan(33);
});

test("at a generated junction every group has a stage, and what conflicts has an intergreen in both orders", () => {
  for (const junction of parseTerritory(generateTown({ seed: 5, junctions: 12, lamps: 500 })).junctions) {
    const served = new Set(junction.stages.flatMap(({ groups }) => groups));
    expect([...served].sort()).toEqual(junction.groups.map(({ id }) => id).sort());
    const known = new Set(junction.intergreens.map(({ from, to }) => `${from} ${to}`));
    for (const [a, b] of junction.conflicts) {
      expect(known.has(`${a} ${b}`) && known.has(`${b} ${a}`), `${junction.id} ${a} ${b}`).toBe(true);
    }
  }
});
