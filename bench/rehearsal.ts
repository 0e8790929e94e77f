import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { RehearsalResult } from "#rehearsal/rehearse.ts";
import type { Row } from "./row.ts";

const CLI = join(import.meta.dirname, "..", "cli.ts");
const SEEDS = [1, 2, 3];
const HOURS = 24;
/** A territory of a large town, with its lists, as GeoJSON. */
const LARGEST_OUTPUT_B = 256 * 1024 * 1024;

/**
 * How long a simulated day takes: of the default town, and of a real one where VIGIE_OSM names an extract of
 * OpenStreetMap (`.osm.pbf`). Each day is a process of its own, as a person would run it, and must keep every invariant.
 */
export async function run(): Promise<Row[]> {
  const rows: Row[] = [{ what: "a simulated day of the default town", ...(await days([])), must: 25, aim: 10 }];
  const extract = process.env["VIGIE_OSM"];
  if (extract === undefined || extract === "") return rows;
  const directory = mkdtempSync(join(tmpdir(), "vigie-bench-"));
  try {
    const began = performance.now();
    const geojson = await vigie("town", "import-osm", extract);
    const import_s = (performance.now() - began) / 1000;
    const territory = join(directory, "town.geojson");
    writeFileSync(territory, geojson);
    rows.push({ what: "import of the town in VIGIE_OSM", unit: "s", value: import_s, must: 10, better: "less" });
    rows.push({
      what: "a simulated day of the town in VIGIE_OSM",
      ...(await days(["--territory", territory])),
      must: 120,
      aim: 40,
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
  return rows;
}

/** Median, least and most seconds of a day over the seeds. Raises Error when a day broke an invariant. */
async function days(more: readonly string[]): Promise<Pick<Row, "value" | "unit" | "better" | "spread">> {
  const took: number[] = [];
  for (const seed of SEEDS) {
    const printed = await vigie("rehearse", "--seed", String(seed), "--hours", String(HOURS), "--json", ...more);
    took.push((JSON.parse(printed) as RehearsalResult).wall_s);
  }
  took.sort((a, b) => a - b);
  return {
    value: took[took.length >> 1] as number,
    spread: [took[0] as number, took.at(-1) as number],
    unit: "s",
    better: "less",
  };
}

/** What a verb prints; an exit code other than 0 (a broken invariant, a fault) is an Error. */
async function vigie(...line: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [CLI, ...line], { maxBuffer: LARGEST_OUTPUT_B });
  return stdout;
}
