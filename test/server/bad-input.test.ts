import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import type { MqttClient } from "mqtt";
import { connectAsync } from "mqtt";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Batch, Reading } from "#protocol/messages.ts";
import { encodeBatch, parseMessage, receipt } from "#protocol/messages.ts";
import { allDown, up } from "#protocol/topics.ts";
import { DAY, instant } from "#protocol/units.ts";
import type { EmbeddedBroker } from "#server/broker-aedes.ts";
import { embeddedBroker } from "#server/broker-aedes.ts";
import { stationPassword } from "#server/credentials.ts";
import { systemClock } from "#server/ports/clock.ts";
import type { Server } from "#server/server.ts";
import { createServer } from "#server/server.ts";
import type { State } from "#server/state.ts";
import { openState } from "#server/state.ts";
import { duckdbStore } from "#server/store/duckdb.ts";
import { signer, village } from "./village.ts";

/** The whole server on its real parts: broker on a socket, DuckDB and SQLite on disk. */
const secret = randomBytes(32);
const directory = mkdtempSync(join(tmpdir(), "vigie-bad-input-"));
let broker: EmbeddedBroker;
let state: State;
let server: Server;
beforeAll(async () => {
  broker = embeddedBroker({ host: "127.0.0.1", port: 0, clock: systemClock });
  state = openState(join(directory, "state.sqlite"), village.id);
  const store = duckdbStore(join(directory, "readings.duckdb"));
  server = createServer({ territory: village, clock: systemClock, broker, store, state, signer, secret, randomBytes });
  await server.start();
});
afterAll(async () => {
  await server.stop();
  state.close();
  rmSync(directory, { recursive: true, force: true });
});

const opened: MqttClient[] = [];
afterEach(async () => {
  for (const client of opened.splice(0)) await client.endAsync(true);
});

/** A session of a station, with the receipts that came to it. */
interface Station {
  readonly name: string;
  readonly receipts: number[];
  /** Publishes on its own topic, or on the one given; tells how it was answered. */
  say(payload: Uint8Array | string, topic?: string): Promise<"acknowledged" | "closed">;
  /** Publishes and does not wait for an answer. */
  tell(payload: Uint8Array): void;
  /** Resolves when as many receipts have come. */
  receipted(count: number): Promise<void>;
}

async function station(name: string, epoch: string): Promise<Station> {
  const client = await connectAsync(`mqtt://127.0.0.1:${broker.port}`, {
    clientId: name,
    username: name,
    password: stationPassword(secret, name),
    reconnectPeriod: 0,
  });
  opened.push(client);
  const receipts: number[] = [];
  let arrived = (): void => {};
  client.on("message", (topic, payload) => {
    if (!topic.endsWith("/receipt")) return;
    const given = parseMessage(receipt, payload);
    if (given.epoch === epoch) receipts.push(given.upTo);
    arrived();
  });
  await client.subscribeAsync(allDown(village.id, name), { qos: 1 });
  const own = up(village.id, name, "readings");
  const bytes = (payload: Uint8Array | string): Buffer => Buffer.from(payload as Uint8Array);
  return {
    name,
    receipts,
    say: (payload, topic = own) =>
      new Promise((resolve) => {
        client.once("close", () => resolve("closed"));
        client.publish(topic, bytes(payload), { qos: 1 }, (problem) => {
          if (!problem) resolve("acknowledged");
        });
      }),
    tell: (payload) => void client.publish(own, bytes(payload), { qos: 1 }),
    receipted: (count) =>
      new Promise((resolve) => {
        arrived = () => {
          if (receipts.length >= count) resolve();
        };
        arrived();
      }),
  };
}

let cases = 0;
/** A new epoch and second for each case, so that each starts from nothing and can be told from the others. */
function fresh(): { epoch: string; at: number; batch: (more: Partial<Batch>) => Uint8Array; lamp: Lamp } {
  const epoch = `e${++cases}`;
  const at = Date.now() - DAY + cases * 1000;
  // Two readings of one instant are one: each has a millisecond of its own.
  let said = 0;
  const lamp: Lamp = (device, value, more = {}) => ({
    device,
    measure: "level",
    at: instant(at + said++),
    value,
    ...more,
  });
  return { epoch, at, lamp, batch: (more) => encodeBatch({ epoch, after: 0, first: 1, readings: [], ...more }) };
}
type Lamp = (device: string, value: number, more?: Partial<Reading>) => Reading;

