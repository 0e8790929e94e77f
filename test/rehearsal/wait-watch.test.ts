import { expect, test } from "vitest";
import { parseTerritory } from "#protocol/territory.ts";
import { waitWatch } from "#rehearsal/wait-watch.ts";
import { crossing } from "#simulators/crossing.ts";
import type { ScheduledFault } from "#simulators/faults.ts";
import type { Town } from "#simulators/town.ts";

const territory = parseTerritory(crossing());
const { id: junction, station } = territory.junctions[0] as (typeof territory.junctions)[number];
const stuck: ScheduledFault = { kind: "sensor-stuck", at_s: 0, for_s: 7200 };
const powerCut: ScheduledFault = { kind: "disk-loses-unsynced", at_s: 0, for_s: 5, target: station };

/** A watch that looks every 20 s at a street where the longest wait at a second is as given, and where power may be missing. */
function watched(wait_s: (at_s: number) => number, powered: (at_s: number) => boolean = () => true) {
  const watch = waitWatch(territory);
  let at_s = 0;
  const street = {
    world: { junctions: new Map([[junction, { longestWait_s: () => wait_s(at_s) }]]) },
    agent: () => (powered(at_s) ? {} : undefined),
  } as unknown as Town;
  return {
    watch,
    /** The seconds at which a wait over the cap was found. */
    to(until_s: number): number[] {
      const found = [];
      for (; at_s <= until_s; at_s += 20) if (watch.look(street, at_s * 1000).length > 0) found.push(at_s);
      return found;
    },
  };
}

/** Nobody waits, but for one who has waited 140 s at this second. */
const onceAt = (second: number) => (at_s: number) => (at_s === second ? 140 : 10);

test("a wait over the cap is found once", () => {
  expect(watched((at_s) => at_s % 1000).to(1000)).toEqual([140]);
});

test("a stuck sensor explains a wait of its first minutes, and none of the hours after", () => {
  for (const [second, found] of [
    [200, []],
    [300, []],
    [600, [600]],
    [5000, [5000]],
  ] as const) {
    const { watch, ...street } = watched(onceAt(second));
    watch.fault(stuck, true);
    expect(street.to(7000)).toEqual(found);
  }
});

test("a cabinet that begins anew among stuck sensors has the same minutes again, however short the cut was", () => {
  const { watch, ...street } = watched(onceAt(4000));
  watch.fault(stuck, true);
  expect(street.to(3790)).toEqual([]);
  watch.fault(powerCut, true);
  expect(street.to(7000)).toEqual([]);
});

test("a wait is not counted without power, nor until its queue is worked off, half an hour later at most", () => {
  const dark = (at_s: number): boolean => at_s > 100;
  expect(watched(onceAt(40), dark).to(1000)).toEqual([]);
  expect(watched(onceAt(400), dark).to(1000)).toEqual([400]);
  // A queue that nobody works off is held against the junction after half an hour.
  expect(watched((at_s) => (at_s % 200 === 0 ? 140 : 80), dark).to(2100)).toEqual([2000]);
});
