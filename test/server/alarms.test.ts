import type { Arbitrary } from "fast-check";
import { array, assert, constant, constantFrom, oneof, property } from "fast-check";
import { expect, test } from "vitest";
import { virtualClock } from "#rehearsal/clock.ts";
import { Fault } from "#protocol/faults.ts";
import { DAY, later, seconds } from "#protocol/units.ts";
import { ALARM_KINDS, alarmSentence } from "#server/alarm-kinds.ts";
import type { AlarmState } from "#server/alarms.ts";
import { ALARM_STATES, openAlarms, TRANSITIONS } from "#server/alarms.ts";
import { openState } from "#server/state.ts";
import { MONDAY } from "./village.ts";

const cause = {
  key: "lamp-failed",
  subject: "L1",
  facts: { device: "L1", street: "Rue du Puits" },
  devices: ["L1"],
} as const;

function setUp(state = openState(":memory:", "village")) {
  const clock = virtualClock(MONDAY);
  return { state, clock, alarms: openAlarms(state, clock) };
}

test("one cause makes one alarm, however often it is seen", () => {
  const { alarms } = setUp();
  for (let turn = 0; turn < 5; turn++) alarms.raise(cause);
  expect(alarms.list(ALARM_STATES, 10)).toHaveLength(1);
});

test("an alarm is resolved by itself when its cause goes, and opens again when it comes back", () => {
  const { alarms } = setUp();
  alarms.raise(cause);
  alarms.clear("lamp-failed", "L1");
  expect(alarms.get(1)).toMatchObject({ state: "resolved", clearedAt: MONDAY, count: 1 });
  alarms.raise(cause);
  expect(alarms.get(1)).toMatchObject({ state: "open", count: 2 });
  expect(alarms.get(1)?.clearedAt).toBeUndefined();
});

test("what a person resolved stays resolved while the cause lasts, and opens when it comes a second time", () => {
  const { alarms } = setUp();
  alarms.raise(cause);
  alarms.act(1, { state: "resolved", note: "A new lamp is on its way." }, "ana");
  alarms.raise(cause);
  expect(alarms.get(1)?.state).toBe("resolved");
  alarms.clear("lamp-failed", "L1");
  alarms.raise(cause);
  expect(alarms.get(1)?.state).toBe("open");
});

test("after a closed alarm the same cause makes a new one", () => {
  const { alarms } = setUp();
  alarms.raise(cause);
  alarms.clear("lamp-failed", "L1");
  alarms.act(1, { state: "closed" }, "ana");
  expect(alarms.raise(cause).id).toBe(2);
});

test("taking an alarm makes it one's own, and it can be handed on or back", () => {
  const { alarms } = setUp();
  alarms.raise(cause);
  expect(alarms.act(1, { state: "acknowledged" }, "ana").owner).toBe("ana");
  expect(alarms.act(1, { owner: "bob" }, "ana").owner).toBe("bob");
  expect(alarms.act(1, { state: "in-progress" }, "ana").owner).toBe("bob");
  expect(alarms.act(1, { owner: null }, "ana").owner).toBeUndefined();
});

test("notes keep their author and time; empty ones are refused", () => {
  const { alarms } = setUp();
  alarms.raise(cause);
  alarms.act(1, { note: "Ladder ordered." }, "ana");
  expect(alarms.get(1)?.notes).toEqual([{ at: MONDAY, author: "ana", text: "Ladder ordered." }]);
  expect(() => alarms.act(1, { note: " " }, "ana")).toThrow(/At note/);
});

test("a resolved alarm is closed after a week without a hand", async () => {
  const { alarms, clock } = setUp();
  alarms.raise(cause);
  alarms.clear("lamp-failed", "L1");
  await clock.run(later(MONDAY, seconds((6.9 * DAY) / 1000)));
  alarms.tidy();
  expect(alarms.get(1)?.state).toBe("resolved");
  await clock.run(later(MONDAY, seconds((7 * DAY) / 1000)));
  alarms.tidy();
  expect(alarms.get(1)?.state).toBe("closed");
});

test("alarms outlive a restart, with the knowledge of which causes are still there", () => {
  const { state, alarms } = setUp();
  alarms.raise(cause);
  alarms.act(1, { state: "resolved" }, "ana");
  const again = setUp(state).alarms;
  again.raise(cause);
  expect(again.get(1)?.state).toBe("resolved");
  expect(again.list(ALARM_STATES, 10)).toHaveLength(1);
});

const names = (text: string): string[] =>
  [...new Set([...text.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name))].toSorted();

test("every kind of alarm has a whole sentence in both languages, over the same facts", () => {
  for (const [key, kind] of Object.entries(ALARM_KINDS)) {
    expect(names(kind.fr), key).toEqual(names(kind.en));
    expect(kind.en, key).toMatch(/\.$/);
    expect(kind.fr, key).toMatch(/\.$/);
  }
  const sentence = alarmSentence(cause, "en");
  expect(sentence).toBe(
    "Lamp L1 in Rue du Puits reports a failure: a stretch of the street is dark. Send someone with a ladder.",
  );
});

type Step = { do: "raise" } | { do: "clear" } | { do: "act"; state: AlarmState };
const steps: Arbitrary<Step> = oneof(
  constant<Step>({ do: "raise" }),
  constant<Step>({ do: "clear" }),
  constantFrom(...ALARM_STATES).map((state): Step => ({ do: "act", state })),
);

test("whatever happens, an alarm moves only where its state may lead, and one cause never has two that are not closed", () => {
  assert(
    property(array(steps, { maxLength: 30 }), (story) => {
      const { alarms } = setUp();
      let present = false;
      for (const step of story) {
        const before = alarms.list(ALARM_STATES, 100);
        const latest = before[0];
        if (step.do === "raise") {
          present = true;
          alarms.raise(cause);
        } else if (step.do === "clear") {
          alarms.clear("lamp-failed", "L1");
          // One that a person has opened again without its cause waits for that person.
          if (present) expect(alarms.list(["open", "acknowledged", "in-progress"], 100)).toEqual([]);
          present = false;
        } else if (latest !== undefined) {
          const legal =
            latest.state !== "closed" &&
            (step.state === latest.state || TRANSITIONS[latest.state].includes(step.state));
          if (legal) expect(alarms.act(latest.id, { state: step.state }, "ana").state).toBe(step.state);
          else expect(() => alarms.act(latest.id, { state: step.state }, "ana")).toThrow(Fault);
        }
        const after = alarms.list(ALARM_STATES, 100);
        expect(after.filter(({ state }) => state !== "closed").length).toBeLessThanOrEqual(1);
        expect(alarms.standing().length).toBe(present ? 1 : 0);
      }
    }),
    { numRuns: 200 },
  );
});
