import { randomBytes } from "node:crypto";
import type { Chance } from "#protocol/ports.ts";

/** Chance from the system's generator: nobody foresees it, so it serves for tokens too. */
export const systemChance: Chance = {
  // 48 random bits fit a double exactly and keep the result below 1.
  next: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
};
