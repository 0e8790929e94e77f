import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "./schema.ts";
import type { Instant } from "#protocol/units.ts";
import type { ApiContext } from "./context.ts";
import { callerIn } from "./entrance.ts";
import { numberOf, pageBelow } from "./pages.ts";
import { Group, Id, NewOverride, Override, Paging, pageOf } from "./resources.ts";
import { overrideOf } from "./twin.ts";

/** /overrides: the hand on a device, a group, a street or a zone; /groups: what a hand can hold together. */
export const overrides =
  (context: ApiContext): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      "/groups",
      { schema: { tags: ["overrides"], summary: "Devices under one name", response: { 200: Type.Array(Group) } } },
      async () =>
        context
          .parts()
          .groups.list()
          .map(({ id, name, devices }) => ({ id, name, devices: [...devices] })),
    );

    app.get(
      "/overrides",
      {
        schema: {
          tags: ["overrides"],
          summary: "Overrides, newest first",
          querystring: Type.Object({ state: Type.Optional(Type.Enum(["active", "over"])), ...Paging }),
          response: { 200: pageOf(Override) },
        },
      },
      async ({ query }) => {
        const filter = query.state === undefined ? {} : { active: query.state === "active" };
        return pageBelow(query, (limit, before) => context.parts().overrides.list(filter, limit, before), overrideOf);
      },
    );

    app.post(
      "/overrides",
      {
        config: { role: "operator" },
        schema: {
          tags: ["overrides"],
          summary: "Take over: it wins over everything but the guard, until it ends",
          body: NewOverride,
          response: { 201: Override },
        },
      },
      async (request, reply) => {
        const { scope, order, reason, until } = request.body;
        const author = callerIn(request).account;
        const made = context.parts().overrides.create({ author, scope, order, reason, until: until as Instant });
        return reply.code(201).send(overrideOf(made));
      },
    );

    app.delete(
      "/overrides/:id",
      {
        config: { role: "operator" },
        schema: {
          tags: ["overrides"],
          summary: "Give back before its time",
          params: Type.Object({ id: Id }),
          response: { 200: Override },
        },
      },
      (request) => {
        const id = numberOf(request.params.id, "override");
        return overrideOf(context.parts().overrides.release(id, callerIn(request).account));
      },
    );
  };
