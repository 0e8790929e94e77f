import { Fault } from "#protocol/faults.ts";
import type { Page } from "./resources.ts";

/** Entries on a page unless the caller asks for another number. */
export const USUAL_PAGE = 100;

/** A cursor hides what it says, so that nobody builds on it: the place after which the next page begins. */
export function cursorOf(place: string | number): string {
  return Buffer.from(String(place), "utf8").toString("base64url");
}

/** Raises Fault PAYLOAD_INVALID when the cursor is none of ours. */
export function placeOf(cursor: string): string {
  const place = Buffer.from(cursor, "base64url").toString("utf8");
  if (place === "" || cursorOf(place) !== cursor) throw notACursor(cursor);
  return place;
}

export const notACursor = (cursor: string): Fault =>
  new Fault("PAYLOAD_INVALID", { path: "cursor", found: cursor.slice(0, 60), expected: "a cursor of this list" });

/** A page of a list that stands in memory in a lasting order; the cursor names the last entry of the page before. */
export function pageIn<From, Entry>(
  list: readonly From[],
  query: { readonly limit?: number; readonly cursor?: string },
  name: (from: From) => string,
  show: (from: From) => Entry,
): Page<Entry> {
  const limit = query.limit ?? USUAL_PAGE;
  let from = 0;
  if (query.cursor !== undefined) {
    const place = placeOf(query.cursor);
    const index = list.findIndex((each) => name(each) === place);
    if (index < 0) throw notACursor(query.cursor);
    from = index + 1;
  }
  const entries = list.slice(from, from + limit);
  const last = entries.at(-1);
  return {
    entries: entries.map(show),
    next: last !== undefined && from + limit < list.length ? cursorOf(name(last)) : null,
  };
}

/** A page of what the state numbers upwards, newest first: `read` gives entries with numbers below `before`. */
export function pageBelow<From extends { readonly id: number }, Entry>(
  query: { readonly limit?: number; readonly cursor?: string },
  read: (limit: number, before: number | undefined) => readonly From[],
  show: (from: From) => Entry,
): Page<Entry> {
  const limit = query.limit ?? USUAL_PAGE;
  const place = query.cursor === undefined ? undefined : placeOf(query.cursor);
  if (place !== undefined && !/^\d{1,15}$/.test(place)) throw notACursor(query.cursor ?? "");
  const found = read(limit + 1, place === undefined ? undefined : Number(place));
  const entries = found.slice(0, limit);
  const last = entries.at(-1);
  return { entries: entries.map(show), next: last !== undefined && found.length > limit ? cursorOf(last.id) : null };
}

/** The number that an id is in the state. Raises Fault NOT_FOUND where it is none. */
export function numberOf(id: string, thing: string): number {
  if (!/^\d{1,15}$/.test(id)) throw new Fault("NOT_FOUND", { thing, id });
  return Number(id);
}
