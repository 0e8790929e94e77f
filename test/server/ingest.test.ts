import * as fc from "fast-check";
import { expect, test } from "vitest";
import { encodeCbor } from "#protocol/cbor.ts";
import { Fault } from "#protocol/faults.ts";
import type { Applied, Batch, Reading, Receipt, Status } from "#protocol/messages.ts";
import { encodeBatch, encodeMessage } from "#protocol/messages.ts";
import type { GeoJsonFeature } from "#protocol/territory.ts";
import { parseTerritory } from "#protocol/territory.ts";
import { up } from "#protocol/topics.ts";
import { DAY, instant, seconds } from "#protocol/units.ts";
import { virtualDisk } from "#rehearsal/disk.ts";
import type { VirtualClock } from "#rehearsal/clock.ts";
import { virtualClock } from "#rehearsal/clock.ts";
import type { Ingest, IngestOptions } from "#server/ingest.ts";
import { createIngest } from "#server/ingest.ts";
import type { Quarantined } from "#server/quarantine.ts";
import { memoryStore } from "#server/store/memory.ts";
import type { Contribution, Store } from "#server/store/store.ts";
import { bound } from "./store/bound.ts";

const NOW = instant(1_790_000_000_000);
const point = { type: "Point", coordinates: [2, 48] };
const luminaire = { street: "rue", power_W: 60, height_m: 6, lightingClass: "P3" };
const feature = (kind: string, id: string, properties: object = {}): GeoJsonFeature => ({
  type: "Feature",
  geometry:
    kind === "street"
      ? {
          type: "LineString",
          coordinates: [
            [2, 48],
            [2.1, 48],
          ],
        }
      : point,
  properties: { kind, id, ...properties },
});
const TERRITORY = parseTerritory({
  type: "FeatureCollection",
  vigie: { version: 1, id: "town", name: "Town", timeZone: "Europe/Paris", position: [2, 48] },
  features: [
    feature("street", "rue", {
      name: "Rue",
      highway: "residential",
      lightingClass: "P3",
      speed_kmh: 30,
      oneWay: false,
    }),
    feature("station", "pole-1"),
    feature("luminaire", "lamp-1", { station: "pole-1", ...luminaire }),
    feature("station", "pole-2"),
    feature("luminaire", "lamp-2", { station: "pole-2", ...luminaire }),
  ],
});

interface Rig {
  readonly ingest: Ingest;
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly receipts: [station: string, Receipt][];
  readonly committed: [station: string, values: number[]][];
  readonly statuses: [station: string, Status][];
  readonly applied: [station: string, Applied][];
  readonly quarantined: Quarantined[];
  /** Says a batch and tells how it was answered, "open" while it is not. */
  readonly say: (batch: Partial<Batch> & Pick<Batch, "readings">, station?: string) => Said;
  readonly bytes: (payload: Uint8Array | string, station?: string, leaf?: "readings" | "status" | "applied") => Said;
  readonly run: (seconds: number) => Promise<void>;
  readonly values: (device?: string) => Promise<number[]>;
}
interface Said {
  /** "open", "acknowledged", or the code of the fault that refused it. */
  answer: string;
}

async function rig(store: Store = memoryStore(), options: Partial<IngestOptions> = {}): Promise<Rig> {
  const clock = virtualClock(NOW);
  const receipts: Rig["receipts"] = [];
  const committed: Rig["committed"] = [];
  const statuses: Rig["statuses"] = [];
  const applied: Rig["applied"] = [];
  const quarantined: Quarantined[] = [];
  await store.open();
  const ingest = createIngest({
    territory: TERRITORY,
    store,
    clock: clock.settling,
    receipts: (station, receipt) => receipts.push([station, receipt]),
    listener: {
      committed: (station, readings) => committed.push([station, readings.map(({ value }) => value)]),
      status: (station, status) => statuses.push([station, status]),
      applied: (station, answer) => applied.push([station, answer]),
      quarantined: (entry) => quarantined.push(entry),
    },
    ...options,
  });
  await ingest.start();
  const bytes: Rig["bytes"] = (payload, station = "pole-1", leaf = "readings") => {
    const said: Said = { answer: "open" };
    clock.settle();
    ingest
      .message(station, up("town", station, leaf), typeof payload === "string" ? Buffer.from(payload) : payload)
      .then(
        () => (said.answer = "acknowledged"),
        (fault: unknown) => (said.answer = fault instanceof Fault ? fault.code : String(fault)),
      );
    return said;
  };
  return {
    ingest,
    clock,
    store,
    receipts,
    committed,
    statuses,
    applied,
    quarantined,
    bytes,
    say: (batch, station) => bytes(encodeBatch({ epoch: "e1", after: 0, first: 1, ...batch }), station),
    run: (duration) => clock.run(instant(clock.now() + duration * 1000)),
    async values(device = "lamp-1") {
      const far = instant(NOW + 1000 * DAY);
      return (await store.range(device, "level", instant(0), far, 10_000)).map(({ value }) => value);
    },
  };
}

