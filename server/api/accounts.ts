import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "./schema.ts";
import type { ApiKey as KeptKey } from "../access.ts";
import type { ApiContext } from "./context.ts";
import { callerIn } from "./entrance.ts";
import { numberOf } from "./pages.ts";
import { Account, AccountChange, ApiKey, IssuedApiKey, NewAccount, NewApiKey } from "./resources.ts";

/** /accounts and /api-keys: who may come in, for administrators. */
export const accounts =
  (context: ApiContext): FastifyPluginAsyncTypebox =>
  async (app) => {
    const config = { role: "administrator", early: true } as const;
    const named = Type.Object({ name: Type.String({ maxLength: 64 }) });

    app.get(
      "/accounts",
      { config, schema: { tags: ["people"], summary: "Local accounts", response: { 200: Type.Array(Account) } } },
      async () => context.access().accounts(),
    );

    app.post(
      "/accounts",
      { config, schema: { tags: ["people"], summary: "Add an account", body: NewAccount, response: { 201: Account } } },
      async ({ body }, reply) =>
        reply.code(201).send(await context.access().addAccount(body.name, body.role, body.password)),
    );

    app.patch(
      "/accounts/:name",
      {
        config,
        schema: {
          tags: ["people"],
          summary: "Change role or password; ends the account's sessions",
          params: named,
          body: AccountChange,
          response: { 200: Account },
        },
      },
      async ({ params, body }) => context.access().changeAccount(params.name, body),
    );

    app.delete(
      "/accounts/:name",
      {
        config,
        schema: { tags: ["people"], summary: "Remove an account", params: named, response: { 204: Type.Null() } },
      },
      async ({ params }, reply) => {
        context.access().removeAccount(params.name);
        return reply.code(204).send(null);
      },
    );

    app.get(
      "/api-keys",
      {
        config,
        schema: { tags: ["people"], summary: "API keys, without the keys", response: { 200: Type.Array(ApiKey) } },
      },
      async () => context.access().apiKeys().map(keyOf),
    );

    app.post(
      "/api-keys",
      {
        config,
        schema: {
          tags: ["people"],
          summary: "Issue an API key; it is said once",
          body: NewApiKey,
          response: { 201: IssuedApiKey },
        },
      },
      async (request, reply) => {
        const { label, role } = request.body;
        const { key, ...issued } = context.access().addApiKey(label, role, callerIn(request).account);
        return reply.code(201).send({ ...keyOf(issued), key });
      },
    );

    app.delete(
      "/api-keys/:id",
      {
        config,
        schema: {
          tags: ["people"],
          summary: "Withdraw an API key",
          params: Type.Object({ id: Type.String({ maxLength: 16 }) }),
          response: { 204: Type.Null() },
        },
      },
      async ({ params }, reply) => {
        context.access().removeApiKey(numberOf(params.id, "API key"));
        return reply.code(204).send(null);
      },
    );
  };

const keyOf = ({ id, label, role, created, createdBy }: KeptKey): ApiKey => ({
  id: String(id),
  label,
  role,
  created,
  createdBy,
});
