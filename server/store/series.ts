/** The readings of one measure of one device in memory: two columns, oldest first, 16 bytes a reading. */
export class Series {
  readonly device: string;
  readonly measure: string;
  times = new Float64Array(8);
  values = new Float64Array(8);
  length = 0;

  constructor(device: string, measure: string) {
    this.device = device;
    this.measure = measure;
  }

  /** Adds a reading in its place by time, or replaces the one at this very time; says by how many readings it has grown. */
  add(time: number, value: number): 0 | 1 {
    const late = this.length > 0 && time <= (this.times[this.length - 1] as number);
    const place = late ? this.firstFrom(time) : this.length;
    if (late && this.times[place] === time) {
      this.values[place] = value;
      return 0;
    }
    if (this.length === this.times.length) this.grow();
    if (late) {
      this.times.copyWithin(place + 1, place, this.length);
      this.values.copyWithin(place + 1, place, this.length);
    }
    this.times[place] = time;
    this.values[place] = value;
    this.length++;
    return 1;
  }

  /** The place of the first reading at or after `time`. */
  firstFrom(time: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.times[middle] as number) < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Drops what is older than `time` and says how many readings that were. */
  prune(time: number): number {
    const dropped = this.firstFrom(time);
    if (dropped === 0) return 0;
    const room = Math.max(8, this.length - dropped);
    const times = new Float64Array(room);
    const values = new Float64Array(room);
    times.set(this.times.subarray(dropped, this.length));
    values.set(this.values.subarray(dropped, this.length));
    this.times = times;
    this.values = values;
    this.length -= dropped;
    return dropped;
  }

  private grow(): void {
    const room = this.times.length * 2;
    const times = new Float64Array(room);
    const values = new Float64Array(room);
    times.set(this.times);
    values.set(this.values);
    this.times = times;
    this.values = values;
  }
}