const stored = async (device: string, at: number): Promise<number[]> =>
  (await server.store.range(device, "level", instant(at), instant(at + 1000), 100)).map(({ value }) => value);

const json = (value: object): Uint8Array => Buffer.from(JSON.stringify(value));
const good = { device: "L1", measure: "level", value: 0.5 };

/** What is said as a whole and cannot be read: quarantined as a whole, acknowledged, and nothing counts as received. */
const WHOLE: [what: string, payload: Uint8Array, code: string][] = [
  ["that is neither JSON nor CBOR", Buffer.from("hello"), "PAYLOAD_UNREADABLE"],
  ["of no bytes", Buffer.alloc(0), "PAYLOAD_UNREADABLE"],
  ["that is broken JSON", Buffer.from('{"epoch": '), "PAYLOAD_UNREADABLE"],
  ["with a field missing", json({ epoch: "e", after: 0, readings: [{ ...good, at: Date.now() }] }), "PAYLOAD_INVALID"],
  [
    "with a field of the wrong type",
    json({ epoch: "e", after: 0, first: 1, readings: [{ ...good, at: "now" }] }),
    "PAYLOAD_INVALID",
  ],
  ["of 66,000 bytes", Buffer.alloc(66_000), "PAYLOAD_TOO_LARGE"],
];
for (const [what, payload, code] of WHOLE) {
  test(`a payload ${what} is acknowledged and lies in quarantine as ${code}; its station and its neighbour go on`, async () => {
    const { epoch, at, batch, lamp } = fresh();
    const [bad, neighbour] = [await station("S-L1", epoch), await station("S-L2", epoch)];
    const before = server.ingest.stats().quarantined;
    const said = bad.say(payload);
    expect(await neighbour.say(batch({ readings: [lamp("L2", 0.2)] }))).toBe("acknowledged");
    expect(await said).toBe("acknowledged");
    expect(bad.receipts).toEqual([]);
    expect(await bad.say(batch({ readings: [lamp("L1", 0.1)] }))).toBe("acknowledged");
    await Promise.all([bad.receipted(1), neighbour.receipted(1)]);
    expect([bad.receipts, neighbour.receipts]).toEqual([[1], [1]]);
    expect([await stored("L1", at), await stored("L2", at)]).toEqual([[0.1], [0.2]]);
    expect(server.ingest.stats().quarantined).toBe(before + 1);
    expect(server.ingest.quarantine()[0]).toMatchObject({ station: "S-L1", code });
  });
}

/** One reading of three that cannot be: it alone is quarantined, and it counts as received. */
const ONE: [what: string, wrong: (now: number) => Partial<Reading>, code: string][] = [
  ["out of range", () => ({ value: 1.5 }), "VALUE_OUT_OF_RANGE"],
  ["that is NaN", () => ({ value: Number.NaN }), "VALUE_OUT_OF_RANGE"],
  ["that is a text", () => ({ value: "bright" as never }), "VALUE_OUT_OF_RANGE"],
  ["ten minutes in the future", (now) => ({ at: instant(now + 600_000) }), "READING_IN_FUTURE"],
  ["from the year 1970", () => ({ at: instant(1000) }), "READING_TOO_OLD"],
  ["of a measure that its kind does not have", () => ({ measure: "fill" }), "MEASURE_UNKNOWN"],
  ["of a device that does not exist", () => ({ device: "L99" }), "DEVICE_UNKNOWN"],
  ["of a device on another station", () => ({ device: "L3" }), "DEVICE_UNKNOWN"],
];
for (const [what, wrong, code] of ONE) {
  test(`a reading ${what} lies in quarantine as ${code}; the two beside it are kept, and the receipt covers all three`, async () => {
    const { epoch, at, batch, lamp } = fresh();
    const pole = await station("S-L1", epoch);
    const readings = [lamp("L1", 0.1), lamp("L1", 0.2, wrong(Date.now())), lamp("L1", 0.3)];
    expect(await pole.say(batch({ readings }))).toBe("acknowledged");
    await pole.receipted(1);
    expect(pole.receipts).toEqual([3]);
    expect([await stored("L1", at), await stored("L3", at)]).toEqual([[0.1, 0.3], []]);
    expect(server.ingest.quarantine()[0]).toMatchObject({ station: "S-L1", code });
  });
}

