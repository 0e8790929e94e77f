import type { AddressInfo, Server } from "node:net";
import { createServer } from "node:net";
import { Aedes } from "aedes";
import { afterEach, expect, test } from "vitest";
import { seededChance } from "#protocol/chance.ts";
import { encodeMessage, parseBatch, parseMessage, status } from "#protocol/messages.ts";
import { down } from "#protocol/topics.ts";
import type { Agent } from "#edge/agent.ts";
import { createAgent } from "#edge/agent.ts";
import { mqttUplink } from "#edge/ports/mqtt-uplink.ts";
import { systemClock } from "#edge/ports/system.ts";
import type { Session, SessionOptions } from "#edge/uplink.ts";
import { virtualDisk } from "#rehearsal/disk.ts";
import { bench, lengthVerifier, streetOf } from "./street.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function broker(port = 0) {
  const aedes = await Aedes.createBroker();
  const server: Server = createServer(aedes.handle);
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const close = async (): Promise<void> => {
    await new Promise<void>((resolve) => aedes.close(() => resolve()));
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  closing.push(close);
  const address = server.address() as AddressInfo;
  return { aedes, port: address.port, url: `mqtt://127.0.0.1:${address.port}`, close };
}

async function until<T>(found: () => T | undefined | false): Promise<T> {
  for (let turn = 0; turn < 1000; turn++) {
    const value = found();
    if (value !== undefined && value !== false) return value;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("it did not come");
}

const words = (text: string): Uint8Array => new TextEncoder().encode(text);
const read = (payload: Uint8Array): string => new TextDecoder().decode(payload);

function session(url: string, more: Partial<SessionOptions> = {}) {
  const heard: string[] = [];
  const downs: string[] = [];
  let ups = 0;
  const options: SessionOptions = {
    clientId: "S-1",
    username: "S-1",
    password: "secret",
    keepAlive_s: 60,
    will: { topic: "status", payload: words("gone") },
    onUp: () => ups++,
    onDown: (problem) => downs.push(problem),
    onMessage: (topic, payload) => heard.push(`${topic} ${read(payload)}`),
    ...more,
  };
  const made: Session = mqttUplink(url).connect(options);
  closing.push(() => made.close());
  return { session: made, heard, downs, ups: () => ups };
}

test("A session publishes, is acknowledged, hears what it subscribed to, and shouts", async () => {
  const { aedes, url } = await broker();
  const published: string[] = [];
  aedes.on("publish", (packet, client) => {
    if (client)
      published.push(`${packet.topic} ${read(packet.payload as Uint8Array)} qos ${packet.qos} retain ${packet.retain}`);
  });
  const one = session(url);
  await until(() => one.ups() === 1);
  one.session.subscribe(["to/me"]);
  let acknowledged = 0;
  one.session.publish("from/me", words("a"), { retain: true }, () => acknowledged++);
  one.session.shout("to/me", words("b"));
  await until(() => acknowledged === 1);
  await until(() => one.heard.includes("to/me b"));
  expect(published).toEqual(["from/me a qos 1 retain true", "to/me b qos 0 retain false"]);
});

test("An acknowledgement that the broker holds back does not come, and never after the line broke", async () => {
  const { aedes, url, close } = await broker();
  let release: (() => void) | undefined;
  aedes.authorizePublish = (_client, _packet, done) => {
    release = () => done(null);
  };
  const one = session(url);
  await until(() => one.ups() === 1);
  let acknowledged = 0;
  one.session.publish("from/me", words("a"), {}, () => acknowledged++);
  await until(() => release);
  expect(acknowledged).toBe(0);
  await close();
  await until(() => one.downs.length > 0);
  release?.();
  expect(acknowledged).toBe(0);
  expect(one.downs).toHaveLength(1);
});

test("A broker that is not there, or that refuses the password, is told once and not tried again", async () => {
  const { aedes, url } = await broker();
  aedes.authenticate = (_client, _name, _password, done) => done(null, false);
  const refused = session(url);
  await until(() => refused.downs.length > 0);
  const { url: gone, close } = await broker();
  await close();
  const absent = session(gone);
  await until(() => absent.downs.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(refused.ups()).toBe(0);
  expect(refused.downs).toHaveLength(1);
  expect(absent.downs).toEqual([expect.stringContaining("ECONNREFUSED")]);
});

test("The broker speaks the last will when the line breaks or the power goes, and not after a goodbye", async () => {
  const { aedes, url } = await broker();
  const wills: string[] = [];
  aedes.on("publish", (packet) => {
    if (packet.topic === "status") wills.push(read(packet.payload as Uint8Array));
  });
  const polite = session(url, { clientId: "polite" });
  const cut = session(url, { clientId: "cut" });
  await until(() => polite.ups() + cut.ups() === 2);
  polite.session.close();
  await until(() => Object.keys((aedes as unknown as { clients: object }).clients).length === 1);
  expect(wills).toEqual([]);
  aedes.on("clientDisconnect", () => {});
  const clients = (aedes as unknown as { clients: Record<string, { conn: { destroy(): void } }> }).clients;
  clients["cut"]?.conn.destroy();
  await until(() => wills.length > 0);
  expect(wills).toEqual(["gone"]);
  const dropped = session(url, { clientId: "dropped" });
  await until(() => dropped.ups() === 1);
  dropped.session.drop();
  await until(() => wills.length > 1);
  expect(dropped.downs).toEqual([]);
});

test("A real agent brings its readings through a real broker, and through a restart of it", async () => {
  const territory = streetOf(1);
  const hardware = bench();
  hardware.values.set("C1 fill", 0.4);
  hardware.values.set("C1 collections", 1);
  const first = await broker();
  const taken: string[] = [];
  const statuses: boolean[] = [];
  const serve = ({ aedes }: Awaited<ReturnType<typeof broker>>): void => {
    aedes.on("publish", (packet, client) => {
      if (packet.topic.endsWith("/up/status")) statuses.push(parseMessage(status, packet.payload as Uint8Array).online);
      if (!client || !packet.topic.endsWith("/up/readings")) return;
      const { epoch, first: number, readings } = parseBatch(packet.payload as Uint8Array);
      for (const { measure, value } of readings) taken.push(`${measure} ${value}`);
      const payload = Buffer.from(encodeMessage({ epoch, upTo: number + readings.length - 1 }));
      aedes.publish(
        { cmd: "publish", topic: down("testville", "S-END", "receipt"), payload, qos: 1, dup: false, retain: false },
        () => {},
      );
    });
  };
  serve(first);
  const agent: Agent = createAgent({
    territory,
    station: "S-END",
    hardware,
    uplink: mqttUplink(first.url),
    disk: virtualDisk(),
    clock: systemClock,
    chance: seededChance(1),
    verifier: lengthVerifier,
    password: "secret",
    version: "0.1.0",
  });
  agent.start();
  closing.push(() => agent.stop());
  await until(() => agent.stats().up && agent.stats().waiting === 0);
  expect(taken.toSorted()).toEqual(["collections 1", "fill 0.4"]);
  await first.close();
  await until(() => !agent.stats().up);
  hardware.move("C1", "collections", 2, systemClock.now());
  serve(await broker(first.port));
  await until(() => agent.stats().up && agent.stats().waiting === 0 && taken.includes("collections 2"));
  expect(statuses.filter((online) => online)).toHaveLength(2);
});
