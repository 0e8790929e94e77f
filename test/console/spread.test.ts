import fc from "fast-check";
import { expect, test } from "vitest";
import { spread } from "#server/console/spread.ts";

const distance = (one: { x: number; y: number }, other: { x: number; y: number }): number =>
  Math.hypot(one.x - other.x, one.y - other.y);

test("two numbers 4 apart that need 10 each go 3 out of the other's way", () => {
  // 10 − 4 = 6 are missing, half of it each way.
  const [one, other] = spread([{ x: 0, y: 0 }, { x: 4, y: 0 }], 10); // prettier-ignore
  expect(one?.x).toBeCloseTo(-3);
  expect(other?.x).toBeCloseTo(7);
});

test("a number leaves a junction alone that stays where it is", () => {
  const [number] = spread([{ x: 0, y: 2 }], 10, [{ x: 0, y: 0 }]);
  expect(number?.x).toBeCloseTo(0);
  expect(number?.y).toBeCloseTo(10);
});

const spots = fc.array(fc.record({ x: fc.double({ min: 0, max: 400, noNaN: true }), y: fc.double({ min: 0, max: 400, noNaN: true }) }), { maxLength: 24 }); // prettier-ignore

test("whoever has room is not moved, and no two of two dozen numbers cover each other", () => {
  fc.assert(
    fc.property(spots, (homes) => {
      const places = spread(homes, 20);
      for (const [index, place] of places.entries()) {
        const home = homes[index] as (typeof homes)[number];
        if (homes.every((other) => other === home || distance(home, other) > 400)) expect(place).toEqual(home);
        for (const other of places.slice(index + 1)) expect(distance(place, other)).toBeGreaterThan(18);
      }
    }),
  );
});