/** Each value at a millisecond of its own: two values at one instant would be one reading. */
const lamp = (value: number, more: Partial<Reading> = {}): Reading => ({
  device: "lamp-1",
  measure: "level",
  at: instant(NOW - 1000 + Math.round(value * 1000)),
  value,
  ...more,
});

/** The memory store, with something of it changed. */
function memoryWith(changes: (inner: Store) => Partial<Store>): Store {
  const inner = memoryStore();
  return { ...bound(inner), ...changes(inner) };
}

interface MoodyStore extends Store {
  mood: "well" | "fails" | "fails after writing";
  readonly commits: (readonly Contribution[])[];
}

/** A store whose commits can be made to fail, with or without having reached the disk. */
function moodyStore(): MoodyStore {
  const commits: MoodyStore["commits"] = [];
  const store: MoodyStore = Object.assign(
    memoryWith((inner) => ({
      async commit(contributions) {
        if (store.mood !== "fails") {
          commits.push(contributions);
          await inner.commit(contributions);
        }
        if (store.mood !== "well") throw new Fault("STORE_FAILED", { problem: "the disk is tired" });
      },
    })),
    { mood: "well" as const, commits },
  );
  return store;
}

test("readings are acknowledged and receipted when they are committed, after a linger of 2 ms, and not before", async () => {
  const { say, run, receipts, committed } = await rig();
  const said = say({ readings: [lamp(0.1), lamp(0.2)] });
  await run(0.001);
  expect([said.answer, receipts, committed]).toEqual(["open", [], []]);
  await run(0.002);
  expect(said.answer).toBe("acknowledged");
  expect(receipts).toEqual([["pole-1", { epoch: "e1", upTo: 2 }]]);
  expect(committed).toEqual([["pole-1", [0.1, 0.2]]]);
});

test("what arrives during the linger shares one commit, and each station gets one receipt for it", async () => {
  const { say, run, receipts, ingest } = await rig();
  say({ readings: [lamp(0.1)] });
  say({ after: 1, first: 2, readings: [lamp(0.2)] });
  say({ readings: [lamp(0.3, { device: "lamp-2" })] }, "pole-2");
  await run(1);
  expect(receipts).toEqual([
    ["pole-1", { epoch: "e1", upTo: 2 }],
    ["pole-2", { epoch: "e1", upTo: 1 }],
  ]);
  expect(ingest.stats()).toMatchObject({ commits: 1, accepted: 3, duplicates: 0, waiting: 0 });
});

test("a group that is full does not linger", async () => {
  const store = moodyStore();
  const { say, clock } = await rig(store, { limits: { linger_ms: 10_000, group: 2 } });
  say({ readings: [lamp(0.1)] });
  const second = say({ after: 1, first: 2, readings: [lamp(0.2)] });
  await clock.run(NOW);
  expect(second.answer).toBe("acknowledged");
  expect(store.commits.length).toBe(1);
});

test("JSON is taken as CBOR is", async () => {
  const { bytes, run, values } = await rig();
  const batch = { epoch: "e1", after: 0, first: 1, readings: [lamp(0.4)] };
  const said = bytes(JSON.stringify(batch));
  await run(1);
  expect([said.answer, await values()]).toEqual(["acknowledged", [0.4]]);
});

