import { expect, test } from "vitest";
import { call, count, createDetection, isBlind, judgeSilence, occupy, SILENT_MS } from "#control/traffic/detection.ts";
import { createJunction, stepJunction } from "#control/traffic/junction.ts";
import { longestWait_s } from "#control/traffic/measures.ts";
import type { JunctionInputs, SignalMode } from "#control/traffic/junction.ts";
import { timingOfFixedPlan, timingOfFrame } from "#control/traffic/plan.ts";
import { junctionTables } from "#control/traffic/tables.ts";
import type { Timing } from "#control/traffic/plan.ts";
import { parseTerritory } from "#protocol/territory.ts";
import { crossing } from "#simulators/crossing.ts";

const NS = 0;
const EW = 1;
const P_NORTH = 4;
const bit = (group: number): number => 1 << group;

/** A junction in a stage that has stood for a while, with all its inputs answering and nobody about. */
function standing(frame = { ns: [6, 20, 30], ew: [6, 15, 25] }) {
  const territory = parseTerritory(crossing());
  const junction = territory.junctions[0] as (typeof territory.junctions)[number];
  const tables = junctionTables(junction);
  const detection = createDetection(tables, junction, territory.detectors, territory.buttons, 0);
  const stages = Object.entries(frame).map(([stage, [min_s = 0, target_s = 0, max_s = 0]]) => ({
    stage,
    min_s,
    target_s,
    max_s,
  }));
  const framed = timingOfFrame(tables, { action: "frame", cycle_s: 45, offset_s: 0, stages, until: 0 }) as Timing;
  const state = createJunction(tables, 0);
  const fixed = timingOfFixedPlan(tables, junction);
  let now = 0;
  const input = (id: string) => detection.inputs.find((each) => each.id === id) as (typeof detection.inputs)[number];
  return {
    state,
    detection,
    get now() {
      return now;
    },
    input,
    /** Steps second by second until the given steady second. */
    to(until_s: number, mode: SignalMode = "adaptive") {
      const inputs: JunctionInputs = { detection, mode, timing: mode === "adaptive" ? framed : fixed, wall: 0 };
      while (now < until_s * 1000) {
        now += 1000;
        stepJunction(state, { ...inputs, wall: now }, now);
      }
      return state;
    },
    /** Keeps every input answering, as the cabinet does by asking. */
    hear() {
      for (const each of detection.inputs) each.heardAt = now;
      judgeSilence(detection, now);
    },
  };
}

/** Stage ns stands from 8 s on: the longest intergreen after the power came. */
const BEGIN_S = 8;

test("with nobody about a junction rests in its stage", () => {
  const junction = standing();
  const state = junction.to(50);
  expect(state).toMatchObject({ stage: NS, changing: false, because: "rest", measures: { waiting: 0 } });
});

test("a single car on the other street gets green as soon as the minimum and the intergreen allow", () => {
  const junction = standing();
  junction.to(40);
  occupy(junction.detection, junction.input("D-J1-east"), true, junction.now);
  // The stage has long had its minimum and nobody comes: it ends at once, 5 s later east is green.
  expect(junction.to(41).because).toBe("gap-out");
  junction.to(45);
  expect(junction.state.guard.greens & 0b10).toBe(0);
  junction.to(46);
  expect(junction.state.guard.greens & 0b10).toBe(0b10);
  expect(junction.state).toMatchObject({ stage: EW, measures: { gapOuts: 1 } });
});

test("a car that passes the advance loop keeps its green until it has reached the stop line, and no longer", () => {
  const junction = standing();
  junction.to(40);
  const advance = junction.input("A-J1-north");
  count(junction.detection, advance, 0, junction.now);
  count(junction.detection, advance, 1, junction.now);
  occupy(junction.detection, junction.input("D-J1-east"), true, junction.now);
  // 40 m at 9 m/s and half a second: 4.9 s after the passage at 40 s.
  expect(junction.to(44)).toMatchObject({ stage: NS, because: "extension" });
  expect(junction.to(45).because).toBe("gap-out");
});

