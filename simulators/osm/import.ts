import type { Container, GeoJsonFeature, LonLat, TerritoryFile } from "#protocol/territory.ts";
import { lineFeature, numbered, pointFeature } from "../features.ts";
import { yardFeatures } from "../yards.ts";
import type { XY } from "../geometry.ts";
import { along, aside, distance, lengthOf, projection } from "../geometry.ts";
import { slug } from "../generate/names.ts";
import { planJunction } from "../junction-plan.ts";
import { armsOf, groupSignals, middle } from "./crossings.ts";
import { NearbyStreets } from "./nearby.ts";
import type { Box, OsmExtract, OsmNode } from "./read.ts";
import { readOsm } from "./read.ts";
import { ImportReport } from "./report.ts";
import type { ImportedStreet } from "./streets.ts";
import { DEFAULTS, importStreets, isDriven } from "./streets.ts";
import { guessTimeZone } from "./time-zone.ts";

export interface ImportOptions {
  /** West, south, east, north in degrees: only what lies inside is read. */
  readonly bbox?: Box;
  /** Sets lamps each 30 m along streets that are lit but have no mapped lamp there. */
  readonly fillLamps?: boolean;
  readonly timeZone?: string;
  readonly name?: string;
}

const ATTRIBUTION = "© OpenStreetMap contributors, ODbL 1.0";
const FILL_SPACING_m = 30;
const FILL_APART_m = 18;
/** Lamps of one square of this size hang on one feeder. */
const FEEDER_SQUARE_m = 250;

/**
 * Makes a territory of an OpenStreetMap PBF file: streets, lamps, signalled junctions, containers, a depot. What the map
 * does not say is filled by defaults, and the report lists each with its count.
 * Raises Fault FILE_MISSING or TERRITORY_UNREADABLE.
 */
export async function importOsm(
  file: string,
  options: ImportOptions = {},
): Promise<{ territory: TerritoryFile; report: ImportReport }> {
  return new Importer(await readOsm(file, options.bbox), options, file).territory();
}

class Importer {
  private readonly extract: OsmExtract;
  private readonly options: ImportOptions;
  private readonly file: string;
  private readonly report = new ImportReport();
  private readonly position: LonLat;
  private readonly flat: (at: LonLat) => XY;
  private readonly globe: (at: XY) => LonLat;
  private readonly streets: ImportedStreet[];
  private readonly nearby: NearbyStreets<ImportedStreet>;

  constructor(extract: OsmExtract, options: ImportOptions, file: string) {
    this.extract = extract;
    this.options = options;
    this.file = file;
    this.position = centreOf(extract.ways.flatMap(({ line }) => line));
    const { flat, globe } = projection(this.position);
    this.flat = flat;
    this.globe = globe;
    this.streets = importStreets(extract.ways, flat, this.report);
    this.nearby = new NearbyStreets(this.streets);
  }

  territory(): { territory: TerritoryFile; report: ImportReport } {
    const { report, options } = this;
    const base = (this.file.split(/[\\/]/).at(-1) ?? "town").replace(/\.osm\.pbf$|\.pbf$/, "");
    const name = options.name ?? base.charAt(0).toUpperCase() + base.slice(1);
    const features = [
      ...this.streets.map((street) =>
        lineFeature("street", street.id, street.places, {
          name: street.name,
          highway: street.highway,
          lightingClass: DEFAULTS[street.highway].lightingClass,
          speed_kmh: street.speed_kmh,
          oneWay: street.oneWay,
        }),
      ),
      ...this.lamps(),
      ...this.junctions(),
      ...this.containers(),
      ...this.yards(),
    ];
    report.find("streets", this.streets.length);
    return {
      report,
      territory: {
        type: "FeatureCollection",
        vigie: {
          version: 1,
          id: slug(name) || "town",
          name,
          timeZone: this.timeZone(),
          position: this.position,
          attribution: ATTRIBUTION,
        },
        features,
      },
    };
  }

  private timeZone(): string {
    const { timeZone } = this.options;
    if (timeZone !== undefined) return timeZone;
    const { zone, by } = guessTimeZone(this.position);
    this.report.note(
      by === "country"
        ? `time zone ${zone}, guessed from the position; another is given with --time-zone`
        : `time zone ${zone}, from the longitude alone and without summer time; the right one is given with --time-zone`,
    );
    return zone;
  }