test("a batch said twice is stored once and acknowledged twice", async () => {
  const { say, run, values, ingest, receipts } = await rig();
  const batch = { readings: [lamp(0.1), lamp(0.2)] };
  say(batch);
  const again = say(batch);
  expect(again.answer).toBe("open");
  await run(1);
  const later = say(batch);
  await run(1);
  expect([again.answer, later.answer]).toEqual(["acknowledged", "acknowledged"]);
  expect(await values()).toEqual([0.1, 0.2]);
  expect(ingest.stats().duplicates).toBe(4);
  expect(receipts.at(-1)).toEqual(["pole-1", { epoch: "e1", upTo: 2 }]);
});

test("of a batch that overlaps only the new readings are stored", async () => {
  const { say, run, values } = await rig();
  say({ readings: [lamp(0.1), lamp(0.2)] });
  say({ after: 0, first: 2, readings: [lamp(0.2), lamp(0.3)] });
  await run(1);
  expect(await values()).toEqual([0.1, 0.2, 0.3]);
});

test("a batch that follows readings the server lacks is not taken; the receipt says where to go on", async () => {
  const { say, run, values, receipts, ingest } = await rig();
  say({ readings: [lamp(0.1)] });
  await run(1);
  receipts.length = 0;
  const early = say({ after: 3, first: 4, readings: [lamp(0.4)] });
  await run(1);
  expect(early.answer).toBe("BATCH_EARLY");
  expect(receipts).toEqual([["pole-1", { epoch: "e1", upTo: 1 }]]);
  say({ after: 1, first: 2, readings: [lamp(0.2), lamp(0.3)] });
  say({ after: 3, first: 4, readings: [lamp(0.4)] });
  await run(1);
  expect(await values()).toEqual([0.1, 0.2, 0.3, 0.4]);
  expect(ingest.stats().early).toBe(1);
});

test("numbers that the outbox dropped are not waited for", async () => {
  const { say, run, values, receipts } = await rig();
  say({ readings: [lamp(0.1)] });
  const said = say({ after: 1, first: 50, readings: [lamp(0.5)] });
  await run(1);
  expect([said.answer, await values(), receipts.at(-1)?.[1].upTo]).toEqual(["acknowledged", [0.1, 0.5], 50]);
});

test("a new epoch counts from one again", async () => {
  const { say, run, values } = await rig();
  say({ readings: [lamp(0.1)] });
  say({ epoch: "e2", readings: [lamp(0.2)] });
  await run(1);
  expect(await values()).toEqual([0.1, 0.2]);
});

test("after a restart the marks come from the store: what was committed is a duplicate", async () => {
  const disk = virtualDisk();
  const before = await rig(memoryStore({ disk }));
  before.say({ readings: [lamp(0.1), lamp(0.2)] });
  await before.run(1);
  const { say, run, values } = await rig(memoryStore({ disk }));
  say({ readings: [lamp(0.1), lamp(0.2)] });
  say({ after: 2, first: 3, readings: [lamp(0.3)] });
  await run(1);
  expect(await values()).toEqual([0.1, 0.2, 0.3]);
});

const WRONG: [what: string, reading: Partial<Reading>, code: string][] = [
  ["of a device of another station", { device: "lamp-2" }, "DEVICE_UNKNOWN"],
  ["of a device that does not exist", { device: "lamp-9" }, "DEVICE_UNKNOWN"],
  ["of a measure its kind does not have", { measure: "colour" }, "MEASURE_UNKNOWN"],
  ["of a measure named like a part of every object", { measure: "constructor" }, "MEASURE_UNKNOWN"],
  ["above the range", { value: 1.01 }, "VALUE_OUT_OF_RANGE"],
  ["below the range", { value: -0.01 }, "VALUE_OUT_OF_RANGE"],
  ["that is no number", { value: Number.NaN }, "VALUE_OUT_OF_RANGE"],
  ["without end", { value: Number.POSITIVE_INFINITY }, "VALUE_OUT_OF_RANGE"],
  ["121 s in the future", { at: instant(NOW + 121_000) }, "READING_IN_FUTURE"],
  ["401 days old", { at: instant(NOW - 401 * DAY) }, "READING_TOO_OLD"],
];
for (const [what, wrong, code] of WRONG) {
  test(`a reading ${what} goes into quarantine, its neighbours are kept and its number counts as received`, async () => {
    const { say, run, values, quarantined, receipts, ingest } = await rig();
    const said = say({ readings: [lamp(0.1), lamp(0.2, wrong), lamp(0.3)] });
    await run(1);
    expect([said.answer, await values(), await values("lamp-2")]).toEqual(["acknowledged", [0.1, 0.3], []]);
    expect(receipts).toEqual([["pole-1", { epoch: "e1", upTo: 3 }]]);
    expect(quarantined).toMatchObject([{ station: "pole-1", code, at: NOW }]);
    expect(ingest.stats()).toMatchObject({ accepted: 2, quarantined: 1, quarantinedBy: { [code]: 1 } });
  });
}