test("an endless queue ends at the stage's maximum, counted from when someone waits against it", () => {
  const junction = standing();
  occupy(junction.detection, junction.input("D-J1-north"), true, 0);
  junction.to(60);
  occupy(junction.detection, junction.input("D-J1-east"), true, junction.now);
  // Someone waits from 61 s on; the frame allows 30 s more.
  expect(junction.to(90)).toMatchObject({ stage: NS, because: "extension" });
  expect(junction.to(91)).toMatchObject({ stage: EW, because: "max-out", measures: { maxOuts: 1 } });
});

test("beyond its fair share a green is for the queue alone, not for those who are still coming", () => {
  const junction = standing();
  const advance = junction.input("A-J1-north");
  count(junction.detection, advance, 0, 0);
  occupy(junction.detection, junction.input("D-J1-east"), true, 0);
  let passed = 0;
  // Cars keep coming every second; someone is seen to wait against them from 9 s on, and the share is 20 s.
  while (junction.now < (BEGIN_S + 20) * 1000) {
    count(junction.detection, advance, ++passed, junction.now);
    junction.to(junction.now / 1000 + 1);
  }
  expect(junction.state).toMatchObject({ stage: NS, because: "extension" });
  count(junction.detection, advance, ++passed, junction.now);
  expect(junction.to(BEGIN_S + 21).because).toBe("gap-out");
});

test("a pedestrian's call brings the stage in which the crossing is green", () => {
  const junction = standing();
  junction.to(40);
  call(junction.detection, junction.input("B-J1-north"), true, junction.now);
  junction.to(41);
  expect(longestWait_s(junction.state.measures, junction.now)).toBe(0);
  junction.to(46);
  expect(junction.state).toMatchObject({ stage: EW });
  expect(junction.state.guard.greens & bit(P_NORTH)).toBe(bit(P_NORTH));
});

test("a call for a crossing of the standing stage is served within it when nobody waits against", () => {
  const junction = standing();
  junction.to(60);
  const P_EAST = 5;
  expect(junction.state.guard.greens & bit(P_EAST)).toBe(0);
  call(junction.detection, junction.input("B-J1-east"), true, junction.now);
  junction.to(61);
  expect(junction.state).toMatchObject({ stage: NS, because: "rest" });
  expect(junction.state.guard.greens & bit(P_EAST)).toBe(bit(P_EAST));
});

test("nothing that waits is forgotten: a car that came too late for its green counts until it has one", () => {
  const junction = standing();
  const advance = junction.input("A-J1-east");
  count(junction.detection, advance, 0, 0);
  junction.to(40);
  count(junction.detection, advance, 1, junction.now);
  expect(junction.to(41).measures.waiting & 0b10).toBe(0b10);
  junction.to(46);
  expect(junction.state.guard.greens & 0b10).toBe(0b10);
});

test("a loop that has been silent for twenty seconds counts as occupied, and its group has all of its fair share", () => {
  const junction = standing();
  junction.to(40);
  junction.hear();
  expect(junction.detection.recall).toBe(0);
  const silent = junction.input("D-J1-east");
  silent.heardAt = junction.now - SILENT_MS;
  judgeSilence(junction.detection, junction.now);
  expect(junction.detection.recall).toBe(0b10);
  const since = (): number => junction.now - (junction.state.guard.startedAt[1] as number);
  while ((junction.state.guard.greens & 0b10) === 0) junction.to(junction.now / 1000 + 1);
  occupy(junction.detection, junction.input("D-J1-north"), true, junction.now);
  while ((junction.state.guard.greens & 0b10) !== 0) junction.to(junction.now / 1000 + 1);
  // Of 6 to 25 s its fair share is 15, from when someone waits against it: from its first second on.
  expect(since()).toBe(16_000);
});

test("a group without any detector is served every cycle", () => {
  const territory = parseTerritory(crossing());
  const junction = territory.junctions[0] as (typeof territory.junctions)[number];
  const tables = junctionTables(junction);
  expect(createDetection(tables, junction, [], [], 0).recall).toBe(tables.all);
});

test("the fixed plan shows each stage by the clock", () => {
  const junction = standing();
  // Cycle 28 + 5 + 22 + 5 = 60 s: ns from 0 to 28 s, ew from 33 to 55 s.
  const stages = [];
  for (const at of [120, 147, 148, 152, 153, 174, 175, 179, 180]) {
    junction.to(at, "fixed");
    stages.push(junction.state.changing ? "-" : junction.state.stage === NS ? "ns" : "ew");
  }
  expect(stages).toEqual(["ns", "ns", "-", "-", "ew", "ew", "-", "-", "ns"]);
  expect(junction.state.because).toBe("fixed-plan");
});

