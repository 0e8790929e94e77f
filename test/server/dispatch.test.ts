import { verify } from "node:crypto";
import { expect, test } from "vitest";
import { virtualClock } from "#rehearsal/clock.ts";
import { canonical } from "#protocol/canonical.ts";
import type { Command, Order } from "#protocol/messages.ts";
import type { Instant } from "#protocol/units.ts";
import { HOUR, later, seconds } from "#protocol/units.ts";
import type { DispatchOptions, Intent } from "#server/dispatch.ts";
import { createDispatch } from "#server/dispatch.ts";
import { createRegistry } from "#server/registry.ts";
import type { State } from "#server/state.ts";
import { openState } from "#server/state.ts";
import { listBroker, MONDAY, publicKey, signer, village } from "./village.ts";

const programme = (idle: number): Order => ({
  action: "programme",
  steps: [{ at: 0, idle, active: 1 }],
  floor: 0.1,
  hold_s: 30,
});
const bright: Order = { action: "lamp-override", level: 1, until: MONDAY + HOUR };
const inAnHour = (MONDAY + HOUR) as Instant;

function setUp(
  state: State = openState(":memory:", village.id),
  start = MONDAY,
  changes: Partial<DispatchOptions> = {},
) {
  const clock = virtualClock(start);
  const registry = createRegistry(village, clock);
  const broker = listBroker();
  const options = {
    state,
    territory: village,
    clock,
    signer,
    registry,
    publish: (topic: string, payload: Uint8Array) => broker.publish(topic, payload),
    ...changes,
  };
  const dispatch = createDispatch(options);
  dispatch.start();
  const comes = (station: string, online = true) => registry.status(station, { online, since: 0, version: "1" });
  /** A plan for L1 that has gone out. */
  const plan = async (order: Order, more: Partial<Intent> = {}) => {
    dispatch.send([{ device: "L1", lane: "machine", order, expiresAt: inAnHour, ...more }]);
    await wait(0.05);
  };
  const wait = (time_s: number) => clock.run(later(clock.now(), seconds(time_s)));
  const answer = (command: Command, outcome: "applied" | "refused" = "applied") =>
    dispatch.applied(command.station, {
      command: command.id,
      device: command.device,
      sequence: command.sequence,
      at: clock.now(),
      outcome,
    });
  return { state, clock, registry, broker, dispatch, comes, wait, answer, plan };
}

test("a command is signed over the canonical text of all but the signature", async () => {
  const { broker, plan, comes } = setUp();
  comes("S-L1");
  await plan(programme(0.3));
  const { signature, ...unsigned } = broker.sent[0] as Command;
  expect(verify(null, Buffer.from(canonical(unsigned)), publicKey, Buffer.from(signature, "base64url"))).toBe(true);
  expect(unsigned).toMatchObject({ station: "S-L1", device: "L1", issuedAt: MONDAY, expiresAt: inAnHour });
});

test("it is repeated with growing pauses until it is answered: after 1, 2, 4, 8, 16, then every 30 s", async () => {
  const { broker, dispatch, comes, wait, answer, plan } = setUp();
  comes("S-L1");
  await plan(programme(0.3));
  // At 0, 1, 3, 7, 15, 31 and 61 s.
  await wait(61.5);
  expect(broker.sent).toHaveLength(7);
  expect(new Set(broker.sent.map(({ id }) => id)).size).toBe(1);
  answer(broker.sent[0] as Command);
  await wait(600);
  expect(broker.sent).toHaveLength(7);
  expect(dispatch.stats()).toMatchObject({ waiting: 0, applied: 1, repeated: 6 });
});

test("it waits for a station that is away and is sent when that comes", async () => {
  const { broker, dispatch, comes, wait } = setUp();
  dispatch.send([{ device: "L1", lane: "machine", order: programme(0.3), expiresAt: inAnHour }]);
  await wait(300);
  expect(broker.sent).toHaveLength(0);
  comes("S-L1");
  await wait(0);
  expect(broker.sent).toHaveLength(1);
});

test("it is given up at its expiry", async () => {
  const { broker, dispatch, registry, comes, wait } = setUp();
  dispatch.send([{ device: "L1", lane: "machine", order: programme(0.3), expiresAt: later(MONDAY, seconds(60)) }]);
  await wait(61);
  comes("S-L1");
  await wait(60);
  expect(broker.sent).toHaveLength(0);
  expect(dispatch.stats()).toMatchObject({ waiting: 0, expired: 1 });
  expect(registry.twin("L1")?.machine?.progress).toBe("expired");
});

test("a newer plan takes the place of the older, under a later sequence", async () => {
  const { broker, comes, wait, plan } = setUp();
  comes("S-L1");
  await plan(programme(0.3));
  await plan(programme(0.5));
  await wait(10);
  const [first, ...rest] = broker.sent as [Command, ...Command[]];
  expect(first.order).toEqual(programme(0.3));
  expect(rest.every(({ order }) => canonical(order) === canonical(programme(0.5)))).toBe(true);
  expect(rest.every(({ sequence }) => sequence > first.sequence)).toBe(true);
});

