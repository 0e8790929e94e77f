import { describe, expect, test } from "vitest";
import { parseTerritory } from "#protocol/territory.ts";
import { instant } from "#protocol/units.ts";
import { rehearse } from "#rehearsal/rehearse.ts";
import type { ScheduledFault } from "#simulators/faults.ts";
import { generateTown } from "#simulators/generate.ts";

/** Three in the afternoon in France, when most drive. */
const FROM = instant(Date.UTC(2026, 10, 30, 14));

/** How often someone waited over the cap in two hours of a town of three junctions. */
async function waitsOver(seed: number, faults: readonly ScheduledFault[]): Promise<readonly string[]> {
  const territory = parseTerritory(generateTown({ seed, lamps: 10, containers: 3, junctions: 3 }), "a small town");
  const { result } = await rehearse({ territory, seed, from: FROM, hours: 2, faults });
  expect(result.violations["waited-over-cap"]).toBe(result.examples.length);
  return result.examples;
}

describe("loops that get stuck while their cabinet hardly knows their traffic let nobody wait over the cap", () => {
  test.each([2, 4])("four minutes after it began (town %i)", async (seed) => {
    const faults: ScheduledFault[] = [
      { kind: "disk-loses-unsynced", at_s: 2400, for_s: 30 },
      { kind: "sensor-stuck", at_s: 2640, for_s: 4500 },
    ];
    expect(await waitsOver(seed, faults)).toEqual([]);
  });

  test.each([1, 2, 4])("a minute after they had been silent for 25 (town %i)", async (seed) => {
    const faults: ScheduledFault[] = [
      { kind: "disk-loses-unsynced", at_s: 1200, for_s: 30 },
      { kind: "sensor-silent", at_s: 1200, for_s: 1500 },
      { kind: "sensor-stuck", at_s: 2760, for_s: 3000 },
    ];
    expect(await waitsOver(seed, faults)).toEqual([]);
  });
});
