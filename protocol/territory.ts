import { Fault } from "./faults.ts";
import type { DeviceKind } from "./kinds.ts";
import type { Shape, Shaped } from "./shape.ts";
import { boolean, identifier, integer, list, number, object, oneOf, optional, text } from "./shape.ts";

/**
 * A territory is one GeoJSON FeatureCollection that QGIS opens as it is. What a feature is stands in its property `kind`,
 * its name in `id`; the collection's own foreign member `vigie` holds the name, the time zone and the position.
 */
export type LonLat = readonly [lon: number, lat: number];

/** EN 13201-2 classes: M for motor traffic (cd/m²), C for conflict areas (lx), P for pedestrians (lx). */
export const LIGHTING_CLASSES = [
  "M1",
  "M2",
  "M3",
  "M4",
  "M5",
  "M6",
  "C0",
  "C1",
  "C2",
  "C3",
  "C4",
  "C5",
  "P1",
  "P2",
  "P3",
  "P4",
  "P5",
  "P6",
] as const;
export type LightingClass = (typeof LIGHTING_CLASSES)[number];

export const STREAMS = ["residual", "paper", "packaging", "glass", "organic", "litter"] as const;

const station = identifier;
const clockTime = text(5, /^([01]\d|2[0-3]):[0-5]\d$/, "a local time like 06:30");

const turn = oneOf("left", "through", "right", "u-turn", "crossing");

/** The properties of each kind of feature, beside `kind` and `id`. */
const PROPERTIES = {
  street: object({
    name: text(120),
    highway: oneOf(
      "motorway",
      "trunk",
      "primary",
      "secondary",
      "tertiary",
      "unclassified",
      "residential",
      "living_street",
      "service",
      "pedestrian",
      "footway",
      "cycleway",
      "path",
      "steps",
      "track",
    ),
    lightingClass: oneOf(...LIGHTING_CLASSES),
    speed_kmh: number(3, 130),
    /** True: only in the direction in which the line is drawn. */
    oneWay: boolean,
    zone: optional(identifier),
  }),
  station: object({ board: optional(text(60)) }),
  luminaire: object({
    station,
    street: identifier,
    power_W: number(1, 2000),
    height_m: number(1, 40),
    /** The class that full output was designed for. */
    lightingClass: oneOf(...LIGHTING_CLASSES),
    feeder: optional(identifier),
  }),
  presence: object({ station, street: identifier, luminaire: optional(identifier), range_m: optional(number(1, 100)) }),
  photocell: object({ station }),
  meter: object({ station, feeder: identifier }),
  weather: object({ station }),
  container: object({
    station,
    street: optional(identifier),
    stream: oneOf(...STREAMS),
    volume_L: number(10, 20_000),
    /** What fills it: the profile of the place. */
    place: oneOf("housing", "shops", "park", "station", "school"),
    service_s: number(5, 3600),
  }),
  depot: object({
    vehicles: list(
      object({
        id: identifier,
        station,
        capacity_L: number(100, 100_000),
        streams: list(oneOf(...STREAMS), STREAMS.length, 1),
        shiftStart: clockTime,
        shift_h: number(0.5, 24),
      }),
      200,
      1,
    ),
  }),
  "tipping-site": object({ service_s: number(0, 7200), streams: list(oneOf(...STREAMS), STREAMS.length, 1) }),
  junction: object({
    station,
    name: text(120),
    approaches: list(
      object({
        id: identifier,
        street: identifier,
        bearing_deg: number(0, 360),
        lanes: integer(1, 8),
        length_m: number(5, 2000),
      }),
      12,
      1,
    ),
    /** Signal groups: bit i of the measure `greens` is the i-th. */
    groups: list(
      object({
        id: identifier,
        kind: oneOf("vehicle", "pedestrian"),
        approach: optional(identifier),
        turns: list(turn, 5, 1),
        lanes: integer(1, 8),
        saturation_veh_h: number(0, 4000),
        min_s: number(1, 60),
        max_s: number(5, 120),
        /** Amber for vehicles; for pedestrians the clearance, crossing width over walking speed. */
        clearance_s: number(1, 60),
      }),
      32,
      1,
    ),
    /** Pairs of groups never green together. */
    conflicts: list(list(identifier, 2, 2), 500),
    /** Seconds from the end of green of `from` to the start of green of `to`, amber included (RiLSA). */
    intergreens: list(object({ from: identifier, to: identifier, s: number(0, 60) }), 1000),
    stages: list(object({ id: identifier, groups: list(identifier, 32, 1) }), 32, 1),
    fixedPlan: object({
      offset_s: number(0, 300),
      stages: list(object({ stage: identifier, green_s: number(1, 200) }), 32, 1),
    }),
  }),
  loop: detector(),
  camera: detector(),
  button: object({ station, junction: identifier, group: identifier }),
  zone: object({ name: text(120) }),
} as const;

