import { parseTerritory, type Territory } from "#protocol/territory.ts";
import type { Instant } from "#protocol/units.ts";
import { rehearse, type Invariant, type RehearsalOptions, type Rehearsed } from "#rehearsal/rehearse.ts";
import { generateTown } from "#simulators/generate.ts";

/** A town of sixteen lamps, six containers and one signalled junction. */
export const HAMLET: Territory = parseTerritory(
  generateTown({ seed: 7, lamps: 16, containers: 6, junctions: 1 }),
  "a hamlet",
);

/** A December evening, dark from about 16:30 UTC. */
export const EVENING = Date.UTC(2026, 11, 1, 16) as Instant;

export function evening(options: Partial<RehearsalOptions> = {}): Promise<Rehearsed> {
  return rehearse({ territory: HAMLET, seed: 1, from: EVENING, hours: 3, ...options });
}

/** The invariants that were broken, with the first few cases in words. */
export function broken({ result }: Rehearsed): { broken: Invariant[]; examples: readonly string[] } {
  const names = Object.entries(result.violations).flatMap(([name, count]) => (count > 0 ? [name as Invariant] : []));
  return { broken: names, examples: result.examples };
}

export const NOTHING_BROKEN = { broken: [], examples: [] };
