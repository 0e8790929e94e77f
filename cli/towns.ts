import { Fault } from "#protocol/faults.ts";
import { parseTerritory, type TerritoryFile } from "#protocol/territory.ts";
import { importOsm } from "#simulators/osm/import.ts";
import { generatedTown } from "./territory.ts";
import type { Call } from "./verb.ts";

export function generate({ settings, terminal }: Call<"seed" | "lamps" | "containers" | "junctions">): number {
  const { territory, geojson } = generatedTown(settings);
  terminal.out(geojsonText(geojson));
  const { luminaires, containers, junctions } = territory;
  const counts = { luminaires: luminaires.length, containers: containers.length, junctions: junctions.length };
  terminal.say(
    terminal.language === "fr"
      ? `${territory.name} : ${counts.luminaires} luminaires, ${counts.containers} conteneurs, ${counts.junctions} carrefours à feux`
      : `${territory.name}: ${counts.luminaires} lamps, ${counts.containers} containers, ${counts.junctions} signalled junctions`,
  );
  return 0;
}

/** What was found and filled in goes to the standard error, beside the territory. */
export async function importTown({
  settings,
  words,
  terminal,
}: Call<"bbox" | "fill-lamps" | "time-zone">): Promise<number> {
  const [file, second] = words;
  if (file === undefined) throw invalid("FILE.osm.pbf", "missing", "an OpenStreetMap extract");
  if (second !== undefined) throw invalid("FILE.osm.pbf", `${file} ${second}`, "one file");
  const { bbox, "fill-lamps": fillLamps, "time-zone": timeZone } = settings;
  if (timeZone !== undefined && !isTimeZone(timeZone)) {
    throw invalid("--time-zone", timeZone, "an IANA time zone like Europe/Paris");
  }
  const { territory, report } = await importOsm(file, {
    fillLamps,
    ...(bbox !== undefined && { bbox: boxOf(bbox) }),
    ...(timeZone !== undefined && { timeZone }),
  });
  // What is printed here must be taken by `npm start -- --territory`.
  parseTerritory(territory, file);
  terminal.out(geojsonText(territory));
  for (const line of report.lines()) terminal.say(line);
  return 0;
}

/** One feature a line, so that a person finds and changes one with any editor. */
function geojsonText({ features, ...head }: TerritoryFile): string {
  const start = JSON.stringify(head).slice(0, -1);
  return `${start},"features":[\n${features.map((feature) => JSON.stringify(feature)).join(",\n")}\n]}`;
}

function boxOf(text: string): readonly [west: number, south: number, east: number, north: number] {
  const parts = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  const [west = Number.NaN, south = Number.NaN, east = Number.NaN, north = Number.NaN] = parts;
  const ordered = -180 <= west && west < east && east <= 180 && -90 <= south && south < north && north <= 90;
  if (parts.length !== 4 || !ordered) throw invalid("--bbox", text, "west,south,east,north in degrees");
  return [west, south, east, north];
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

const invalid = (option: string, found: string, expected: string): Fault =>
  new Fault("OPTION_INVALID", { option, found, expected, place: "the command line" });
