/** A queue by rising key: a binary heap on two plain arrays, equal keys in the order of their names. */
export class Queue {
  private readonly keys: number[] = [];
  private readonly names: number[] = [];
  /** The key of what was taken out last. */
  key = 0;

  clear(): void {
    this.keys.length = 0;
    this.names.length = 0;
  }

  add(key: number, name: number): void {
    let place = this.keys.length;
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (!this.before(key, name, above)) break;
      this.move(above, place);
      place = above;
    }
    this.keys[place] = key;
    this.names[place] = name;
  }

  /** Takes out the smallest and returns its name, its key being in `key`; undefined when empty. */
  take(): number | undefined {
    const name = this.names[0];
    if (name === undefined) return undefined;
    this.key = this.keys[0] as number;
    const lastKey = this.keys.pop() as number;
    const lastName = this.names.pop() as number;
    const length = this.keys.length;
    if (length > 0) this.sink(lastKey, lastName, length);
    return name;
  }

  private sink(key: number, name: number, length: number): void {
    let place = 0;
    for (;;) {
      let below = place * 2 + 1;
      if (below >= length) break;
      if (below + 1 < length && this.before(this.keys[below + 1] as number, this.names[below + 1] as number, below))
        below++;
      if (this.before(key, name, below)) break;
      this.move(below, place);
      place = below;
    }
    this.keys[place] = key;
    this.names[place] = name;
  }

  private before(key: number, name: number, place: number): boolean {
    const other = this.keys[place] as number;
    return key < other || (key === other && name < (this.names[place] as number));
  }

  private move(from: number, to: number): void {
    this.keys[to] = this.keys[from] as number;
    this.names[to] = this.names[from] as number;
  }
}
