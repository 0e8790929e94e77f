import { secondsAhead } from "./time.ts";

/** The outermost times of InfluxDB: what a query without bounds reaches from and to. */
export const MIN_NS = -(2n ** 63n) + 2n;
export const MAX_NS = 2n ** 63n - 2n;

/** How a query cuts time into windows. */
export interface Windows {
  /** Both included. */
  readonly start: bigint;
  readonly end: bigint;
  /** 0: the whole span is one window. */
  readonly every: bigint;
  readonly offset: bigint;
  readonly zone: string | undefined;
}

/** How far the zone is ahead of UTC, in nanoseconds. */
export function ahead(at_ns: bigint, zone: string | undefined): bigint {
  if (zone === undefined) return 0n;
  const second = at_ns / 1_000_000_000n - (at_ns % 1_000_000_000n < 0n ? 1n : 0n);
  return BigInt(cachedAhead(Number(second), zone)) * 1_000_000_000n;
}

const QUARTER_S = 900;
const DAY_S = 86_400;
/** By day since 1970: how far ahead the zone is all through it, or by quarter of an hour where its clock is changed. */
type Days = Map<number, number | Map<number, number>>;
const CACHE = new Map<string, Days>();
/** Days that are remembered of one zone: over a hundred years. */
const MOST_DAYS = 40_000;

/** Clocks are changed on full quarters of an hour, for all that is stored here, and not twice a day. */
function cachedAhead(at_s: number, zone: string): number {
  let days = CACHE.get(zone);
  if (days === undefined) CACHE.set(zone, (days = new Map()));
  const day = Math.floor(at_s / DAY_S);
  let found = days.get(day);
  if (found === undefined) {
    if (days.size >= MOST_DAYS) days.clear();
    const [first, last] = [lookedUp(day * DAY_S, zone), lookedUp((day + 1) * DAY_S, zone)];
    found = first === last ? first : new Map<number, number>();
    days.set(day, found);
  }
  if (typeof found === "number") return found;
  const quarter = Math.floor(at_s / QUARTER_S);
  let ahead_s = found.get(quarter);
  if (ahead_s === undefined) found.set(quarter, (ahead_s = lookedUp(at_s, zone)));
  return ahead_s;
}

const lookedUp = (at_s: number, zone: string): number => secondsAhead(Math.max(at_s, -62_000_000_000), zone);

const size = (ns: bigint): bigint => (ns < 0n ? -ns : ns);

/**
 * The window in which a time lies: its start, and its end, which is no part of it. Windows begin at multiples of `every`
 * of the zone's clock; one that holds a change of the clock is longer or shorter by it, if it is longer than the change.
 */
export function windowOf(time: bigint, windows: Windows): [start: bigint, end: bigint] {
  const { every, offset, zone } = windows;
  if (every === 0n) return [windows.start, windows.end + 1n];
  const at = time - offset;
  const before = ahead(at, zone);
  const rest = (((at + before) % every) + every) % every;
  let start = (MIN_NS + rest >= at ? MIN_NS : at - rest) + offset;
  if (zone !== undefined) {
    const change = before - ahead(start, zone);
    if (change !== 0n && size(change) < every) start += change;
  }
  let end = MAX_NS - (every - rest) <= at ? MAX_NS : at + every - rest;
  if (zone !== undefined) {
    const after = ahead(end, zone);
    const change = before - after;
    if (change !== 0n && size(change) < every && (change > 0n || ahead(end + change, zone) === after)) end += change;
  }
  return [start, end + offset];
}
