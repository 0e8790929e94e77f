import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseMessage, status } from "#protocol/messages.ts";
import { parseTerritory } from "#protocol/territory.ts";
import { mayPublish, maySubscribe, parseTopic } from "#protocol/topics.ts";
import { generateTown } from "#simulators/generate.ts";
import { embeddedBroker } from "#server/broker-aedes.ts";
import { isStationPassword, stationPassword } from "#server/credentials.ts";
import { keysIn } from "#server/ports/keys.ts";
import { systemClock } from "#server/ports/clock.ts";
import { bare, root } from "./cli.ts";

let place: string;
beforeEach(() => (place = mkdtempSync(join(tmpdir(), "vigie-station-"))));
afterEach(() => rmSync(place, { recursive: true, force: true }));

test("a station that runs from its configuration file says that it is there, and goodbye at Ctrl-C", async () => {
  const geojson = generateTown({ seed: 3, lamps: 12, containers: 0, junctions: 0 });
  const territory = parseTerritory(geojson);
  const station = territory.luminaires[0]?.station as string;
  const { publicKeyPem, secret } = keysIn(join(place, "keys"));
  const broker = embeddedBroker({ host: "127.0.0.1", port: 0, clock: systemClock });
  const said: boolean[] = [];
  const hello = Promise.withResolvers<void>();
  const goodbye = Promise.withResolvers<void>();
  await broker.start({
    authenticate: (name, password) => isStationPassword(secret, name, password),
    mayPublish: (name, topic) => mayPublish(topic, territory.id, name, new Set()),
    maySubscribe: (name, filter) => maySubscribe(filter, territory.id, name, new Set(territory.streets.map(({ id }) => id))), // prettier-ignore
    onMessage(name, topic, payload) {
      const address = parseTopic(topic);
      if (name !== station || address?.tree !== "up" || address.leaf !== "status") return Promise.resolve();
      const { online } = parseMessage(status, payload);
      said.push(online);
      (online ? hello : goodbye).resolve();
      return Promise.resolve();
    },
  });
  const file = (name: string, text: string): string => {
    writeFileSync(join(place, name), text);
    return name;
  };
  file(
    "station.json",
    JSON.stringify({
      station,
      broker: `mqtt://127.0.0.1:${broker.port}`,
      territory: file("town.geojson", JSON.stringify(geojson)),
      data: "outbox",
      serverKey: file("server.pem", publicKeyPem),
      password: file("password", `${stationPassword(secret, station)}\n`),
      hardware: "none",
    }),
  );
  const words = [join(root, "cli.ts"), "edge", "--config", join(place, "station.json")];
  const child = spawn(process.execPath, words, { env: bare });
  let out = "";
  child.stdout.on("data", (bytes: Buffer) => (out += bytes.toString()));
  child.stderr.on("data", (bytes: Buffer) => (out += bytes.toString()));
  const exit = once(child, "exit");
  try {
    await hello.promise;
    child.kill("SIGINT");
    await goodbye.promise;
    expect(await exit).toEqual([0, null]);
    expect(said).toEqual([true, false]);
    expect(out).toMatch(new RegExp(`^Vigie .* · station ${station} → mqtt://127.0.0.1:${broker.port}\n$`));
  } finally {
    child.kill("SIGKILL");
    await exit;
    await broker.stop();
  }
});
