/**
 * How long something takes, kept in buckets that grow by a tenth, from 0.1 ms to over an hour: a quantile is right to 5 %,
 * and the whole needs one kilobyte however long it runs.
 */
export interface Histogram {
  readonly count: number;
  record(milliseconds: number): void;
  /** The value that a share `q` of the records does not exceed, in milliseconds; 0 while nothing is recorded. */
  quantile(q: number): number;
}

const SMALLEST_MS = 0.1;
const GROWTH = Math.log(1.1);
const BUCKETS = 192;

export function createHistogram(): Histogram {
  const buckets = new Uint32Array(BUCKETS);
  let count = 0;
  return {
    get count() {
      return count;
    },
    record(milliseconds) {
      const bucket = milliseconds <= SMALLEST_MS ? 0 : Math.ceil(Math.log(milliseconds / SMALLEST_MS) / GROWTH);
      const place = Math.min(bucket, BUCKETS - 1);
      buckets[place] = (buckets[place] as number) + 1;
      count++;
    },
    quantile(q) {
      if (count === 0) return 0;
      let rest = Math.ceil(q * count);
      for (let bucket = 0; bucket < BUCKETS; bucket++) {
        rest -= buckets[bucket] as number;
        if (rest <= 0) return SMALLEST_MS * Math.exp((bucket - 0.5) * GROWTH);
      }
      return Number.POSITIVE_INFINITY;
    },
  };
}
