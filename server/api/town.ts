import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "./schema.ts";
import { FAULTS, Fault, type FaultCode } from "#protocol/faults.ts";
import type { ApiContext } from "./context.ts";
import { figuresNow } from "./now.ts";
import { Now, Town } from "./resources.ts";

/** /town: the territory as it was given; /now: four sentences' worth of figures; /problems: what can go wrong. */
export const town =
  (context: ApiContext): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { territory, geojson } = context;
    const { id, name, timeZone, position, attribution } = territory;
    const shown: Town = {
      id,
      name,
      timeZone,
      position,
      attribution: attribution ?? null,
      geojson,
    };

    app.get(
      "/town",
      {
        config: { early: true },
        schema: { tags: ["town"], summary: "The territory as it was given", response: { 200: Town } },
      },
      async () => shown,
    );

    app.get(
      "/now",
      {
        config: { early: true },
        schema: { tags: ["town"], summary: "The town in four sentences' figures", response: { 200: Now } },
      },
      async () => figuresNow(context),
    );

    app.get(
      "/problems/:code",
      {
        config: { role: "anyone" },
        schema: {
          tags: ["town"],
          summary: "What a kind of problem means, in both languages",
          params: Type.Object({ code: Type.String({ maxLength: 64 }) }),
          response: {
            200: Type.Object({ code: Type.String(), status: Type.Integer(), en: Type.String(), fr: Type.String() }),
          },
        },
      },
      async ({ params: { code } }) => {
        if (!Object.hasOwn(FAULTS, code)) throw new Fault("NOT_FOUND", { thing: "problem", id: code });
        return { code, ...FAULTS[code as FaultCode] };
      },
    );
  };
