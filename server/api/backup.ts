import { isAbsolute } from "node:path";
import { Readable } from "node:stream";
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Fault } from "#protocol/faults.ts";
import type { Instant } from "#protocol/units.ts";
import { isProof } from "../backup.ts";
import type { ApiContext } from "./context.ts";
import { Type } from "./schema.ts";

/** A line of the answer: how far it is, and at the end whether there was something to write or what went wrong. */
export type BackupLine =
  | { readonly share: number }
  | { readonly written: boolean }
  | { readonly code: string; readonly facts: Readonly<Record<string, string | number | boolean>> };

/** /backup: writes the readings into a directory of this machine, for whoever can show the secret of the data directory. */
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
          }),
        },
      },
      async ({ body: { to, at, proof } }, reply) => {
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
          await store.backUp?.(to, (share) => say({ share }));
          say({ written: store.backUp !== undefined });
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
