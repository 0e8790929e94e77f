import type { ExpressionSpecification, GeoJSONSource, LayerSpecification, StyleSpecification } from "maplibre-gl";
import type { Town } from "../api/resources.ts";

/** What a source of the map takes. */
export type Features = Exclude<Parameters<GeoJSONSource["setData"]>[0], string>;

/** The look of the map, made from the territory alone: no tile server, no font server, no address outside. */
export interface Palette {
  readonly ground: string;
  readonly street: string;
  readonly edge: string;
  readonly name: string;
  readonly unlit: string;
  readonly ember: string;
  readonly warm: string;
  readonly bright: string;
  readonly glow: string;
  /** How strongly light lies on the ground; on paper hardly. */
  readonly shine: number;
  readonly waste: string;
  readonly traffic: string;
  readonly alert: string;
  readonly chosen: string;
}

export const NIGHT: Palette = {
  ground: "#0b0f15",
  street: "#1a2230",
  edge: "#10161f",
  name: "#7d8a9c",
  unlit: "#465062",
  ember: "#a8733a",
  warm: "#ffc47a",
  bright: "#fff4dc",
  glow: "#ffb45a",
  shine: 0.62,
  waste: "#7cc69a",
  traffic: "#7db3ff",
  alert: "#ff7a6b",
  chosen: "#ffffff",
};

export const PAPER: Palette = {
  ground: "#eeebe4",
  street: "#ffffff",
  edge: "#d9d4c9",
  name: "#6a6558",
  unlit: "#a9a497",
  ember: "#d9a85c",
  warm: "#e58e00",
  bright: "#b85c00",
  glow: "#ffb030",
  shine: 0.38,
  waste: "#1d6b45",
  traffic: "#1f57a8",
  alert: "#b3261e",
  chosen: "#1a2029",
};

const WIDTH: Readonly<Record<string, number>> = {
  motorway: 14,
  trunk: 13,
  primary: 12,
  secondary: 11,
  tertiary: 9,
  unclassified: 7,
  residential: 7,
  living_street: 6,
  pedestrian: 6,
};
const ROAD_WIDTH = [
  "match",
  ["get", "highway"],
  ...Object.entries(WIDTH).flat(),
  3,
] as unknown as ExpressionSpecification;
const widthIn = (metresMore: number): ExpressionSpecification => {
  const metres: ExpressionSpecification = ["+", metresMore, ROAD_WIDTH];
  return ["interpolate", ["exponential", 2], ["zoom"], 12, ["max", 0.6, ["*", metres, 0.077]], 19, ["*", metres, 9.85]];
};

export function mapStyle(town: Town, palette: Palette, font: string): StyleSpecification {
  const of = (...kinds: string[]) => ({
    type: "geojson" as const,
    promoteId: "id",
    data: {
      type: "FeatureCollection" as const,
      features: town.geojson.features.filter((feature) => kinds.includes(String(feature.properties["kind"]))),
    } as unknown as Features,
  });
  const empty = { type: "geojson" as const, promoteId: "id", data: NOTHING };
  return {
    version: 8,
    sources: {
      streets: of("street"),
      junctions: of("junction"),
      depots: of("depot", "tipping-site"),
      containers: empty,
      waiting: empty,
      ways: empty,
      wanted: empty,
      chosen: empty,
      levels: empty,
    },
    layers: [...ground(palette), ...things(palette, font), ...marks(palette, font)],
  };
}

const NOTHING: Features = { type: "FeatureCollection", features: [] };

function ground(palette: Palette): LayerSpecification[] {
  const round = { "line-cap": "round", "line-join": "round" } as const;
  return [
    { id: "ground", type: "background", paint: { "background-color": palette.ground } },
    {
      id: "street-edges",
      type: "line",
      source: "streets",
      layout: round,
      paint: { "line-color": palette.edge, "line-width": widthIn(3) },
    },
    {
      id: "streets",
      type: "line",
      source: "streets",
      layout: round,
      paint: { "line-color": palette.street, "line-width": widthIn(0) },
    },
  ];
}

function things(palette: Palette, font: string): LayerSpecification[] {
  const halo = { "text-halo-color": palette.ground, "text-halo-width": 1.4 };
  return [
    {
      id: "ways",
      type: "line",
      source: "ways",
      layout: { "line-cap": "round", "line-join": "round" },
      paint: {
        "line-color": palette.waste,
        "line-width": ["interpolate", ["linear"], ["zoom"], 12, 1.5, 17, 4],
        "line-opacity": 0.75,
      },
    },
    {
      id: "street-names",
      type: "symbol",
      source: "streets",
      minzoom: 14.6,
      layout: {
        "symbol-placement": "line",
        "text-field": ["get", "name"],
        "text-font": [font],
        "text-size": ["interpolate", ["linear"], ["zoom"], 14, 11, 18, 14],
        "text-letter-spacing": 0.04,
        "text-padding": 12,
      },
      paint: { "text-color": palette.name, ...halo },
    },
    {
      id: "depots",
      type: "symbol",
      source: "depots",
      minzoom: 12.5,
      layout: { "icon-image": ["concat", "place-", ["get", "kind"]], "icon-allow-overlap": true },
    },
    {
      id: "containers",
      type: "symbol",
      source: "containers",
      minzoom: 12.5,
      layout: {
        "icon-image": ["concat", "container-", ["to-string", ["get", "step"]]],
        "icon-size": ["interpolate", ["linear"], ["zoom"], 13, 0.4, 15, 0.6, 17, 1],
        "icon-allow-overlap": true,
      },
      // By night the lamps are the picture; a container that fills up comes forward.
      paint: {
        "icon-opacity": ["interpolate", ["linear"], ["zoom"], 15, ["match", ["get", "step"], ["4"], 1, 0.5], 16.5, 1],
      },
    },
    {
      id: "junctions",
      type: "circle",
      source: "junctions",
      paint: {
        "circle-color": palette.ground,
        "circle-stroke-color": palette.traffic,
        "circle-stroke-width": 2,
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 12, 3, 15, 7, 18, 12],
      },
    },
    {
      id: "waiting",
      type: "circle",
      source: "waiting",
      paint: {
        "circle-color": palette.traffic,
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 12, 3, 15, 7, 18, 12],
      },
    },
    {
      id: "junction-names",
      type: "symbol",
      source: "junctions",
      minzoom: 13.5,
      layout: { "text-field": ["get", "id"], "text-font": [font], "text-size": 12, "text-offset": [0, 1.5] },
      paint: { "text-color": palette.traffic, ...halo },
    },
  ];
}

function marks(palette: Palette, font: string): LayerSpecification[] {
  return [
    {
      id: "levels",
      type: "symbol",
      source: "levels",
      minzoom: 15,
      layout: { "text-field": ["get", "text"], "text-font": [font], "text-size": 11, "text-offset": [0, 1.1] },
      paint: { "text-color": palette.bright, "text-halo-color": palette.ground, "text-halo-width": 1.4 },
    },
    {
      id: "wanted",
      type: "circle",
      source: "wanted",
      paint: {
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 12, 5, 15, 8, 18, 16],
        "circle-color": "transparent",
        "circle-stroke-color": palette.alert,
        "circle-stroke-width": 2,
      },
    },
    {
      id: "chosen",
      type: "circle",
      source: "chosen",
      paint: {
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 12, 8, 15, 13, 18, 22],
        "circle-color": "transparent",
        "circle-stroke-color": palette.chosen,
        "circle-stroke-width": 2,
      },
    },
  ];
}
