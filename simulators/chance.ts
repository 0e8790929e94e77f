import type { Chance } from "#protocol/ports.ts";

/**
 * Seeded chance that can be split by name: every device of the town draws from its own stream, so that one lamp more
 * does not change what happens at all the others.
 */
export interface SeededChance extends Chance {
  /** An independent stream; the same name from the same parent is always the same stream. */
  split(name: string): SeededChance;
}

/** A stream from a seed. The generator is sfc32 (Chris Doty-Humphrey, PractRand, 2010), seeded by FNV-1a over the name. */
export function seededChance(seed: number | string): SeededChance {
  return new Stream(`seed:${seed}`);
}

class Stream implements SeededChance {
  private readonly name: string;
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  constructor(name: string) {
    this.name = name;
    this.a = hash(name, 0x811c9dc5);
    this.b = hash(name, 0x9747b28c);
    this.c = hash(name, 0x1b873593);
    for (let turn = 0; turn < 12; turn++) this.next();
  }

  next(): number {
    const sum = (this.a + this.b + this.counter++) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 4_294_967_296;
  }

  split(name: string): SeededChance {
    return new Stream(`${this.name}/${name}`);
  }
}

/** FNV-1a, 32 bits (Fowler, Noll, Vo), with a final mix so that near names lie far apart. */
function hash(text: string, basis: number): number {
  let value = basis;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

/** A number for a name and a whole number, in [0, 1), with no state: weather can be asked for any hour in any order. */
export function chanceAt(name: string, index: number): number {
  return hash(`${name}:${index}`, 0x811c9dc5) / 4_294_967_296;
}

export const between = (chance: Chance, least: number, most: number): number => least + (most - least) * chance.next();

export function pick<T>(chance: Chance, from: readonly T[]): T {
  return from[Math.floor(chance.next() * from.length)] as T;
}

/** Time to the next event of a Poisson process with `rate` events per unit of time. */
export const exponential = (chance: Chance, rate: number): number => -Math.log(1 - chance.next()) / rate;

/** Standard normal (Box and Muller 1958). */
export function normal(chance: Chance): number {
  return Math.sqrt(-2 * Math.log(1 - chance.next())) * Math.cos(2 * Math.PI * chance.next());
}

/** How many events of a Poisson process fall where `mean` are expected: product of uniforms, normal beyond 50. */
export function poisson(chance: Chance, mean: number): number {
  if (mean <= 0) return 0;
  if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(chance)));
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = chance.next(); product > limit; product *= chance.next()) count++;
  return count;
}
