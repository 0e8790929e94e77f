import { expect, test } from "vitest";
import { parseTerritory } from "#protocol/territory.ts";
import { HOUR, instant } from "#protocol/units.ts";
import { virtualClock } from "#rehearsal/clock.ts";
import { generateTown } from "#simulators/generate.ts";
import { createWorld } from "#simulators/world.ts";

const start = instant(Date.UTC(2026, 5, 9, 5));

/** A generated town in which the loops at the stop lines are cameras. */
const filmed = (() => {
  const file = generateTown({ seed: 1 });
  const features = file.features.map((feature) =>
    feature.properties["kind"] === "loop" && feature.properties["place"] === "stop-line"
      ? { ...feature, properties: { ...feature.properties, kind: "camera" } }
      : feature,
  );
  return parseTerritory({ ...file, features });
})();
const cameras = filmed.detectors.filter(({ kind }) => kind === "camera");

async function day(seed = 1) {
  const clock = virtualClock(start);
  const world = createWorld({ territory: filmed, seed, now: start, observer: {}, moved: () => {} });
  world.startPeople(clock);
  world.startTraffic(clock);
  // At flashing amber everyone finds their own way.
  for (const { id, groups } of filmed.junctions) {
    const vehicles = groups.reduce((mask, { kind }, i) => mask + (kind === "vehicle" ? 2 ** i : 0), 0);
    world.instruments.get(id)?.write?.("ambers", vehicles, start);
  }
  const read = () =>
    cameras.map(({ id }) =>
      ["bicycles", "pedestrians"].map((measure) => world.instruments.get(id)?.read(measure, clock.now()) ?? -1),
    );
  await clock.run(instant(start + 12 * HOUR));
  return { world, now: clock.now(), read };
}

test("cameras count those who cycle across a junction and those who cross on foot before them, the same from the same seed", async () => {
  const [once, again, other] = [await day(), await day(), await day(2)];
  const counted = once.read();
  const sum = (column: number) => counted.reduce((total, each) => total + (each[column] as number), 0);
  expect(sum(0)).toBeGreaterThan(cameras.length);
  // Nobody crosses one junction more than once, and most trips cross few of them.
  expect(sum(0)).toBeLessThan(once.world.people.trips.bicycle * filmed.junctions.length);
  expect(again.read()).toEqual(counted);
  expect(other.read()).not.toEqual(counted);
  // On foot: at each zebra the movement itself says how many went.
  for (const { id, junction, approach } of cameras) {
    const truth = once.world.junctions.get(junction);
    const groups = truth?.junction.groups ?? [];
    const zebras = groups.filter((group) => group.kind === "pedestrian" && group.approach === approach);
    const crossed = truth?.movements().filter(({ group }) => zebras.some((zebra) => zebra.id === group)) ?? [];
    expect(once.world.instruments.get(id)?.read("pedestrians", once.now)).toBe(
      crossed.reduce((total, { waits }) => total + waits.served, 0),
    );
  }
  expect(sum(1)).toBeGreaterThan(0);
});

test("a camera's counts go on where they were after a restart", async () => {
  const once = await day();
  const world = createWorld({ territory: filmed, seed: 1, now: once.now, observer: {}, moved: () => {} });
  world.restore(once.world.save(once.now));
  const read = cameras.map(({ id }) =>
    ["bicycles", "pedestrians"].map((measure) => world.instruments.get(id)?.read(measure, once.now) ?? -1),
  );
  expect(read).toEqual(once.read());
});
