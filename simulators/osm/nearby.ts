import type { XY } from "../geometry.ts";
import { distance, nearest } from "../geometry.ts";

const CELL_m = 60;
/** Farther off nothing is looked for. */
const REACH_m = 600;

/** Streets by the squares they run through, so that the nearest to a place is found without asking all. */
export class NearbyStreets<S extends { readonly line: readonly XY[] }> {
  private readonly cells = new Map<string, { street: S; piece: readonly XY[] }[]>();

  constructor(streets: readonly S[]) {
    for (const street of streets) {
      for (let index = 1; index < street.line.length; index++) {
        const from = street.line[index - 1] as XY;
        const to = street.line[index] as XY;
        const steps = Math.max(1, Math.ceil(distance(from, to) / (CELL_m / 2)));
        const keys = new Set<string>();
        for (let step = 0; step <= steps; step++) {
          const share = step / steps;
          keys.add(key([from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share]));
        }
        for (const each of keys) {
          const list = this.cells.get(each) ?? [];
          list.push({ street, piece: [from, to] });
          this.cells.set(each, list);
        }
      }
    }
  }

  /** The nearest street that `wanted` accepts and how far off it is; undefined when there is none within 600 m. */
  nearest(at: XY, wanted: (street: S) => boolean = () => true): { street: S; off_m: number } | undefined {
    let best: { street: S; off_m: number } | undefined;
    for (let ring = 0; ring * CELL_m <= REACH_m; ring++) {
      for (let x = -ring; x <= ring; x++) {
        for (let y = -ring; y <= ring; y++) {
          if (Math.max(Math.abs(x), Math.abs(y)) !== ring) continue;
          for (const { street, piece } of this.cells.get(key([at[0] + x * CELL_m, at[1] + y * CELL_m])) ?? []) {
            if (!wanted(street)) continue;
            const { off_m } = nearest(piece, at);
            if (best === undefined || off_m < best.off_m) best = { street, off_m };
          }
        }
      }
      // What the next ring holds is at least this far off.
      if (best !== undefined && best.off_m <= ring * CELL_m) break;
    }
    return best;
  }
}

const key = ([x, y]: XY): string => `${Math.floor(x / CELL_m)} ${Math.floor(y / CELL_m)}`;
