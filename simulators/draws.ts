import type { Chance } from "#protocol/ports.ts";

/** What is drawn from chance in this town, each from the literature's plainest method. */

export const uniform = (chance: Chance, least: number, most: number): number => least + (most - least) * chance.next();

export function pick<T>(chance: Chance, from: readonly T[]): T {
  return from[Math.floor(chance.next() * from.length)] as T;
}

/** The index of one of these weights, in proportion to them; `total` is their sum. */
export function weighted(chance: Chance, weights: readonly number[], total: number): number {
  let rest = chance.next() * total;
  for (let index = 0; index < weights.length; index++) {
    rest -= weights[index] as number;
    if (rest < 0) return index;
  }
  return weights.length - 1;
}

/** Time to the next event of a Poisson process with `rate` events per unit of time. */
export const exponential = (chance: Chance, rate: number): number => -Math.log(1 - chance.next()) / rate;

/** Standard normal (Box and Muller 1958). */
export function normal(chance: Chance): number {
  return Math.sqrt(-2 * Math.log(1 - chance.next())) * Math.cos(2 * Math.PI * chance.next());
}

/** How many events of a Poisson process fall where `mean` are expected (Knuth's product; normal beyond 50). */
export function poisson(chance: Chance, mean: number): number {
  if (mean <= 0) return 0;
  if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(chance)));
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = chance.next(); product > limit; product *= chance.next()) count++;
  return count;
}

/** Gamma with mean 1 and this coefficient of variation (Marsaglia and Tsang 2000): how much more or less than usual. */
export function fluctuation(chance: Chance, variation: number): number {
  const shape = 1 / (variation * variation);
  const raised = shape < 1 ? shape + 1 : shape;
  const d = raised - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(chance);
    const v = (1 + c * x) ** 3;
    if (v <= 0 || Math.log(1 - chance.next()) >= 0.5 * x * x + d - d * v + d * Math.log(v)) continue;
    const boost = shape < 1 ? Math.pow(1 - chance.next(), 1 / shape) : 1;
    return (d * v * boost) / shape;
  }
}
