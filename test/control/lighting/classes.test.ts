import { describe, expect, test } from "vitest";
import * as fc from "fast-check";
import { CLASSES, classAt, familyOf, levelFor, lowered, motorClass, volumeOf } from "#control/lighting/classes.ts";
import { LIGHTING_CLASSES } from "#protocol/territory.ts";

const lightingClass = fc.constantFrom(...LIGHTING_CLASSES);

describe("levels between classes", () => {
  test("a P3 street at P5 burns at 3 lx over 7.5 lx: 0.4", () => {
    expect(levelFor("P3", "P5")).toBeCloseTo(0.4);
  });

  test("an M3 street at M5 burns at 0.5 over 1 cd/m²: 0.5", () => {
    expect(levelFor("M3", "M5")).toBe(0.5);
  });

  test("more light than was designed for is full output", () => {
    expect(levelFor("P4", "P1")).toBe(1);
  });

  test("luminance does not convert to illuminance, so full output stays", () => {
    expect(levelFor("M3", "P6")).toBe(1);
  });

  test("a lower class in the same family never needs more light", () => {
    fc.assert(
      fc.property(lightingClass, lightingClass, (design, wanted) => {
        expect(levelFor(design, lowered(wanted, 1))).toBeLessThanOrEqual(levelFor(design, wanted));
        expect(CLASSES[lowered(wanted, 1)].maintained).toBeLessThanOrEqual(CLASSES[wanted].maintained);
        expect(familyOf(lowered(wanted, 9))).toBe(familyOf(wanted));
      }),
    );
  });
});

describe("the class of an hour", () => {
  test("half of the busiest hour's traffic is high, a third moderate, a tenth low", () => {
    expect([0.5, 0.33, 0.1].map(volumeOf)).toEqual(["high", "moderate", "low"]);
  });

  test("moderate volume lowers a class by one, low volume by two, and the family ends at 6", () => {
    expect(classAt("P3", "high")).toBe("P3");
    expect(classAt("P3", "moderate")).toBe("P4");
    expect(classAt("P3", "low")).toBe("P5");
    expect(classAt("M5", "low")).toBe("M6");
    expect(classAt("C5", "low")).toBe("C5");
  });
});

describe("CEN/TR 13201-1's weights", () => {
  const street = {
    speed_kmh: 50,
    volume: "moderate",
    composition: "mixed",
    separatedCarriageways: false,
    manyJunctions: true,
    parkedVehicles: true,
    ambient: "moderate",
    navigation: "easy",
  } as const;

  test("a mixed street at 50 km/h with parked cars and many junctions is M3", () => {
    // -1 speed + 0 volume + 1 mixed + 1 no separation + 1 junctions + 1 parked + 0 + 0 = 3; 6 - 3 = 3
    expect(motorClass(street)).toBe("M3");
  });

  test("the same street at low volume is M4, as classAt says of an M3 between moderate and low", () => {
    expect(motorClass({ ...street, volume: "low" })).toBe("M4");
  });

  test("a motorway through a city, with everything against it, is M1 and no lower number", () => {
    const worst = { ...street, speed_kmh: 110, volume: "high", ambient: "high", navigation: "very-difficult" } as const;
    expect(motorClass(worst)).toBe("M1");
  });
});
