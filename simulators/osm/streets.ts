import type { LightingClass, LonLat, Street } from "#protocol/territory.ts";
import type { XY } from "../geometry.ts";
import type { OsmWay, Tags } from "./read.ts";
import type { ImportReport } from "./report.ts";

export interface ImportedStreet {
  readonly id: string;
  readonly name: string;
  readonly highway: Street["highway"];
  readonly places: readonly LonLat[];
  readonly line: readonly XY[];
  readonly oneWay: boolean;
  readonly speed_kmh: number;
  readonly lanes: number;
  readonly lit: boolean;
}

/** What OpenStreetMap leaves unsaid about a street of each kind, and about a lamp that stands on it. */
export const DEFAULTS: Record<
  Street["highway"],
  { speed_kmh: number; lightingClass: LightingClass; power_W: number; height_m: number }
> = {
  motorway: { speed_kmh: 100, lightingClass: "M2", power_W: 150, height_m: 12 },
  trunk: { speed_kmh: 80, lightingClass: "M3", power_W: 120, height_m: 10 },
  primary: { speed_kmh: 50, lightingClass: "M3", power_W: 95, height_m: 9 },
  secondary: { speed_kmh: 50, lightingClass: "M4", power_W: 72, height_m: 8 },
  tertiary: { speed_kmh: 40, lightingClass: "M5", power_W: 56, height_m: 7 },
  unclassified: { speed_kmh: 40, lightingClass: "P3", power_W: 40, height_m: 6 },
  residential: { speed_kmh: 30, lightingClass: "P4", power_W: 34, height_m: 5 },
  living_street: { speed_kmh: 20, lightingClass: "P3", power_W: 40, height_m: 4.5 },
  service: { speed_kmh: 20, lightingClass: "P5", power_W: 28, height_m: 5 },
  pedestrian: { speed_kmh: 10, lightingClass: "P3", power_W: 36, height_m: 4 },
  footway: { speed_kmh: 6, lightingClass: "P5", power_W: 24, height_m: 4 },
  cycleway: { speed_kmh: 20, lightingClass: "P4", power_W: 28, height_m: 5 },
  path: { speed_kmh: 6, lightingClass: "P6", power_W: 20, height_m: 4 },
  steps: { speed_kmh: 3, lightingClass: "P4", power_W: 24, height_m: 4 },
  track: { speed_kmh: 20, lightingClass: "P6", power_W: 20, height_m: 5 },
};
const ONLY_WALKED: ReadonlySet<string> = new Set(["pedestrian", "footway", "path", "steps", "cycleway", "track"]);
const MINOR: ReadonlySet<string> = new Set(["service", ...ONLY_WALKED]);

export const isDriven = ({ highway }: { highway: Street["highway"] }): boolean => !ONLY_WALKED.has(highway);
/** Streets whose arms count at a signalled crossing. */
export const hasStopLine = ({ highway }: { highway: Street["highway"] }): boolean => !MINOR.has(highway);

/** Streets from ways: direction, speed and name as mapped; what is not mapped is filled and counted. */
export function importStreets(
  ways: readonly OsmWay[],
  flat: (at: LonLat) => XY,
  report: ImportReport,
): ImportedStreet[] {
  const streets: ImportedStreet[] = [];
  const pieces = new Map<number, number>();
  for (const { id, line, tags } of ways) {
    const highway = (tags["highway"] as string)
      .replace(/_link$/, "")
      .replace("road", "unclassified") as Street["highway"];
    const usual = Object.hasOwn(DEFAULTS, highway) ? DEFAULTS[highway] : undefined;
    if (usual === undefined || tags["area"] === "yes") {
      report.skip(
        usual === undefined ? `ways that are no street (highway=${tags["highway"]})` : "squares drawn as areas",
      );
      continue;
    }
    const nth = pieces.get(id) ?? 0;
    pieces.set(id, nth + 1);
    const against = tags["oneway"] === "-1";
    const oneWay = against || ["yes", "true", "1"].includes(tags["oneway"] ?? "") || tags["junction"] === "roundabout";
    const mapped = speedOf(tags);
    if (mapped === undefined)
      report.fill(
        "speed of a street",
        "by its kind: 50 km/h on primary and secondary, 40 on tertiary, 30 on residential, 20 on service",
      );
    if (tags["name"] === undefined) report.fill("name of a street", "its kind and number");
    report.fill("lighting class of a street", "by its kind: M3 primary, M4 secondary, M5 tertiary, P3 to P6 others");
    const places = against ? line.toReversed() : line;
    streets.push({
      id: nth === 0 ? `w${id}` : `w${id}.${nth + 1}`,
      name: (tags["name"] ?? `${highway} ${id}`).slice(0, 120),
      highway,
      places,
      line: places.map(flat),
      oneWay,
      speed_kmh: mapped ?? usual.speed_kmh,
      lanes: lanesOf(tags, oneWay),
      lit: tags["lit"] === "yes",
    });
  }
  return streets;
}

function speedOf(tags: Tags): number | undefined {
  const [, digits, unit] = /^(\d+)\s*(mph)?$/.exec(tags["maxspeed"] ?? "") ?? [];
  if (digits === undefined) return undefined;
  return Math.min(130, Math.max(3, Math.round(Number(digits) * (unit === "mph" ? 1.609 : 1))));
}

/** Lanes in one direction; a third one is for turning and has its own queue, which this plan does not tell apart. */
function lanesOf(tags: Tags, oneWay: boolean): number {
  const lanes = Number.parseInt(tags["lanes"] ?? "", 10);
  if (!(lanes >= 1)) return 1;
  return Math.min(2, oneWay ? lanes : Math.max(1, Math.floor(lanes / 2)));
}
