import type { GeoJsonFeature, Territory } from "#protocol/territory.ts";
import { parseTerritory } from "#protocol/territory.ts";

/** A town of lamps and nothing else, one to a station: enough of a territory to take readings from. */
export function lampTown(stations: number): Territory {
  const features: GeoJsonFeature[] = [
    {
      type: "Feature",
      geometry: {
        type: "LineString",
        coordinates: [
          [0, 45],
          [0.1, 45],
        ],
      },
      properties: {
        kind: "street",
        id: "street",
        name: "Street",
        highway: "residential",
        lightingClass: "P3",
        speed_kmh: 30,
        oneWay: false,
      },
    },
  ];
  for (let index = 0; index < stations; index++) {
    const geometry = { type: "Point", coordinates: [(0.1 * index) / stations, 45] };
    features.push(
      { type: "Feature", geometry, properties: { kind: "station", id: stationName(index) } },
      {
        type: "Feature",
        geometry,
        properties: {
          kind: "luminaire",
          id: lampName(index),
          station: stationName(index),
          street: "street",
          power_W: 60,
          height_m: 6,
          lightingClass: "P3",
        },
      },
    );
  }
  const vigie = { version: 1, id: TOWN, name: "Bench", timeZone: "Europe/Paris", position: [0, 45] };
  return parseTerritory({ type: "FeatureCollection", vigie, features }, "the bench's town");
}

export const TOWN = "bench";
export const stationName = (index: number): string => `pole-${index}`;
export const lampName = (index: number): string => `lamp-${index}`;
/** What the stations' passwords are made from. */
export const SECRET = Buffer.from("the bench has nothing to hide");
