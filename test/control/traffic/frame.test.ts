import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { FrameInput } from "#control/traffic/frame.ts";
import { frame } from "#control/traffic/frame.ts";
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
