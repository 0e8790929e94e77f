import type { Detector, Junction } from "#protocol/territory.ts";
import type { XY } from "./geometry.ts";
import { angleBetween, bearing } from "./geometry.ts";

/**
 * What a counting camera at a junction sees beside vehicles: bicycles that come by its approach, and those on foot who
 * cross at the zebras of its approach.
 */
export class Camera {
  bicycles = 0;
  readonly approach: string;
  /** Signal groups, by index, whose walkers it sees. */
  private readonly zebras: readonly number[];
  /** Counted before the simulation was restarted. */
  private pedestriansBefore = 0;

  constructor({ approach, group }: Detector, junction: Junction) {
    this.approach = approach;
    this.zebras = junction.groups.flatMap(({ id, kind, approach: own }, i) =>
      kind === "pedestrian" && (own === approach || id === group) ? [i] : [],
    );
  }

  /** All who crossed before its eyes; `crossed` says how many did at a group. */
  pedestrians(crossed: (group: number) => number): number {
    return this.zebras.reduce((sum, group) => sum + crossed(group), this.pedestriansBefore);
  }

  restore(bicycles: number, pedestrians: number): void {
    this.bicycles = bicycles;
    this.pedestriansBefore = pedestrians;
  }
}

/** The approach of a junction by which one comes who was last at `from`: that whose arm points most nearly there. */
export function approachFrom(junction: Junction, at: XY, from: XY): string | undefined {
  const came_deg = bearing(at, from);
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const { id, bearing_deg } of junction.approaches) {
    const off = angleBetween(bearing_deg, came_deg);
    if (off < least) [best, least] = [id, off];
  }
  return best;
}
