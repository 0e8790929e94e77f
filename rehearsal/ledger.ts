import { decodeCbor } from "#protocol/cbor.ts";
import { Fault } from "#protocol/faults.ts";
import type { Reading } from "#protocol/messages.ts";
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

/** How far the readings of one epoch of a station were said and acknowledged: numbers only grow, a lower one repeats. */
interface Progress {
  said: number;
  acknowledged: number;
}

/** What a payload says, read once: the network hands over the same bytes when it is published and when acknowledged. */
interface Said {
  readonly first: number;
  readonly at: readonly number[];
  readonly series: readonly Series[];
  readonly progress: Progress;
}

const MOST_EXAMPLES = 10;

export function ledger(): Ledger {
  const devices = new Map<string, Map<string, Series>>();
  const epochs = new Map<string, Progress>();
  const newest = new Map<string, number>();
  /** The latest payload of each station, read: it has one on its way at a time. */
  const latest = new Map<string, { readonly payload: Uint8Array; readonly said: Said }>();

  const of = (device: string, measure: string): Series => {
    let measures = devices.get(device);
    if (measures === undefined) devices.set(device, (measures = new Map<string, Series>()));
    let found = measures.get(measure);
    if (found === undefined) {
      measures.set(measure, (found = { device, measure, said: [], acknowledged: [], refused: [] }));
    }
    return found;
  };

  const saidIn = (station: string, payload: Uint8Array): Said | undefined => {
    const known = latest.get(station);
    if (known?.payload === payload) return known.said;
    const columns = columnsOf(payload);
    if (columns === undefined) return undefined;
    const { e, n, D, M, d, m, t } = columns;
    const key = `${station} ${e}`;
    let progress = epochs.get(key);
    if (progress === undefined) epochs.set(key, (progress = { said: 0, acknowledged: 0 }));
    const at: number[] = [];
    const series: Series[] = [];
    let time = 0;
    let last: Series | undefined;
    for (let index = 0; index < t.length; index++) {
      at.push((time += t[index] as number));
      const [device, measure] = [D[d[index] as number] as string, M[m[index] as number] as string];
      if (last?.device !== device || last.measure !== measure) last = of(device, measure);
      series.push(last);
    }
    const said = { first: n, at, series, progress };
    latest.set(station, { payload, said });
    return said;
  };

  const record = (column: "said" | "acknowledged", { first, at, series, progress }: Said): void => {
    const known = progress[column];
    for (let index = Math.max(0, known - first + 1); index < at.length; index++) {
      (series[index] as Series)[column].push(at[index] as number);
    }
    progress[column] = Math.max(known, first + at.length - 1);
  };

  return {
    published(station, payload) {
      const said = saidIn(station, payload);
      if (said !== undefined) record("said", said);
    },
    acknowledged(station, payload) {
      const said = saidIn(station, payload);
      if (said === undefined) return;
      record("acknowledged", said);
      newest.set(station, Math.max(newest.get(station) ?? 0, said.at.at(-1) ?? 0));
    },
    newest: (station) => newest.get(station),
    refused: ({ device, measure, at }) => void of(device, measure).refused.push(at),
    async settle(store) {
      const account = { acknowledged: 0, stored: 0, lost: 0, duplicated: 0, examples: [] as string[] };
      for (const each of [...devices.values()].flatMap((measures) => [...measures.values()])) {
        const { device, measure } = each;
        const stored = await store.range(device, measure, instant(0), instant(Number.MAX_SAFE_INTEGER), 1e9);
        const times = stored.map(({ at }) => at).sort(ascending);
        const kept = [...times, ...each.refused].sort(ascending);
        const acknowledged = distinct(each.acknowledged);
        const lost = missing(acknowledged, kept);
        const twice = missing(times, distinct(each.said));
        account.acknowledged += acknowledged.length;
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

/** Sorted, each once: what is said twice of one instant, as by a station that starts twice in it, is one reading. */
const distinct = (times: readonly number[]): number[] => [...new Set(times)].sort(ascending);

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

/** The columns of a batch: epoch, number of the first, names of devices and measures, their places in these, steps of time. */
interface Columns {
  readonly e: string;
  readonly n: number;
  readonly D: readonly string[];
  readonly M: readonly string[];
  readonly d: readonly number[];
  readonly m: readonly number[];
  readonly t: readonly number[];
}

/** Read without the server's parser, which is what is held to account. What is no such map has no readings to account for. */
function columnsOf(payload: Uint8Array): Columns | undefined {
  try {
    const columns = decodeCbor(payload) as unknown as Columns | null;
    return Array.isArray(columns?.t) ? columns : undefined;
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    return undefined;
  }
}
