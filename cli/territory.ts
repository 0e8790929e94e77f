import { readFileSync, writeFileSync } from "node:fs";
import { Fault } from "#protocol/faults.ts";
import { parseTerritory, type Territory, type TerritoryFile } from "#protocol/territory.ts";
import { generateTown } from "#simulators/generate.ts";

export interface Town {
  readonly territory: Territory;
  readonly geojson: TerritoryFile;
}

/** Reads a territory file. Raises Fault FILE_MISSING, TERRITORY_UNREADABLE or TERRITORY_INVALID. */
export function readTown(file: string): Town {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    throw new Fault("FILE_MISSING", { file });
  }
  let geojson: unknown;
  try {
    geojson = JSON.parse(text);
  } catch (problem) {
    throw new Fault("TERRITORY_UNREADABLE", { file, problem: `it is no JSON (${(problem as Error).message})` });
  }
  return { territory: parseTerritory(geojson, file), geojson: geojson as TerritoryFile };
}

/** The town at `file` where one is given; else the one that `kept` holds; else a generated one. */
export function townAt(file: string | undefined, kept: string, seed: number): Town {
  if (file !== undefined) return readTown(file);
  try {
    return readTown(kept);
  } catch (fault) {
    if (!(fault instanceof Fault) || fault.code !== "FILE_MISSING") throw fault;
    return generatedTown({ seed });
  }
}

export function generatedTown(wish: Parameters<typeof generateTown>[0]): Town {
  const geojson = generateTown(wish);
  return { territory: parseTerritory(geojson, "the generated town"), geojson };
}

export function keepTown({ geojson }: Town, file: string): void {
  writeFileSync(file, JSON.stringify(geojson));
}