test("the hand goes before a plan that is on its way, and the plan follows under a new sequence", async () => {
  const { broker, dispatch, registry, comes, wait, answer, plan } = setUp();
  comes("S-L1");
  await plan(programme(0.3));
  dispatch.send([{ device: "L1", lane: "hand", order: bright, expiresAt: inAnHour }]);
  expect(broker.sent.map(({ order }) => order.action)).toEqual(["programme", "lamp-override"]);
  answer(broker.sent[1] as Command);
  await wait(0);
  const third = broker.sent[2] as Command;
  expect(third.order.action).toBe("programme");
  expect(third.sequence).toBeGreaterThan((broker.sent[1] as Command).sequence);
  answer(third);
  expect(registry.twin("L1")).toMatchObject({ machine: { progress: "applied" }, hand: { progress: "applied" } });
  expect(registry.desired("L1")).toMatchObject({ by: "hand", order: bright });
});

test("a plan whose late answer comes after the hand took over is not sent again", async () => {
  const { broker, dispatch, comes, wait, answer, plan } = setUp();
  comes("S-L1");
  await plan(programme(0.3));
  dispatch.send([{ device: "L1", lane: "hand", order: bright, expiresAt: inAnHour }]);
  answer(broker.sent[0] as Command);
  answer(broker.sent[1] as Command);
  await wait(60);
  expect(broker.sent).toHaveLength(2);
});

test("a refused command is tried twice more under new sequences before it counts as refused", async () => {
  const { broker, registry, comes, wait, answer, plan } = setUp();
  comes("S-L1");
  await plan(programme(0.3));
  for (let turn = 0; turn < 3; turn++) {
    answer(broker.sent.at(-1) as Command, "refused");
    await wait(10);
  }
  expect(broker.sent.map(({ sequence }) => sequence - (broker.sent[0] as Command).sequence)).toEqual([0, 10, 20]);
  expect(registry.twin("L1")?.machine?.progress).toBe("refused");
});

test("an answer from another station settles nothing", async () => {
  const { broker, dispatch, comes, plan } = setUp();
  comes("S-L1");
  await plan(programme(0.3));
  const { id, device, sequence } = broker.sent[0] as Command;
  dispatch.applied("S-L2", { command: id, device, sequence, at: MONDAY, outcome: "applied" });
  expect(dispatch.stats().waiting).toBe(1);
});

const powerGoes = () => {
  throw new Error("the power goes");
};

test("a server that dies between writing down and sending sends after its restart, once more with a later sequence", async () => {
  const state = openState(":memory:", village.id);
  const before = setUp(state, MONDAY, { publish: powerGoes });
  before.comes("S-L1");
  await expect(before.plan(programme(0.3), { entry: 4 })).rejects.toThrow("the power goes");
  before.dispatch.kill();
  const written = Number(state.get("SELECT last FROM sequences WHERE device = 'L1'")?.["last"]);

  const after = setUp(state);
  expect(after.registry.twin("L1")?.machine).toMatchObject({ progress: "sent", entry: 4 });
  after.comes("S-L1");
  await after.wait(0);
  expect(after.broker.sent).toHaveLength(1);
  expect(after.broker.sent[0]?.sequence).toBeGreaterThan(written);
});

test("sequences go on above what a device may have seen even when the state was restored from an old copy", async () => {
  const old = setUp();
  old.comes("S-L1");
  await old.plan(programme(0.3));
  const fresh = setUp(openState(":memory:", village.id), later(MONDAY, seconds(60)));
  fresh.comes("S-L1");
  await fresh.plan(programme(0.3));
  expect(fresh.broker.sent[0]?.sequence).toBeGreaterThan((old.broker.sent[0] as Command).sequence);
});

test("nothing that was not written down is sent", () => {
  const { state, broker, dispatch, registry, comes } = setUp();
  comes("S-L1");
  expect(() =>
    state.transaction(() => {
      dispatch.send([{ device: "L1", lane: "machine", order: programme(0.3), expiresAt: inAnHour }]);
      throw new Error("the disk is full");
    }),
  ).toThrow("the disk is full");
  expect(broker.sent).toHaveLength(0);
  expect(registry.twin("L1")?.machine).toBeUndefined();
});

test("answers that come together are written down together, and one that a crash takes is asked for again", async () => {
  const { state, registry, broker, dispatch, comes, answer, plan } = setUp();
  comes("S-L1");
  await plan(programme(0.3));
  answer(broker.sent[0] as Command);
  expect(registry.twin("L1")?.machine?.progress).toBe("applied");
  dispatch.kill();
  const after = setUp(state);
  after.comes("S-L1");
  await after.wait(0.5);
  expect(after.broker.sent).toHaveLength(1);
  after.answer(after.broker.sent[0] as Command);
  await after.wait(0.25);
  after.dispatch.kill();
  expect(setUp(state).registry.twin("L1")?.machine?.progress).toBe("applied");
});

test("a stop writes down the answers that wait, and leaves nothing to be done on a state that is closed", async () => {
  const { state, dispatch, comes, answer, broker, plan, wait } = setUp();
  comes("S-L1");
  await plan(programme(0.3));
  answer(broker.sent[0] as Command);
  dispatch.stop();
  expect(state.get("SELECT state FROM intents WHERE device = 'L1'")).toMatchObject({ state: "applied" });
  state.close();
  answer(broker.sent[0] as Command);
  await wait(60);
});
