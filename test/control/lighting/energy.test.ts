import { expect, test } from "vitest";
import * as fc from "fast-check";
import { UNMEASURED, learnedCurve, powerAt } from "#control/lighting/energy.ts";
import { level, watts } from "#protocol/units.ts";

test("an unmeasured 40 W lamp draws 0.5 W off, 40 W full, and 5 % + 0.95 × 0.5 of it at half: 21 W", () => {
  expect(powerAt(level(0), watts(40))).toBe(0.5);
  expect(powerAt(level(1), watts(40))).toBeCloseTo(40);
  expect(powerAt(level(0.5), watts(40))).toBeCloseTo(21);
});

test("a lamp that measures 10 W at 0.2 and 40 W at 1 is expected at 25 W at 0.6", () => {
  const measured = [0.2, 0.2, 0.2, 1, 1, 1].map((at) => ({ level: at, power_W: at === 1 ? 40 : 10 }));
  expect(powerAt(level(0.6), watts(40), learnedCurve(measured, watts(40)))).toBeCloseTo(25);
});

test("too few measurements teach nothing", () => {
  expect(learnedCurve([{ level: 1, power_W: 38 }], watts(40))).toBe(UNMEASURED);
});

test("whatever was measured, more light is never expected to take less power", () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(
      fc.array(fc.record({ level: share, power_W: fc.double({ min: 0, max: 100, noNaN: true }) })),
      share,
      share,
      (seen, a, b) => {
        const curve = learnedCurve(seen, watts(50));
        const [low, high] = [Math.max(0.1, Math.min(a, b)), Math.max(0.1, a, b)];
        expect(powerAt(level(low), watts(50), curve)).toBeLessThanOrEqual(
          powerAt(level(high), watts(50), curve) + 1e-9,
        );
      },
    ),
  );
});
