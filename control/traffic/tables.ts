import type { Junction } from "#protocol/territory.ts";

/**
 * A junction's signal groups, conflicts, intergreens and stages as numbers, worked out once, so that a second of control
 * costs no look-up by name. Masks have one bit per group, times are milliseconds.
 */
export interface JunctionTables {
  readonly groups: readonly string[];
  readonly size: number;
  /** All groups, and those of vehicles and pedestrians. */
  readonly all: number;
  readonly vehicles: number;
  readonly pedestrians: number;
  readonly min_ms: Float64Array;
  readonly max_ms: Float64Array;
  readonly clearance_ms: Float64Array;
  /** Per group, the groups never green together with it. */
  readonly conflicts: Uint32Array;
  /** Row `from`, column `to`: from the end of green of one to the start of green of the other; 0 where they never meet. */
  readonly intergreen_ms: Float64Array;
  readonly stages: readonly StageTable[];
}

export interface StageTable {
  readonly id: string;
  readonly mask: number;
  /** The longest minimum green of its groups, and of its vehicle groups alone (of all, when it has no vehicles). */
  readonly min_ms: number;
  readonly vehicleMin_ms: number;
  /** The longest intergreen from any group into one of its groups. */
  readonly entry_ms: number;
}

/** What a table needs to know of a junction; a territory's `Junction` is one. */
export type JunctionPlan = Pick<Junction, "groups" | "conflicts" | "intergreens" | "stages" | "fixedPlan">;

/** Added to the clearance of two groups that conflict but have no intergreen of their own: RiLSA's shortest all-red. */
const ALL_RED_MS = 2000;

/** Works out the tables. Conflicts hold both ways; a conflicting pair without an intergreen gets clearance plus 2 s. */
export function junctionTables(junction: JunctionPlan): JunctionTables {
  const { groups } = junction;
  const size = groups.length;
  const bit = new Map(groups.map((group, index) => [group.id, index]));
  const index = (name: string): number => bit.get(name) as number;
  const clearance_ms = Float64Array.from(groups, (group) => group.clearance_s * 1000);
  const conflicts = new Uint32Array(size);
  const intergreen_ms = new Float64Array(size * size);
  for (const [a, b] of junction.conflicts) {
    const i = index(a as string);
    const j = index(b as string);
    if (i === j) continue;
    conflicts[i] = (conflicts[i] as number) | (1 << j);
    conflicts[j] = (conflicts[j] as number) | (1 << i);
    intergreen_ms[i * size + j] = (clearance_ms[i] as number) + ALL_RED_MS;
    intergreen_ms[j * size + i] = (clearance_ms[j] as number) + ALL_RED_MS;
  }
  for (const { from, to, s } of junction.intergreens) {
    const i = index(from);
    // Amber and pedestrians' clearance belong to the intergreen: a shorter entry is a mistake that nobody may stand under.
    intergreen_ms[i * size + index(to)] = Math.max(s * 1000, clearance_ms[i] as number);
  }
  const min_ms = Float64Array.from(groups, (group) => group.min_s * 1000);
  const maskOf = (wanted: (group: JunctionPlan["groups"][number]) => boolean): number =>
    groups.reduce((mask, group, i) => (wanted(group) ? mask | (1 << i) : mask), 0) >>> 0;
  const vehicles = maskOf((group) => group.kind === "vehicle");
  const stages = junction.stages.map((stage) => {
    const mask = maskOf((group) => stage.groups.includes(group.id));
    let entry_ms = 0;
    for (let to = 0; to < size; to++) {
      if (((mask >>> to) & 1) === 0) continue;
      for (let from = 0; from < size; from++) entry_ms = Math.max(entry_ms, intergreen_ms[from * size + to] as number);
    }
    const carriers = (mask & vehicles) === 0 ? mask : mask & vehicles;
    return { id: stage.id, mask, min_ms: most(min_ms, mask), vehicleMin_ms: most(min_ms, carriers), entry_ms };
  });
  return {
    groups: groups.map((group) => group.id),
    size,
    all: maskOf(() => true),
    vehicles,
    pedestrians: maskOf((group) => group.kind === "pedestrian"),
    min_ms,
    max_ms: Float64Array.from(groups, (group) => group.max_s * 1000),
    clearance_ms,
    conflicts,
    intergreen_ms,
    stages,
  };
}

/** The greatest value among the groups of a mask. */
export function most(values: Float64Array, mask: number): number {
  let greatest = 0;
  for (let i = 0; i < values.length; i++) {
    if ((mask >>> i) & 1) greatest = Math.max(greatest, values[i] as number);
  }
  return greatest;
}

/** The longest intergreen from the groups of `leaving` that are not in `entering` to those of `entering` that are new. */
export function transition_ms(tables: JunctionTables, leaving: number, entering: number): number {
  const out = leaving & ~entering;
  const into = entering & ~leaving;
  let longest = 0;
  for (let from = 0; from < tables.size; from++) {
    if (((out >>> from) & 1) === 0) continue;
    for (let to = 0; to < tables.size; to++) {
      if ((into >>> to) & 1) longest = Math.max(longest, tables.intergreen_ms[from * tables.size + to] as number);
    }
  }
  return longest;
}
