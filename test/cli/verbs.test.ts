import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readTown } from "#cli/territory.ts";
import { helpOf } from "#cli/verb.ts";
import { overview, VERBS } from "#cli/verbs.ts";
import { version } from "#cli/version.ts";
import { parseTerritory } from "#protocol/territory.ts";
import { instant } from "#protocol/units.ts";
import { openJournal } from "#server/journal.ts";
import { openState } from "#server/state.ts";
import { osmFile } from "../simulators/osm-file.ts";
import { vigie } from "./cli.ts";

let place: string;
const at = (name: string): string => join(place, name);
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), "vigie-verbs-"));
  writeFileSync(at("hamlet.osm.pbf"), osmFile());
  writeFileSync(at("text.txt"), "no map, no JSON\n");
  writeFileSync(at("list.json"), "[]\n");
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

test("a town is generated with the lamps, containers and junctions asked for, the same from the same seed", () => {
  const wish = ["town", "generate", "--seed", "5", "--lamps", "30", "--containers", "4", "--junctions", "1"];
  const first = vigie(...wish);
  expect(first).toMatchObject({ code: 0, err: expect.stringContaining("30 lamps, 4 containers, 1 signalled") });
  const town = parseTerritory(JSON.parse(first.out));
  expect([town.luminaires.length, town.containers.length, town.junctions.length]).toEqual([30, 4, 1]);
  expect(vigie(...wish).out).toBe(first.out);
  wish[3] = "6";
  expect(vigie(...wish).out).not.toBe(first.out);
});

test("an extract of OpenStreetMap becomes a territory that is taken back, and what was filled in is said beside it", () => {
  const { code, out, err } = vigie("town", "import-osm", at("hamlet.osm.pbf"), "--time-zone", "Europe/Paris");
  expect(code).toBe(0);
  expect(err).toMatch(/^\d+ lamps on the map$/m);
  expect(err).toMatch(/^filled \d+ times: /m);
  writeFileSync(at("hamlet.geojson"), out);
  const { territory } = readTown(at("hamlet.geojson"));
  expect(territory.timeZone).toBe("Europe/Paris");
  const filled = parseTerritory(JSON.parse(vigie("town", "import-osm", at("hamlet.osm.pbf"), "--fill-lamps").out));
  expect(filled.luminaires.length).toBeGreaterThan(territory.luminaires.length);
});

test("the newest decisions are listed in the town's own time, those of one street where it is named", () => {
  const data = at("data");
  const { out } = vigie("town", "generate", "--lamps", "12");
  writeFileSync(at("town.geojson"), out);
  const { territory } = readTown(at("town.geojson"));
  expect(vigie("stations", "--data", data, "--territory", at("town.geojson")).code).toBe(0);
  writeFileSync(join(data, "territory.geojson"), out);
  const state = openState(join(data, "state.sqlite"), territory.id);
  const journal = openJournal(state, () => undefined);
  for (const [index, subject] of ["R1", "R2", "R1"].entries()) {
    journal.append({
      at: instant(Date.UTC(2026, 6, 1, 20, index)),
      name: "lighting.programme",
      subject,
      inputs: {},
      decision: { value: index, because: "class", evidence: {}, alternatives: [], validUntil: instant(0) },
      mode: index === 0 ? "shadow" : "general",
      acted: index > 0,
    });
  }
  state.close();
  const lines = (...words: string[]): string[] => vigie("decisions", "list", "--data", data, ...words).out.trimEnd().split("\n"); // prettier-ignore
  // In July Paris is two hours ahead of UTC.
  expect(lines()).toEqual([
    "     3  2026-07-01 22:02:00  lighting.programme R1: class (general)",
    "     2  2026-07-01 22:01:00  lighting.programme R2: class (general)",
    "     1  2026-07-01 22:00:00  lighting.programme R1: class (shadow, not acted on)",
  ]);
  expect(lines("R1", "--limit", "1")).toEqual(["     3  2026-07-01 22:02:00  lighting.programme R1: class (general)"]);
  const json = JSON.parse(lines("--json").join("\n")) as { id: number }[];
  expect(json.map(({ id }) => id)).toEqual([3, 2, 1]);
  expect(vigie("decisions", "show", "4", "--data", data)).toMatchObject({ code: 2 });
  expect(vigie("decisions", "verify", "--data", data).out).toContain("3 entries, the chain is whole");
});

