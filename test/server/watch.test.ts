import { expect, test } from "vitest";
import type { Instant } from "#protocol/units.ts";
import { HOUR, later, seconds } from "#protocol/units.ts";
import { virtualClock } from "#rehearsal/clock.ts";
import { openAlarms } from "#server/alarms.ts";
import { openJournal } from "#server/journal.ts";
import { openPolicies } from "#server/policies.ts";
import { createRegistry } from "#server/registry.ts";
import { openState } from "#server/state.ts";
import { createWatch } from "#server/watch.ts";
import { MONDAY, village } from "./village.ts";

function setUp() {
  const clock = virtualClock(MONDAY);
  const state = openState(":memory:", village.id);
  const registry = createRegistry(village, clock);
  const alarms = openAlarms(state, clock);
  const policies = openPolicies(
    state,
    openJournal(state, () => undefined),
    village,
    clock,
  );
  const store: { problem?: string } = {};
  const watch = createWatch({
    territory: village,
    registry,
    alarms,
    policies,
    clock,
    storeProblem: () => store.problem,
    stateProblem: () => undefined,
  });
  watch.start();
  const open = () => alarms.list(["open"], 10).map(({ key, subject }) => `${key} ${subject}`);
  const status = (station: string, clockError_s = 0) =>
    registry.status(station, { online: true, since: 0, version: "1", clock: clock.now() + clockError_s * 1000 });
  const fill = (value: number) =>
    registry.committed("S-C1", [{ device: "C1", measure: "fill", at: clock.now(), value }]);
  const wait = (time_s: number) => clock.run(later(clock.now(), seconds(time_s)));
  return { registry, alarms, watch, store, open, status, fill, wait };
}

test("a clock 31 s off is an alarm until it is at most 10 s off", () => {
  const { watch, open, status } = setUp();
  const seen = [30, 31, 11, 10].map((error_s) => {
    status("S-L1", error_s);
    watch.look();
    return open().length;
  });
  expect(seen).toEqual([0, 1, 1, 0]);
});

test("a container is near overflow from 95 % until it is below 85 %", () => {
  const { watch, open, fill } = setUp();
  const seen = [0.94, 0.95, 0.86, 0.84].map((level) => {
    fill(level);
    watch.look();
    return open().length;
  });
  expect(seen).toEqual([0, 1, 1, 0]);
});

test("twenty wrong readings within ten minutes are an alarm that names the station, and pass", async () => {
  const { watch, alarms, open, wait } = setUp();
  for (let count = 0; count < 19; count++) watch.quarantined("S-L1");
  watch.look();
  expect(open()).toEqual([]);
  watch.quarantined("S-L2");
  watch.look();
  expect(alarms.list(["open"], 1)[0]?.facts).toEqual({ count: 20, minutes: 10, station: "S-L1" });
  await wait(630);
  expect(open()).toEqual([]);
});

test("a store that does not commit is an alarm while it does not", async () => {
  const { store, open, wait } = setUp();
  store.problem = "the disk is full";
  await wait(15);
  expect(open()).toEqual(["store-failing store"]);
  delete store.problem;
  await wait(15);
  expect(open()).toEqual([]);
});

test("commands that a connected street does not answer for two minutes are one alarm", async () => {
  const { registry, alarms, open, status, wait } = setUp();
  const expiresAt = (MONDAY + HOUR) as Instant;
  const order = { action: "lamp-override", level: 1, until: expiresAt } as const;
  for (const lamp of ["L1", "L2"]) {
    status(`S-${lamp}`);
    registry.command(lamp, "hand", { order, progress: "sent", since: MONDAY, expiresAt });
  }
  await wait(120);
  expect(open()).toEqual([]);
  await wait(15);
  expect(open()).toEqual(["command-not-applied R1:lamp-override"]);
  expect(alarms.list(["open"], 1)[0]).toMatchObject({
    devices: ["L1", "L2"],
    facts: { device: "L1 (+1)", waiting_s: 135 },
  });
});

test("a station that was never heard of is no alarm", async () => {
  const { open, wait } = setUp();
  await wait(3600);
  expect(open()).toEqual([]);
});
