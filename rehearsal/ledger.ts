import { Fault } from "#protocol/faults.ts";
import { parseBatch, type Reading } from "#protocol/messages.ts";
import { instant } from "#protocol/units.ts";
import type { Store } from "#server/store/store.ts";

/**
 * Counts on the street's side of the network what was said and what was acknowledged, and at the end compares with what
 * the store holds: every acknowledged reading exactly once, nothing that was never said.
 */
export interface Ledger {
  published(station: string, payload: Uint8Array): void;
  acknowledged(station: string, payload: Uint8Array): void;
  /** The server refused a reading with a reason: it is accounted for, and not in the store. */
  refused(reading: Reading): void;
  /** When the newest reading of this station was taken that is acknowledged; undefined before the first. */
  newest(station: string): number | undefined;
  settle(store: Store): Promise<Account>;
}

export interface Account {
  readonly acknowledged: number;
  readonly stored: number;
  readonly lost: number;
  readonly duplicated: number;
  /** The first few by name, for the person who has to find out why. */
  readonly examples: readonly string[];
}

/** Times of the distinct readings of one device and measure: growing lists of numbers, eight bytes a reading. */
interface Series {
  readonly device: string;
  readonly measure: string;
  readonly said: number[];
  readonly acknowledged: number[];
  readonly refused: number[];
}

const MOST_EXAMPLES = 10;

export function ledger(): Ledger {
  const series = new Map<string, Series>();
  /** The highest number said and acknowledged, by station and epoch: numbers only grow, so a lower one is a repetition. */
  const said = new Map<string, number>();
  const acknowledged = new Map<string, number>();
  const newest = new Map<string, number>();

  const of = (device: string, measure: string): Series => {
    const key = `${device} ${measure}`;
    let found = series.get(key);
    if (found === undefined) {
      series.set(key, (found = { device, measure, said: [], acknowledged: [], refused: [] }));
    }
    return found;
  };

  const record = (
    highest: Map<string, number>,
    column: "said" | "acknowledged",
    station: string,
    payload: Uint8Array,
  ): void => {
    const { epoch, first, readings } = parseBatch(payload);
    const key = `${station} ${epoch}`;
    const known = highest.get(key) ?? 0;
    readings.forEach(({ device, measure, at }, index) => {
      if (first + index > known) of(device, measure)[column].push(at);
    });
    highest.set(key, Math.max(known, first + readings.length - 1));
    if (column === "acknowledged") newest.set(station, Math.max(newest.get(station) ?? 0, readings.at(-1)?.at ?? 0));
  };

  return {
    published: (station, payload) => ignoreNonsense(() => record(said, "said", station, payload)),
    acknowledged: (station, payload) => ignoreNonsense(() => record(acknowledged, "acknowledged", station, payload)),
    newest: (station) => newest.get(station),
    refused: ({ device, measure, at }) => void of(device, measure).refused.push(at),
    async settle(store) {
      const account = { acknowledged: 0, stored: 0, lost: 0, duplicated: 0, examples: [] as string[] };
      for (const each of series.values()) {
        const { device, measure } = each;
        const stored = await store.range(device, measure, instant(0), instant(Number.MAX_SAFE_INTEGER), 1e9);
        const times = stored.map(({ at }) => at).sort(ascending);
        const kept = [...times, ...each.refused].sort(ascending);
        const lost = missing(each.acknowledged.sort(ascending), kept);
        const twice = missing(times, each.said.sort(ascending));
        account.acknowledged += each.acknowledged.length;
        account.stored += times.length;
        account.lost += lost.length;
        account.duplicated += twice.length;
        for (const [list, what] of [
          [lost, "lost"],
          [twice, "stored twice"],
        ] as const) {
          for (const at of list.slice(0, Math.max(0, MOST_EXAMPLES - account.examples.length))) {
            account.examples.push(`${device} ${measure} of ${new Date(at).toISOString()} ${what}`);
          }
        }
      }
      return account;
    },
  };
}

const ascending = (a: number, b: number): number => a - b;

/** What of `wanted` has no partner in `found`; both sorted, each partner used once. */
function missing(wanted: readonly number[], found: readonly number[]): number[] {
  const alone: number[] = [];
  let index = 0;
  for (const value of wanted) {
    while (index < found.length && (found[index] as number) < value) index++;
    if (found[index] === value) index++;
    else alone.push(value);
  }
  return alone;
}

/** A payload that no parser takes has no readings to account for. */
function ignoreNonsense(action: () => void): void {
  try {
    action();
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
  }
}