const nonsense: [words: string[], sentence: string][] = [
  [["strat"], "There is no verb strat. Did you mean start?"],
  [["town"], "There is no verb town."],
  [["start", "now"], "There is no option now."],
  [["start", "--speed", "fast"], "--speed is fast; expected a number from 0.1 to 1000"],
  [["start", "--tls-key", "text.txt", "--data", "new"], "expected --no-town beside TLS"],
  [["start", "--mqtt-host", "0.0.0.0", "--data", "new"], "MQTT on 0.0.0.0 needs TLS"],
  [["start", "--tls-cert", "text.txt", "--data", "new", "--no-town"], "--tls-key is missing"],
  [["start", "--tls-key", "text.txt", "--tls-cert", "text.txt", "--data", "new", "--no-town"], "expected PEM files"],
  [["start", "--tls-key", "none.json", "--tls-cert", "text.txt", "--data", "new", "--no-town"], "There is no file"],
  [["town", "generate", "--lamps", "3"], "--lamps is 3; expected a whole number from 12 to 20000"],
  [["town", "generate", "more"], "There is no option more."],
  [["town", "import-osm"], "FILE.osm.pbf is missing"],
  [["town", "import-osm", "none.osm.pbf"], "There is no file"],
  [["town", "import-osm", "text.txt"], "no OpenStreetMap PBF"],
  [["town", "import-osm", "hamlet.osm.pbf", "text.txt"], "expected one file"],
  [["town", "import-osm", "hamlet.osm.pbf", "--bbox", "1,2,3"], "--bbox is 1,2,3; expected west,south,east,north"],
  [["town", "import-osm", "hamlet.osm.pbf", "--bbox", "2,3,1,4"], "--bbox is 2,3,1,4"],
  [["town", "import-osm", "hamlet.osm.pbf", "--bbox", "170,-20,171,-19"], "it holds no street inside the box"],
  [
    ["town", "import-osm", "hamlet.osm.pbf", "--time-zone", "Paris"],
    "--time-zone is Paris; expected an IANA time zone",
  ],
  [["simulate", "--data", "new"], "--broker is missing"],
  [["simulate", "--broker", "mqtt://127.0.0.1:1", "--data", "new"], "--territory is missing"],
  [["stations", "--territory", "text.txt", "--data", "new"], "is not a territory"],
  [["edge"], "--config is missing"],
  [["edge", "--config", "none.json"], "There is no file"],
  [["edge", "--config", "text.txt"], "expected JSON"],
  [["edge", "--config", "list.json"], "list.json"],
  [["rehearse", "--hours", "-1"], "--hours is -1"],
  [["rehearse", "--faults", "text.txt", "--hours", "1"], "--faults"],
  [["rehearse", "--from", "yesterday", "--hours", "1"], "--from is yesterday"],
  [["decisions", "list", "--data", "none"], "There is no file"],
  [["decisions", "list", "R1", "R2", "--data", "none"], "expected one street, junction or depot"],
  [["decisions", "show", "--data", "none"], "ID is missing"],
  [["decisions", "show", "first", "--data", "none"], "ID is first"],
  [["decisions", "replay", "0", "--data", "none"], "ID is 0"],
  [["decisions", "verify", "--data", "none"], "There is no file"],
  [["store", "copy"], "--from is missing"],
  [["store", "copy", "--from", "duckdb:none", "--to", "duckdb:new"], "There is no file none"],
  [["store", "copy", "--from", "influx1:http://127.0.0.1/vigie", "--to", "influx2:vigie"], "--to is vigie"],
  [["store", "copy", "--from", "influx1:http://127.0.0.1", "--to", "duckdb:new"], "expected duckdb:FILE"],
  [["start", "--store", "influx3", "--data", "new"], "expected duckdb or memory or influx1 or influx2"],
  [["start", "--store", "influx1", "--store-url", "here", "--data", "new"], "an address like http://127.0.0.1:8086"],
  [["backup", "--data", "none"], "--to is missing"],
  [["backup", "--data", "none", "--to", "new"], "There is no file"],
  [["restore", "--data", "new"], "--from is missing"],
  [["restore", "--from", "none", "--data", "new"], "There is no file"],
  [["export", "--data", "none"], "--out is missing"],
  [
    ["export", "--data", "none", "--out", "new", "--from", "spring"],
    "--from is spring; expected a time like 2026-03-02",
  ],
  [["export", "--data", "none", "--out", "new"], "There is no file"],
  [["docs", "here"], "There is no option here."],
];
const files = new Set(["text.txt", "list.json", "hamlet.osm.pbf", "none.osm.pbf", "none.json", "none.geojson", "new", "none"]); // prettier-ignore
for (const [words, sentence] of nonsense) {
  test(`vigie ${words.join(" ")}: one sentence, no stack trace, exit code 2`, () => {
    const { code, out, err } = vigie(...words.map((word) => (files.has(word) ? at(word) : word)));
    expect(err).toContain(sentence);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
    expect({ code, out }).toEqual({ code: 2, out: "" });
  });
}

test("no verb is left out of the nonsense above, and help names the words and options of a verb", () => {
  for (const { name } of VERBS) {
    expect(nonsense.some(([words]) => words.join(" ").startsWith(name)), name).toBe(true); // prettier-ignore
  }
  const { code, out } = vigie("town", "import-osm", "--help");
  expect(code).toBe(0);
  expect(out).toContain("npx vigie town import-osm FILE.osm.pbf [options]");
});

test("no help is wider than 80 columns, in either language, and none of its words is lost", () => {
  for (const language of ["en", "fr"] as const) {
    for (const text of [overview(language), ...VERBS.map((verb) => helpOf(verb, language))]) {
      for (const line of text.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
    }
    for (const verb of VERBS) expect(helpOf(verb, language).replaceAll(/\s+/g, " ")).toContain(verb[language]);
  }
});

test("the version is the package's; without a word the verbs are listed", () => {
  expect(vigie("--version")).toEqual({ code: 0, out: `${version}\n`, err: "" });
  expect(vigie()).toEqual({ code: 0, out: `${overview("en")}\n`, err: "" });
});
