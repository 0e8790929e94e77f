import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectTcp, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MqttClient } from "mqtt";
import { connectAsync } from "mqtt";
import { afterEach, expect, test } from "vitest";
import { Fault } from "#protocol/faults.ts";
import { allDown, down, up } from "#protocol/topics.ts";
import { externalBroker } from "#server/broker-external.ts";
import type { Broker, BrokerHandlers } from "#server/broker.ts";

const MOSQUITTO = "/usr/sbin/mosquitto";
const skip = !existsSync(MOSQUITTO);
if (skip)
  console.log(
    `Skipped: the external broker is tested against ${MOSQUITTO}, which is not here (apt install mosquitto).`,
  );

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of opened.splice(0).toReversed()) await end();
});

const never = (): never => {
  throw new Error("not reached");
};

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function mosquitto(port: number): Promise<ChildProcess> {
  const directory = mkdtempSync(join(tmpdir(), "vigie-mosquitto-"));
  const file = join(directory, "mosquitto.conf");
  writeFileSync(file, `listener ${port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 50\n`);
  const broker = spawn(MOSQUITTO, ["-c", file], { stdio: "ignore" });
  const ended = once(broker, "exit");
  opened.push(async () => {
    broker.kill("SIGKILL");
    await ended;
    rmSync(directory, { recursive: true, force: true });
  });
  while (!(await answers(port))) await new Promise((resolve) => setTimeout(resolve, 20));
  return broker;
}

function answers(port: number): Promise<boolean> {
  const socket = connectTcp(port, "127.0.0.1");
  return new Promise((resolve) => {
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
  }).finally(() => socket.destroy()) as Promise<boolean>;
}

interface Server {
  readonly broker: Broker;
  readonly heard: [station: string, payload: string][];
  answer: (text: string) => Promise<void>;
}

async function server(port: number): Promise<Server> {
  const rig: Server = {
    broker: externalBroker({ url: `mqtt://127.0.0.1:${port}`, territory: "town" }),
    heard: [],
    answer: () => Promise.resolve(),
  };
  const handlers: BrokerHandlers = {
    authenticate: () => true,
    mayPublish: () => true,
    maySubscribe: () => true,
    onMessage(station, _, payload) {
      const text = Buffer.from(payload).toString();
      rig.heard.push([station, text]);
      return rig.answer(text);
    },
  };
  await rig.broker.start(handlers);
  opened.push(() => rig.broker.stop());
  return rig;
}

async function station(port: number, name: string): Promise<MqttClient> {
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { clientId: name, reconnectPeriod: 50 });
  opened.push(() => client.endAsync(true));
  return client;
}

const say = (client: MqttClient, name: string, text: string): Promise<unknown> =>
  client.publishAsync(up("town", name, "readings"), text, { qos: 1 });

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test.skipIf(skip)("messages of many stations are taken while others still wait for their commit", async () => {
  const port = await freePort();
  await mosquitto(port);
  const rig = await server(port);
  const gate = Promise.withResolvers<void>();
  rig.answer = () => gate.promise;
  const client = await station(port, "pole-1");
  for (let message = 0; message < 30; message++) await say(client, `pole-${message}`, String(message));
  await until(() => rig.heard.length === 30);
  expect(rig.heard.at(-1)).toEqual(["pole-29", "29"]);
  gate.resolve();
  // With its window free again, mosquitto goes on.
  for (let message = 30; message < 120; message++) await say(client, "pole-1", String(message));
  await until(() => rig.heard.length === 120);
});

test.skipIf(skip)(
  "what was not acknowledged before the server fell is heard again by the next one, the rest is not",
  async () => {
    const port = await freePort();
    await mosquitto(port);
    const first = await server(port);
    const client = await station(port, "pole-1");
    const committed = Promise.withResolvers<void>();
    first.answer = async (text) => {
      if (text === "b") await new Promise(() => {});
      committed.resolve();
    };
    await say(client, "pole-1", "a");
    await committed.promise;
    await say(client, "pole-1", "b");
    await until(() => first.heard.length === 2);
    await first.broker.stop();
    await say(client, "pole-1", "c");
    const second = await server(port);
    await until(() => second.heard.length === 2);
    expect(second.heard.map(([, text]) => text)).toEqual(["b", "c"]);
  },
);

test.skipIf(skip)("a message that the store refused is sent again on a new connection", async () => {
  const port = await freePort();
  await mosquitto(port);
  const rig = await server(port);
  const client = await station(port, "pole-1");
  rig.answer = () =>
    rig.heard.length === 1 ? Promise.reject(new Fault("STORE_FAILED", { problem: "disk" })) : Promise.resolve();
  await say(client, "pole-1", "a");
  await until(() => rig.heard.length === 2);
  expect(rig.heard.map(([, text]) => text)).toEqual(["a", "a"]);
});

test.skipIf(skip)("receipts and commands reach their station", async () => {
  const port = await freePort();
  await mosquitto(port);
  const { broker } = await server(port);
  const client = await station(port, "pole-1");
  await client.subscribeAsync(allDown("town", "pole-1"), { qos: 1 });
  const heard: [string, number][] = [];
  client.on("message", (_, payload, { qos }) => heard.push([payload.toString(), qos]));
  broker.publish(down("town", "pole-1", "command"), Buffer.from("light"));
  broker.publish(down("town", "pole-1", "receipt"), Buffer.from("up to 3"));
  await until(() => heard.length === 2);
  expect(heard).toEqual([
    ["light", 1],
    ["up to 3", 0],
  ]);
});

test.skipIf(skip)("when the broker falls and comes back, so does the server", async () => {
  const port = await freePort();
  const broker = await mosquitto(port);
  const rig = await server(port);
  const ended = once(broker, "exit");
  broker.kill("SIGKILL");
  await ended;
  await mosquitto(port);
  const client = await station(port, "pole-1");
  // Until the server is back nobody hears; the broker has no memory of it. So it is said until it is heard.
  while (rig.heard.length === 0) {
    await say(client, "pole-1", "a");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(rig.heard[0]).toEqual(["pole-1", "a"]);
});

test("a broker that does not answer is named", async () => {
  const port = await freePort();
  const broker = externalBroker({ url: `mqtt://127.0.0.1:${port}`, territory: "town" });
  const handlers = { authenticate: never, mayPublish: never, maySubscribe: never, onMessage: never };
  await expect(broker.start(handlers)).rejects.toThrow(`The broker at mqtt://127.0.0.1:${port} does not answer`);
});
