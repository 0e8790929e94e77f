import * as fc from "fast-check";
import type { Junction } from "#protocol/territory.ts";
import { parseTerritory } from "#protocol/territory.ts";
import { crossing } from "#simulators/crossing.ts";

export const fourArms = (): Junction => parseTerritory(crossing()).junctions[0] as Junction;

/** Any junction of two to four stages that leaves room to serve everyone in time, with conflicts between the stages at will. */
export const anyJunction: fc.Arbitrary<Junction> = fc
  .record({
    stages: fc.array(
      fc.array(
        fc.record({
          min: fc.integer({ min: 3, max: 9 }),
          clearance: fc.integer({ min: 2, max: 7 }),
          walks: fc.boolean(),
        }),
        {
          minLength: 1,
          maxLength: 3,
        },
      ),
      { minLength: 2, maxLength: 4 },
    ),
    conflicts: fc.array(fc.boolean(), { minLength: 66, maxLength: 66 }),
    extra: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 66, maxLength: 66 }),
    max: fc.integer({ min: 15, max: 60 }),
  })
  .map(({ stages, conflicts, extra, max }) => {
    const groups = stages.flatMap((members, s) =>
      members.map((member, m) => ({
        stage: s,
        group: {
          id: `g${s}${m}`,
          // Flashing is seen at vehicle groups, so there is one.
          kind: member.walks && s + m > 0 ? ("pedestrian" as const) : ("vehicle" as const),
          turns: ["through" as const],
          lanes: 1,
          saturation_veh_h: 1800,
          min_s: member.min,
          max_s: max,
          clearance_s: member.clearance,
        },
      })),
    );
    const pairs: string[][] = [];
    const intergreens: Junction["intergreens"][number][] = [];
    let drawn = 0;
    for (const [i, { stage: stageA, group: a }] of groups.entries()) {
      for (const { stage: stageB, group: b } of groups.slice(i + 1)) {
        const n = drawn++;
        if (stageA === stageB || conflicts[n] === false) continue;
        pairs.push([a.id, b.id]);
        // Some pairs are left without an intergreen of their own, as territories by hand are.
        if ((extra[n] as number) === 0) continue;
        intergreens.push({ from: a.id, to: b.id, s: a.clearance_s + (extra[n] as number) });
        intergreens.push({ from: b.id, to: a.id, s: b.clearance_s + (extra[n] as number) - 1 });
      }
    }
    return {
      ...fourArms(),
      groups: groups.map(({ group }) => group),
      conflicts: pairs,
      intergreens,
      stages: stages.map((members, s) => ({ id: `s${s}`, groups: members.map((_, m) => `g${s}${m}`) })),
      fixedPlan: { offset_s: 0, stages: stages.map((_, s) => ({ stage: `s${s}`, green_s: 12 })) },
    };
  });
