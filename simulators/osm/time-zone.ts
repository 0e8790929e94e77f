import type { LonLat } from "#protocol/territory.ts";

/** Rough boxes of countries with one zone, smaller ones before the larger ones they touch: enough for a first guess. */
const BOXES: readonly (readonly [zone: string, west: number, south: number, east: number, north: number])[] = [
  ["Europe/Luxembourg", 5.8, 49.4, 6.5, 50.2],
  ["Europe/Brussels", 2.6, 49.5, 6.3, 51.5],
  ["Europe/Amsterdam", 3.4, 51.0, 7.1, 53.6],
  ["Europe/Zurich", 6.0, 45.8, 10.5, 47.8],
  ["Europe/Lisbon", -9.6, 36.9, -6.9, 42.1],
  ["Europe/Madrid", -9.3, 36.0, 3.2, 43.4],
  ["Europe/Dublin", -10.6, 51.4, -5.5, 55.4],
  ["Europe/London", -8.2, 49.9, 1.8, 60.9],
  ["Europe/Paris", -5.2, 42.3, 8.2, 51.1],
  ["Europe/Copenhagen", 8.0, 54.6, 12.7, 57.8],
  ["Europe/Tallinn", 21.8, 57.5, 28.2, 59.7],
  ["Europe/Helsinki", 20.5, 59.7, 31.6, 70.1],
  ["Europe/Oslo", 4.5, 57.9, 12.0, 71.2],
  ["Europe/Stockholm", 11.0, 55.3, 24.2, 69.1],
  ["Europe/Vienna", 9.5, 46.4, 17.2, 49.0],
  ["Europe/Prague", 12.1, 48.6, 18.9, 51.1],
  ["Europe/Berlin", 5.9, 47.3, 15.0, 55.1],
  ["Europe/Rome", 6.6, 36.6, 18.5, 47.1],
  ["Europe/Warsaw", 14.1, 49.0, 24.1, 54.8],
  ["Europe/Athens", 19.4, 34.8, 28.2, 41.7],
];

/** A guess at the IANA zone of a place: by country where the tiny table knows it, else by longitude with no summer time. */
export function guessTimeZone([lon, lat]: LonLat): { zone: string; by: "country" | "longitude" } {
  const box = BOXES.find(([, west, south, east, north]) => lon >= west && lon <= east && lat >= south && lat <= north);
  if (box !== undefined) return { zone: box[0], by: "country" };
  const hours = Math.round(lon / 15);
  // In these names the sign is turned round: west of Greenwich is plus.
  return { zone: hours === 0 ? "Etc/GMT" : `Etc/GMT${hours > 0 ? "-" : "+"}${Math.abs(hours)}`, by: "longitude" };
}
