/** A series as line protocol names it, with an id that lasts as long as the table. */
export interface LineSeries {
  readonly id: number;
  readonly measurement: string;
  /** Sorted by key. */
  readonly tags: readonly (readonly [key: string, value: string])[];
}

/** One field of one series: what values are filed under. */
export interface LineSlot {
  readonly id: number;
  readonly series: LineSeries;
  readonly field: string;
}

/** A series under one of the spellings in which it was written, with the fields that were seen under it. */
export interface Spelling {
  readonly bytes: Uint8Array;
  readonly hash: number;
  readonly series: LineSeries;
  /** Fields whose names need no escape, in the order in which they first came: that of the next line, most likely. */
  readonly names: Uint8Array[];
  readonly slots: number[];
}

/** More spellings than this are forgotten, all at once, and learnt again: series and slots keep their ids. */
const MOST_SPELLINGS = 500_000;

/**
 * Knows the series of lines by their bytes up to the first space, so that a line of a known series is filed without a
 * string being made.
 */
export class SeriesTable {
  readonly series: LineSeries[] = [];
  readonly slots: LineSlot[] = [];
  readonly #byKey = new Map<string, LineSeries>();
  readonly #slotOf: Map<string, number>[] = [];
  readonly #names = new Map<string, Uint8Array>();
  #buckets: (Spelling | undefined)[] = Array.from({ length: 1024 });
  #spellings = 0;

  /** The spelling whose bytes stand in `bytes` from `from` to `to`; `hash` is what `hashOf` gives for them. */
  find(bytes: Uint8Array, from: number, to: number, hash: number): Spelling | undefined {
    const mask = this.#buckets.length - 1;
    for (let index = hash & mask; ; index = (index + 1) & mask) {
      const spelling = this.#buckets[index];
      if (spelling === undefined) return undefined;
      if (spelling.hash === hash && spelling.bytes.length === to - from && isSame(spelling.bytes, bytes, from)) {
        return spelling;
      }
    }
  }

  /** The series of this name and these sorted tags, made if it is new. */
  seriesOf(measurement: string, tags: LineSeries["tags"]): LineSeries {
    const key = JSON.stringify([measurement, tags]);
    let series = this.#byKey.get(key);
    if (series === undefined) {
      series = { id: this.series.length, measurement, tags };
      this.series.push(series);
      this.#byKey.set(key, series);
      this.#slotOf.push(new Map());
    }
    return series;
  }

  /** The id of a field of a series, made if it is new. */
  slotOf(series: LineSeries, field: string): number {
    const slots = this.#slotOf[series.id];
    if (slots === undefined) throw new Error(`series ${series.id} is of another table`);
    let id = slots.get(field);
    if (id === undefined) {
      id = this.slots.length;
      this.slots.push({ id, series, field });
      slots.set(field, id);
    }
    return id;
  }

  /** Remembers how a series was spelt. */
  learn(bytes: Uint8Array, from: number, to: number, series: LineSeries): Spelling {
    const hash = hashOf(bytes, from, to);
    const known = this.find(bytes, from, to, hash);
    if (known !== undefined) return known;
    if (this.#spellings >= MOST_SPELLINGS) {
      this.#buckets = Array.from({ length: 1024 });
      this.#spellings = 0;
    }
    if (++this.#spellings * 2 > this.#buckets.length) this.#grow();
    const spelling: Spelling = { bytes: bytes.slice(from, to), hash, series, names: [], slots: [] };
    this.#place(spelling);
    return spelling;
  }

  /** Remembers a field under a spelling, if it is written without escapes. */
  learnField(spelling: Spelling, field: string, slot: number): void {
    if (/[\\,= "]/.test(field) || spelling.slots.includes(slot)) return;
    let name = this.#names.get(field);
    if (name === undefined) {
      name = new TextEncoder().encode(field);
      this.#names.set(field, name);
    }
    spelling.names.push(name);
    spelling.slots.push(slot);
  }

  #place(spelling: Spelling): void {
    const mask = this.#buckets.length - 1;
    let index = spelling.hash & mask;
    while (this.#buckets[index] !== undefined) index = (index + 1) & mask;
    this.#buckets[index] = spelling;
  }

  #grow(): void {
    const known = this.#buckets;
    this.#buckets = Array.from({ length: known.length * 2 });
    for (const spelling of known) if (spelling !== undefined) this.#place(spelling);
  }
}

function isSame(known: Uint8Array, bytes: Uint8Array, from: number): boolean {
  for (let index = known.length - 1; index >= 0; index--) if (known[index] !== bytes[from + index]) return false;
  return true;
}

/** FNV-1a over the bytes from `from` to `to`. The fast reader counts the same while it looks for the space. */
export function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = FNV_START;
  for (let index = from; index < to; index++) hash = Math.imul(hash ^ (bytes[index] ?? 0), FNV_STEP);
  return hash;
}
export const FNV_START = 0x811c_9dc5 | 0;
export const FNV_STEP = 0x0100_0193;