  private *lamps(): Generator<GeoJsonFeature> {
    const mapped = this.nodesWith((tags) => tags["highway"] === "street_lamp").map(({ at, tags }) => ({
      at: this.flat(at),
      place: at,
      height: tags["height"],
    }));
    this.report.find("lamps on the map", mapped.length);
    const all: { at: XY; place: LonLat; height?: string | undefined }[] = mapped;
    if (this.options.fillLamps === true) all.push(...this.lampsBetween(mapped.map(({ at }) => at)));
    const feeders = new Map<string, string>();
    let count = 0;
    for (const { at, place, height } of all) {
      const near = this.nearby.nearest(at);
      if (near === undefined) {
        this.report.skip("lamps with no street within 600 m");
        continue;
      }
      const id = numbered("L", ++count, all.length);
      const station = `S-${id}`;
      const usual = DEFAULTS[near.street.highway];
      this.report.fill(
        "power of a lamp",
        "by the kind of its street: 95 W primary, 72 W secondary, 34 W residential, 24 W footway",
      );
      if (height === undefined) this.report.fill("height of a pole", "by the kind of its street: 4 to 12 m");
      this.report.fill("presence sensor", "one on each pole, range 12 m");
      const square = `${Math.floor(at[0] / FEEDER_SQUARE_m)} ${Math.floor(at[1] / FEEDER_SQUARE_m)}`;
      let feeder = feeders.get(square);
      if (feeder === undefined) {
        feeders.set(square, (feeder = numbered("F", feeders.size + 1, 99)));
        this.report.fill("feeder cabinet with meter", `one for the lamps of each square of ${FEEDER_SQUARE_m} m`);
        yield pointFeature("station", `S-${feeder}`, place);
        yield pointFeature("meter", `M-${feeder}`, place, { station: `S-${feeder}`, feeder });
      }
      yield pointFeature("station", station, place);
      yield pointFeature("luminaire", id, place, {
        station,
        street: near.street.id,
        power_W: usual.power_W,
        height_m: Math.min(40, Math.max(1, Number.parseFloat(height ?? "") || usual.height_m)),
        lightingClass: usual.lightingClass,
        feeder,
      });
      yield pointFeature("presence", id.replace("L", "P"), place, {
        station,
        street: near.street.id,
        luminaire: id,
        range_m: 12,
      });
    }
  }

  private lampsBetween(mapped: readonly XY[]): { at: XY; place: LonLat }[] {
    const cells = new Map<string, XY[]>();
    const key = (x: number, y: number): string => `${Math.floor(x / FILL_APART_m)} ${Math.floor(y / FILL_APART_m)}`;
    const put = (at: XY): void => {
      const list = cells.get(key(...at)) ?? [];
      list.push(at);
      cells.set(key(...at), list);
    };
    const taken = ([x, y]: XY): boolean =>
      [-1, 0, 1].some((dx) =>
        [-1, 0, 1].some((dy) =>
          cells
            .get(key(x + dx * FILL_APART_m, y + dy * FILL_APART_m))
            ?.some((other) => distance(other, [x, y]) < FILL_APART_m),
        ),
      );
    for (const at of mapped) put(at);
    const added: { at: XY; place: LonLat }[] = [];
    for (const { line } of this.streets.filter(({ lit }) => lit)) {
      const length = lengthOf(line);
      for (let metres = FILL_SPACING_m / 2; metres < length; metres += FILL_SPACING_m) {
        const { at, direction } = along(line, metres);
        const pole = aside(at, direction, 3);
        if (taken(pole)) continue;
        put(pole);
        added.push({ at: pole, place: this.globe(pole) });
        this.report.fill("lamp on a lit street", `each ${FILL_SPACING_m} m where none is mapped`);
      }
    }
    return added;
  }

