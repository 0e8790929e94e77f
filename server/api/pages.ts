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

/**
 * A page of a list that stands in memory in a lasting order. The cursor names the last entry of the page before, so that
 * entries that come or go in between are neither shown twice nor left out.
 */
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
