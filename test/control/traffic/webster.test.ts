import * as fc from "fast-check";
import { expect, test } from "vitest";
import { cycleLength, delay, flowRatio, roomyCycle, splits } from "#control/traffic/webster.ts";
import { seconds, vehiclesPerHour } from "#protocol/units.ts";

const movement = (flow: number, saturation: number) => ({
  flow: vehiclesPerHour(flow),
  saturation: vehiclesPerHour(saturation),
});
const limits = { min: seconds(30), max: seconds(100) };

test("Webster's cycle for Y = 0.6 and 12 s lost is 57.5 s", () => {
  const movements = [movement(720, 1800), movement(360, 1800)];
  expect(flowRatio(movements)).toBeCloseTo(0.6);
  // (1.5 × 12 + 5) / (1 − 0.6) = 23 / 0.4
  expect(cycleLength(movements, seconds(12), limits)).toBeCloseTo(57.5);
});

test("at or beyond saturation the longest cycle is taken", () => {
  expect(cycleLength([movement(1000, 1800), movement(900, 1800)], seconds(12), limits)).toBe(100);
});

test("with little traffic the cycle is as short as it may be", () => {
  expect(cycleLength([movement(20, 1800)], seconds(10), limits)).toBe(30);
});

test("the green of a cycle is divided by the flow ratios", () => {
  // 60 − 12 = 48 s, two to one.
  expect(splits([0.4, 0.2], [seconds(6), seconds(6)], seconds(60), seconds(12))).toEqual([32, 16]);
});

test("a stage gets its minimum, and the others share what is left", () => {
  // 40 − 10 = 30 s: by ratio 27 and 3 s, but the second needs 8 s.
  expect(splits([0.45, 0.05], [seconds(6), seconds(8)], seconds(40), seconds(10))).toEqual([22, 8]);
});

test("splits fill the cycle and keep every minimum, whatever the flows", () => {
  const stage = fc.record({ ratio: fc.double({ min: 0, max: 1, noNaN: true }), min: fc.integer({ min: 4, max: 15 }) });
  fc.assert(
    fc.property(fc.array(stage, { minLength: 1, maxLength: 6 }), (stages) => {
      const minimums = stages.map(({ min }) => seconds(min));
      const greens = splits(
        stages.map(({ ratio }) => ratio),
        minimums,
        seconds(110),
        seconds(18),
      );
      expect(greens.reduce<number>((sum, green) => sum + green, 0)).toBeCloseTo(92);
      for (const [i, green] of greens.entries()) expect(green).toBeGreaterThanOrEqual((minimums[i] as number) - 1e-9);
    }),
  );
});

test("Webster's delay for a 60 s cycle with 30 s green, 450 of 1800 veh/h, is 11.55 s", () => {
  // λ = 0.5, x = 450 / 900 = 0.5, 450 / 3600 = 0.125 veh/s.
  // Uniform: 60 × 0.25 / (2 × 0.75) = 10. Random: 0.25 / (2 × 0.125 × 0.5) = 2.
  // Correction: 0.65 × ∛(60 / 0.015625) × 0.5^4.5 = 0.65 × 15.66 × 0.04419 = 0.4499
  expect(delay(seconds(60), seconds(30), vehiclesPerHour(450), vehiclesPerHour(1800))).toBeCloseTo(11.55, 2);
});

test("the delay grows with the flow, through saturation and beyond", () => {
  const flows = [50, 200, 400, 600, 800, 860, 900, 1000, 1400];
  const delays = flows.map((flow) => delay(seconds(60), seconds(30), vehiclesPerHour(flow), vehiclesPerHour(1800)));
  expect(delays).toEqual([...delays].sort((a, b) => a - b));
  expect(delays.every(Number.isFinite)).toBe(true);
});

test("where minimums bind, the cycle grows until the busy stage has room", () => {
  // Two stages take their 10 s whatever comes, 10 s are lost: C = 30 + 0.3 C / 0.9, so 45 s, of which 15 s for 0.3.
  const cycle = roomyCycle([0.3, 0.02, 0.02], [8, 10, 10].map(seconds), seconds(10), 0.9, limits);
  expect(cycle).toBeCloseTo(45, 0);
  expect(splits([0.3, 0.02, 0.02], [8, 10, 10].map(seconds), cycle, seconds(10))[0]).toBeCloseTo(15, 0);
});
