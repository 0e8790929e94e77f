import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FrameInput } from "#control/traffic/frame.ts";
import { frame } from "#control/traffic/frame.ts";
import { isFeasible, createGuard } from "#control/traffic/guard.ts";
import { createDetection } from "#control/traffic/detection.ts";
import { createJunction, stepJunction } from "#control/traffic/junction.ts";
import type { Timing } from "#control/traffic/plan.ts";
import { longestRed_ms, timingOfFrame } from "#control/traffic/plan.ts";
import { junctionTables } from "#control/traffic/tables.ts";
import { canonical } from "#protocol/canonical.ts";
import { order } from "#protocol/messages.ts";
import { parseTerritory } from "#protocol/territory.ts";
import { instant } from "#protocol/units.ts";
import { generateTown } from "#simulators/generate.ts";
import { anyJunction, fourArms } from "./junctions.ts";

const until = instant(1_800_000_000_000);
const input = (given: Partial<FrameInput> = {}): FrameInput => ({
  junction: fourArms(),
  flows: { "v-north": 720, "v-south": 300, "v-east": 360, "v-west": 200 },
  calls: {},
  current: null,
  until,
  ...given,
});

test("a crossing with Y = 0.6 and 10 s lost gets a cycle of 50 s, divided two to one", () => {
  // 720 / 1800 + 360 / 1800 = 0.6; two changes of 5 s; (1.5 × 10 + 5) / 0.4 = 50; 40 s of green.
  const decision = frame(input());
  expect(decision.value).toMatchObject({ cycle_s: 50, stages: [{ target_s: 27 }, { target_s: 13 }] });
  expect(decision.because).toBe("frame-webster");
  expect(decision.evidence).toMatchObject({ flow_ratio: 0.6, lost_s: 10, webster_cycle_s: 50, within_120_s: true });
});

test("the fixed plan is named as an alternative with what it would cost", () => {
  const [fixed] = frame(input()).alternatives;
  expect(fixed?.cost).toBeGreaterThan(frame(input()).evidence["delay_s"] as number);
});

test("a frame that serves nearly as well is kept, so that the street is not restless", () => {
  const current = frame(input()).value;
  const later = frame(
    input({ current, flows: { "v-north": 730, "v-south": 300, "v-east": 355 }, until: instant(until + 900_000) }),
  );
  expect(later.because).toBe("frame-kept");
  expect(later.value).toEqual({ ...current, until: until + 900_000 });
});

test("when the traffic turns, the frame it had is refused with its delay", () => {
  const current = frame(input()).value;
  const turned = frame(input({ current, flows: { "v-north": 200, "v-east": 900 } }));
  expect(turned.because).toBe("frame-webster");
  expect(turned.alternatives[0]).toMatchObject({ value: current, refused: "more-delay" });
  expect(turned.alternatives[0]?.cost).toBeGreaterThan(turned.evidence["delay_s"] as number);
});

test("at a generated town's junctions no fixed plan beats the frame by more than the 3 % that are worth a change", () => {
  const { junctions } = parseTerritory(generateTown({ seed: 1 }));
  const flow = fc.integer({ min: 0, max: 600 });
  fc.assert(
    fc.property(fc.constantFrom(...junctions), fc.array(flow, { minLength: 12, maxLength: 12 }), (junction, counts) => {
      const flows = Object.fromEntries(junction.groups.map(({ id }, i) => [id, counts[i] as number]));
      const { evidence, alternatives } = frame(input({ junction, flows }));
      fc.pre((evidence["flow_ratio"] as number) < 0.9);
      expect(evidence["delay_s"] as number).toBeLessThanOrEqual((alternatives[0]?.cost as number) * 1.03);
    }),
    { numRuns: 500 },
  );
});

test("with more traffic than the junction can carry the longest cycle is taken and said", () => {
  const decision = frame(input({ flows: { "v-north": 1300, "v-east": 900 } }));
  expect(decision.because).toBe("frame-saturated");
  expect(decision.evidence["webster_cycle_s"]).toBeNull();
  expect(decision.value.cycle_s).toBeLessThanOrEqual(100);
});

test("a crossing that is called regularly gets the time its pedestrians need", () => {
  const flows = { "v-north": 500, "v-east": 20 };
  const greens = (calls: FrameInput["calls"]) =>
    frame(input({ flows, calls })).value.stages.map((stage) => stage.min_s);
  // 6 s of green and the 3 s by which their clearance is longer than the vehicles' intergreen.
  expect(greens({})).toEqual([6, 6]);
  expect(greens({ "p-north": 60 })).toEqual([6, 9]);
});

