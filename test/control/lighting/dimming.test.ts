import { describe, expect, test } from "vitest";
import * as fc from "fast-check";
import type { LampState } from "#control/lighting/dimming.ts";
import { dimming } from "#control/lighting/dimming.ts";
import { HOUR, instant, level } from "#protocol/units.ts";
import { canonical } from "#protocol/canonical.ts";

const dusk = Date.UTC(2026, 10, 24, 16);
const dawn = dusk + 15 * HOUR;
const programme = {
  action: "programme" as const,
  steps: [
    { at: dusk, idle: 0.2, active: 1 },
    { at: dusk + 5 * HOUR, idle: 0.2, active: 0.4 },
    { at: dawn, idle: 0, active: 0 },
  ],
  floor: 0.1,
  hold_s: 30,
};

function lamp(change: Partial<LampState>): LampState {
  return {
    now: instant(dusk + HOUR),
    night: { dark: true, until: instant(dawn) },
    classLevel: level(1),
    floor: level(0.1),
    ...change,
  };
}

describe("rules in order of authority", () => {
  test("by day a lamp is off until dusk", () => {
    const decision = dimming(
      lamp({ night: { dark: false, until: instant(dusk) }, now: instant(dusk - HOUR), programme }),
    );
    expect(decision).toMatchObject({ value: 0, because: "daylight", validUntil: dusk });
  });

  test("in the dark without a programme it burns at its class level until dawn", () => {
    expect(dimming(lamp({}))).toMatchObject({ value: 1, because: "class-level", validUntil: dawn });
  });

  test("with a programme it idles until the next step", () => {
    expect(dimming(lamp({ programme }))).toMatchObject({
      value: 0.2,
      because: "programme",
      validUntil: dusk + 5 * HOUR,
    });
  });

  test("someone 10 s ago makes it active for the 20 s that are left of 30", () => {
    const now = instant(dusk + HOUR);
    const decision = dimming(lamp({ programme, lastPresence: instant(now - 10_000) }));
    expect(decision).toMatchObject({ value: 1, because: "presence", validUntil: now + 20_000 });
  });

  test("someone 30 s ago is gone", () => {
    expect(dimming(lamp({ programme, lastPresence: instant(dusk + HOUR - 30_000) })).because).toBe("programme");
  });

  test("an override wins over presence, and what the lamp would have done stays beside it", () => {
    const now = instant(dusk + HOUR);
    const decision = dimming(lamp({ programme, lastPresence: now, override: { level: 0.5, until: now + HOUR } }));
    expect(decision).toMatchObject({
      value: 0.5,
      because: "override",
      alternatives: [{ value: 1, refused: "override" }],
    });
    expect(decision.evidence).toMatchObject({ machine_level: 1, machine_rule: "presence", override_level: 0.5 });
    expect(decision.validUntil).toBe(now + 30_000);
  });

  test("an override lights a lamp by day", () => {
    const now = instant(dusk - HOUR);
    const decision = dimming(
      lamp({ now, night: { dark: false, until: instant(dusk) }, override: { level: 1, until: now + 60_000 } }),
    );
    expect(decision).toMatchObject({ value: 1, because: "override", validUntil: now + 60_000 });
  });

  test("an override that has ended says nothing any more", () => {
    expect(dimming(lamp({ programme, override: { level: 0.9, until: dusk + HOUR } })).because).toBe("programme");
  });

  test("the guard raises an override that would leave a street dark", () => {
    const decision = dimming(lamp({ programme, override: { level: 0, until: dawn } }));
    expect(decision).toMatchObject({ value: 0.1, because: "guard" });
    expect(decision.alternatives).toContainEqual({ value: 0, refused: "guard" });
  });

  test("the guard raises a programme that ends its night before the lamp's own dawn", () => {
    const decision = dimming(
      lamp({ now: instant(dawn), night: { dark: true, until: instant(dawn + 60_000) }, programme }),
    );
    expect(decision).toMatchObject({ value: 0.1, because: "guard" });
  });
});