  private *junctions(): Generator<GeoJsonFeature> {
    const signals = this.nodesWith((tags) => tags["highway"] === "traffic_signals").map(({ at }) => this.flat(at));
    this.report.find("signal nodes on the map", signals.length);
    const crossings = groupSignals(signals)
      .map((group) => ({ centre: middle(group), arms: armsOf(group, this.streets) }))
      .filter(({ arms }) => {
        const driven = arms.some(({ inbound }) => inbound);
        if (!driven) this.report.skip("signals that no street leads to");
        return driven;
      })
      .sort((a, b) => b.centre[1] - a.centre[1] || a.centre[0] - b.centre[0]);
    this.report.find("signalled junctions", crossings.length);
    const names = new Map(this.streets.map(({ id, name }) => [id, name]));
    for (const [index, { centre, arms }] of crossings.entries()) {
      const place = (bearing_deg: number, metres: number, aside_m: number): LonLat => {
        const radians = (bearing_deg * Math.PI) / 180;
        const out: XY = [Math.sin(radians), Math.cos(radians)];
        return this.globe(aside([centre[0] + out[0] * metres, centre[1] + out[1] * metres], out, -aside_m));
      };
      const titles = [...new Set(arms.map(({ street }) => names.get(street) ?? street))].slice(0, 2);
      this.report.fill(
        "signal plan of a junction",
        "groups, conflicts, intergreens, stages and fixed plan from its geometry; loops and buttons at each arm",
      );
      yield* planJunction(
        numbered("J", index + 1, crossings.length),
        titles.join(" / "),
        this.globe(centre),
        arms,
        place,
      );
    }
  }

  private *containers(): Generator<GeoJsonFeature> {
    const found = this.nodesWith((tags) => tags["amenity"] !== undefined && Object.hasOwn(CONTAINERS, tags["amenity"]));
    this.report.find("containers", found.length);
    for (const [index, { at, tags }] of found.entries()) {
      const usual = CONTAINERS[tags["amenity"] as keyof typeof CONTAINERS];
      const stream = tags["amenity"] === "recycling" ? recycled(tags) : usual.stream;
      const id = numbered("C", index + 1, found.length);
      const street = this.nearby.nearest(this.flat(at), isDriven)?.street.id;
      this.report.fill(
        "volume, place and service time of a container",
        "120 L in shops, 45 s (waste basket); 770 L, 75 s (waste disposal) and 2500 L, 150 s (recycling) in housing",
      );
      yield pointFeature("station", `S-${id}`, at);
      yield pointFeature("container", id, at, {
        station: `S-${id}`,
        ...(street !== undefined && { street }),
        stream,
        volume_L: usual.volume_L,
        place: usual.place,
        service_s: usual.service_s,
      });
    }
  }

  /** A depot at the street end farthest to the north-west, a tipping site at the other end of the town, and the weather. */
  private *yards(): Generator<GeoJsonFeature> {
    const ends = this.streets.filter(isDriven).flatMap(({ line }) => [line[0] as XY, line.at(-1) as XY]);
    const farthest = (x: number, y: number): LonLat =>
      this.globe(
        ends.reduce((best, at) => (at[0] * x + at[1] * y > best[0] * x + best[1] * y ? at : best), ends[0] ?? [0, 0]),
      );
    const depot = farthest(-1, 1);
    this.report.note(
      "a depot with two vehicles was put at the north-western end of the streets, a tipping site at the south-eastern",
    );
    this.report.note("a photocell and a weather station were put in the middle");
    yield* yardFeatures({ middle: this.position, depot, tipping: farthest(1, -1) });
  }

  private nodesWith(wanted: (tags: OsmNode["tags"]) => boolean): OsmNode[] {
    return this.extract.nodes.filter(({ tags }) => wanted(tags));
  }
}

const CONTAINERS: Record<
  "waste_basket" | "waste_disposal" | "recycling",
  { stream: Container["stream"]; volume_L: number; place: Container["place"]; service_s: number }
> = {
  waste_basket: { stream: "litter", volume_L: 120, place: "shops", service_s: 45 },
  waste_disposal: { stream: "residual", volume_L: 770, place: "housing", service_s: 75 },
  recycling: { stream: "glass", volume_L: 2500, place: "housing", service_s: 150 },
};

function recycled(tags: OsmNode["tags"]): Container["stream"] {
  if (tags["recycling:glass"] === "yes") return "glass";
  if (tags["recycling:paper"] === "yes") return "paper";
  return tags["recycling:plastic_packaging"] === "yes" ? "packaging" : "glass";
}

function centreOf(places: readonly LonLat[]): LonLat {
  let [west, south, east, north] = [180, 90, -180, -90];
  for (const [lon, lat] of places) {
    west = Math.min(west, lon);
    south = Math.min(south, lat);
    east = Math.max(east, lon);
    north = Math.max(north, lat);
  }
  const round = (value: number): number => Math.round(value * 1e6) / 1e6;
  return [round((west + east) / 2), round((south + north) / 2)];
}