test("any frame for any flows is one that a cabinet takes, fits into 105 s at its longest, and comes out the same again", () => {
  const count = fc.double({ min: 0, max: 2500, noNaN: true });
  fc.assert(
    fc.property(anyJunction, fc.array(count, { minLength: 12, maxLength: 12 }), (junction, counts) => {
      const flows = Object.fromEntries(junction.groups.map(({ id }, i) => [id, counts[i] as number]));
      const given = { ...input(), junction, flows, calls: flows };
      const decision = frame(given);
      expect(order.parse(decision.value, "")).toEqual(decision.value);
      let longest = decision.value.cycle_s;
      for (const { min_s, target_s, max_s } of decision.value.stages) {
        expect(min_s).toBeLessThanOrEqual(target_s);
        expect(target_s).toBeLessThanOrEqual(max_s);
        longest += max_s - target_s;
      }
      if (decision.evidence["within_120_s"] === true) expect(longest).toBeLessThanOrEqual(107);
      expect(canonical(frame(JSON.parse(JSON.stringify(given)) as FrameInput))).toBe(canonical(decision));
    }),
  );
});

describe("no frame keeps anyone waiting over 120 s", () => {
  const counts = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0, max: 2500, noNaN: true })), {
    minLength: 12,
    maxLength: 12,
  });
  const how = fc.array(fc.constantFrom(0, 1), { minLength: 12, maxLength: 12 });
  /** A junction, what is counted there and what is not, and the frame that comes of it. */
  const framed = fc.record({ junction: anyJunction, counts, how }).map(({ junction, counts: drawn, how: known }) => {
    const flows = Object.fromEntries(junction.groups.map(({ id }, i) => [id, drawn[i] as number]));
    const counted = Object.fromEntries(
      junction.groups.map(({ id }, i) => [id, { at: "stop-line" as const, counters: 1, known: known[i] as number }]),
    );
    const decision = frame({ ...input(), junction, flows, calls: flows, counted });
    const tables = junctionTables(junction);
    return { junction, tables, decision, timing: timingOfFrame(tables, decision.value) as Timing };
  });

  test("with every stage at its longest the longest red leaves 10 s to spare, whatever is counted and unknown", () => {
    fc.assert(
      fc.property(framed, ({ tables, decision, timing }) => {
        fc.pre(decision.evidence["within_120_s"] === true);
        expect(longestRed_ms(tables, timing)).toBeLessThanOrEqual(110_000);
      }),
      { numRuns: 500 },
    );
  });

  test("a junction full at every line goes round in it without its guard, and no red lasts 120 s", () => {
    fc.assert(
      fc.property(framed, ({ junction, tables, decision, timing }) => {
        fc.pre(decision.evidence["within_120_s"] === true && isFeasible(createGuard(tables, 0)));
        const detection = createDetection(tables, junction, [], [], 0);
        detection.occupied = tables.all;
        const state = createJunction(tables, 0);
        let longest = 0;
        for (let now = 1000; now <= 900_000; now += 1000) {
          stepJunction(state, { detection, mode: "adaptive", timing, wall: now }, now);
          for (let i = 0; i < tables.size; i++) {
            if (((state.guard.greens >>> i) & 1) === 0)
              longest = Math.max(longest, now - (state.guard.endedAt[i] as number));
          }
        }
        expect(longest).toBeLessThanOrEqual(120_000);
      }),
      { numRuns: 60 },
    );
  });

  test("one that came from elsewhere and would is refused with the reason, and one of our own is made", () => {
    const own = frame(input());
    const stages = own.value.stages.map((stage) => ({ ...stage, max_s: 130 }));
    const decision = frame(input({ current: { ...own.value, stages } }));
    expect(decision.value).toEqual(own.value);
    expect(decision.alternatives[0]).toMatchObject({ refused: "red-too-long" });
  });
});

test("the longest red is that of walkers who have their minimum alone: all of a round at its longest but 6 s", () => {
  const tables = junctionTables(fourArms());
  const stages = [
    { stage: "ns", min_s: 6, target_s: 24, max_s: 36 },
    { stage: "ew", min_s: 6, target_s: 16, max_s: 26 },
  ];
  const timing = timingOfFrame(tables, { action: "frame", cycle_s: 50, offset_s: 0, stages, until }) as Timing;
  // The walkers of ns may have their 6 s of 36 alone, then 30 s of the stage, 5 s, 26 s of ew and 5 s.
  expect(longestRed_ms(tables, timing)).toBe(66_000);
});
