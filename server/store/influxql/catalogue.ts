import type { FieldType } from "./ast.ts";
import type { FieldValue } from "./engine.ts";
import { compareText } from "./tags.ts";

/** The tables of values: our own readings, and by type what others write. */
export type ValueTable = "readings" | "point_floats" | "point_integers" | "point_strings" | "point_booleans";

/** One field of one series: what values are filed under. */
export interface Slot {
  /** Counts from 0 in the order in which slots came. */
  readonly number: number;
  /** Number of the series in its table. */
  readonly id: number;
  readonly table: ValueTable;
  readonly type: FieldType;
  readonly series: SeriesEntry;
  readonly field: string;
  /** The newest value, in nanoseconds since 1970; undefined: there is none yet. */
  latest_ns: bigint | undefined;
  latest: FieldValue | undefined;
  /** It is known that there is none: all that was written is gone, but for what was summed up of it. */
  isSilent: boolean;
}

export interface SeriesEntry {
  /** Counts from 0 in the order in which the series came. */
  readonly number: number;
  readonly measurement: MeasurementEntry;
  /** Sorted by key; none is empty. */
  readonly tags: ReadonlyMap<string, string>;
  /** As line protocol names it, for SHOW SERIES. */
  readonly key: string;
  /** Mostly one slot a field; two where others write into what devices measure. */
  readonly slots: Map<string, Slot[]>;
}

export interface MeasurementEntry {
  readonly name: string;
  readonly series: SeriesEntry[];
  readonly fields: Map<string, FieldType>;
  /** Values of each tag key, and how many series have them. */
  readonly tagKeys: Map<string, Set<string>>;
}

/** Questions whose series are remembered: a dashboard asks the same ones again and again. */
const MOST_REMEMBERED = 256;

/** What there is, in memory: measurements, series, tags and fields. Who asks for names alone is answered from here. */
export class Catalogue {
  readonly measurements = new Map<string, MeasurementEntry>();
  readonly series: SeriesEntry[] = [];
  readonly slots: Slot[] = [];
  /** Slots of which something newer was said, for who keeps a copy and empties it; undefined: nobody does. */
  renewed: Set<Slot> | undefined;
  readonly #byKey = new Map<string, SeriesEntry>();
  /** What was found among the series, until there is another series or field. */
  readonly #memory = new Map<string, readonly unknown[]>();

  /** The series of these tags, made if it is new. `tags` sorted by key, none empty. */
  seriesOf(name: string, tags: readonly (readonly [string, string])[]): SeriesEntry {
    const key = keyOf(name, tags);
    let series = this.#byKey.get(key);
    if (series !== undefined) return series;
    this.#memory.clear();
    const measurement = this.measurementOf(name);
    series = { number: this.series.length, measurement, tags: new Map(tags), key, slots: new Map() };
    this.#byKey.set(key, series);
    this.series.push(series);
    measurement.series.push(series);
    for (const [tag, value] of tags) {
      const values = measurement.tagKeys.get(tag);
      if (values === undefined) measurement.tagKeys.set(tag, new Set([value]));
      else values.add(value);
    }
    return series;
  }

  /** Adds a slot to a series; a field of another type in this measurement is the caller's to refuse. */
  add(series: SeriesEntry, field: string, type: FieldType, table: ValueTable, id: number): Slot {
    this.#memory.clear();
    const { length: number } = this.slots;
    const slot: Slot = {
      number,
      id,
      table,
      type,
      series,
      field,
      latest_ns: undefined,
      latest: undefined,
      isSilent: false,
    };
    this.slots.push(slot);
    const slots = series.slots.get(field);
    if (slots === undefined) series.slots.set(field, [slot]);
    else slots.push(slot);
    if (!series.measurement.fields.has(field)) series.measurement.fields.set(field, type);
    return slot;
  }

  /** Tells of the newest value of a slot. */
  renew(slot: Slot, at_ns: bigint, value: FieldValue): void {
    slot.latest_ns = at_ns;
    slot.latest = value;
    slot.isSilent = false;
    this.renewed?.add(slot);
  }

  /** What `find` gives, or gave for the same `key` of the same series and fields. */
  remembered<Found>(key: string, find: () => readonly Found[]): readonly Found[] {
    const known = this.#memory.get(key) as readonly Found[] | undefined;
    if (known !== undefined) return known;
    const found = find();
    if (this.#memory.size >= MOST_REMEMBERED) this.#memory.clear();
    this.#memory.set(key, found);
    return found;
  }

  measurementOf(name: string): MeasurementEntry {
    let measurement = this.measurements.get(name);
    if (measurement === undefined) {
      measurement = { name, series: [], fields: new Map(), tagKeys: new Map() };
      this.measurements.set(name, measurement);
    }
    return measurement;
  }

  /** Measurements in the order of their names. */
  sorted(): MeasurementEntry[] {
    return [...this.measurements.values()].sort((a, b) => compareText(a.name, b.name));
  }
}

function keyOf(name: string, tags: readonly (readonly [string, string])[]): string {
  const parts = tags.map(([key, value]) => `,${escaped(key)}=${escaped(value)}`);
  return name.replaceAll(/[, ]/g, "\\$&") + parts.join("");
}

const escaped = (text: string): string => text.replaceAll(/[,= ]/g, "\\$&");