/** What is no station's own to say, or too long to read: the connection is closed and nothing of it is taken. */
const CLOSED: [what: string, topic: string, size: number][] = [
  ["that speaks under another station's name", up(village.id, "S-L2", "readings"), 10],
  ["that speaks for another town", up("elsewhere", "S-L1", "readings"), 10],
  ["that speaks on a topic that does not exist", `vigie/1/${village.id}/S-L1/up/gossip`, 10],
  ["that gives commands", `vigie/1/${village.id}/S-L1/down/command`, 10],
  ["that sends a megabyte", up(village.id, "S-L1", "readings"), 1_048_576],
];
for (const [what, topic, size] of CLOSED) {
  test(`a station ${what} is cut off; its neighbour is heard, and so is it when it comes back with something right`, async () => {
    const { epoch, at, batch, lamp } = fresh();
    const [bad, neighbour] = [await station("S-L1", epoch), await station("S-L2", epoch)];
    const before = server.ingest.stats();
    const said = bad.say(size > 10 ? Buffer.alloc(size) : batch({ readings: [lamp("L2", 0.9)] }), topic);
    expect(await neighbour.say(batch({ readings: [lamp("L2", 0.2)] }))).toBe("acknowledged");
    expect(await said).toBe("closed");
    const again = await station("S-L1", epoch);
    expect(await again.say(batch({ readings: [lamp("L1", 0.1)] }))).toBe("acknowledged");
    expect([await stored("L1", at), await stored("L2", at)]).toEqual([[0.1], [0.2]]);
    expect(server.ingest.stats()).toMatchObject({ accepted: before.accepted + 2, quarantined: before.quarantined });
  });
}

test("a batch said three times is acknowledged and receipted three times and stored once", async () => {
  const { epoch, at, batch, lamp } = fresh();
  const pole = await station("S-L1", epoch);
  const payload = batch({ readings: [lamp("L1", 0.1), lamp("L1", 0.2)] });
  for (let time = 0; time < 3; time++) expect(await pole.say(payload)).toBe("acknowledged");
  await pole.receipted(3);
  expect(pole.receipts).toEqual([2, 2, 2]);
  expect(await stored("L1", at)).toEqual([0.1, 0.2]);
});

test("a batch that came before the one it follows is not acknowledged; the receipt asks for what is missing, and nothing is lost or doubled", async () => {
  const { epoch, at, batch, lamp } = fresh();
  const pole = await station("S-L1", epoch);
  const first = batch({ readings: [lamp("L1", 0.1), lamp("L1", 0.2)] });
  const second = batch({ after: 2, first: 3, readings: [lamp("L1", 0.3)] });
  pole.tell(second);
  await pole.receipted(1);
  expect(pole.receipts).toEqual([0]);
  expect(await stored("L1", at)).toEqual([]);
  expect(await pole.say(first)).toBe("acknowledged");
  expect(await pole.say(second)).toBe("acknowledged");
  await pole.receipted(3);
  expect(pole.receipts).toEqual([0, 2, 3]);
  expect(await stored("L1", at)).toEqual([0.1, 0.2, 0.3]);
});

test("what was quarantined is still not stored, and what was good is, after the server has closed and the store is opened again", async () => {
  const { epoch, at, batch, lamp } = fresh();
  const pole = await station("S-L1", epoch);
  expect(await pole.say(batch({ readings: [lamp("L1", 0.4), lamp("L1", 4), lamp("L1", 0.6)] }))).toBe("acknowledged");
  await server.store.close();
  await server.store.open();
  expect(await stored("L1", at)).toEqual([0.4, 0.6]);
  expect((await server.store.marks()).find((mark) => mark.epoch === epoch)?.upTo).toBe(3);
});
