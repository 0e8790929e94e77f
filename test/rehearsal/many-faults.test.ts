import { expect, test } from "vitest";
import { seededChance } from "#protocol/chance.ts";
import { misfortune } from "#rehearsal/misfortune.ts";
import type { ScheduledFault } from "#simulators/faults.ts";
import { broken, EVENING, evening, HAMLET, NOTHING_BROKEN } from "./hamlet.ts";

test("nine evenings of faults drawn by chance, many at once: every promise is kept", async () => {
  for (let seed = 1; seed <= 9; seed++) {
    const faults = misfortune(HAMLET, seededChance(`misfortune ${seed}`), 4, 16);
    const rehearsed = await evening({ seed, hours: 4, faults });
    expect({ seed, ...broken(rehearsed) }).toEqual({ seed, ...NOTHING_BROKEN });
  }
});

test("stations whose clocks are two hours behind or ahead light at dusk, and are believed, by the server's time", async () => {
  for (const amount of [-7200, 7200]) {
    const faults: ScheduledFault[] = [{ kind: "clock-wrong", at_s: 60, for_s: 4 * 3600, amount }];
    const levels = new Map<string, number>();
    const { result } = await evening({
      faults,
      hand: false,
      trace: ({ what, lamp, level }) => what === "level" && levels.set(String(lamp), Number(level)),
    });
    // At 19 UTC it is dark; by their own clocks it would be 17 or 21, by day before or by night.
    expect(Math.min(...levels.values())).toBeGreaterThanOrEqual(0.1);
    expect(result.acknowledged - result.stored).toBeLessThan(result.acknowledged / 50);
  }
});

test("a junction that loses its power in the middle of a green is dark, and begins with all red when it is back", async () => {
  const faults = Array.from({ length: 40 }, (_, index): ScheduledFault => {
    return { kind: "disk-loses-unsynced", at_s: 300 + 61 * index, for_s: 5, target: "S-J1" };
  });
  const shown: { at: number; greens: number }[] = [];
  const rehearsed = await evening({
    hours: 1,
    faults,
    trace: ({ what, at, greens }) => what === "greens" && shown.push({ at: Number(at), greens: Number(greens) }),
  });
  expect(broken(rehearsed)).toEqual(NOTHING_BROKEN);
  for (const { at_s, for_s } of faults) {
    const gone = EVENING + at_s * 1000;
    expect(shown.findLast(({ at }) => at <= gone)?.greens).toBe(0);
    // The longest intergreen of this junction is five seconds at least.
    expect(shown.find(({ at, greens }) => at > gone && greens !== 0)?.at).toBeGreaterThanOrEqual(
      gone + (for_s + 5) * 1000,
    );
  }
});

test("two faults of one kind that overlap are over when both are", async () => {
  const faults: ScheduledFault[] = [
    { kind: "broker-gone", at_s: 600, for_s: 1200 },
    { kind: "broker-gone", at_s: 900, for_s: 3000 },
  ];
  const received: number[] = [];
  const { town, store } = await evening({ faults });
  expect(town.world.junctions.size).toBe(1);
  for (const { at } of await store.range("J1", "greens", 0 as never, 9e15 as never, 1e6)) received.push(at);
  // What was said meanwhile waited in the outbox, so no minute is missing.
  const gaps = received.slice(1).map((at, index) => (at - (received[index] as number)) / 1000);
  expect(Math.max(...gaps)).toBeLessThan(300);
});