test("in the fixed plan pedestrians stop early enough to be across when the other street starts", () => {
  const junction = standing();
  const P_EAST = 5;
  // They need 8 s before the vehicles they cross, 3 s more than the change takes: green until 25 s of 28.
  junction.to(144, "fixed");
  expect(junction.state.guard.greens & bit(P_EAST)).toBe(bit(P_EAST));
  junction.to(145, "fixed");
  expect(junction.state.guard.greens & bit(P_EAST)).toBe(0);
});

test("a green whose queue outlasts it is a split failure, one that clears its queue is not", () => {
  const junction = standing();
  const north = junction.input("D-J1-north");
  occupy(junction.detection, north, true, 0);
  occupy(junction.detection, junction.input("D-J1-east"), true, 0);
  // Both queues stand all the time: ns from 8 s for 30 s, and its stop line is still occupied 5 s into the red.
  expect(junction.to(50).measures).toMatchObject({ maxOuts: 1, splitFailures: 1 });
  const other = standing();
  occupy(other.detection, other.input("D-J1-north"), true, 0);
  occupy(other.detection, other.input("D-J1-east"), true, 0);
  other.to(20);
  occupy(other.detection, other.input("D-J1-north"), false, other.now);
  expect(other.to(40).measures).toMatchObject({ gapOuts: 1, splitFailures: 0 });
});

test("what a loop counted while it was not heard is not taken for a queue of today", () => {
  const junction = standing();
  const advance = junction.input("A-J1-north");
  count(junction.detection, advance, 10, 0);
  count(junction.detection, advance, 13, 1000);
  expect(junction.detection.queue[advance.group]).toBe(3);
  // It was stuck at 13 for an hour in which 60 passed it and then the stop line.
  count(junction.detection, advance, 73, 3_600_000);
  expect(junction.detection.queue[advance.group]).toBe(0);
  count(junction.detection, advance, 74, 3_601_000);
  expect(junction.detection.queue[advance.group]).toBe(1);
});

test("a junction is blind while most of its loops have not spoken for twenty seconds, whatever its buttons say", () => {
  const { detection, input } = standing();
  expect(isBlind(detection, SILENT_MS - 1)).toBe(false);
  const button = detection.inputs.find(({ kind }) => kind === "button");
  if (button !== undefined) button.heardAt = SILENT_MS;
  expect(isBlind(detection, SILENT_MS)).toBe(true);
  for (const [spoken, id] of ["A-J1-north", "D-J1-north", "A-J1-east", "D-J1-east"].entries()) {
    count(detection, input(id), 0, SILENT_MS);
    expect(isBlind(detection, SILENT_MS)).toBe(spoken < 3);
  }
});

test("a loop that counts nobody where its last quarter of an hour expects six is doubted after three minutes, until it counts again", () => {
  const { detection, input } = standing();
  const stop = input("D-J1-east");
  // One every 10 s for an hour: 18 are to be expected in three minutes.
  let now = 0;
  for (let counted = 0; counted <= 360; counted++) {
    now = counted * 10_000;
    for (const each of detection.inputs) if (each.kind !== "button") count(detection, each, counted, now);
  }
  const recallAt = (later_s: number): number => {
    for (const each of detection.inputs) {
      each.heardAt = now + later_s * 1000;
      if (each !== stop && each.kind !== "button") count(detection, each, each.count + 1, each.heardAt);
    }
    judgeSilence(detection, now + later_s * 1000);
    return detection.recall;
  };
  expect(stop.rate * 10_000).toBeCloseTo(1, 1);
  expect(recallAt(179)).toBe(0);
  expect(recallAt(180)).toBe(0b10);
  expect(isBlind(detection, now + 180_000)).toBe(false);
  count(detection, stop, 361, now + 200_000);
  expect(recallAt(201)).toBe(0);
});

