import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { parse } from "yaml";

const root = join(import.meta.dirname, "../..");
/** The published schema of Compose files, as the linter carries it. */
const SCHEMA = join(root, "node_modules/dclint/schemas/compose.schema.json");

interface Compose {
  readonly services: Readonly<
    Record<
      string,
      { image: string; profiles?: string[]; ports?: string[]; volumes?: string[]; environment?: Record<string, string> }
    >
  >;
  readonly volumes: Readonly<Record<string, unknown>>;
}
const compose = parse(readFileSync(join(root, "docker-compose.yml"), "utf8")) as Compose;
const services = Object.entries(compose.services);

test.skipIf(!existsSync(SCHEMA))("docker-compose.yml follows the published schema of Compose", () => {
  const { $schema: _, ...schema } = JSON.parse(readFileSync(SCHEMA, "utf8")) as Record<string, unknown>;
  const valid = new Ajv({ strict: false, validateFormats: false, allErrors: true }).compile(schema);
  valid(compose);
  expect(valid.errors ?? []).toEqual([]);
});

test("it has Vigie and Grafana, and profiles for both InfluxDBs and a broker", () => {
  expect(services.map(([name, { profiles = [] }]) => [name, ...profiles])).toEqual([
    ["vigie"],
    ["grafana"],
    ["influx1", "influx1"],
    ["influx2", "influx2"],
    ["mosquitto", "mosquitto"],
  ]);
});

test("every image is named with its version, and every port is the loopback's", () => {
  for (const [name, { image, ports = [] }] of services) {
    if (name !== "vigie") expect(image, name).toMatch(/:\d+\.\d+/);
    for (const port of ports) expect(port, name).toMatch(/^127\.0\.0\.1:/);
  }
});

test("what is mounted from this repository is there, and every volume is declared", () => {
  for (const [name, { volumes = [] }] of services) {
    for (const volume of volumes) {
      const from = (volume.split(":")[0] as string).replaceAll(/\$\{VIGIE_LANG$|\$\{VIGIE_LANG:-fr\}/g, "fr");
      if (from.startsWith("./")) expect(statSync(join(root, from)), `${name}: ${from}`).toBeDefined();
      else expect(Object.keys(compose.volumes), name).toContain(from);
    }
  }
});

test("Grafana reads with the key that Vigie is given, or with that of the InfluxDB which it asks instead", () => {
  const key = compose.services["vigie"]?.environment?.["VIGIE_READER_KEY"] ?? "";
  expect(/^\$\{VIGIE_READER_KEY:-(.{32,})\}$/.exec(key)).not.toBeNull();
  expect(compose.services["grafana"]?.environment?.["VIGIE_INFLUX_TOKEN"]).toBe(`\${VIGIE_INFLUX_TOKEN:-${key}}`);
});
