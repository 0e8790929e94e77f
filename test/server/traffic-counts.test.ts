import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { FrameInput } from "#control/traffic/frame.ts";
import type { Reading } from "#protocol/messages.ts";
import type { Instant } from "#protocol/units.ts";
import { MINUTE } from "#protocol/units.ts";
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

async function decided(store: Store, readings: readonly Reading[]) {
  await store.open();
  await store.commit([{ station: "S-J1", epoch: "e", first: 1, readings }]);
  const clock = virtualClock(MONDAY);
  const state = openState(":memory:", village.id);
  const registry = createRegistry(village, clock);
  const policies = openPolicies(state, openJournal(state, decideByName), village, clock);
  const offsets = offsetsOf(village.timeZone);
  const outcome = await trafficService({ territory: village, store, registry, policies, clock, offsets }).decide(
    "J1",
    MONDAY,
  );
  await store.close();
  return { inputs: outcome?.inputs as FrameInput, decision: outcome?.decision };
}

const STORES: Record<string, () => Store> = {
  "the memory store": () => memoryStore(),
  "the DuckDB store": () => duckdbStore(join(directory, "readings.duckdb")),
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
