import { createReadStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Fault } from "#protocol/faults.ts";
import { DAY, instant } from "#protocol/units.ts";
import { EXPORT_FORMATS, exportReadings } from "../store/export.ts";
import type { ApiContext } from "./context.ts";
import { Type } from "./schema.ts";

/** One at a time, and a span of so many days: whoever wants more takes it from the command line. */
const MOST_DAYS = 92;
const MOST_DEVICES = 1000;

const MEDIA = { csv: "text/csv; charset=utf-8", parquet: "application/vnd.apache.parquet" } as const;

/** /export: the readings of a span as a table to take away. */
export const exports =
  (context: ApiContext): FastifyPluginAsyncTypebox =>
  async (app) => {
    let isRunning = false;
    app.get(
      "/export",
      {
        schema: {
          tags: ["devices"],
          summary: "Readings of a span as CSV or Parquet: device, measure, at (UTC), value",
          querystring: Type.Object({
            format: Type.Optional(Type.Enum([...EXPORT_FORMATS])),
            from: Type.Number({ description: "ms since 1970" }),
            to: Type.Number({ description: "ms since 1970, not included" }),
            device: Type.Optional(
              Type.Union([
                Type.String({ maxLength: 64 }),
                Type.Array(Type.String({ maxLength: 64 }), { maxItems: MOST_DEVICES }),
              ]),
            ),
          }),
        },
      },
      async ({ query: { format = "csv", from, to, device } }, reply) => {
        if (!(from < to && to - from <= MOST_DAYS * DAY)) {
          throw new Fault("FIELD_EXPECTED", { expected: `from before to, at most ${MOST_DAYS} days apart` });
        }
        if (isRunning) throw new Fault("TOO_MANY", { thing: "exports", limit: 1, retry_s: 10 });
        isRunning = true;
        const directory = mkdtempSync(join(tmpdir(), "vigie-export-"));
        const done = (): void => {
          isRunning = false;
          rmSync(directory, { recursive: true, force: true });
        };
        try {
          const file = join(directory, `readings.${format}`);
          const devices = device === undefined ? undefined : [device].flat();
          await exportReadings(
            context.parts().store,
            { format, from: instant(from), to: instant(to), ...(devices && { devices }) },
            file,
          );
          reply.raw.once("close", done);
          return await reply
            .type(MEDIA[format])
            .header("content-disposition", `attachment; filename="readings.${format}"`)
            .send(createReadStream(file));
        } catch (problem) {
          done();
          throw problem;
        }
      },
    );
  };
