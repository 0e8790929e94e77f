import { seededChance } from "#protocol/chance.ts";
import { parseTerritory } from "#protocol/territory.ts";
import { instant } from "#protocol/units.ts";
import { misfortune } from "#rehearsal/misfortune.ts";
import { rehearse } from "#rehearsal/rehearse.ts";
import { generateTown } from "#simulators/generate.ts";
import type { Row } from "./row.ts";

/** Seeds that nobody tuned on are had by another range. */
const SEEDS = 20;
const HOURS = 12;
const FAULTS_PER_HOUR = 3;
const FROM = Date.UTC(2026, 10, 30, 14);

/** Evenings and nights of a small town, each another town, under faults drawn by chance: no promise may be broken. */
export async function run(seeds = SEEDS, firstSeed = 1): Promise<Row[]> {
  const total = { faults: 0, acknowledged: 0, lost: 0, duplicated: 0, violations: 0, recoveries: 0 };
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const name = `town ${seed}`;
    const territory = parseTerritory(generateTown({ seed, lamps: 30, containers: 6, junctions: 2 }), name);
    const chance = seededChance(`campaign ${seed}`);
    const faults = misfortune(territory, chance, HOURS, HOURS * FAULTS_PER_HOUR);
    const { result } = await rehearse({ territory, seed, from: instant(FROM), hours: HOURS, faults });
    const broken = Object.entries(result.violations).filter(([, count]) => count > 0);
    for (const [invariant, count] of broken) console.error(`  ${name}: ${invariant} × ${count}: ${result.examples[0]}`);
    total.faults += faults.length;
    total.acknowledged += result.acknowledged;
    total.lost += result.lost;
    total.duplicated += result.duplicated;
    total.violations += broken.reduce((sum, [, count]) => sum + count, 0);
    total.recoveries += result.recoveries;
  }
  const what = `${seeds} nights of ${HOURS} h, ${total.faults} faults`;
  return [
    { what: `${what}: acknowledged readings`, value: total.acknowledged, unit: "readings", better: "more" },
    {
      what: `${what}: times the town had two minutes to recover`,
      value: total.recoveries,
      unit: "times",
      better: "more",
    },
    { what: `${what}: acknowledged readings lost`, value: total.lost, unit: "readings", must: 0, better: "less" },
    { what: `${what}: readings stored twice`, value: total.duplicated, unit: "readings", must: 0, better: "less" },
    {
      what: `${what}: violations of any invariant`,
      value: total.violations,
      unit: "violations",
      must: 0,
      better: "less",
    },
  ];
}
