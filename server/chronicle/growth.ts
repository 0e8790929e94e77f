import type { Instant } from "#protocol/units.ts";
import { DAY, HOUR, MINUTE, seconds } from "#protocol/units.ts";
import type { AggregateRow, Store } from "../store/store.ts";

export const QUARTER = seconds(900);
export const QUARTER_MS = 15 * MINUTE;
export const quarterOf = (at: number): Instant => (Math.floor(at / QUARTER_MS) * QUARTER_MS) as Instant;

/** Devices in one question to the store. */
const AT_ONCE = 1000;
/** How far back a counter's last value before is looked for: most speak each quarter of an hour, few were silent for long. */
const BACK_MS = [HOUR, DAY] as const;

type Sums = Pick<Store, "aggregate">;

/**
 * How much counters grew in each quarter of an hour of [from, to), which are whole ones, by the instants at which they were
 * read and not those at which the readings came: what one says above its value before, 0 where that is over a day ago or
 * was more, as of a device begun anew.
 */
export async function growthIn(
  store: Sums,
  measure: string,
  devices: readonly string[],
  from: Instant,
  to: Instant,
): Promise<(device: string, quarter: Instant) => number> {
  const grown = new Map<string, number>();
  let asked = devices;
  for (const back_ms of BACK_MS) {
    const unknown: string[] = [];
    const rows = await quartersOf(store, measure, asked, (from - back_ms) as Instant, to);
    for (const [device = "", own] of Map.groupBy(rows, (row) => row.device)) {
      if ((own[0] as AggregateRow).at >= from) unknown.push(device);
      for (const [index, { at, first, last }] of own.entries()) {
        const before = own[index - 1]?.last ?? first;
        if (at >= from) grown.set(`${device} ${at}`, last < before ? 0 : last - before);
      }
    }
    asked = unknown;
  }
  return (device, quarter) => grown.get(`${device} ${quarter}`) ?? 0;
}

/** What the store sums up for each of these devices in the quarters of an hour of [from, to), oldest first. */
export async function quartersOf(
  store: Sums,
  measure: string,
  devices: readonly string[],
  from: Instant,
  to: Instant,
): Promise<AggregateRow[]> {
  const rows: AggregateRow[] = [];
  for (let index = 0; index < devices.length; index += AT_ONCE) {
    const some = devices.slice(index, index + AT_ONCE);
    for (const row of await store.aggregate({ devices: some, measure, from, to, every: QUARTER, by: "device" }))
      rows.push(row);
  }
  return rows.sort((a, b) => a.at - b.at);
}
