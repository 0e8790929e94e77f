import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "./schema.ts";
import type { ApiContext } from "./context.ts";
import { languageOf } from "./language.ts";

/** /events: server-sent events; a browser that comes back within a few minutes misses nothing. */
export const events =
  (context: ApiContext): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      "/events",
      {
        config: { early: true },
        schema: {
          tags: ["town"],
          summary: "Changes as they happen (text/event-stream); Last-Event-ID resumes",
          description:
            "Events: `lamps`, `junction`, `alarm`, `override`, `decision`, `health`, `progress`, `reset`. " +
            "Each `data` is the JSON of the resource of that name; `reset` means: read everything again.",
          querystring: Type.Object({
            lang: Type.Optional(Type.Enum(["en", "fr"])),
            since: Type.Optional(
              Type.String({ maxLength: 40, description: "an event id, where headers cannot be set" }),
            ),
          }),
          produces: ["text/event-stream"],
        },
      },
      (request, reply) => {
        const { stream, holder } = context;
        stream.admit();
        const header = request.headers["last-event-id"];
        const lastEventId = (Array.isArray(header) ? header[0] : header) ?? request.query.since;
        const language = request.query.lang ?? languageOf(request.headers["accept-language"]);
        const token = request.caller?.token;
        reply.hijack();
        reply.raw.writeHead(200, {
          "content-type": "text/event-stream; charset=utf-8",
          "cache-control": "no-store",
          "x-accel-buffering": "no",
        });
        reply.raw.flushHeaders();
        const dead = (): boolean => token !== undefined && holder.access?.session(token) === undefined;
        stream.listen(reply.raw, { language: language === "fr" ? "fr" : "en", lastEventId, dead });
      },
    );
  };
