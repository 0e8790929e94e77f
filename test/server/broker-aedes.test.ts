import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import type { MqttClient } from "mqtt";
import { connectAsync } from "mqtt";
import { afterEach, expect, test } from "vitest";
import { Fault } from "#protocol/faults.ts";
import { allDown, down, mayPublish, maySubscribe, streetTopic, up } from "#protocol/topics.ts";
import type { BrokerLimits, EmbeddedBroker } from "#server/broker-aedes.ts";
import { embeddedBroker } from "#server/broker-aedes.ts";
import type { BrokerHandlers } from "#server/broker.ts";
import { systemClock } from "#server/ports/clock.ts";

const streets = new Set(["rue-1"]);
const town = "town";
const opened: { end: () => unknown }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).toReversed()) await each.end();
});

interface Heard {
  readonly messages: [station: string, topic: string, payload: string][];
  answer: (payload: string) => Promise<void>;
}

async function brokerWith(limits?: Partial<BrokerLimits>): Promise<EmbeddedBroker & { heard: Heard }> {
  const heard: Heard = { messages: [], answer: () => Promise.resolve() };
  const handlers: BrokerHandlers = {
    authenticate: (station, password) => password === `secret of ${station}`,
    mayPublish: (station, topic) => mayPublish(topic, town, station, streets),
    maySubscribe: (station, filter) => maySubscribe(filter, town, station, streets),
    onMessage(station, topic, payload) {
      const text = Buffer.from(payload).toString();
      heard.messages.push([station, topic, text]);
      return heard.answer(text);
    },
  };
  const broker = embeddedBroker({ host: "127.0.0.1", port: 0, clock: systemClock, ...(limits && { limits }) });
  await broker.start(handlers);
  opened.push({ end: () => broker.stop() });
  return Object.assign(broker, { heard });
}

async function station(broker: EmbeddedBroker, name: string, options: object = {}): Promise<MqttClient> {
  const client = await connectAsync(`mqtt://127.0.0.1:${broker.port}`, {
    clientId: name,
    username: name,
    password: `secret of ${name}`,
    reconnectPeriod: 0,
    ...options,
  });
  opened.push({ end: () => client.endAsync(true) });
  return client;
}

const text = (value: string): Buffer => Buffer.concat([Buffer.from([0, value.length]), Buffer.from(value)]);
const never = (): never => {
  throw new Error("not reached");
};

const closing = (client: MqttClient): Promise<void> => new Promise((resolve) => client.once("close", resolve));
const hearing = (client: MqttClient): Promise<{ topic: string; text: string; qos: number }> =>
  new Promise((resolve) => {
    client.once("message", (topic, payload, { qos }) => resolve({ topic, text: payload.toString(), qos }));
  });

test("a message is acknowledged only when the server has taken it", async () => {
  const broker = await brokerWith();
  const taken = Promise.withResolvers<void>();
  broker.heard.answer = () => taken.promise;
  const client = await station(broker, "pole-1");
  let acknowledged = false;
  const published = client.publishAsync(up(town, "pole-1", "readings"), "a", { qos: 1 }).finally(() => {
    acknowledged = true;
  });
  // A ping that comes back shows that the broker has been through what was sent before it.
  await client.subscribeAsync(allDown(town, "pole-1"));
  expect(broker.heard.messages).toEqual([["pole-1", up(town, "pole-1", "readings"), "a"]]);
  expect(acknowledged).toBe(false);
  taken.resolve();
  await published;
  expect(acknowledged).toBe(true);
});

test("a message that the server refuses is not acknowledged and closes the connection", async () => {
  const broker = await brokerWith();
  broker.heard.answer = () => Promise.reject(new Fault("STORE_FAILED", { problem: "disk" }));
  const client = await station(broker, "pole-1");
  const closed = closing(client);
  let acknowledged = false;
  client.publish(up(town, "pole-1", "readings"), "a", { qos: 1 }, (problem) => {
    acknowledged = problem === undefined || problem === null;
  });
  await closed;
  expect(acknowledged).toBe(false);
});

test("a batch that comes too early is not acknowledged, and the connection stands for the receipt", async () => {
  const broker = await brokerWith();
  broker.heard.answer = () => Promise.reject(new Fault("BATCH_EARLY", { station: "pole-1", after: 9, upTo: 2 }));
  const client = await station(broker, "pole-1");
  await client.subscribeAsync(allDown(town, "pole-1"));
  const heard = hearing(client);
  client.publish(up(town, "pole-1", "readings"), "a", { qos: 1 });
  broker.publish(down(town, "pole-1", "receipt"), Buffer.from("go on at 3"));
  expect(await heard).toEqual({ topic: down(town, "pole-1", "receipt"), text: "go on at 3", qos: 0 });
  expect(client.connected).toBe(true);
});

test("a wrong password, another's name or none is refused", async () => {
  const broker = await brokerWith();
  await expect(station(broker, "pole-1", { password: "guess" })).rejects.toThrow("Not authorized");
  await expect(station(broker, "pole-1", { clientId: "pole-2" })).rejects.toThrow("Not authorized");
  await expect(station(broker, "pole-1", { username: "", password: "" })).rejects.toThrow("Not authorized");
});

test("a station that speaks under another's name is cut off and nobody hears it", async () => {
  const broker = await brokerWith();
  const client = await station(broker, "pole-1");
  const closed = closing(client);
  client.publish(up(town, "pole-2", "readings"), "a", { qos: 1 });
  await closed;
  expect(broker.heard.messages).toEqual([]);
});

test("a station may not listen to another", async () => {
  const broker = await brokerWith();
  const client = await station(broker, "pole-1");
  for (const filter of [allDown(town, "pole-2"), "#", `vigie/1/${town}/+/down/#`, up(town, "pole-1", "readings")]) {
    await expect(client.subscribeAsync(filter)).rejects.toThrow();
  }
});

