import { describe, expect, test } from "vitest";
import * as fc from "fast-check";
import type { ProgrammeInput } from "#control/lighting/programme.ts";
import { PROGRAMME_POLICY, PROGRAMME_REFUSALS, PROGRAMME_RULES, programme } from "#control/lighting/programme.ts";
import { stepAt } from "#control/lighting/steps.ts";
import { darkness } from "#control/lighting/sun.ts";
import { canonical } from "#protocol/canonical.ts";
import { order } from "#protocol/messages.ts";
import { LIGHTING_CLASSES } from "#protocol/territory.ts";
import { DAY, HOUR, MINUTE, instant } from "#protocol/units.ts";

const noon = Date.UTC(2026, 10, 24, 11);

/** Busy by day, a trickle after midnight: 60 an hour from 7 to 21, 20 to midnight, 3 before 7. */
const rhythm = Array.from({ length: 168 }, (_, hour) => (hour % 24 < 7 ? 3 : hour % 24 < 21 ? 60 : 20));

function street(change: Partial<ProgrammeInput> = {}): ProgrammeInput {
  return {
    street: "rue-haute",
    lightingClass: "P3",
    highway: "residential",
    lat: 48.85,
    lon: 2.35,
    from: noon,
    to: noon + 36 * HOUR,
    offsets: [{ from: noon - DAY, offset_s: 3600 }],
    footfall: rhythm,
    presence: true,
    policy: PROGRAMME_POLICY,
    ...change,
  };
}

const local = (hour: number): number => Date.UTC(2026, 10, 24, hour - 1);

describe("a street by its traffic", () => {
  const { value, because, evidence, alternatives } = programme(street());

  test("is P3 till 21, P4 till midnight, P5 till 7: 1, 5 lx over 7.5 lx and 3 lx over 7.5 lx", () => {
    expect(because).toBe("class-by-traffic");
    const active = [20, 22, 27, 31].map((hour) => stepAt(value.steps, local(hour) + MINUTE).step.active);
    expect(active).toEqual([1, 0.667, 0.4, 1]);
  });

  test("changes class on the local hour", () => {
    expect(value.steps.map((step) => step.at)).toContain(local(21));
    expect(value.steps.map((step) => step.at)).toContain(local(24));
  });

  test("idles at a fifth while nobody is near, and is off by day", () => {
    expect(stepAt(value.steps, local(27)).step.idle).toBe(0.2);
    expect(stepAt(value.steps, local(13)).step).toEqual({ at: noon, idle: 0, active: 0 });
  });

  test("says its classes, its dusk and what it saves against the night at full class", () => {
    expect(evidence).toMatchObject({
      street_class: "P3",
      busiest_per_h: 60,
      night_least_per_h: 3,
      hours_P4: 6,
      hours_P5: 7,
    });
    expect(evidence["energy_share"]).toBeLessThan(0.6);
    expect(alternatives.map((each) => each.refused)).toEqual([
      "uses-more-energy",
      "uses-more-energy",
      "below-class",
      "below-floor",
    ]);
  });
});

test("after a day with half as much again as usual, 22 h counts as 30 of 60 an hour and keeps the full class", () => {
  const recent = { correction: 1.5, error: 0.333, covered: 0.5 };
  const { value, evidence } = programme(street({ recent }));
  // 20 × 1.5 / 60 = 0.5 is high traffic; 3 × 1.5 / 60 = 0.075 is as low as before.
  expect([22, 27].map((hour) => stepAt(value.steps, local(hour) + MINUTE).step.active)).toEqual([1, 0.4]);
  expect(evidence).toMatchObject({
    recent_share: 1.5,
    forecast_error_share: 0.33,
    forecast_covered_share: 0.5,
    night_most_per_h: 90,
  });
});

test("a street that was never counted keeps its class all night", () => {
  const { value, because } = programme(street({ footfall: Array.from({ length: 168 }, () => null) }));
  expect(because).toBe("class-all-night");
  expect(value.steps.filter((step) => step.active > 0).every((step) => step.active === 1)).toBe(true);
});

test("a street without sensors never idles below its class", () => {
  const { value } = programme(street({ presence: false }));
  expect(value.steps.every((step) => step.idle === step.active)).toBe(true);
});

test("a motor road idles no lower than M6: 0.3 cd/m² over the 0.75 of M4 is 0.4", () => {
  const { value } = programme(street({ lightingClass: "M4" }));
  expect(Math.min(...value.steps.filter((step) => step.active > 0).map((step) => step.idle))).toBe(0.4);
});

