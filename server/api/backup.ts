import { isAbsolute } from "node:path";
import { Readable } from "node:stream";
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Fault } from "#protocol/faults.ts";
import { type Instant, instant } from "#protocol/units.ts";
import { isProof } from "../backup.ts";
import { EXPORT_FORMATS, exportReadings } from "../store/export.ts";
import type { ApiContext } from "./context.ts";
import { Type } from "./schema.ts";

/** A line of the answer: how far it is, and at the end whether there was something to write or what went wrong. */
export type BackupLine =
  | { readonly share: number }
  | { readonly written: boolean }
  | { readonly rows: number }
  | { readonly code: string; readonly facts: Readonly<Record<string, string | number | boolean>> };

/**
 * /backup: writes the readings into a directory of this machine, or those of a span into a file, for whoever can show the
 * secret of the data directory: the command line beside the server.
 */
export const backup =
  (context: ApiContext): FastifyPluginAsyncTypebox =>
  async (app) => {
    let isRunning = false;
    app.post(
      "/backup",
      {
        config: { role: "anyone", rateLimit: { max: 20, timeWindow: 60_000 } },
        schema: {
          hide: true,
          body: Type.Object({
            to: Type.String({ maxLength: 4096 }),
            at: Type.Number(),
            proof: Type.String({ maxLength: 64 }),
            export: Type.Optional(
              Type.Object({
                format: Type.Enum([...EXPORT_FORMATS]),
                from: Type.Number(),
                to: Type.Number(),
                devices: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 100_000 })),
              }),
            ),
          }),
        },
      },
      async ({ body: { to, at, proof, export: asked } }, reply) => {
        const { secret } = context;
        const isShown =
          secret !== undefined &&
          isProof(secret, { to, at: at as Instant, proof }, context.wall.now()) &&
          isAbsolute(to);
        if (!isShown) throw new Fault("NOT_SIGNED_IN", {});
        const { store } = context.parts();
        if (isRunning)
          throw new Fault("CONFLICT", { thing: "backup", id: to, action: "begun", state: "one is under way" });
        isRunning = true;
        const lines = new Readable({ read() {} });
        const say = (line: BackupLine): void => void lines.push(`${JSON.stringify(line)}\n`);
        (async () => {
          if (asked !== undefined)
            say({
              rows: await exportReadings(store, { ...asked, from: instant(asked.from), to: instant(asked.to) }, to),
            });
          else {
            await store.backUp?.(to, (share) => say({ share }));
            say({ written: store.backUp !== undefined });
          }
        })()
          .catch((problem: unknown) => {
            const fault = problem instanceof Fault ? problem : new Fault("STORE_FAILED", { problem: String(problem) });
            say({ code: fault.code, facts: fault.facts });
          })
          .finally(() => {
            isRunning = false;
            lines.push(null);
          });
        return reply.type("application/x-ndjson").send(lines);
      },
    );
  };
