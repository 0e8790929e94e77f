import fc from "fast-check";
import { expect, test } from "vitest";
import { nameOf, onPage, type Arm } from "#server/console/junctionArms.ts";

const END = 196;

test("at a plain crossroads each name lies on the right of its arm and ends where the arm ends", () => {
  const [north, ...others] = [0, 90, 180, 270].map((bearing_deg) => ({ bearing_deg, width: 56 }));
  // “Grande Rue” has 10 letters of 6.8: 196 − 68 = 128; 56 / 2 + 12 = 40 beside the middle of the road.
  expect(nameOf(north as Arm, others, "Grande Rue", END)).toEqual({
    at: { out: 128, aside: 40 },
    outwards: true,
    length: 68,
  });
});

test("to the west words run inwards, so that nobody reads them upside down", () => {
  const [west, east] = [250, 90].map((bearing_deg) => ({ bearing_deg, width: 56 }));
  expect(nameOf(west as Arm, [east as Arm], "Grande Rue", END).outwards).toBe(false);
});

const junction = fc
  .uniqueArray(fc.integer({ min: 0, max: 8 }), { minLength: 2, maxLength: 5 })
  .chain((slots) =>
    fc.tuple(
      ...slots.map((slot) => fc.record({ bearing_deg: fc.constant(slot * 40), width: fc.constantFrom(56, 82) })),
    ),
  );

test("a name lies on no road, at any junction of arms 40° or more apart", () => {
  fc.assert(
    fc.property(junction, fc.string({ minLength: 4, maxLength: 28 }), (arms, text) => {
      for (const arm of arms) {
        const { at, length } = nameOf(
          arm,
          arms.filter((each) => each !== arm),
          text,
          END,
        );
        for (let out = at.out; out <= at.out + length; out += 4)
          for (const rim of [-7, 7]) {
            const { x, y } = onPage(arm.bearing_deg, { out, aside: at.aside + rim });
            for (const other of arms) {
              // Seen along the other arm: how far out, and how far aside of its middle.
              const along = onPage(-other.bearing_deg, { out: -y, aside: x });
              const inside = -along.y > 0 && Math.abs(along.x) < other.width / 2;
              expect(inside).toBe(false);
            }
          }
      }
    }),
  );
});
