import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Counter, Word } from "#control/traffic/counts.ts";
import { countOf, HABITS, rateOf } from "#control/traffic/counts.ts";
import type { FrameInput } from "#control/traffic/frame.ts";
import { frame } from "#control/traffic/frame.ts";
import { canonical } from "#protocol/canonical.ts";
import { instant } from "#protocol/units.ts";
import { fourArms } from "./junctions.ts";

const now = instant(1_800_000_000_000);
/** A counter that counts `perMinute` and says so each minute from `from_min` to `to_min` minutes ago. */
const minutes = (from_min: number, to_min: number, perMinute: number, begins = 0): Word[] =>
  Array.from({ length: from_min - to_min + 1 }, (_, i) => ({
    at: now - (from_min - i) * 60_000,
    value: begins + i * perMinute,
  }));

describe("one counter", () => {
  test("ten vehicles a minute are 600 an hour, over half an hour or over ten minutes", () => {
    expect(rateOf(minutes(31, 1, 10), now, HABITS.vehicles)).toBe(600);
    expect(rateOf(minutes(11, 1, 10), now, HABITS.vehicles)).toBe(600);
  });

  test("that was silent in between says what it counted between its first and its last word", () => {
    const words = minutes(31, 1, 10).filter((_, i) => i < 5 || i > 25);
    expect(rateOf(words, now, HABITS.vehicles)).toBe(600);
  });

  test("whose last word is over three minutes old is silent, however much it said before", () => {
    expect(rateOf(minutes(31, 3, 10), now, HABITS.vehicles)).toBe(600);
    expect(rateOf(minutes(31, 4, 10), now, HABITS.vehicles)).toBe("silent");
    expect(rateOf([], now, HABITS.vehicles)).toBe("silent");
  });

  test("that has spoken for less than five minutes says too little about an hour", () => {
    expect(rateOf(minutes(5, 1, 10), now, HABITS.vehicles)).toBe("too-short");
    expect(rateOf(minutes(6, 1, 10), now, HABITS.vehicles)).toBe(600);
  });

  test("that began anew is counted from there", () => {
    const words = [...minutes(31, 12, 10, 5000), ...minutes(11, 1, 20)];
    expect(rateOf(words, now, HABITS.vehicles)).toBe(1200);
  });

  test("that was stuck when its words begin is counted from the word on with which it caught up", () => {
    // Stuck for an hour until 20 minutes ago, then it says 240 at once; four a minute pass.
    const words = [...minutes(31, 20, 0, 1000), ...minutes(19, 1, 4, 1240)];
    expect(rateOf(words, now, HABITS.vehicles)).toBe(240);
    // The words begin with the last one before it caught up.
    expect(rateOf(words.slice(11), now, HABITS.vehicles)).toBe(240);
    // Stuck from ten minutes ago to five minutes ago, all is counted between its first and its last word.
    const within = [...minutes(31, 11, 4, 1000), ...minutes(10, 6, 0, 1080), ...minutes(5, 1, 4, 1104)];
    expect(rateOf(within, now, HABITS.vehicles)).toBe(240);
  });

  test("of a lane that was empty until a platoon of eight came is counted with its empty time", () => {
    const words = [...minutes(31, 20, 0, 1000), ...minutes(19, 1, 0, 1008)];
    expect(rateOf(words, now, HABITS.vehicles)).toBe(16);
  });

  test("of a steady stream gives the same rate whichever of its words are missing", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 40 }),
        fc.array(fc.boolean(), { minLength: 31, maxLength: 31 }),
        (each, kept) => {
          const rate = rateOf(
            minutes(31, 1, each).filter((_, i) => kept[i]),
            now,
            HABITS.vehicles,
          );
          if (typeof rate === "number") expect(rate).toBeCloseTo(each * 60, 9);
        },
      ),
    );
  });

  test("never says less than nothing, and nothing when it counts nothing", () => {
    const word = fc.record({ at: fc.integer({ min: 1, max: 1_860_000 }), value: fc.integer({ min: 0, max: 1e6 }) });
    fc.assert(
      fc.property(fc.array(word, { maxLength: 40 }), (drawn) => {
        const words = drawn.map(({ at, value }) => ({ at: now - at, value })).toSorted((a, b) => a.at - b.at);
        const rate = rateOf(words, now, HABITS.vehicles);
        if (typeof rate === "number") expect(rate).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe("the counters of one group", () => {
  const line = (rate: Counter["rate"]): Counter => ({ at: "stop-line", rate });
  const before = (rate: Counter["rate"]): Counter => ({ at: "advance", rate });

  test("count each vehicle once, at the line", () => {
    expect(countOf([line(300), line(200), before(480)])).toEqual({
      perHour: 500,
      counted: { at: "stop-line", counters: 2, known: 2 },
    });
  });

  test("count before the line where a counter at the line is not known", () => {
    expect(countOf([line("silent"), line(200), before(480)])).toEqual({
      perHour: 480,
      counted: { at: "advance", counters: 1, known: 1 },
    });
  });

  test("are scaled to all where some are known: 200 an hour over one of two lanes are 400 over both", () => {
    expect(countOf([line("too-short"), line(200), before("silent")])).toEqual({
      perHour: 400,
      counted: { at: "stop-line", counters: 2, known: 1 },
    });
  });

  test("say nothing where none is known or there", () => {
    expect(countOf([line("silent")])).toEqual({
      perHour: undefined,
      counted: { at: "stop-line", counters: 1, known: 0 },
    });
    expect(countOf([]).perHour).toBeUndefined();
  });

  test("one more that says what the others say on average changes nothing for the group's lanes", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 1, maxLength: 6 }), (rates) => {
        const whole = countOf(rates.map(line)).perHour as number;
        expect(whole).toBe(rates.reduce((sum, each) => sum + each, 0));
        const mean = whole / rates.length;
        expect(countOf([...rates.map(line), line("silent")]).perHour).toBeCloseTo(whole + mean, 0);
      }),
    );
  });
});

