import { expect, test } from "vitest";
import { come, createArrivals, noteArrivals } from "#control/traffic/arrivals.ts";
import { createDetection, occupy } from "#control/traffic/detection.ts";
import { createGuard } from "#control/traffic/guard.ts";
import { junctionTables } from "#control/traffic/tables.ts";
import { parseTerritory, type SignalGroup, type Territory } from "#protocol/territory.ts";
import { HOUR, instant } from "#protocol/units.ts";
import { virtualClock } from "#rehearsal/clock.ts";
import { crossing } from "#simulators/crossing.ts";
import { junctionAlone } from "#simulators/junction-alone.ts";

const START = instant(Date.UTC(2026, 2, 2));
const everywhere = parseTerritory(crossing());
const file = crossing();
const atLineAlone = parseTerritory({
  ...file,
  features: file.features.filter(({ properties }) => properties["place"] !== "advance"),
});

/** The crossing with its northern and southern arms alone, which are always green together. */
const axisAlone = ({ junctions, detectors, ...rest }: Territory): Territory => ({
  ...rest,
  detectors: detectors.filter(({ group }) => group === "v-north" || group === "v-south"),
  buttons: [],
  junctions: junctions.map((junction) => ({
    ...junction,
    groups: junction.groups.filter(({ id }) => id === "v-north" || id === "v-south"),
    conflicts: [],
    intergreens: [],
    stages: [{ id: "ns", groups: ["v-north", "v-south"] }],
    fixedPlan: { offset_s: 0, stages: [{ stage: "ns", green_s: 60 }] },
  })),
});

const NORTH = 0;
const bit = (group: number): number => 1 << group;

/** The arrivals of the crossing, told by hand: what is green, whose line is stood on, at a steady second. */
function byHand(territory: Territory) {
  const junction = territory.junctions[0] as Territory["junctions"][number];
  const tables = junctionTables(junction);
  const guard = createGuard(tables, 0);
  const arrivals = createArrivals(tables, junction, territory.detectors, territory.streets);
  const detection = createDetection(tables, junction, territory.detectors, territory.buttons, 0);
  const line = detection.inputs.find(({ id }) => id === "D-J1-north") as (typeof detection.inputs)[number];
  return {
    guard,
    show: (greens: number, s: number): void => {
      if ((guard.greens & ~greens & bit(NORTH)) !== 0) guard.endedAt[NORTH] = s * 1000;
      guard.greens = greens;
      noteArrivals(arrivals, guard, detection, s * 1000);
    },
    stand: (on: boolean, s: number) => occupy(detection, line, on, s * 1000),
    count: (loop: string, s: number, vehicles = 1) => come(arrivals, loop, vehicles, s * 1000),
    counted: () => [arrivals.green, arrivals.red],
  };
}

/** Eight hours of the fixed plan: of the crossing 28 s and 22 s of green in a cycle of 60 s. */
async function hours(territory: Territory, veh_h: number) {
  const clock = virtualClock(START);
  const rate = ({ kind }: SignalGroup): number => (kind === "vehicle" ? veh_h : 0);
  const alone = junctionAlone({ territory, junction: "J1", rate, seed: 5, clock });
  alone.start();
  await clock.run(instant(START + 8 * HOUR));
  alone.stop();
  const [green = 0, red = 0] = ["arrivals_green", "arrivals_red"].map((name) => alone.behaviour.read(name));
  const served = alone.truth.movements().reduce((sum, { waits }) => sum + waits.served, 0);
  return { share: green / (green + red), arrived: green + red, served };
}

test("a vehicle has the colour that is shown when it reaches the line: 40 m at 50 km/h after the loop, 2.88 s", () => {
  const { show, count, counted } = byHand(everywhere);
  show(bit(NORTH), 10);
  count("A-J1-north", 10.5);
  show(bit(NORTH), 13);
  expect(counted()).toEqual([0, 0]);
  show(bit(NORTH), 14);
  // Due at 13.38 s, while green was shown.
  expect(counted()).toEqual([1, 0]);
  count("A-J1-north", 14.5);
  show(0, 15);
  show(0, 18);
  // Due at 17.38 s, past the end of green.
  expect(counted()).toEqual([1, 1]);
  // What leaves over the line is the same vehicle.
  count("D-J1-north", 18);
  expect(counted()).toEqual([1, 1]);
});

test("with a loop at the line alone, of five that leave within 10 s after their first stood there for 30 s, four came on red", () => {
  const { show, stand, count, counted } = byHand(atLineAlone);
  show(bit(NORTH), 10);
  show(0, 20);
  stand(true, 25);
  show(bit(NORTH), 55);
  for (const s of [57, 59, 61, 63, 65]) count("D-J1-north", s);
  stand(false, 65);
  // The first was seen to stand there; of four behind it 30 / (30 + 10). One that comes long after is none of theirs.
  count("D-J1-north", 71);
  expect(counted()).toEqual([2, 4]);
  // A line that is free when green begins has no queue.
  show(0, 80);
  show(bit(NORTH), 100);
  count("D-J1-north", 101);
  expect(counted()).toEqual([3, 4]);
});

test("flashing amber is neither", () => {
  const { show, guard, count, counted } = byHand(everywhere);
  guard.flashing = true;
  show(0, 10);
  count("A-J1-north", 10);
  show(0, 20);
  expect(counted()).toEqual([0, 0]);
});

test.each([
  ["loops before the line", everywhere],
  ["loops at the line alone", atLineAlone],
])("chance arrivals meet green as often as green is shown, with %s", async (_, territory) => {
  const { share, arrived, served } = await hours(territory, 240);
  // Half of all meet 28 s of 60 s and half 22 s.
  expect(Math.abs(share - (28 + 22) / 120)).toBeLessThan(0.025);
  expect(Math.abs(arrived - served) / served).toBeLessThan(0.01);
});

test.each([
  ["loops before the line", everywhere],
  ["loops at the line alone", atLineAlone],
])("where green never ends, all come on green, with %s", async (_, territory) => {
  const { share, arrived } = await hours(axisAlone(territory), 200);
  expect(arrived).toBeGreaterThan(2500);
  expect(share).toBeCloseTo(1, 3);
});
