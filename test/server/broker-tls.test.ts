import { once } from "node:events";
import { connect as connectTls } from "node:tls";
import { afterEach, expect, test } from "vitest";
import { connectAsync } from "mqtt";
import { mqttUplink } from "#edge/ports/mqtt-uplink.ts";
import type { TlsFiles } from "#edge/ports/mqtt-uplink.ts";
import { allDown, down, mayPublish, maySubscribe, up } from "#protocol/topics.ts";
import type { EmbeddedBroker, TlsTexts } from "#server/broker-aedes.ts";
import { embeddedBroker } from "#server/broker-aedes.ts";
import { systemClock } from "#server/ports/clock.ts";
import { authority } from "./certificates.ts";

const town = "town";
const works = authority("The works of the town");
const server = works.certify("broker");
const tls: TlsTexts = { ...server, ca: works.cert };
const stranger = authority("Somebody else");

const opened: { end: () => unknown }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).toReversed()) await each.end();
});

async function tlsBroker(): Promise<EmbeddedBroker & { heard: string[] }> {
  const broker = embeddedBroker({ host: "127.0.0.1", port: 0, clock: systemClock, tls });
  const heard: string[] = [];
  await broker.start({
    authenticate: (station, password) => password === `secret of ${station}`,
    mayPublish: (station, topic) => mayPublish(topic, town, station, new Set()),
    maySubscribe: (station, filter) => maySubscribe(filter, town, station, new Set()),
    onMessage(station, _, payload) {
      heard.push(`${station}: ${Buffer.from(payload).toString()}`);
      return Promise.resolve();
    },
  });
  opened.push({ end: () => broker.stop() });
  return Object.assign(broker, { heard });
}

interface Attempt {
  readonly name: string;
  readonly files: TlsFiles;
  readonly scheme?: "mqtt" | "mqtts";
}

/** Opens a session as a station does; tells what came of it, "up" or the problem. */
function attempt(broker: EmbeddedBroker, { name, files, scheme = "mqtts" }: Attempt) {
  const outcome = Promise.withResolvers<string>();
  const messages: string[] = [];
  const heard = Promise.withResolvers<void>();
  const session = mqttUplink(`${scheme}://127.0.0.1:${broker.port}`, files).connect({
    clientId: name,
    username: name,
    password: `secret of ${name}`,
    keepAlive_s: 60,
    will: { topic: up(town, name, "status"), payload: Buffer.from("gone") },
    onUp: () => outcome.resolve("up"),
    onDown: (problem) => outcome.resolve(problem),
    onMessage(topic, payload) {
      messages.push(`${topic} ${Buffer.from(payload).toString()}`);
      heard.resolve();
    },
  });
  opened.push({ end: () => session.close() });
  return { session, outcome: outcome.promise, messages, heard: heard.promise };
}

test("a station with a certificate of its own name speaks and is spoken to over TLS", async () => {
  const broker = await tlsBroker();
  const pole = attempt(broker, { name: "pole-1", files: { ...works.certify("pole-1"), ca: works.cert } });
  expect(await pole.outcome).toBe("up");
  const acknowledged = new Promise<void>((resolve) => {
    pole.session.publish(up(town, "pole-1", "readings"), Buffer.from("a reading"), {}, resolve);
  });
  await acknowledged;
  expect(broker.heard).toEqual(["pole-1: a reading"]);
  pole.session.subscribe([allDown(town, "pole-1")]);
  // A message that is acknowledged after the subscription shows that the broker has seen it.
  await new Promise<void>((resolve) => {
    pole.session.publish(up(town, "pole-1", "readings"), Buffer.from("another"), {}, resolve);
  });
  broker.publish(down(town, "pole-1", "command"), Buffer.from("light"));
  await pole.heard;
  expect(pole.messages).toEqual([`${down(town, "pole-1", "command")} light`]);
});

const refused: [who: string, attempt: Attempt, problem: RegExp][] = [
  ["without a certificate", { name: "pole-1", files: { ca: works.cert } }, /./],
  [
    "with a certificate of another authority",
    { name: "pole-1", files: { ...stranger.certify("pole-1"), ca: works.cert } },
    /./,
  ],
  [
    "whose certificate has run out",
    { name: "pole-1", files: { ...works.certify("pole-1", new Date(Date.UTC(2024, 0, 1))), ca: works.cert } },
    /./,
  ],
  [
    "that shows another station's certificate beside its own right password",
    { name: "pole-1", files: { ...works.certify("pole-2"), ca: works.cert } },
    /Not authorized/,
  ],
  ["that speaks plain MQTT", { name: "pole-1", files: {}, scheme: "mqtt" }, /./],
  [
    "that does not know who signed the broker's certificate, and leaves by itself",
    { name: "pole-1", files: { ...works.certify("pole-1"), ca: stranger.cert } },
    /certificate/,
  ],
];
for (const [who, how, problem] of refused) {
  test(`a station ${who} is not let in, and one that is right beside it is`, async () => {
    const broker = await tlsBroker();
    const outcome = await attempt(broker, how).outcome;
    expect(outcome).toMatch(problem);
    expect(outcome).not.toBe("up");
    const right = attempt(broker, { name: "pole-9", files: { ...works.certify("pole-9"), ca: works.cert } });
    expect(await right.outcome).toBe("up");
    await new Promise<void>((resolve) => {
      right.session.publish(up(town, "pole-9", "readings"), Buffer.from("a reading"), {}, resolve);
    });
    expect(broker.heard).toEqual(["pole-9: a reading"]);
    expect(broker.connected).toBe(1);
  });
}

test("a certificate does not replace the password", async () => {
  const broker = await tlsBroker();
  await expect(
    connectAsync(`mqtts://127.0.0.1:${broker.port}`, {
      ...works.certify("pole-1"),
      ca: works.cert,
      clientId: "pole-1",
      username: "pole-1",
      password: "guess",
      reconnectPeriod: 0,
    }),
  ).rejects.toThrow("Not authorized");
});

test("TLS older than 1.2 is not spoken", async () => {
  const broker = await tlsBroker();
  const socket = connectTls({
    ...works.certify("pole-1"),
    ca: works.cert,
    host: "127.0.0.1",
    port: broker.port,
    minVersion: "TLSv1.1",
    maxVersion: "TLSv1.1",
    ciphers: "ALL:@SECLEVEL=0",
  });
  const [problem] = (await once(socket, "error")) as [Error];
  expect(problem.message).toMatch(/version|unsupported|handshake/i);
});

test("beyond loopback the broker wants TLS and the authority of the stations' certificates", () => {
  const at =
    (given?: TlsTexts): (() => unknown) =>
    () =>
      embeddedBroker({ host: "0.0.0.0", port: 0, clock: systemClock, ...(given && { tls: given }) });
  expect(at()).toThrow("MQTT on 0.0.0.0 needs TLS");
  expect(at(server)).toThrow("MQTT on 0.0.0.0 needs TLS");
  expect(at(tls)).not.toThrow();
});

test("a key that is no key, or of another pair, is named before anything listens", () => {
  const at =
    (given: TlsTexts): (() => unknown) =>
    () =>
      embeddedBroker({ host: "127.0.0.1", port: 0, clock: systemClock, tls: given });
  expect(at({ ...tls, key: "no key" })).toThrow("--tls-key, --tls-cert, --tls-ca is");
  expect(at({ ...tls, key: stranger.key })).toThrow("the key and the certificate of one pair");
  expect(at({ ...tls, ca: "no authority" })).toThrow("PEM files");
  expect(at({ ...tls, ca: server.cert })).toThrow("may not sign others");
});
