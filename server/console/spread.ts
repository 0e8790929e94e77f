/** A place on a drawing, in its own units; x to the right, y down. */
export interface Spot {
  readonly x: number;
  readonly y: number;
}

/** More rounds than this would move a crowd that has no room, and nobody else. */
const MOST_ROUNDS = 80;
/** Two spots this much too near to each other are told apart all the same. */
const NEAR_ENOUGH = 0.05;
/** Directions of this angle after each other never fall together. */
const GOLDEN_rad = 2.399963;

/**
 * Spots moved as little as they need so that each is `apart` from every other one and from what stays where it is: numbers
 * that would cover each other stand side by side. In the order of `spots`; who has room is not moved.
 */
export function spread(spots: readonly Spot[], apart: number, staying: readonly Spot[] = []): readonly Spot[] {
  const moved = spots.map(({ x, y }) => ({ x, y }));
  for (let round = 0; round < MOST_ROUNDS; round++) {
    let crowded = false;
    for (const [index, one] of moved.entries()) {
      for (const other of moved.slice(index + 1)) {
        const push = away(one, other, apart, index);
        if (push === undefined) continue;
        crowded = true;
        one.x += push.x / 2;
        one.y += push.y / 2;
        other.x -= push.x / 2;
        other.y -= push.y / 2;
      }
      for (const other of staying) {
        const push = away(one, other, apart, index);
        if (push === undefined) continue;
        crowded = true;
        one.x += push.x;
        one.y += push.y;
      }
    }
    if (!crowded) break;
  }
  return moved;
}

/** How far `one` would have to go from `other`; nothing where they are apart. Two at the same place part by their index. */
function away(one: Spot, other: Spot, apart: number, index: number): Spot | undefined {
  const [x, y] = [one.x - other.x, one.y - other.y];
  const distance = Math.hypot(x, y);
  if (distance > apart - NEAR_ENOUGH) return undefined;
  if (distance > 1e-6) return { x: (x / distance) * (apart - distance), y: (y / distance) * (apart - distance) };
  return { x: Math.cos(index * GOLDEN_rad) * apart, y: Math.sin(index * GOLDEN_rad) * apart };
}
