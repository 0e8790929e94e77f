import type { FeatureKind, GeoJsonFeature, LonLat } from "#protocol/territory.ts";

/** Features of a territory file, as QGIS and the parser read them. */
export function pointFeature(kind: FeatureKind, id: string, at: LonLat, properties: object = {}): GeoJsonFeature {
  return { type: "Feature", geometry: { type: "Point", coordinates: at }, properties: { kind, id, ...properties } };
}

export function lineFeature(
  kind: FeatureKind,
  id: string,
  line: readonly LonLat[],
  properties: object,
): GeoJsonFeature {
  return {
    type: "Feature",
    geometry: { type: "LineString", coordinates: line },
    properties: { kind, id, ...properties },
  };
}

export function polygonFeature(
  kind: FeatureKind,
  id: string,
  ring: readonly LonLat[],
  properties: object,
): GeoJsonFeature {
  return {
    type: "Feature",
    geometry: { type: "Polygon", coordinates: [ring] },
    properties: { kind, id, ...properties },
  };
}

/** `number("L", 7, 240)` is `L007`: as many digits as the last of them needs. */
export const numbered = (letter: string, index: number, count: number): string =>
  `${letter}${String(index).padStart(String(count).length, "0")}`;
