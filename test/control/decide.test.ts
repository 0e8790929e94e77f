import { expect, test } from "vitest";
import { DECIDE, DECISION_NAMES, decide } from "#control/decide.ts";
import { PROGRAMME_POLICY } from "#control/lighting/programme.ts";
import { canonical } from "#protocol/canonical.ts";

const inputs = {
  street: "rue-haute",
  lightingClass: "P3",
  highway: "residential",
  lat: 48.85,
  lon: 2.35,
  from: Date.UTC(2026, 10, 24, 11),
  to: Date.UTC(2026, 10, 25, 23),
  offsets: [{ from: 0, offset_s: 3600 }],
  footfall: Array.from({ length: 168 }, (_, hour) => (hour % 24 < 7 ? 3 : 60)),
  presence: true,
  policy: PROGRAMME_POLICY,
} as const;

test("the journal knows three decisions by name", () => {
  expect(DECISION_NAMES).toEqual(["lighting.programme", "traffic.frame", "waste.rounds"]);
});

test("a decision computed again from inputs that went through the journal is the same, bit for bit", () => {
  const first = canonical(decide("lighting.programme", inputs));
  const again = canonical(decide("lighting.programme", JSON.parse(canonical(inputs)) as typeof inputs));
  expect(again).toBe(first);
  expect(first).toBe(canonical(DECIDE["lighting.programme"](inputs)));
});
