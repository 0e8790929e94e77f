import type { GeoJsonFeature, LonLat } from "#protocol/territory.ts";
import { pointFeature } from "./features.ts";

/** What every town has once: photocell and weather station in its middle, a depot with two vehicles, a tipping site. */
export function yardFeatures(places: {
  readonly middle: LonLat;
  readonly depot: LonLat;
  readonly tipping: LonLat;
}): GeoJsonFeature[] {
  const { middle, depot, tipping } = places;
  return [
    pointFeature("station", "S-METEO", middle),
    pointFeature("photocell", "PC1", middle, { station: "S-METEO" }),
    pointFeature("weather", "W1", middle, { station: "S-METEO" }),
    pointFeature("station", "S-T1", depot),
    pointFeature("station", "S-T2", depot),
    pointFeature("depot", "D1", depot, {
      vehicles: [
        {
          id: "T1",
          station: "S-T1",
          capacity_L: 9000,
          streams: ["residual", "litter", "organic"],
          shiftStart: "06:00",
          shift_h: 7,
        },
        {
          id: "T2",
          station: "S-T2",
          capacity_L: 12_000,
          streams: ["paper", "packaging", "glass"],
          shiftStart: "07:00",
          shift_h: 7,
        },
      ],
    }),
    pointFeature("tipping-site", "X1", tipping, {
      service_s: 900,
      streams: ["residual", "paper", "packaging", "glass", "organic", "litter"],
    }),
  ];
}
