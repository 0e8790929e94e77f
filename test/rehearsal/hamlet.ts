import { parseTerritory, type Territory } from "#protocol/territory.ts";
import type { Instant } from "#protocol/units.ts";
import { rehearse, type RehearsalOptions, type Rehearsed } from "#rehearsal/rehearse.ts";
import { generateTown } from "#simulators/generate.ts";

/** A town of sixteen lamps, six containers and one signalled junction. */
export const HAMLET: Territory = parseTerritory(
  JSON.parse(JSON.stringify(generateTown({ seed: 7, lamps: 16, containers: 6, junctions: 1 }))),
  "hamlet.geojson",
);

/** A December evening, dark from about 16:30 UTC. */
export const EVENING = Date.UTC(2026, 11, 1, 16) as Instant;

export function evening(options: Partial<RehearsalOptions> = {}): Promise<Rehearsed> {
  return rehearse({ territory: HAMLET, seed: 1, from: EVENING, hours: 3, ...options });
}
