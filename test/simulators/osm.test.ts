import { deflateSync } from "node:zlib";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parseTerritory } from "#protocol/territory.ts";
import { importOsm } from "#simulators/osm/import.ts";
import { guessTimeZone } from "#simulators/osm/time-zone.ts";

/** A hand-made extract: two streets that cross at a signal, one of them one-way, two lamps and a litter bin. */
const directory = mkdtempSync(join(tmpdir(), "vigie-osm-"));
const file = join(directory, "crossville.osm.pbf");
writeFileSync(file, extract());
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

/** Protocol Buffers by hand: field numbers as in fileformat.proto and osmformat.proto of OSM-binary. */
function extract(): Uint8Array {
  const strings = [""];
  const text = (value: string): number => (strings.includes(value) ? strings.indexOf(value) : strings.push(value) - 1);
  const nodes: { id: number; lon: number; lat: number; tags: Record<string, string> }[] = [
    { id: 1, lon: 24.94, lat: 60.169, tags: {} },
    { id: 2, lon: 24.94, lat: 60.17, tags: { highway: "traffic_signals" } },
    { id: 3, lon: 24.94, lat: 60.171, tags: {} },
    { id: 4, lon: 24.938, lat: 60.17, tags: {} },
    { id: 5, lon: 24.942, lat: 60.17, tags: {} },
    { id: 6, lon: 24.94005, lat: 60.1705, tags: { highway: "street_lamp" } },
    { id: 7, lon: 24.9385, lat: 60.17003, tags: { highway: "street_lamp" } },
    { id: 8, lon: 24.9402, lat: 60.1694, tags: { amenity: "waste_basket" } },
  ];
  const ways = [
    { id: 20, refs: [1, 2, 3], tags: { highway: "tertiary", name: "North Street", maxspeed: "40" } },
    { id: 21, refs: [4, 2, 5], tags: { highway: "secondary", name: "East Street", oneway: "yes", lit: "yes" } },
  ];
  const keyed = (tags: Record<string, string>): Uint8Array[] => [
    packed(
      2,
      Object.keys(tags).map((key) => varint(text(key))),
    ),
    packed(
      3,
      Object.values(tags).map((value) => varint(text(value))),
    ),
  ];
  const groups = [
    ...nodes.map(({ id, lon, lat, tags }) =>
      field(1, [
        number(1, zigzag(id)),
        ...keyed(tags),
        number(8, zigzag(Math.round(lat * 1e7))),
        number(9, zigzag(Math.round(lon * 1e7))),
      ]),
    ),
    ...ways.map(({ id, refs, tags }) =>
      field(3, [
        number(1, id),
        ...keyed(tags),
        packed(
          8,
          refs.map((ref, index) => varint(zigzag(ref - (refs[index - 1] ?? 0)))),
        ),
      ]),
    ),
  ];
  const table = field(
    1,
    strings.map((value) => field(1, [Buffer.from(value)])),
  );
  const block = Buffer.concat([table, field(2, groups)]);
  const header = Buffer.concat([field(4, [Buffer.from("OsmSchema-V0.6")])]);
  return Buffer.concat([blob("OSMHeader", header), blob("OSMData", block)]);
}

function blob(type: string, content: Uint8Array): Buffer {
  const body = Buffer.concat([number(2, content.length), field(3, [deflateSync(content)])]);
  const head = Buffer.concat([field(1, [Buffer.from(type)]), number(3, body.length)]);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(head.length);
  return Buffer.concat([size, head, body]);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Uint8Array.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}
function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1;
}
function number(tag: number, value: number): Uint8Array {
  return Buffer.concat([varint(tag * 8), varint(value)]);
}
function field(tag: number, parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  return Buffer.concat([varint(tag * 8 + 2), varint(content.length), content]);
}
function packed(tag: number, parts: readonly Uint8Array[]): Uint8Array {
  return field(tag, parts);
}
