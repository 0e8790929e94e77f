import { quoted } from "./json-text.ts";

/** Tags of a series, or what a grouping leaves of them: keys in order, a missing tag as an empty value. */
export class TagSet {
  static readonly NONE = new TagSet(new Map());
  readonly values: ReadonlyMap<string, string>;
  /** What orders groups, as in InfluxDB: the values one after the other. */
  readonly id: string;
  #object: Readonly<Record<string, string>> | undefined;
  #json: string | undefined;
  readonly #subsets = new Map<string, TagSet>();

  constructor(values: ReadonlyMap<string, string>) {
    this.values = new Map([...values].sort(([a], [b]) => compareText(a, b)));
    this.id = this.values.size === 0 ? "" : [...this.values.keys(), ...this.values.values()].join("\0");
  }

  /** As answers show them. */
  get object(): Readonly<Record<string, string>> {
    return (this.#object ??= Object.fromEntries(this.values));
  }

  /** The same as answers write them. */
  get json(): string {
    return (this.#json ??= `{${[...this.values].map(([key, value]) => `${quoted(key)}:${quoted(value)}`).join(",")}}`);
  }

  /** These tags alone, in any order of the keys; what is missing is empty. */
  subset(keys: readonly string[]): TagSet {
    if (keys.length === 0) return TagSet.NONE;
    const key = keys.join("\0");
    let found = this.#subsets.get(key);
    if (found === undefined) {
      found = new TagSet(new Map(keys.map((each) => [each, this.values.get(each) ?? ""])));
      this.#subsets.set(key, found);
    }
    return found;
  }
}

/** By code points, which is the order of the bytes in UTF-8: JavaScript's own order differs beyond the basic plane. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const [x, y] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (x === y) continue;
    const [isX, isY] = [isSurrogate(x), isSurrogate(y)];
    return isX === isY ? x - y : isX ? 1 : -1;
  }
  return a.length - b.length;
}

const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff;
