import { expect, test } from "vitest";
import { virtualClock } from "#rehearsal/clock.ts";
import { openJournal } from "#server/journal.ts";
import type { PolicyChange } from "#server/policies.ts";
import { openPolicies } from "#server/policies.ts";
import { openState } from "#server/state.ts";
import { MONDAY, village } from "./village.ts";

function setUp(state = openState(":memory:", village.id)) {
  const journal = openJournal(state, () => undefined);
  return { state, journal, policies: openPolicies(state, journal, village, virtualClock(MONDAY)) };
}

test("a policy acts everywhere unless somebody changed it", () => {
  const { policies } = setUp();
  expect(policies.list().map(({ mode }) => mode)).toEqual(["general", "general", "general"]);
  expect(policies.acts("lighting.programme", "R1")).toBe(true);
});

test("in shadow it acts nowhere", () => {
  const { policies } = setUp();
  policies.change("lighting.programme", { mode: "shadow" }, "ana");
  expect(policies.acts("lighting.programme", "R1")).toBe(false);
  expect(policies.acts("traffic.frame", "J1")).toBe(true);
});

test("in a pilot it acts on its group only, which a zone may stand for", () => {
  const { policies } = setUp();
  policies.change("lighting.programme", { mode: "pilot", pilot: { acting: ["R1"], control: ["R2"] } }, "ana");
  expect(["R1", "R2"].map((street) => policies.acts("lighting.programme", street))).toEqual([true, false]);
  policies.change("lighting.programme", { mode: "pilot", pilot: { acting: ["south"], control: ["R1"] } }, "ana");
  expect(["R1", "R2"].map((street) => policies.acts("lighting.programme", street))).toEqual([false, true]);
});

const mistakes: [string, PolicyChange, RegExp][] = [
  ["a pilot without a group", { mode: "pilot" }, /At pilot.acting/],
  [
    "a pilot on a street that does not exist",
    { mode: "pilot", pilot: { acting: ["R9"], control: [] } },
    /At pilot.acting: found R9/,
  ],
  [
    "a street in both groups",
    { mode: "pilot", pilot: { acting: ["R1"], control: ["R1"] } },
    /At pilot.control: found R1/,
  ],
  ["a parameter nobody knows", { mode: "general", parameters: { colour: 1 } }, /At parameters.colour/],
  ["a parameter out of bounds", { mode: "general", parameters: { idle: 2 } }, /At parameters.idle: found 2/],
];
for (const [what, change, message] of mistakes) {
  test(`${what} is refused and changes nothing`, () => {
    const { policies, journal } = setUp();
    expect(() => policies.change("lighting.programme", change, "ana")).toThrow(message);
    expect([policies.get("lighting.programme").mode, journal.count()]).toEqual(["general", 0]);
  });
}

test("a change is in the journal with its author and what was before, and is there after a restart", () => {
  const { state, journal, policies } = setUp();
  policies.change("lighting.programme", { mode: "shadow", parameters: { idle: 0.4 } }, "ana");
  expect(journal.show(1)).toMatchObject({
    name: "policy.change",
    subject: "lighting.programme",
    author: "ana",
    inputs: { before: { mode: "general" } },
    decision: { value: { mode: "shadow" } },
  });
  const again = setUp(state).policies.get("lighting.programme");
  expect(again).toMatchObject({
    mode: "shadow",
    changedBy: "ana",
    changedAt: MONDAY,
    parameters: { idle: 0.4, floor: 0.1 },
  });
});
