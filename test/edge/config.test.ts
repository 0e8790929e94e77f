import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readConfig } from "#edge/config.ts";
import { startEdge } from "#edge/main.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "vigie-edge-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const good = {
  station: "S-1",
  broker: "mqtt://127.0.0.1:1",
  territory: "town.geojson",
  data: "data",
  serverKey: "server.pem",
  password: "password",
  hardware: "none",
};

function written(change: object = {}, name = "station.json"): string {
  const file = join(directory, name);
  writeFileSync(file, JSON.stringify({ ...good, ...change }));
  return file;
}

describe("The file of a station", () => {
  test("is read with its paths taken from where it is", () => {
    expect(readConfig(written())).toMatchObject({ station: "S-1", territory: join(directory, "town.geojson") });
  });

  const wrong: [string, object, string][] = [
    ["a station that is no identifier", { station: "S 1" }, "station is"],
    ["a broker without a scheme", { broker: "localhost" }, "broker is"],
    ["a hardware that does not exist", { hardware: "arduino" }, "hardware is"],
    ["an option that is misspelt", { pasword: "x" }, "pasword is"],
    ["plain MQTT beyond loopback", { broker: "mqtt://town.example:1883" }, "needs TLS"],
  ];
  for (const [what, change, sentence] of wrong) {
    test(`names the property that is ${what}`, () => {
      expect(() => readConfig(written(change))).toThrow(sentence);
    });
  }

  test("says when it is missing or no JSON", () => {
    expect(() => readConfig(join(directory, "other.json"))).toThrow("There is no file");
    writeFileSync(join(directory, "broken.json"), "{");
    expect(() => readConfig(join(directory, "broken.json"))).toThrow("expected JSON");
  });
});

describe("A real station", () => {
  const town = (): void =>
    writeFileSync(
      join(directory, "town.geojson"),
      JSON.stringify({
        type: "FeatureCollection",
        vigie: { version: 1, id: "t", name: "T", timeZone: "Europe/Paris", position: [2, 47] },
        features: [
          {
            type: "Feature",
            geometry: { type: "Point", coordinates: [2, 47] },
            properties: { kind: "station", id: "S-1" },
          },
        ],
      }),
    );
  const key = (): void => {
    const { publicKey } = generateKeyPairSync("ed25519");
    writeFileSync(join(directory, "server.pem"), publicKey.export({ type: "spki", format: "pem" }));
  };

  test("starts though its broker is away, and stops", () => {
    town();
    key();
    writeFileSync(join(directory, "password"), "secret\n");
    const agent = startEdge(readConfig(written()), "0.1.0");
    expect(agent.stats().up).toBe(false);
    agent.stop();
  });

  test("says which file is missing or wrong", () => {
    const config = readConfig(written());
    expect(() => startEdge(config, "0.1.0")).toThrow("town.geojson");
    town();
    expect(() => startEdge(config, "0.1.0")).toThrow("server.pem");
    writeFileSync(join(directory, "server.pem"), "no key");
    expect(() => startEdge(config, "0.1.0")).toThrow("serverKey");
    key();
    expect(() => startEdge(config, "0.1.0")).toThrow("password");
    writeFileSync(join(directory, "password"), "secret");
    expect(() => startEdge({ ...config, station: "S-2" }, "0.1.0")).toThrow("Station S-2 is not in this territory");
  });
});