test("luminaires stronger than the street asks for are dimmed to it: P4 of P2 luminaires is 5 lx over 10 lx", () => {
  const { value } = programme(street({ lightingClass: "P4", designClass: "P2", footfall: rhythm.map(() => 60) }));
  expect(Math.max(...value.steps.map((step) => step.active))).toBe(0.5);
});

test("in a polar summer it has one step, off", () => {
  const from = Date.UTC(2026, 5, 20);
  const { value, because } = programme(street({ lat: 78, from, to: from + 36 * HOUR }));
  expect(because).toBe("no-darkness");
  expect(value.steps).toEqual([{ at: from, idle: 0, active: 0 }]);
});

test("in a polar winter it burns throughout and the last step is not off", () => {
  const from = Date.UTC(2026, 11, 20);
  const { value } = programme(street({ lat: 78, from, to: from + 36 * HOUR }));
  expect(value.steps.every((step) => step.active > 0)).toBe(true);
});

test("on the night the clocks go back, 2 o'clock comes twice and midnight's step stays at local midnight", () => {
  const from = Date.UTC(2026, 9, 24, 10);
  const change = Date.UTC(2026, 9, 25, 1);
  const offsets = [{ from: from - DAY, offset_s: 7200 }, { from: change, offset_s: 3600 }]; // prettier-ignore
  const { value } = programme(street({ from, to: from + 36 * HOUR, offsets }));
  // Midnight is 22:00 UTC before the change; 7 o'clock is 06:00 UTC after it.
  expect(value.steps.map((step) => step.at)).toContain(Date.UTC(2026, 9, 24, 22));
  expect(value.steps.map((step) => step.at)).toContain(Date.UTC(2026, 9, 25, 6));
});

describe("any street, any night", () => {
  const input = fc
    .record({
      lightingClass: fc.constantFrom(...LIGHTING_CLASSES),
      lat: fc.double({ min: -80, max: 80, noNaN: true }),
      lon: fc.double({ min: -180, max: 180, noNaN: true }),
      from: fc.integer({ min: Date.UTC(2024, 0, 1), max: Date.UTC(2034, 0, 1) }),
      hours: fc.integer({ min: 1, max: 48 }),
      offset_s: fc.constantFrom(-16_200, 0, 3600, 19_800, 46_800),
      footfall: fc.array(fc.option(fc.integer({ min: 0, max: 500 })), { minLength: 168, maxLength: 168 }),
      presence: fc.boolean(),
      policy: fc.record({
        idle: fc.double({ min: 0, max: 1, noNaN: true }),
        floor: fc.double({ min: 0, max: 1, noNaN: true }),
        hold_s: fc.integer({ min: 1, max: 600 }),
      }),
    })
    .map(({ hours, offset_s, ...rest }) =>
      street({ ...rest, to: rest.from + hours * HOUR, offsets: [{ from: rest.from, offset_s }] }),
    );
  const check = (holds: (input: ProgrammeInput) => void) => fc.assert(fc.property(input, holds), { numRuns: 150 });

  test("has an order that a lamp accepts and a journal keeps", () => {
    check((each) => {
      const decision = programme(each);
      expect(order.parse(decision.value, "")).toEqual(decision.value);
      expect(JSON.parse(canonical(decision))).toEqual(decision);
      expect(PROGRAMME_RULES).toContain(decision.because);
      for (const { refused } of decision.alternatives) expect(PROGRAMME_REFUSALS).toContain(refused);
    });
  });

  test("is lit above its floor for all of the dark, and idle never exceeds active", () => {
    check((each) => {
      const { steps, floor } = programme(each).value;
      expect(floor).toBeCloseTo(each.policy.floor, 2);
      for (const night of darkness(instant(each.from), instant(each.to), each.lat, each.lon)) {
        for (let at: number = night.from; at < night.to; at += 20 * MINUTE) {
          const { step } = stepAt(steps, at);
          expect(step.idle).toBeGreaterThanOrEqual(floor);
          expect(step.active).toBeGreaterThanOrEqual(step.idle);
        }
      }
    });
  });

  test("has rising times", () => {
    check((each) => {
      const times = programme(each).value.steps.map((step) => step.at);
      expect(times).toEqual([...new Set(times)].toSorted((a, b) => a - b));
    });
  });
});