describe("a programme older than its last step", () => {
  const overnight = { dark: true, until: instant(dawn + 100 * 24 * HOUR) };
  test("gives the same levels at the same time of day, days later", () => {
    for (const days of [1, 2, 9]) {
      const now = instant(dusk + HOUR + days * 24 * HOUR);
      const decision = dimming(lamp({ now, night: overnight, programme }));
      expect(decision).toMatchObject({ value: 0.2, validUntil: dusk + (5 + days * 24) * HOUR });
    }
  });

  test("keeps its first step's time of day too, so that the day after its last step is whole", () => {
    // Between dawn and the next dusk the last step (off) holds; the guard keeps the floor if it is dark all the same.
    const decision = dimming(lamp({ now: instant(dawn + 2 * HOUR), night: overnight, programme }));
    expect(decision).toMatchObject({ value: 0.1, because: "guard", validUntil: dusk + 24 * HOUR });
  });

  test("of a single step holds that step for ever", () => {
    const single = { ...programme, steps: [{ at: dusk, idle: 0.3, active: 0.8 }] };
    for (const now of [dusk - HOUR, dusk, dusk + 50 * HOUR]) {
      expect(dimming(lamp({ now: instant(now), night: overnight, programme: single })).value).toBe(0.3);
    }
  });
});

describe("whatever a lamp is told", () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  const time = fc.integer({ min: dusk - 48 * HOUR, max: dawn + 96 * HOUR });
  const steps = fc
    .uniqueArray(fc.record({ at: time, idle: share, active: share }), {
      minLength: 1,
      maxLength: 20,
      selector: (step) => step.at,
    })
    .map((all) => all.toSorted((a, b) => a.at - b.at));
  const state = fc
    .record(
      {
        now: time,
        dark: fc.boolean(),
        left: fc.integer({ min: 1, max: 16 * HOUR }),
        floor: share,
        classLevel: share,
        programme: fc.record({
          action: fc.constant("programme" as const),
          steps,
          floor: share,
          hold_s: fc.integer({ min: 1, max: 600 }),
        }),
        override: fc.record({ level: share, until: time }),
        ago: fc.integer({ min: 0, max: 700_000 }),
      },
      { requiredKeys: ["now", "dark", "left", "floor", "classLevel"] },
    )
    .map(({ now, dark, left, floor, classLevel, programme: told, override, ago }): LampState => ({
      now: instant(now),
      night: { dark, until: instant(now + left) },
      floor: level(floor),
      classLevel: level(classLevel),
      ...(told !== undefined && { programme: told }),
      ...(override !== undefined && { override }),
      ...(ago !== undefined && { lastPresence: instant(now - ago) }),
    }));
  const check = (holds: (lamp: LampState) => void) => fc.assert(fc.property(state, holds), { numRuns: 2000 });

  test("in darkness it is never below its floor", () => {
    check((each) => {
      const floor = each.night.dark ? Math.max(each.floor, each.programme?.floor ?? 0) : 0;
      // A class level below the floor is the guard's business too.
      expect(dimming(each).value).toBeGreaterThanOrEqual(floor);
    });
  });

  test("an override that runs always wins, except over the floor", () => {
    check((each) => {
      if (each.override === undefined || each.override.until <= each.now) return;
      const floor = each.night.dark ? Math.max(each.floor, each.programme?.floor ?? 0) : 0;
      expect(dimming(each).value).toBe(Math.max(floor, each.override.level));
    });
  });

  test("by day it is off unless overridden", () => {
    check((each) => {
      if (each.night.dark || (each.override !== undefined && each.override.until > each.now)) return;
      expect(dimming(each)).toMatchObject({ value: 0, because: "daylight" });
    });
  });

  test("someone passing never makes it darker", () => {
    check((each) => {
      const { lastPresence: _, ...alone } = each;
      expect(dimming({ ...alone, lastPresence: each.now }).value).toBeGreaterThanOrEqual(dimming(alone).value);
    });
  });

  test("the answer does not change before it is said to, and it is said to change only later than now", () => {
    fc.assert(
      fc.property(state, fc.double({ min: 0, max: 1, noNaN: true }), (each, along) => {
        const decision = dimming(each);
        expect(decision.validUntil).toBeGreaterThan(each.now);
        const until = Math.min(decision.validUntil, each.night.until);
        const between = each.now + Math.floor(along * (until - 1 - each.now));
        const then = dimming({ ...each, now: instant(between) });
        expect([then.value, then.because, then.validUntil]).toEqual([
          decision.value,
          decision.because,
          decision.validUntil,
        ]);
      }),
      { numRuns: 2000 },
    );
  });

  test("its decision can be journalled", () => {
    check((each) => {
      expect(JSON.parse(canonical(dimming(each)))).toEqual(dimming(each));
    });
  });
});
