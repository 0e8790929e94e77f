import Fastify, { type RouteOptions } from "fastify";

/**
 * The OpenAPI document of these routes. What writes it is loaded here, when somebody asks for the document: a server that
 * nobody asks does without.
 */
export async function documentOf(routes: readonly RouteOptions[], version: string): Promise<object> {
  const { default: swagger } = await import("@fastify/swagger");
  // The same routes once more, with nothing behind them.
  const draft = Fastify({
    schemaController: { compilersFactory: { buildValidator: nothing, buildSerializer: nothing } },
  });
  await draft.register(swagger, { openapi: head(version) });
  await draft.register(async (again) => {
    for (const { method, url, schema } of routes) {
      again.route({ method, url, ...(schema && { schema }), exposeHeadRoute: false, handler: async () => undefined });
    }
  });
  await draft.ready();
  const document = draft.swagger();
  await draft.close();
  return document;
}

const nothing = () => (): never => (() => true) as never;

/** What the API says of itself before its routes. */
function head(version: string) {
  return {
    openapi: "3.1.0",
    info: {
      title: "Vigie",
      version,
      summary: "Street lighting, waste collection and traffic signals of a town",
      description:
        "Times are milliseconds since 1970-01-01T00:00:00Z, shares lie between 0 and 1, other quantities carry their unit " +
        "at the end of their name. Lists come in pages: `next` is the `cursor` of the page after. Every error is " +
        "`application/problem+json` (RFC 9457) in the language of Accept-Language, English or French.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    components: {
      securitySchemes: {
        session: { type: "apiKey" as const, in: "cookie" as const, name: "vigie_session" },
        key: { type: "http" as const, scheme: "bearer" },
      },
    },
    security: [{ session: [] }, { key: [] }],
  };
}