test("120 s ahead and 400 days old are still readings", async () => {
  const { say, run, ingest } = await rig();
  say({ readings: [lamp(0.1, { at: instant(NOW - 400 * DAY) }), lamp(0.2, { at: instant(NOW + 120_000) })] });
  await run(1);
  expect(ingest.stats()).toMatchObject({ accepted: 2, quarantined: 0 });
});

test("a batch with nothing to believe is acknowledged, receipted and stores nothing", async () => {
  const { say, run, values, receipts } = await rig();
  const said = say({ readings: [lamp(7), lamp(8)] });
  await run(1);
  expect([said.answer, await values(), receipts.at(-1)?.[1].upTo]).toEqual(["acknowledged", [], 2]);
});

const UNREADABLE: [what: string, payload: Uint8Array | string, code: string][] = [
  ["nothing at all", "", "PAYLOAD_UNREADABLE"],
  ["text", "hello", "PAYLOAD_UNREADABLE"],
  ["half a JSON", '{"epoch":"e1"', "PAYLOAD_UNREADABLE"],
  ["a JSON without readings", '{"epoch":"e1","after":0,"first":1}', "PAYLOAD_INVALID"],
  ["a JSON whose number is a text", '{"epoch":"e1","after":0,"first":"1","readings":[]}', "PAYLOAD_INVALID"],
  ["a CBOR list", encodeCbor([1, 2]), "PAYLOAD_INVALID"],
  ["a CBOR map without columns", encodeCbor({ e: "e1", a: 0, n: 1, D: [], M: [] }), "PAYLOAD_INVALID"],
  ["a length that lies", new Uint8Array([0x9b, 0, 0, 0, 255, 255, 255, 255, 255]), "PAYLOAD_UNREADABLE"],
  ["70,000 bytes", new Uint8Array(70_000), "PAYLOAD_TOO_LARGE"],
];
for (const [what, payload, code] of UNREADABLE) {
  test(`${what} goes into quarantine with the reason, and the good batch behind it is stored`, async () => {
    const { bytes, say, run, values, quarantined } = await rig();
    const said = bytes(payload);
    say({ readings: [lamp(0.5)] });
    await run(1);
    expect([said.answer, await values()]).toEqual(["acknowledged", [0.5]]);
    expect(quarantined.map((entry) => entry.code)).toEqual([code]);
    expect(quarantined[0]?.payload.length).toBeLessThanOrEqual(512);
  });
}

const REFUSED_WHOLE: [what: string, payload: Uint8Array | string][] = [
  [
    "JSON in which a time is a text",
    JSON.stringify({ epoch: "e1", after: 0, first: 1, readings: [lamp(0.1), { ...lamp(0.2), at: "noon" }] }),
  ],
  [
    "JSON in which a device has no name",
    JSON.stringify({ epoch: "e1", after: 0, first: 1, readings: [{ ...lamp(0.1), device: 7 }, lamp(0.2)] }),
  ],
  [
    "CBOR whose columns have several lengths",
    encodeCbor({ e: "e1", a: 0, n: 1, D: ["lamp-1"], M: ["level"], d: [0, 0], m: [0], t: [NOW, 1], v: [0.1, 0.2] }),
  ],
];
for (const [what, payload] of REFUSED_WHOLE) {
  test(`${what} is put aside as a whole, and a receipt lets its station go on`, async () => {
    const { bytes, say, run, values, quarantined, receipts, ingest } = await rig();
    const said = bytes(payload);
    await run(1);
    expect(said.answer).toBe("acknowledged");
    expect(receipts).toEqual([["pole-1", { epoch: "e1", upTo: 2 }]]);
    expect(quarantined.map(({ code }) => code)).toEqual(["PAYLOAD_INVALID"]);
    const again = bytes(payload);
    say({ after: 2, first: 3, readings: [lamp(0.5)] });
    await run(1);
    expect([again.answer, await values()]).toEqual(["acknowledged", [0.5]]);
    expect(receipts.at(-1)).toEqual(["pole-1", { epoch: "e1", upTo: 3 }]);
    expect(ingest.stats()).toMatchObject({ accepted: 1 });
  });
}

