import type { Town } from "../api/resources.ts";
import { sayNamed } from "./language.ts";
import { town } from "./state.ts";

/** Where each thing of the territory is and what it is called, by its id. */
export interface Place {
  readonly id: string;
  readonly kind: string;
  readonly position: readonly [lon: number, lat: number];
  /** The id of its street. */
  readonly street?: string;
  readonly name?: string;
  readonly feeder?: string;
  readonly station?: string;
}

let indexed: { readonly of: Town; readonly places: ReadonlyMap<string, Place> } | undefined;

/** Every place of the territory; empty until the town is read. */
export function places(): ReadonlyMap<string, Place> {
  const current = town.get();
  if (current === undefined) return new Map();
  if (indexed?.of !== current) indexed = { of: current, places: index(current) };
  return indexed.places;
}

function index(of: Town): Map<string, Place> {
  const found = new Map<string, Place>();
  for (const { geometry, properties } of of.geojson.features) {
    const id = String(properties["id"]);
    const text = (name: string): string | undefined =>
      typeof properties[name] === "string" ? properties[name] : undefined;
    const [street, name, feeder, station] = ["street", "name", "feeder", "station"].map(text);
    found.set(id, {
      id,
      kind: String(properties["kind"]),
      position: middle(geometry.coordinates),
      ...(street !== undefined && { street }),
      ...(name !== undefined && { name }),
      ...(feeder !== undefined && { feeder }),
      ...(station !== undefined && { station }),
    });
  }
  return found;
}

/** A point is itself; a line or a ring, the position in its middle. */
function middle(coordinates: unknown): readonly [number, number] {
  let current = coordinates;
  while (Array.isArray(current) && Array.isArray(current[0])) current = current[Math.floor(current.length / 2)];
  const [lon, lat] = Array.isArray(current) ? (current as unknown[]) : [];
  return [Number(lon), Number(lat)];
}

/** “rue du Port”, or the id where the territory names no street. */
export const streetName = (id: string | null | undefined): string =>
  id === null || id === undefined ? "" : (places().get(id)?.name ?? id);

/** What a thing is called: “Lamp L042 · rue du Port”. */
export function called(id: string): string {
  const place = places().get(id);
  if (place === undefined) return id;
  const kind = sayNamed("place", place.kind, {}, place.kind);
  const where = place.name ?? (place.street === undefined ? undefined : streetName(place.street));
  return where === undefined ? `${kind} ${id}` : `${kind} ${id} · ${where}`;
}

/** The shortest name a person knows it by: its own name, else its street's, with the id. */
export function placeName(id: string): string {
  const place = places().get(id);
  const where = place?.name ?? (place?.street === undefined ? undefined : streetName(place.street));
  return where === undefined ? id : `${id} (${where})`;
}
