import { expect, test } from "vitest";
import { FAULT_KINDS, type ScheduledFault } from "#simulators/faults.ts";
import { broken, evening, NOTHING_BROKEN } from "./hamlet.ts";

/** Twice in two hours, a quarter of an hour each, by the amounts given or the usual one. */
function twice(kind: ScheduledFault["kind"], { target, amounts = [] }: { target?: string; amounts?: number[] } = {}) {
  return [900, 4200].map((at_s, index): ScheduledFault => {
    const amount = amounts[index];
    return { kind, at_s, for_s: 900, ...(target !== undefined && { target }), ...(amount !== undefined && { amount }) };
  });
}

const ALONE: Record<string, ScheduledFault[]> = {
  ...Object.fromEntries(FAULT_KINDS.map((kind) => [kind, twice(kind)])),
  "server-killed again and again, for a second": Array.from({ length: 40 }, (_, index) => ({
    kind: "server-killed",
    at_s: 100 + 170 * index,
    for_s: 1,
  })),
  "clock-wrong, ahead and behind": twice("clock-wrong", { amounts: [3600, -3600] }),
  "clock-wrong at one junction": twice("clock-wrong", { target: "S-J1", amounts: [-7200, 7200] }),
  "disk-full at the server": twice("disk-full", { target: "server" }),
  "disk-full at one lamp": twice("disk-full", { target: "S-L03" }),
  "disk-loses-unsynced at the server": twice("disk-loses-unsynced", { target: "server" }),
  "disk-loses-unsynced at one junction": twice("disk-loses-unsynced", { target: "S-J1" }),
  "network-cut at one lamp": twice("network-cut", { target: "S-L03" }),
  "network-delayed by a minute": twice("network-delayed", { amounts: [60, 30] }),
  "network-reordered, half of all": twice("network-reordered", { amounts: [0.5, 0.5] }),
  "network-duplicated, all of it": twice("network-duplicated", { amounts: [1, 1] }),
};

for (const [name, faults] of Object.entries(ALONE)) {
  test(`${name}: every promise is kept, and the town comes back by itself`, async () => {
    const rehearsed = await evening({ faults, hours: 2 });
    expect(broken(rehearsed)).toEqual(NOTHING_BROKEN);
    expect(rehearsed.result.acknowledged).toBeGreaterThan(2000);
  });
}