test("a JSON value that is no number is put aside alone, and its neighbours are kept", async () => {
  const { bytes, run, values, quarantined, receipts } = await rig();
  const readings = [lamp(0.1), { ...lamp(0.2), value: "much" }, { ...lamp(0.3), value: null }, lamp(0.4)];
  bytes(JSON.stringify({ epoch: "e1", after: 0, first: 1, readings }));
  await run(1);
  expect(await values()).toEqual([0.1, 0.4]);
  expect(quarantined.map(({ code }) => code)).toEqual(["VALUE_OUT_OF_RANGE", "VALUE_OUT_OF_RANGE"]);
  expect(receipts).toEqual([["pole-1", { epoch: "e1", upTo: 4 }]]);
});

test("the quarantine keeps the newest thousand and counts them all", async () => {
  const { say, run, ingest } = await rig();
  for (let batch = 0; batch < 3; batch++) {
    const readings = Array.from({ length: 500 }, (_, index) => lamp(2 + batch * 500 + index));
    say({ after: batch * 500, first: batch * 500 + 1, readings });
  }
  await run(1);
  const entries = ingest.quarantine();
  expect(entries.length).toBe(1000);
  expect(entries[0]?.fault.facts["value"]).toBe(1501);
  expect(entries.at(-1)?.fault.facts["value"]).toBe(502);
  expect(ingest.stats().quarantinedBy).toEqual({ VALUE_OUT_OF_RANGE: 1500 });
});

test("status and answers to commands go to the listener; a malformed one goes into quarantine", async () => {
  const { bytes, run, statuses, applied, quarantined } = await rig();
  const status = { online: true, since: NOW, version: "1", waiting: 3 };
  const answer: Applied = { command: "c1", device: "lamp-1", sequence: 1, at: NOW, outcome: "applied" };
  bytes(encodeMessage(status), "pole-1", "status");
  bytes(encodeMessage(answer), "pole-1", "applied");
  bytes('{"online":"yes"}', "pole-1", "status");
  await run(1);
  expect([statuses, applied]).toEqual([[["pole-1", status]], [["pole-1", answer]]]);
  expect(quarantined.map(({ code }) => code)).toEqual(["PAYLOAD_INVALID"]);
});

test("while the store fails nothing is acknowledged or receipted; sent again after it recovered, all is stored once", async () => {
  const store = moodyStore();
  const { say, run, values, receipts, ingest } = await rig(store);
  store.mood = "fails";
  const first = say({ readings: [lamp(0.1)] });
  await run(0.1);
  const refused = say({ after: 1, first: 2, readings: [lamp(0.2)] });
  // A repetition of what the failed group held must not pass for a duplicate.
  const repeated = say({ readings: [lamp(0.1)] });
  await run(0.1);
  expect([first.answer, refused.answer, repeated.answer]).toEqual(["STORE_FAILED", "BATCH_EARLY", "STORE_FAILED"]);
  expect(ingest.stats().failing?.problem).toContain("the disk is tired");
  expect(receipts.filter(([, { upTo }]) => upTo > 0)).toEqual([]);
  store.mood = "well";
  await run(2);
  const again = say({ readings: [lamp(0.1)] });
  const next = say({ after: 1, first: 2, readings: [lamp(0.2)] });
  await run(1);
  expect([again.answer, next.answer, await values()]).toEqual(["acknowledged", "acknowledged", [0.1, 0.2]]);
  expect(ingest.stats().failing).toBeUndefined();
});

test("a commit that reached the disk and was reported failed is not stored again", async () => {
  const store = moodyStore();
  const { say, run, values } = await rig(store);
  store.mood = "fails after writing";
  const said = say({ readings: [lamp(0.1)] });
  await run(0.1);
  store.mood = "well";
  await run(2);
  const again = say({ readings: [lamp(0.1)] });
  await run(1);
  expect([said.answer, again.answer, await values()]).toEqual(["STORE_FAILED", "acknowledged", [0.1]]);
});

