import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "./schema.ts";
import { KINDS } from "#protocol/kinds.ts";
import type { Instant } from "#protocol/units.ts";
import { seconds } from "#protocol/units.ts";
import type { Registry } from "../registry.ts";
import type { ApiContext } from "./context.ts";
import { At, LampLevels } from "./resources.ts";

/** A lamp that has not reported for twice its time is not shown as lit in the past. */
const LOOK_BACK_S = seconds(2 * KINDS.lamp.measures.level.report.every_s);

/** /lamps/levels: every lamp's level and rule in columns, now or at any time that is stored. */
export const lamps =
  (context: ApiContext): FastifyPluginAsyncTypebox =>
  async (app) => {
    const ids = context.territory.luminaires.map(({ id }) => id);
    app.get(
      "/lamps/levels",
      {
        schema: {
          tags: ["lighting"],
          summary: "Level and rule of every lamp, for the map",
          querystring: Type.Object({ at: Type.Optional(At) }),
          response: { 200: LampLevels },
        },
      },
      async ({ query }) => {
        const { registry, store } = context.parts();
        const now = context.clock.now();
        if (query.at === undefined || query.at >= now) return levelsOf(registry, ids, now);
        const at = query.at as Instant;
        const from = (at - LOOK_BACK_S * 1000) as Instant;
        const past = async (measure: string): Promise<(number | null)[]> => {
          const rows = await store.aggregate({
            devices: ids,
            measure,
            from,
            to: (at + 1) as Instant,
            every: seconds(LOOK_BACK_S + 1),
            by: "device",
          });
          const last = new Map(rows.map((row) => [row.device, row.last]));
          return ids.map((id) => last.get(id) ?? null);
        };
        return { at, ids, levels: await past("level"), rules: await past("rule") };
      },
    );
  };

/** The newest levels and rules of these lamps. */
export function levelsOf(registry: Registry, ids: readonly string[], at: Instant): LampLevels {
  return {
    at,
    ids: [...ids],
    levels: ids.map((id) => registry.value(id, "level") ?? null),
    rules: ids.map((id) => registry.value(id, "rule") ?? null),
  };
}
