/** Waits of one movement, as a histogram of whole seconds: a year of them takes no more memory than a day. */
export interface Waits {
  readonly counts: Uint32Array;
  served: number;
  sum_s: number;
  worst_s: number;
}

/** Longer waits are counted as this long; the worst is kept exactly. */
const LONGEST_S = 900;

export const createWaits = (): Waits => ({ counts: new Uint32Array(LONGEST_S + 1), served: 0, sum_s: 0, worst_s: 0 });

export function recordWait(waits: Waits, wait_s: number): void {
  waits.served++;
  waits.sum_s += wait_s;
  if (wait_s > waits.worst_s) waits.worst_s = wait_s;
  const bin = Math.min(LONGEST_S, Math.floor(wait_s));
  waits.counts[bin] = (waits.counts[bin] as number) + 1;
}

export function addWaits(total: Waits, more: Waits): void {
  for (let bin = 0; bin <= LONGEST_S; bin++)
    total.counts[bin] = (total.counts[bin] as number) + (more.counts[bin] as number);
  total.served += more.served;
  total.sum_s += more.sum_s;
  total.worst_s = Math.max(total.worst_s, more.worst_s);
}

export const meanWait_s = (waits: Waits): number => (waits.served > 0 ? waits.sum_s / waits.served : 0);

/** The wait that the share `quantile` of all did not exceed, in s, to the next whole second. */
export function waitQuantile_s(waits: Waits, quantile: number): number {
  let left = waits.served * quantile;
  for (let bin = 0; bin < LONGEST_S; bin++) {
    left -= waits.counts[bin] as number;
    if (left <= 0) return Math.min(bin + 1, waits.worst_s);
  }
  return waits.worst_s;
}

/** How many waited longer than `limit_s` (whole seconds). */
export function waitedOver(waits: Waits, limit_s: number): number {
  let over = 0;
  for (let bin = limit_s; bin <= LONGEST_S; bin++) over += waits.counts[bin] as number;
  return over;
}
