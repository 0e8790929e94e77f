import { once } from "node:events";
import type { Socket } from "node:net";
import { connect as connectTcp } from "node:net";
import { afterEach, expect, test } from "vitest";
import { allDown, mayPublish, maySubscribe, up } from "#protocol/topics.ts";
import { instant } from "#protocol/units.ts";
import type { VirtualClock } from "#rehearsal/clock.ts";
import { virtualClock } from "#rehearsal/clock.ts";
import type { BrokerLimits, EmbeddedBroker } from "#server/broker-aedes.ts";
import { embeddedBroker } from "#server/broker-aedes.ts";

const town = "town";
const opened: { end: () => unknown }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).toReversed()) await each.end();
});

interface Rig {
  readonly broker: EmbeddedBroker;
  readonly clock: VirtualClock;
  readonly heard: string[];
}

async function rig(limits?: Partial<BrokerLimits>): Promise<Rig> {
  const clock = virtualClock(instant(0));
  const broker = embeddedBroker({ host: "127.0.0.1", port: 0, clock, ...(limits && { limits }) });
  const heard: string[] = [];
  await broker.start({
    authenticate: () => true,
    mayPublish: (station, topic) => mayPublish(topic, town, station, new Set()),
    maySubscribe: (station, filter) => maySubscribe(filter, town, station, new Set()),
    onMessage(station, topic, payload) {
      heard.push(`${station} ${topic.split("/").at(-1)} ${Buffer.from(payload).toString()}`);
      return Promise.resolve();
    },
  });
  opened.push({ end: () => broker.stop() });
  return { broker, clock, heard };
}

const text = (value: string): Buffer => Buffer.concat([Buffer.from([0, value.length]), Buffer.from(value)]);

/** CONNECT (MQTT 3.1.1, section 3.1) with a keep-alive in seconds and a last will. */
function connectFrame(name: string, keepAlive_s: number): Buffer {
  const flags = 0xc0 | 0x02 | 0x04 | 0x08;
  const will = [text(up(town, name, "status")), text("gone")];
  const body = Buffer.concat([
    text("MQTT"),
    Buffer.from([4, flags, 0, keepAlive_s]),
    text(name),
    ...will,
    text(name),
    text("p"),
  ]);
  return Buffer.concat([Buffer.from([0x10, body.length]), body]);
}
const PING = Buffer.from([0xc0, 0]);

/** A socket that says nothing by itself; resolves at the CONNACK. */
async function station({ broker }: Rig, name: string, keepAlive_s: number): Promise<Socket> {
  const socket = connectTcp(broker.port, "127.0.0.1");
  opened.push({ end: () => socket.destroy() });
  socket.write(connectFrame(name, keepAlive_s));
  const [answer] = (await once(socket, "data")) as [Buffer];
  expect(answer.subarray(0, 4)).toEqual(Buffer.from([0x20, 2, 0, 0]));
  return socket;
}

async function ping(socket: Socket): Promise<void> {
  socket.write(PING);
  await once(socket, "data");
}

const pass = (clock: VirtualClock, seconds: number): Promise<void> => clock.run(instant(clock.now() + seconds * 1000));

test("a station that is silent for one and a half keep-alives is cut off and its last will spoken; one that pings is not", async () => {
  const place = await rig();
  const silent = await station(place, "silent", 10);
  const alive = await station(place, "alive", 10);
  const patient = await station(place, "patient", 0);
  const closed = once(silent, "close");
  for (let second = 0; second < 15; second += 5) {
    await ping(alive);
    await pass(place.clock, 5);
  }
  expect([silent.closed, place.heard]).toEqual([false, []]);
  await ping(alive);
  await pass(place.clock, 3);
  await closed;
  await ping(alive);
  await ping(patient);
  expect(place.heard).toEqual(["silent status gone"]);
  expect(place.broker.connected).toBe(2);
});

test("beyond the limit of connections one more is closed, those that stand go on, and a place that is free is given", async () => {
  const place = await rig({ connections: 2 });
  const first = await station(place, "one", 60);
  const second = await station(place, "two", 60);
  const third = connectTcp(place.broker.port, "127.0.0.1");
  third.on("error", () => {});
  await once(third, "close");
  await ping(first);
  await ping(second);
  first.destroy();
  await once(first, "close");
  // The broker hears of it in its own time: it is asked until it gives the place.
  for (;;) {
    const again = connectTcp(place.broker.port, "127.0.0.1");
    opened.push({ end: () => again.destroy() });
    again.on("error", () => {});
    again.write(connectFrame("three", 60));
    const [answer] = await Promise.race([once(again, "data"), once(again, "close")]);
    if (!Buffer.isBuffer(answer)) continue;
    await ping(again);
    break;
  }
  expect(place.broker.connected).toBe(2);
});

test("a station that does not read what it is told is cut off at the limit, and the others are told all the same", async () => {
  const place = await rig({ unsentBytes: 65_536 });
  const deaf = await station(place, "deaf", 0);
  const hearing = await station(place, "hearing", 0);
  const subscribe = (name: string): Buffer => {
    const body = Buffer.concat([Buffer.from([0, 1]), text(allDown(town, name)), Buffer.from([1])]);
    return Buffer.concat([Buffer.from([0x82, body.length]), body]);
  };
  for (const [socket, name] of [
    [deaf, "deaf"],
    [hearing, "hearing"],
  ] as const) {
    socket.write(subscribe(name));
    await once(socket, "data");
  }
  deaf.pause();
  const receipt = Buffer.alloc(10_000);
  // Socket buffers of the system take some megabytes first.
  for (let sent = 0; sent < 2000 && place.broker.connected === 2; sent++) {
    place.broker.publish(`vigie/1/${town}/deaf/down/receipt`, receipt);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(place.broker.connected).toBe(1);
  const told = once(hearing, "data");
  place.broker.publish(`vigie/1/${town}/hearing/down/receipt`, receipt);
  await told;
});