test("neighbours hear each other on their street without the server", async () => {
  const broker = await brokerWith();
  const [a, b] = [await station(broker, "pole-1"), await station(broker, "pole-2")];
  await b.subscribeAsync(streetTopic(town, "rue-1"));
  const heard = hearing(b);
  a.publish(streetTopic(town, "rue-1"), "someone passes");
  expect((await heard).text).toBe("someone passes");
  expect(broker.heard.messages).toEqual([]);
});

test("a command reaches its station at QoS 1", async () => {
  const broker = await brokerWith();
  const client = await station(broker, "pole-1");
  await client.subscribeAsync(allDown(town, "pole-1"), { qos: 1 });
  const heard = hearing(client);
  broker.publish(down(town, "pole-1", "command"), Buffer.from("light"));
  expect(await heard).toMatchObject({ text: "light", qos: 1 });
});

test("the last will of a station that vanishes reaches the server", async () => {
  const broker = await brokerWith();
  const will = { topic: up(town, "pole-1", "status"), payload: Buffer.from("gone"), qos: 1 as const, retain: true };
  const client = await station(broker, "pole-1", { will });
  const told = Promise.withResolvers<void>();
  broker.heard.answer = () => Promise.resolve(told.resolve());
  client.stream.destroy();
  await told.promise;
  expect(broker.heard.messages).toEqual([["pole-1", up(town, "pole-1", "status"), "gone"]]);
});

test("a packet of more than the limit closes the connection before it is read", async () => {
  const broker = await brokerWith();
  const client = await station(broker, "pole-1");
  const closed = closing(client);
  client.publish(up(town, "pole-1", "readings"), Buffer.alloc(1_048_576), { qos: 1 });
  await closed;
  expect(broker.heard.messages).toEqual([]);
});

test("the newest session of a station takes over", async () => {
  const broker = await brokerWith();
  const first = await station(broker, "pole-1");
  const closed = closing(first);
  const second = await station(broker, "pole-1");
  await closed;
  await second.publishAsync(up(town, "pole-1", "readings"), "from the second", { qos: 1 });
  expect(broker.heard.messages.map(([, , text]) => text)).toEqual(["from the second"]);
  expect(broker.connected).toBe(1);
});

test("a station with too much under way is not read until something is committed, and loses nothing", async () => {
  const broker = await brokerWith({ inFlight: 4 });
  const gate = Promise.withResolvers<void>();
  broker.heard.answer = () => gate.promise;
  const client = await station(broker, "pole-1");
  const sent = Array.from({ length: 50 }, (_, index) => String(index));
  const acknowledged = Promise.all(
    sent.map((text) => client.publishAsync(up(town, "pole-1", "readings"), text, { qos: 1 })),
  );
  const other = await station(broker, "pole-2");
  await other.subscribeAsync(allDown(town, "pole-2"));
  expect(broker.heard.messages.length).toBeLessThanOrEqual(4);
  gate.resolve();
  await acknowledged;
  expect(broker.heard.messages.map(([, , text]) => text)).toEqual(sent);
});

test("frames cut into single bytes are put together again", async () => {
  const broker = await brokerWith();
  const socket = connectTcp(broker.port, "127.0.0.1");
  opened.push({ end: () => socket.destroy() });
  socket.setNoDelay(true);
  const body = Buffer.concat([
    text("MQTT"),
    Buffer.from([4, 0xc2, 0, 60]),
    text("p1"),
    text("p1"),
    text("secret of p1"),
  ]);
  const connect = Buffer.concat([Buffer.from([0x10, body.length]), body]);
  const message = Buffer.concat([text(up(town, "p1", "readings")), Buffer.from([0, 7]), Buffer.from("hello")]);
  // The reading comes right behind the CONNECT, before any answer to it: it waits, and is taken.
  const all = Buffer.concat([connect, Buffer.from([0x32, message.length]), message, Buffer.from([0xc0, 0])]);
  const expected = Buffer.from([0x20, 2, 0, 0, 0x40, 2, 0, 7, 0xd0, 0]);
  const answer: Buffer[] = [];
  const answered = Promise.withResolvers<void>();
  socket.on("data", (chunk: Buffer) => {
    answer.push(chunk);
    if (Buffer.concat(answer).length === expected.length) answered.resolve();
  });
  for (const byte of all) {
    socket.write(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await answered.promise;
  expect(Buffer.concat(answer).subarray(0, 4)).toEqual(expected.subarray(0, 4));
  expect(Buffer.concat(answer).includes(Buffer.from([0x40, 2, 0, 7]))).toBe(true);
  expect(broker.heard.messages.map(([, , payload]) => payload)).toEqual(["hello"]);
});

test("what is no MQTT is cut off", async () => {
  const broker = await brokerWith();
  for (const bytes of [Buffer.from("GET / HTTP/1.1\r\n\r\n"), Buffer.from([0x32, 0xff, 0xff, 0xff, 0xff, 1])]) {
    const socket = connectTcp(broker.port, "127.0.0.1");
    const closed = once(socket, "close");
    socket.on("error", () => {});
    socket.write(bytes);
    await closed;
  }
});

test("plain MQTT beyond loopback needs TLS, and a port that is taken is named", async () => {
  expect(() => embeddedBroker({ host: "0.0.0.0", port: 0, clock: systemClock })).toThrow("needs TLS");
  const broker = await brokerWith();
  const second = embeddedBroker({ host: "127.0.0.1", port: broker.port, clock: systemClock });
  const handlers = { authenticate: never, mayPublish: never, maySubscribe: never, onMessage: never };
  await expect(second.start(handlers)).rejects.toThrow(`Port ${broker.port} is already in use`);
});