function detector() {
  return object({
    station,
    junction: identifier,
    approach: identifier,
    group: identifier,
    place: oneOf("stop-line", "advance"),
    distance_m: number(0, 500),
  });
}

export type FeatureKind = keyof typeof PROPERTIES;
const GEOMETRIES: Partial<Record<FeatureKind, string>> = { street: "LineString", zone: "Polygon" };

type PointFeature<Kind extends FeatureKind> = { readonly id: string; readonly position: LonLat } & Readonly<
  Shaped<(typeof PROPERTIES)[Kind]>
>;
export type Street = { readonly id: string; readonly line: readonly LonLat[] } & Readonly<
  Shaped<typeof PROPERTIES.street>
>;
export type Zone = { readonly id: string; readonly ring: readonly LonLat[] } & Readonly<Shaped<typeof PROPERTIES.zone>>;
export type Station = PointFeature<"station">;
export type Luminaire = PointFeature<"luminaire">;
export type PresenceSensor = PointFeature<"presence">;
export type Photocell = PointFeature<"photocell">;
export type Meter = PointFeature<"meter">;
export type Weather = PointFeature<"weather">;
export type Container = PointFeature<"container">;
export type Depot = PointFeature<"depot">;
export type Vehicle = Depot["vehicles"][number];
export type TippingSite = PointFeature<"tipping-site">;
export type Junction = PointFeature<"junction">;
export type SignalGroup = Junction["groups"][number];
export type Detector = PointFeature<"loop"> & { readonly kind: "loop" | "camera" };
export type Button = PointFeature<"button">;

/** A device as the registry and the agent know it, whatever its kind. */
export interface Device {
  readonly id: string;
  readonly kind: DeviceKind;
  readonly station: string;
  readonly position: LonLat;
  readonly street?: string;
  readonly zone?: string;
  readonly junction?: string;
}

export interface Territory {
  readonly id: string;
  readonly name: string;
  readonly timeZone: string;
  readonly position: LonLat;
  readonly attribution?: string;
  readonly streets: readonly Street[];
  readonly zones: readonly Zone[];
  readonly stations: readonly Station[];
  readonly luminaires: readonly Luminaire[];
  readonly presences: readonly PresenceSensor[];
  readonly photocells: readonly Photocell[];
  readonly meters: readonly Meter[];
  readonly weathers: readonly Weather[];
  readonly containers: readonly Container[];
  readonly depots: readonly Depot[];
  readonly tippingSites: readonly TippingSite[];
  readonly junctions: readonly Junction[];
  readonly detectors: readonly Detector[];
  readonly buttons: readonly Button[];
  /** Every device by its id. A luminaire is a `lamp`, a junction a `signal`, a vehicle of a depot a `vehicle`. */
  readonly devices: ReadonlyMap<string, Device>;
  /** Devices by station, in the order of the file. */
  readonly byStation: ReadonlyMap<string, readonly Device[]>;
}

export interface GeoJsonFeature {
  readonly type: "Feature";
  readonly geometry: { readonly type: string; readonly coordinates: unknown };
  readonly properties: Readonly<Record<string, unknown>>;
}
export interface TerritoryFile {
  readonly type: "FeatureCollection";
  readonly vigie: Readonly<Record<string, unknown>>;
  readonly features: readonly GeoJsonFeature[];
}

