import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { FrameInput } from "#control/traffic/frame.ts";
import type { Reading } from "#protocol/messages.ts";
import type { Instant } from "#protocol/units.ts";
import { DAY, MINUTE } from "#protocol/units.ts";
import { virtualClock } from "#rehearsal/clock.ts";
import { openJournal } from "#server/journal.ts";
import { offsetsOf } from "#server/offsets.ts";
import { openPolicies } from "#server/policies.ts";
import { createRegistry } from "#server/registry.ts";
import { decideByName } from "#server/server.ts";
import { trafficService } from "#server/services/traffic.ts";
import { openState } from "#server/state.ts";
import { duckdbStore } from "#server/store/duckdb.ts";
import { memoryStore } from "#server/store/memory.ts";
import type { Store } from "#server/store/store.ts";
import { MONDAY, village } from "./village.ts";

const directory = mkdtempSync(join(tmpdir(), "vigie-counts-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What a counter says each minute from `from` to `to` minutes before the decision, counting `perMinute`. */
const words = (device: string, measure: string, from: number, to: number, perMinute: number): Reading[] =>
  Array.from({ length: from - to + 1 }, (_, i) => ({
    device,
    measure,
    at: (MONDAY - (from - i) * MINUTE) as Instant,
    value: 1000 + i * perMinute,
  }));

async function serviceWith(store: Store, readings: readonly Reading[]) {
  await store.open();
  await store.commit([{ station: "S-J1", epoch: "e", first: 1, readings }]);
  const clock = virtualClock(MONDAY);
  const state = openState(":memory:", village.id);
  const registry = createRegistry(village, clock);
  const policies = openPolicies(state, openJournal(state, decideByName), village, clock);
  const offsets = offsetsOf(village.timeZone);
  return trafficService({ territory: village, store, registry, policies, clock, offsets });
}

async function decided(store: Store, readings: readonly Reading[]) {
  const outcome = await (await serviceWith(store, readings)).decide("J1", MONDAY);
  await store.close();
  return { inputs: outcome?.inputs as FrameInput, decision: outcome?.decision };
}

let files = 0;
const STORES: Record<string, () => Store> = {
  "the memory store": () => memoryStore(),
  "the DuckDB store": () => duckdbStore(join(directory, `${files++}.duckdb`)),
};

for (const [name, open] of Object.entries(STORES)) {
  test(`over ${name}: a loop that spoke for the last ten of thirty minutes counts as much an hour as one that always did`, async () => {
    // Both count 10 a minute; the button was pressed 12 times in half an hour.
    const { inputs, decision } = await decided(open(), [
      ...words("D-W", "vehicles", 31, 1, 10),
      ...words("D-S", "vehicles", 11, 1, 10),
      { device: "B-PW", measure: "calls", at: (MONDAY - 35 * MINUTE) as Instant, value: 3 },
      { device: "B-PW", measure: "calls", at: (MONDAY - 5 * MINUTE) as Instant, value: 15 },
    ]);
    expect(inputs.flows).toEqual({ W: 600, S: 600 });
    expect(inputs.calls).toEqual({ PW: 24 });
    expect(inputs.silent).toEqual([]);
    expect(decision?.evidence).toMatchObject({ counters: 3, counters_known: 3, flow_veh_h: 1200 });
  });
}

test("a loop that died a quarter of an hour ago is left out, and its lane is taken to be what the fixed plan expects", async () => {
  const { inputs, decision } = await decided(memoryStore(), [
    ...words("D-W", "vehicles", 31, 1, 10),
    ...words("D-S", "vehicles", 31, 15, 10),
  ]);
  expect(inputs.flows).toEqual({ W: 600 });
  expect(inputs.silent).toEqual(["D-S", "B-PW"]);
  expect(decision?.evidence).toMatchObject({
    assumed_as_planned: "S",
    assumed_called: "PW",
    silent_counters: "D-S, B-PW",
  });
});

/** Words of a day that ended at `MONDAY` minus so many days: `perMinute` in the half hour before. */
const dayBefore = (device: string, days: number, perMinute: number): Reading[] =>
  words(device, "vehicles", 31, 1, perMinute).map((word) => ({ ...word, at: (word.at - days * DAY) as Instant }));

for (const [name, open] of Object.entries(STORES)) {
  test(`over ${name}: a loop that counts nothing where it counted 600 an hour yesterday and a week ago is doubted`, async () => {
    const usual = [...dayBefore("D-S", 7, 12), ...dayBefore("D-S", 1, 10)];
    const spoke = [...words("D-W", "vehicles", 31, 1, 10), ...words("D-S", "vehicles", 31, 1, 0)];
    const { inputs, decision } = await decided(open(), [...usual, ...spoke]);
    expect(inputs.flows).toEqual({ W: 600 });
    expect(inputs.doubted).toEqual({ "D-S": "usual" });
    expect(decision?.evidence).toMatchObject({ doubted_usual: "D-S", assumed_as_planned: "S" });
  });

  test(`over ${name}: a loop that counts nothing on a night that was empty on one of those days, too, is believed`, async () => {
    const usual = [...dayBefore("D-S", 7, 0), ...dayBefore("D-S", 1, 10)];
    const { inputs, decision } = await decided(open(), [...usual, ...words("D-S", "vehicles", 31, 1, 0)]);
    expect(inputs.flows).toEqual({ S: 0 });
    expect(inputs.doubted).toBeUndefined();
    expect(decision?.evidence).not.toHaveProperty("doubted_usual");
  });

  test(`over ${name}: a loop that is occupied for half an hour and counts nothing is doubted`, async () => {
    const occupied = words("D-S", "occupancy", 31, 1, 0).map((word) => ({ ...word, value: 1 }));
    const { inputs } = await decided(open(), [...words("D-S", "vehicles", 31, 1, 0), ...occupied]);
    expect(inputs.doubted).toEqual({ "D-S": "occupied" });
  });
}

test("a doubted loop stays doubted while it counts nothing, after its better time has left the window, and is believed when it counts", async () => {
  const store = memoryStore();
  const began = { device: "D-S", measure: "vehicles", at: (MONDAY - 30 * MINUTE) as Instant, value: 0 };
  const busy = words("D-S", "vehicles", 29, 16, 10);
  const stuck = words("D-S", "vehicles", 15, -59, 0).map((word) => ({ ...word, value: 1130 }));
  const again = words("D-S", "vehicles", -60, -75, 3).map((word) => ({ ...word, value: word.value + 200 }));
  const service = await serviceWith(store, [began, ...busy, ...stuck, ...again]);
  const doubtedAt = async (minutes: number): Promise<FrameInput["doubted"]> => {
    const outcome = await service.decide("J1", (MONDAY + minutes * MINUTE) as Instant);
    return (outcome?.inputs as FrameInput | undefined)?.doubted;
  };
  expect(await doubtedAt(-11)).toBeUndefined();
  expect(await doubtedAt(0)).toEqual({ "D-S": "usual" });
  expect(await doubtedAt(15)).toEqual({ "D-S": "usual" });
  expect(await doubtedAt(50)).toEqual({ "D-S": "usual" });
  expect(await doubtedAt(70)).toBeUndefined();
});
