import type { Chance } from "#protocol/ports.ts";

/**
 * Chance from a seed: sfc32 (Chris Doty-Humphrey, PractRand 2014), seeded through splitmix32, in 32-bit integers only,
 * so that the same seed gives the same numbers on any machine.
 */
export function seededChance(seed: number): Chance {
  let mixed = seed >>> 0;
  const word = (): number => {
    mixed = (mixed + 0x9e3779b9) | 0;
    let z = mixed ^ (mixed >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return (z ^ (z >>> 15)) | 0;
  };
  let [a, b, c, counter] = [word(), word(), word(), 1];
  const next = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return (sum >>> 0) / 4_294_967_296;
  };
  // The state has to be stirred before its first numbers are independent of the seed's bits.
  for (let turn = 0; turn < 12; turn++) next();
  return { next };
}

/** A whole number in [0, below). */
export function pick(chance: Chance, below: number): number {
  return Math.floor(chance.next() * below);
}