describe("a frame", () => {
  const known = { at: "stop-line", counters: 1, known: 1 } as const;
  const unknown = { at: "stop-line", counters: 1, known: 0 } as const;
  const arms = ["north", "south", "east", "west"];
  const input = (given: Partial<FrameInput> = {}): FrameInput => ({
    junction: fourArms(),
    flows: { "v-north": 720, "v-south": 300, "v-east": 360, "v-west": 200 },
    calls: {},
    counted: Object.fromEntries(arms.map((arm) => [`v-${arm}`, known])),
    current: null,
    until: now,
    ...given,
  });

  test("of counts that are all known is the one that it would be without asking how they came about", () => {
    const { counted: _, ...bare } = input();
    const decision = frame(input());
    expect(decision.value).toEqual(frame(bare).value);
    expect(decision.evidence).toMatchObject({ flow_veh_h: 1580, counters: 4, counters_known: 4 });
    expect(decision.evidence).not.toHaveProperty("assumed_as_planned");
  });

  test("takes an unknown group to be as busy as the fixed plan was made for, and says so", () => {
    // 28 s + 22 s of green and two changes of 5 s: a cycle of 60 s. 0.5 × 1800 × 28 / 60 = 420 an hour.
    const { "v-north": _, "v-south": __, ...flows } = input().flows as Record<string, number>;
    const counted = { ...input().counted, "v-north": unknown, "v-south": unknown };
    const decision = frame(input({ flows, counted, silent: ["D-J1-north"] }));
    expect(decision.evidence).toMatchObject({
      flow_ratio: 0.433,
      flow_veh_h: 560,
      counters_known: 2,
      assumed_as_planned: "v-north, v-south",
      silent_counters: "D-J1-north",
    });
    expect(decision.value).toEqual(frame(input({ flows: { ...flows, "v-north": 420, "v-south": 420 } })).value);
  });

  test("without any count says that nothing is counted, and divides the green as the fixed plan does", () => {
    const counted = Object.fromEntries(arms.map((arm) => [`v-${arm}`, unknown]));
    const decision = frame(input({ flows: {}, counted }));
    expect(decision.because).toBe("frame-uncounted");
    const [ns, ew] = decision.value.stages.map((stage) => stage.target_s) as [number, number];
    // In whole seconds of a short cycle.
    expect(Math.abs(ns / ew - 28 / 22)).toBeLessThan(0.15);
  });

  test("gives a crossing whose buttons are unknown its time in every cycle", () => {
    const counted = { ...input().counted, "p-north": { at: "button", counters: 1, known: 0 } as const };
    const decision = frame(input({ counted }));
    expect(decision.evidence).toMatchObject({ assumed_called: "p-north", calls_h: 0 });
    expect(decision.value.stages[1]?.min_s).toBe(9);
  });

  test("comes out the same again from its recorded inputs, whatever is known", () => {
    const group = fc.constantFrom(known, unknown, { at: "advance", counters: 3, known: 2 } as const);
    fc.assert(
      fc.property(fc.array(group, { minLength: 4, maxLength: 4 }), (drawn) => {
        const counted = Object.fromEntries(arms.map((arm, i) => [`v-${arm}`, drawn[i] as typeof known]));
        const given = input({ counted });
        expect(canonical(frame(JSON.parse(JSON.stringify(given)) as FrameInput))).toBe(canonical(frame(given)));
      }),
    );
  });
});