test("beyond its limit of waiting readings a message is refused and can be sent again", async () => {
  const { say, run, values } = await rig(memoryStore(), { limits: { waiting: 3 } });
  const first = say({ readings: [lamp(0.1), lamp(0.2)] });
  const second = say({ after: 2, first: 3, readings: [lamp(0.3), lamp(0.4)] });
  await run(1);
  expect([first.answer, second.answer]).toEqual(["acknowledged", "TOO_MANY"]);
  say({ after: 2, first: 3, readings: [lamp(0.3), lamp(0.4)] });
  await run(1);
  expect(await values()).toEqual([0.1, 0.2, 0.3, 0.4]);
});

test("stopping commits what is gathered, and takes nothing more", async () => {
  const { say, ingest, values, clock } = await rig();
  const said = say({ readings: [lamp(0.1)] });
  await ingest.stop();
  const late = say({ after: 1, first: 2, readings: [lamp(0.2)] });
  await clock.run(NOW);
  expect([said.answer, late.answer, await values()]).toEqual(["acknowledged", "STORE_FAILED", [0.1]]);
});

test("acknowledging before the commit, the negative control, says yes to what is not yet stored", async () => {
  const { say, clock, values, receipts } = await rig(memoryStore(), { acknowledge: "before-commit" });
  const said = say({ readings: [lamp(0.1)] });
  await clock.run(NOW);
  expect([said.answer, receipts.length, await values()]).toEqual(["acknowledged", 1, []]);
});

test("whatever is lost, repeated or reordered on the way and however often the store fails: stored once, in full, once receipted", async () => {
  const event = fc.oneof(
    { weight: 6, arbitrary: fc.record({ send: fc.integer({ min: 1, max: 5 }), back: fc.integer({ min: 0, max: 4 }) }) },
    { weight: 3, arbitrary: fc.record({ wait: fc.constantFrom(0.002, 0.01, 2) }) },
    { weight: 1, arbitrary: fc.record({ mood: fc.constantFrom("fails", "fails after writing") }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 40 }), async (events) => {
      const store = moodyStore();
      const { say, run, values, receipts } = await rig(store);
      // The station's numbers are its values times a thousand; it sends from anywhere between its last receipt and ahead.
      const receipted = (): number => receipts.reduce((most, [, { upTo }]) => Math.max(most, upTo), 0);
      let ahead = 0;
      const send = (from: number, count: number): void => {
        const readings = Array.from({ length: count }, (_, index) => lamp((from + index) / 1000));
        say({ after: from - 1, first: from, readings });
      };
      for (const each of events) {
        if ("send" in each) {
          const from = Math.max(receipted(), ahead - each.back) + 1;
          send(from, each.send);
          ahead = Math.max(ahead, from + each.send - 1);
        } else if ("mood" in each) store.mood = each.mood;
        else {
          await run(each.wait);
          store.mood = "well";
        }
        // Nothing is receipted that is not stored, at any moment.
        const stored = await values();
        expect(stored.length).toBeGreaterThanOrEqual(receipted());
        expect(stored).toEqual(stored.map((_, index) => (index + 1) / 1000));
      }
      store.mood = "well";
      await run(70);
      if (ahead > receipted()) send(receipted() + 1, ahead - receipted());
      await run(1);
      expect(await values()).toEqual(Array.from({ length: ahead }, (_, index) => (index + 1) / 1000));
      expect(receipted()).toBe(ahead);
    }),
    { numRuns: 150 },
  );
});

test("the commit time is in the figures: 40 ms of commit after 2 ms of linger", async () => {
  let clock: VirtualClock | undefined;
  const slow = memoryWith((inner) => ({
    commit: (contributions) =>
      new Promise((resolve) => {
        clock?.settling.after(seconds(0.04), () => resolve(inner.commit(contributions)));
      }),
  }));
  const { say, run, ingest, ...rest } = await rig(slow);
  clock = rest.clock;
  say({ readings: [lamp(0.1)] });
  await run(1);
  // The histogram's buckets are a tenth wide, and it answers with their middle.
  const { commit_ms, acknowledge_ms } = ingest.stats();
  expect(Math.abs(commit_ms.p50 / 40 - 1)).toBeLessThan(0.06);
  expect(Math.abs(acknowledge_ms.p50 / 42 - 1)).toBeLessThan(0.06);
});
