import { expect, test } from "vitest";
import { seededChance } from "#protocol/chance.ts";
import { misfortune } from "#rehearsal/misfortune.ts";
import { FAULT_KINDS, type ScheduledFault } from "#simulators/faults.ts";
import { broken, EVENING, evening, HAMLET, NOTHING_BROKEN } from "./hamlet.ts";

/** Three times in three hours, a quarter of an hour each, by the amounts given or the usual one. */
function thrice(kind: ScheduledFault["kind"], { target, amounts = [] }: { target?: string; amounts?: number[] } = {}) {
  return [900, 4200, 8100].map((at_s, index): ScheduledFault => {
    const amount = amounts[index];
    return { kind, at_s, for_s: 900, ...(target !== undefined && { target }), ...(amount !== undefined && { amount }) };
  });
}

const ALONE: Record<string, ScheduledFault[]> = {
  ...Object.fromEntries(FAULT_KINDS.map((kind) => [kind, thrice(kind)])),
  "server-killed again and again, for a second": Array.from({ length: 60 }, (_, index) => ({
    kind: "server-killed",
    at_s: 100 + 170 * index,
    for_s: 1,
  })),
  "clock-wrong, ahead and behind": thrice("clock-wrong", { amounts: [3600, -3600, 150] }),
  "clock-wrong at one junction": thrice("clock-wrong", { target: "S-J1", amounts: [-7200, 7200, 40] }),
  "disk-full at the server": thrice("disk-full", { target: "server" }),
  "disk-full at one lamp": thrice("disk-full", { target: "S-L03" }),
  "disk-loses-unsynced at the server": thrice("disk-loses-unsynced", { target: "server" }),
  "disk-loses-unsynced at one junction": thrice("disk-loses-unsynced", { target: "S-J1" }),
  "network-cut at one lamp": thrice("network-cut", { target: "S-L03" }),
  "network-delayed by a minute": thrice("network-delayed", { amounts: [60, 30, 0.5] }),
  "network-reordered, half of all": thrice("network-reordered", { amounts: [0.5, 0.5, 0.5] }),
  "network-duplicated, all of it": thrice("network-duplicated", { amounts: [1, 1, 1] }),
};

for (const [name, faults] of Object.entries(ALONE)) {
  test(`${name}: every promise is kept, and the town comes back by itself`, async () => {
    const rehearsed = await evening({ faults });
    expect(broken(rehearsed)).toEqual(NOTHING_BROKEN);
    expect(rehearsed.result.acknowledged).toBeGreaterThan(3000);
  });
}

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