test("a loop of a quiet street is believed for as long as its traffic explains: at 20 an hour, 18 minutes", () => {
  const { detection, input } = standing();
  const stop = input("D-J1-east");
  const last = 40 * 180_000;
  for (let counted = 0; counted <= 40; counted++) {
    for (const each of detection.inputs) {
      each.heardAt = counted * 180_000;
      if (each.kind !== "button") count(detection, each, counted, each.heardAt);
    }
  }
  const doubted = (minutes: number): boolean => {
    for (const each of detection.inputs) {
      each.heardAt = last + minutes * 60_000;
      if (each !== stop && each.kind !== "button") count(detection, each, each.count + 1, each.heardAt);
    }
    judgeSilence(detection, last + minutes * 60_000);
    return detection.recall !== 0;
  };
  expect(doubted(17)).toBe(false);
  expect(doubted(19)).toBe(true);
});

test("a loop that a cabinet has listened to for three minutes is held to what it counted in these, and doubted after three more", () => {
  const { detection, input } = standing();
  const stop = input("D-J1-east");
  // One every 15 s: twelve are to be expected in three minutes.
  for (let counted = 0; counted <= 12; counted++) count(detection, stop, counted, counted * 15_000);
  expect(stop.rate * 15_000).toBeGreaterThan(0.75);
  const doubtedAt = (s: number): boolean => {
    for (const each of detection.inputs) each.heardAt = s * 1000;
    for (const each of detection.inputs) if (each !== stop) each.countedAt = s * 1000;
    judgeSilence(detection, s * 1000);
    return detection.recall !== 0;
  };
  expect(doubtedAt(180 + 179)).toBe(false);
  expect(doubtedAt(180 + 181)).toBe(true);
});

test("the time in which a loop did not answer is not taken for an empty lane", () => {
  const { detection, input } = standing();
  const stop = input("D-J1-east");
  count(detection, stop, 5, 600_000);
  // Ten minutes of silence, then one every 20 s.
  for (let counted = 6; counted <= 9; counted++) count(detection, stop, counted, 600_000 + (counted - 5) * 20_000 - 1);
  expect(stop.rate * 60_000).toBeGreaterThan(2);
});

test("a loop that answers again after a long silence is doubted until it counts", () => {
  const { detection, input } = standing();
  const stop = input("D-J1-east");
  const doubted = (s: number): boolean => {
    for (const each of detection.inputs) if (each !== stop) [each.heardAt, each.countedAt] = [s * 1000, s * 1000];
    judgeSilence(detection, s * 1000);
    return detection.recall !== 0;
  };
  // Asked again, it says what it said ten minutes ago.
  count(detection, stop, 0, 600_000);
  expect(doubted(601)).toBe(true);
  count(detection, stop, 1, 602_000);
  expect(doubted(603)).toBe(false);
});

test("a junction that began with its loops stuck is blind after a minute and a half, and no longer once half of them have counted", () => {
  const { detection, input } = standing();
  const blindAt = (s: number): boolean => {
    for (const each of detection.inputs) each.heardAt = s * 1000;
    return isBlind(detection, s * 1000);
  };
  // Each of 8 loops is taken to count 120 an hour: together they expect 24 in 90 s.
  expect(blindAt(89)).toBe(false);
  expect(blindAt(90)).toBe(true);
  for (const [counted, id] of ["A-J1-north", "D-J1-north", "A-J1-east", "D-J1-east"].entries()) {
    count(detection, input(id), 7, 200_000);
    count(detection, input(id), 8, 210_000);
    expect(blindAt(211)).toBe(counted < 3);
  }
});

test("a junction whose loops all stop counting is blind when they expected two dozen together, long before any is doubted alone", () => {
  const { detection } = standing();
  const loops = detection.inputs.filter(({ kind }) => kind !== "button");
  // 8 loops of one in 24 s each: 24 are to be expected in 72 s.
  for (let counted = 0; counted <= 200; counted++) {
    for (const each of loops) {
      each.heardAt = counted * 24_000;
      count(detection, each, counted, each.heardAt);
    }
  }
  const last = 200 * 24_000;
  const blindAfter = (s: number): boolean => {
    for (const each of detection.inputs) each.heardAt = last + s * 1000;
    judgeSilence(detection, last + s * 1000);
    return isBlind(detection, last + s * 1000);
  };
  expect(blindAfter(65)).toBe(false);
  expect(blindAfter(80)).toBe(true);
  expect(detection.recall).toBe(0);
});
