import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parseTerritory } from "#protocol/territory.ts";
import { importOsm } from "#simulators/osm/import.ts";
import { guessTimeZone } from "#simulators/osm/time-zone.ts";
import { osmFile } from "./osm-file.ts";

const directory = mkdtempSync(join(tmpdir(), "vigie-osm-"));
const file = join(directory, "crossville.osm.pbf");
writeFileSync(file, osmFile());
afterAll(() => rmSync(directory, { recursive: true }));

test("a small extract becomes a territory with its streets, lamps, signal and container", async () => {
  const { territory, report } = await importOsm(file);
  const town = parseTerritory(JSON.parse(JSON.stringify(territory)));
  expect(town.name).toBe("Crossville");
  expect(town.attribution).toBe("© OpenStreetMap contributors, ODbL 1.0");
  expect(town.timeZone).toBe("Europe/Helsinki");
  expect(town.streets.map(({ name, oneWay, speed_kmh }) => [name, oneWay, speed_kmh])).toEqual([
    ["North Street", false, 40],
    ["East Street", true, 50],
  ]);
  expect(town.luminaires).toHaveLength(2);
  expect(town.presences).toHaveLength(2);
  expect(town.containers.map(({ stream }) => stream)).toEqual(["litter"]);
  expect(town.depots).toHaveLength(1);
  // The speed of East Street is the only one that the map does not say.
  expect(report.filled["speed of a street"]?.count).toBe(1);
});

test("where a two-way street meets a one-way street three arms bring traffic in, and opposite ones share a stage", async () => {
  const { territory } = await importOsm(file);
  const [junction] = parseTerritory(territory).junctions;
  expect(junction?.name).toContain("North Street");
  expect(junction?.approaches.map(({ bearing_deg }) => bearing_deg)).toEqual([0, 180, 270]);
  const drives = junction?.stages.map(({ groups }) => groups.filter((group) => group.startsWith("V")));
  expect(drives).toEqual([["V1", "V3"], ["V4"]]);
});

test("lamps are set along lit streets only when asked, each 30 m, not beside those on the map", async () => {
  const { territory } = await importOsm(file, { fillLamps: true });
  // East Street is lit and 222 m long: places at 15, 45, …, 195 m; the one beside a mapped lamp stays free.
  const lamps = parseTerritory(territory).luminaires;
  expect(lamps.length).toBeGreaterThan(6);
  expect(lamps.length).toBeLessThanOrEqual(2 + 7);
});

test("a box keeps what lies inside it", async () => {
  const { territory } = await importOsm(file, { bbox: [24.9, 60.1695, 25, 60.18] });
  const [street] = parseTerritory(territory).streets;
  expect(street?.line.every(([, lat]) => lat >= 60.1695)).toBe(true);
});

test("a file that is missing, or no PBF, is named in one sentence", async () => {
  const other = join(directory, "notes.osm.pbf");
  writeFileSync(other, "streets: none");
  await expect(importOsm(join(directory, "nowhere.osm.pbf"))).rejects.toThrow(/There is no file .*nowhere/);
  await expect(importOsm(other)).rejects.toThrow(/notes\.osm\.pbf is not a territory/);
});

test("the time zone is guessed by country, else by longitude", () => {
  expect(guessTimeZone([2.35, 48.85])).toEqual({ zone: "Europe/Paris", by: "country" });
  expect(guessTimeZone([24.94, 60.17])).toEqual({ zone: "Europe/Helsinki", by: "country" });
  // 105° west is seven hours behind Greenwich, which these names write with a plus.
  expect(guessTimeZone([-105, 40])).toEqual({ zone: "Etc/GMT+7", by: "longitude" });
});
