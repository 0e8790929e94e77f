import { expect, test } from "vitest";
import { virtualClock } from "#rehearsal/clock.ts";
import type { Command } from "#protocol/messages.ts";
import type { Instant } from "#protocol/units.ts";
import { DAY, HOUR, later, seconds } from "#protocol/units.ts";
import { createDispatch } from "#server/dispatch.ts";
import { openGroups } from "#server/groups.ts";
import { openJournal } from "#server/journal.ts";
import type { OverrideOrder, OverrideRequest, Scope } from "#server/overrides.ts";
import { openOverrides } from "#server/overrides.ts";
import { createRegistry } from "#server/registry.ts";
import type { State } from "#server/state.ts";
import { openState } from "#server/state.ts";
import { listBroker, MONDAY, signer, village } from "./village.ts";

const at = (level: number): OverrideOrder => ({ action: "lamp-override", level });
const request = (scope: Scope, order: OverrideOrder = at(1), more: Partial<OverrideRequest> = {}): OverrideRequest => ({
  author: "ana",
  reason: "The market is open late.",
  scope,
  order,
  until: (MONDAY + HOUR) as Instant,
  ...more,
});

function setUp(state: State = openState(":memory:", village.id), start: Instant = MONDAY) {
  const clock = virtualClock(start);
  const registry = createRegistry(village, clock);
  // Every station is there and does what it is told.
  const broker = listBroker(({ id, station, device, sequence }: Command) => {
    clock.after(seconds(0.1), () =>
      dispatch.applied(station, { command: id, device, sequence, at: clock.now(), outcome: "applied" }),
    );
  });
  const dispatch = createDispatch({
    state,
    territory: village,
    clock,
    signer,
    registry,
    publish: (topic, payload) => broker.publish(topic, payload),
  });
  const journal = openJournal(state, () => undefined);
  const groups = openGroups(state, village);
  const overrides = openOverrides({ state, territory: village, groups, journal, dispatch, clock });
  dispatch.start();
  for (const station of village.byStation.keys()) registry.status(station, { online: true, since: 0, version: "1" });
  overrides.start();
  const wait = (time_s: number) => clock.run(later(clock.now(), seconds(time_s)));
  const told = () =>
    broker.sent.map(({ device, order }) => [device, order.action, "level" in order ? order.level : null]);
  return { state, clock, registry, broker, dispatch, journal, groups, overrides, wait, told };
}

const device = (id: string): Scope => ({ kind: "device", id });

const scopes: [Scope, OverrideOrder, string[]][] = [
  [device("L2"), at(1), ["L2"]],
  [{ kind: "street", id: "R1" }, at(1), ["L1", "L2", "L3"]],
  [{ kind: "zone", id: "south" }, at(1), ["L4"]],
  [{ kind: "group", id: "F1" }, at(1), ["L1", "L2", "L3"]],
  [device("J1"), { action: "signal-override", mode: "fixed" }, ["J1"]],
];
for (const [scope, order, expected] of scopes) {
  test(`a ${scope.kind} (${scope.id}) covers ${expected.join(", ")}, and they are told at once`, () => {
    const { overrides, broker } = setUp();
    const override = overrides.create(request(scope, order));
    expect(override.devices).toEqual(expected);
    expect(broker.sent.map((command) => command.device)).toEqual(expected);
    expect(broker.sent.every(({ issuedAt }) => issuedAt === MONDAY)).toBe(true);
  });
}

test("a group that a person has put together can be held", () => {
  const { groups, overrides } = setUp();
  groups.put({ id: "market", name: "Market square", devices: ["L1", "L4"] });
  expect(overrides.create(request({ kind: "group", id: "market" })).devices).toEqual(["L1", "L4"]);
});

const mistakes: [string, OverrideRequest, RegExp][] = [
  ["without a reason", request(device("L1"), at(1), { reason: "  " }), /At reason/],
  ["with a reason of 301 characters", request(device("L1"), at(1), { reason: "x".repeat(301) }), /At reason/],
  ["without an author", request(device("L1"), at(1), { author: "" }), /At author/],
  ["that is over already", request(device("L1"), at(1), { until: MONDAY }), /At until/],
  ["longer than a week", request(device("L1"), at(1), { until: (MONDAY + 7 * DAY + 1) as Instant }), /At until/],
  ["above full output", request(device("L1"), at(1.2)), /At order.level/],
  ["of a device that does not exist", request(device("L9")), /no device L9/],
  ["of a street that does not exist", request({ kind: "street", id: "R9" }), /no street R9/],
  ["of a lamp's level on a junction", request(device("J1")), /At scope.*at least one lamp/],
];
for (const [what, wrong, message] of mistakes) {
  test(`an override ${what} is refused and leaves no trace`, () => {
    const { overrides, broker, journal } = setUp();
    expect(() => overrides.create(wrong)).toThrow(message);
    expect([overrides.active(), broker.sent, journal.count()]).toEqual([[], [], 0]);
  });
}