const header = object({
  version: integer(1, 1),
  id: identifier,
  name: text(120),
  timeZone: text(60),
  position: list(number(-180, 180), 2, 2),
  attribution: optional(text(300)),
});
/** A metropolis fits; what is larger is refused before it fills the memory. */
export const MAX_FEATURES = 500_000;

/**
 * Reads a territory from parsed JSON.
 * Raises Fault TERRITORY_UNREADABLE (not a territory at all) or TERRITORY_INVALID (which feature, which property, what is
 * wrong): unknown property, wrong value, an id twice, a device without a station, a name that leads nowhere.
 */
export function parseTerritory(json: unknown, file = "territory"): Territory {
  const collection = asCollection(json, file);
  const builder = new Builder(file);
  builder.head(collection.vigie);
  for (const [index, feature] of collection.features.entries()) builder.feature(feature, index);
  return builder.finish();
}

function asCollection(json: unknown, file: string): { vigie: unknown; features: unknown[] } {
  const unreadable = (problem: string) => new Fault("TERRITORY_UNREADABLE", { file, problem });
  if (typeof json !== "object" || json === null) throw unreadable("no JSON object");
  const { type, features, vigie } = json as Record<string, unknown>;
  if (type !== "FeatureCollection")
    throw unreadable(`its type is ${JSON.stringify(type) ?? "missing"}, not "FeatureCollection"`);
  if (!Array.isArray(features)) throw unreadable("it has no list of features");
  if (features.length > MAX_FEATURES) throw unreadable(`${features.length} features are more than ${MAX_FEATURES}`);
  if (vigie === undefined)
    throw unreadable('the member "vigie" with id, name, timeZone and position is missing at the top');
  return { vigie, features };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

class Builder {
  private readonly file: string;
  private top: Shaped<typeof header> | undefined;
  private readonly ids = new Map<string, string>();
  private readonly streets: Street[] = [];
  private readonly zones: Zone[] = [];
  private readonly detectors: Detector[] = [];
  private readonly points: { [K in FeatureKind]?: PointFeature<K>[] } = {};

  constructor(file: string) {
    this.file = file;
  }

  head(vigie: unknown): void {
    this.top = this.checked(header, vigie, "vigie (at the top)");
    try {
      Intl.DateTimeFormat("en", { timeZone: this.top.timeZone });
    } catch {
      throw invalid(
        "vigie (at the top)",
        "timeZone",
        `${this.top.timeZone} is no IANA time zone, such as Europe/Paris`,
      );
    }
  }

  feature(given: unknown, index: number): void {
    const nth = `Feature ${index + 1}`;
    if (typeof given !== "object" || given === null) throw invalid(nth, "(whole)", "it is no object");
    const { geometry, properties } = given as Partial<GeoJsonFeature>;
    if (typeof properties !== "object" || properties === null) throw invalid(nth, "properties", "they are missing");
    const { kind, id, ...rest } = properties;
    if (typeof kind !== "string" || !Object.hasOwn(PROPERTIES, kind)) {
      throw invalid(
        nth,
        "kind",
        `${JSON.stringify(kind) ?? "nothing"} is none of ${Object.keys(PROPERTIES).join(", ")}`,
      );
    }
    const name = this.checked(identifier, id, nth, "id");
    const label = `Feature ${index + 1} (${kind} ${name})`;
    this.claim(name, label);
    const parsed = this.checked<object>(PROPERTIES[kind as FeatureKind], rest, label);
    this.add(kind as FeatureKind, name, parsed, geometry, label);
  }

  private add(
    kind: FeatureKind,
    id: string,
    parsed: object,
    geometry: GeoJsonFeature["geometry"] | undefined,
    label: string,
  ): void {
    const wanted = GEOMETRIES[kind] ?? "Point";
    if (geometry?.type !== wanted)
      throw invalid(label, "geometry", `it is ${geometry?.type ?? "missing"}, not a ${wanted}`);
    if (kind === "street") {
      this.streets.push({ id, line: this.line(geometry.coordinates, label, 2), ...parsed } as unknown as Street);
    } else if (kind === "zone") {
      const rings = geometry.coordinates;
      this.zones.push({
        id,
        ring: this.line(Array.isArray(rings) ? rings[0] : rings, label, 4),
        ...parsed,
      } as unknown as Zone);
    } else {
      const feature = { id, position: this.position(geometry.coordinates, label), ...parsed };
      if (kind === "loop" || kind === "camera") this.detectors.push({ kind, ...feature } as unknown as Detector);
      else ((this.points[kind] ??= []) as unknown[]).push(feature);
      if (kind === "depot") {
        for (const vehicle of (feature as unknown as Depot).vehicles)
          this.claim(vehicle.id, `${label}, vehicle ${vehicle.id}`);
      }
    }
  }

  private claim(id: string, label: string): void {
    const other = this.ids.get(id);
    if (other !== undefined) throw invalid(label, "id", `${id} is already the id of ${other}`);
    this.ids.set(id, label);
  }

  private line(coordinates: unknown, label: string, least: number): LonLat[] {
    if (!Array.isArray(coordinates) || coordinates.length < least) {
      throw invalid(label, "geometry", `it needs at least ${least} positions`);
    }
    return coordinates.map((each) => this.position(each, label));
  }

  private position(coordinates: unknown, label: string): LonLat {
    const [lon, lat] = Array.isArray(coordinates) ? (coordinates as unknown[]) : [];
    if (typeof lon !== "number" || typeof lat !== "number" || !(Math.abs(lon) <= 180) || !(Math.abs(lat) <= 90)) {
      throw invalid(label, "geometry", `${JSON.stringify(coordinates) ?? "nothing"} is no [longitude, latitude]`);
    }
    return [lon, lat];
  }

  private checked<T>(shape: Shape<T>, value: unknown, label: string, property = ""): T {
    try {
      return shape.parse(value, property);
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault;
      const { path, found, expected } = fault.facts;
      throw invalid(label, String(path), `found ${found}, expected ${expected}`);
    }
  }

  finish(): Territory {
    const top = this.top as Shaped<typeof header>;
    const points = this.points;
    const territory: Mutable<Territory> = {
      id: top.id,
      name: top.name,
      timeZone: top.timeZone,
      position: top.position as unknown as LonLat,
      ...(top.attribution !== undefined && { attribution: top.attribution }),
      streets: this.streets,
      zones: this.zones,
      stations: points.station ?? [],
      luminaires: points.luminaire ?? [],
      presences: points.presence ?? [],
      photocells: points.photocell ?? [],
      meters: points.meter ?? [],
      weathers: points.weather ?? [],
      containers: points.container ?? [],
      depots: points.depot ?? [],
      tippingSites: points["tipping-site"] ?? [],
      junctions: points.junction ?? [],
      detectors: this.detectors,
      buttons: points.button ?? [],
      devices: new Map(),
      byStation: new Map(),
    };
    checkReferences(territory);
    territory.devices = devicesOf(territory);
    const byStation = new Map<string, Device[]>(territory.stations.map((each) => [each.id, []]));
    for (const device of territory.devices.values()) {
      const devices = byStation.get(device.station);
      if (devices === undefined) {
        throw invalid(
          this.ids.get(device.id) ?? device.id,
          "station",
          `there is no station ${device.station} in ${this.file}`,
        );
      }
      devices.push(device);
    }
    territory.byStation = byStation;
    return territory;
  }
}

function devicesOf(territory: Territory): Map<string, Device> {
  const zones = new Map(territory.streets.map((street) => [street.id, street.zone]));
  const devices = new Map<string, Device>();
  const add = (
    kind: DeviceKind,
    feature: { id: string; station: string; position: LonLat; street?: string; junction?: string },
  ): void => {
    const zone = feature.street === undefined ? undefined : zones.get(feature.street);
    devices.set(feature.id, {
      id: feature.id,
      kind,
      station: feature.station,
      position: feature.position,
      ...(feature.street !== undefined && { street: feature.street }),
      ...(zone !== undefined && { zone }),
      ...(feature.junction !== undefined && { junction: feature.junction }),
    });
  };
  for (const each of territory.luminaires) add("lamp", each);
  for (const each of territory.presences) add("presence", each);
  for (const each of territory.photocells) add("photocell", each);
  for (const each of territory.meters) add("meter", each);
  for (const each of territory.weathers) add("weather", each);
  for (const each of territory.containers) add("container", each);
  for (const each of territory.junctions) add("signal", { ...each, junction: each.id });
  for (const each of territory.detectors) add(each.kind, each);
  for (const each of territory.buttons) add("button", each);
  for (const depot of territory.depots) {
    for (const vehicle of depot.vehicles) add("vehicle", { ...vehicle, position: depot.position });
  }
  return devices;
}

function checkReferences(territory: Territory): void {
  const streets = new Set(territory.streets.map((street) => street.id));
  const zones = new Set(territory.zones.map((zone) => zone.id));
  const junctions = new Map(territory.junctions.map((junction) => [junction.id, junction]));
  const known = (
    names: { has(name: string): boolean },
    what: string,
    name: string | undefined,
    label: string,
  ): void => {
    if (name !== undefined && !names.has(name)) throw invalid(label, what, `there is no ${what} ${name}`);
  };
  for (const street of territory.streets) known(zones, "zone", street.zone, `street ${street.id}`);
  for (const each of territory.luminaires) known(streets, "street", each.street, `luminaire ${each.id}`);
  for (const each of territory.presences) known(streets, "street", each.street, `presence ${each.id}`);
  for (const each of territory.containers) known(streets, "street", each.street, `container ${each.id}`);
  for (const junction of territory.junctions) checkJunction(junction, streets);
  for (const each of [...territory.detectors, ...territory.buttons]) {
    known(junctions, "junction", each.junction, `detector ${each.id}`);
    const groups = new Set(junctions.get(each.junction)?.groups.map((group) => group.id));
    known(groups, "group", each.group, `detector ${each.id}`);
  }
}

function checkJunction(junction: Junction, streets: ReadonlySet<string>): void {
  const label = `junction ${junction.id}`;
  const groups = new Set(junction.groups.map((group) => group.id));
  const approaches = new Set(junction.approaches.map((approach) => approach.id));
  const stages = new Set(junction.stages.map((stage) => stage.id));
  for (const approach of junction.approaches) {
    if (!streets.has(approach.street)) throw invalid(label, "approaches", `there is no street ${approach.street}`);
  }
  for (const group of junction.groups) {
    if (group.approach !== undefined && !approaches.has(group.approach)) {
      throw invalid(label, "groups", `there is no approach ${group.approach}`);
    }
  }
  for (const name of [...junction.conflicts.flat(), ...junction.intergreens.flatMap(({ from, to }) => [from, to])]) {
    if (!groups.has(name)) throw invalid(label, "conflicts and intergreens", `there is no signal group ${name}`);
  }
  const conflicting = new Set(junction.conflicts.map(([a, b]) => `${a} ${b}`));
  for (const stage of junction.stages) {
    for (const a of stage.groups) {
      if (!groups.has(a)) throw invalid(label, "stages", `there is no signal group ${a}`);
      for (const b of stage.groups) {
        if (conflicting.has(`${a} ${b}`))
          throw invalid(label, "stages", `stage ${stage.id} has ${a} and ${b}, which conflict`);
      }
    }
  }
  for (const { stage } of junction.fixedPlan.stages) {
    if (!stages.has(stage)) throw invalid(label, "fixedPlan", `there is no stage ${stage}`);
  }
}

function invalid(feature: string, property: string, problem: string): Fault {
  return new Fault("TERRITORY_INVALID", { feature, property, problem });
}
