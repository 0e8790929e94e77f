import type { Chance } from "./ports.ts";

/**
 * Chance from a seed: the same seed gives the same numbers on every machine (sfc32, Doty-Humphrey's PractRand;
 * seeded through splitmix32 of a text hash, so that nearby seeds do not resemble each other).
 * `branch(name)` is a generator of its own: adding a device does not move the luck of the others.
 */
export interface SeededChance extends Chance {
  branch(name: string): SeededChance;
}

export function seededChance(seed: number | string): SeededChance {
  const text = String(seed);
  let mix = hash(text);
  const next32 = (): number => {
    mix = (mix + 0x9e3779b9) | 0;
    let z = mix ^ (mix >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return (z ^ (z >>> 15)) | 0;
  };
  let a = next32();
  let b = next32();
  let c = next32();
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return (sum >>> 0) / 4_294_967_296;
  };
  // The state has to be stirred before its first numbers are independent of the seed's bits.
  for (let turn = 0; turn < 12; turn++) next();
  return { next, branch: (name) => seededChance(`${text}/${name}`) };
}

/** A whole number in [0, below). */
export function pick(chance: Chance, below: number): number {
  return Math.floor(chance.next() * below);
}

/** FNV-1a over the UTF-16 code units. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return value;
}