test("at its end the device goes back by itself: nothing is sent, and the journal says so", async () => {
  const { overrides, registry, journal, wait, told } = setUp();
  overrides.create(request(device("L1")));
  await wait(3600);
  expect(told()).toEqual([["L1", "lamp-override", 1]]);
  expect(overrides.get(1)).toMatchObject({ state: "expired", endedBy: "vigie", endedAt: MONDAY + HOUR });
  expect(registry.desired("L1")).toBeUndefined();
  expect(journal.list({}, 10).map(({ name, author }) => [name, author])).toEqual([
    ["override.expire", "vigie"],
    ["override.create", "ana"],
  ]);
});

test("releasing tells the device to let go, once, and cannot be done twice", async () => {
  const { overrides, wait, told } = setUp();
  overrides.create(request(device("L1")));
  await wait(60);
  expect(overrides.release(1, "bob")).toMatchObject({ state: "released", endedBy: "bob" });
  await wait(60);
  expect(told()).toEqual([["L1", "lamp-override", 1], ["L1", "release", null]]); // prettier-ignore
  expect(() => overrides.release(1, "bob")).toThrow("override 1 cannot be released: it is released.");
  expect(() => overrides.release(9, "bob")).toThrow("There is no override 9.");
});

test("where two overlap the newest wins, and when it is over the older one holds again", async () => {
  const { overrides, wait, told } = setUp();
  overrides.create(request({ kind: "street", id: "R1" }, at(0.8)));
  await wait(1);
  overrides.create(request(device("L2"), at(0.2), { until: later(MONDAY, seconds(600)) }));
  await wait(1);
  expect(overrides.holding("L2")?.id).toBe(2);
  expect(overrides.holding("L1")?.id).toBe(1);
  await wait(600);
  expect(told().slice(3)).toEqual([["L2", "lamp-override", 0.2], ["L2", "lamp-override", 0.8]]); // prettier-ignore
});

test("the older one's end changes nothing while the newer holds", async () => {
  const { overrides, wait, told } = setUp();
  overrides.create(request(device("L2"), at(0.8)));
  await wait(1);
  overrides.create(request(device("L2"), at(0.2)));
  await wait(1);
  overrides.release(1, "ana");
  await wait(60);
  expect(told()).toEqual([["L2", "lamp-override", 0.8], ["L2", "lamp-override", 0.2]]); // prettier-ignore
});

test("what the machine would do stays visible beside the hand", async () => {
  const { dispatch, overrides, registry, wait } = setUp();
  const order = { action: "programme", steps: [{ at: 0, idle: 0.3, active: 1 }], floor: 0.1, hold_s: 30 } as const;
  dispatch.send([
    {
      device: "L1",
      lane: "machine",
      order: { ...order, steps: [...order.steps] },
      expiresAt: (MONDAY + DAY) as Instant,
    },
  ]);
  await wait(1);
  overrides.create(request(device("L1")));
  await wait(1);
  expect(registry.desired("L1")).toMatchObject({ by: "hand", order: { action: "lamp-override" } });
  expect(registry.twin("L1")?.machine).toMatchObject({ progress: "applied", order: { action: "programme" } });
});

test("a restart keeps what is held and ends what has run out meanwhile", async () => {
  const state = openState(":memory:", village.id);
  const before = setUp(state);
  before.overrides.create(request(device("L1"), at(1), { until: later(MONDAY, seconds(60)) }));
  before.overrides.create(request(device("L2")));
  await before.wait(1);
  before.overrides.stop();
  before.dispatch.stop();
  const after = setUp(state, later(MONDAY, seconds(120)));
  expect(after.overrides.active().map(({ id }) => id)).toEqual([2]);
  expect(after.overrides.get(1)?.state).toBe("expired");
  expect(after.registry.desired("L2")).toMatchObject({ by: "hand", progress: "applied" });
});
