import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "./schema.ts";
import type { Policy as KeptPolicy } from "../policies.ts";
import { PARAMETERS, POLICY_NAMES } from "../policies.ts";
import type { ApiContext } from "./context.ts";
import { callerIn } from "./entrance.ts";
import { Policy, PolicyChange } from "./resources.ts";

/** /policies: whether each policy only watches, acts on a pilot group, or acts everywhere. */
export const policies =
  (context: ApiContext): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      "/policies",
      { schema: { tags: ["policies"], summary: "Policies and their modes", response: { 200: Type.Array(Policy) } } },
      async () => context.parts().policies.list().map(policyOf),
    );

    app.put(
      "/policies/:name",
      {
        config: { role: "administrator" },
        schema: {
          tags: ["policies"],
          summary: "Change mode, pilot group or parameters; journalled with its author",
          params: Type.Object({ name: Type.Enum([...POLICY_NAMES]) }),
          body: PolicyChange,
          response: { 200: Policy },
        },
      },
      (request) => {
        const author = callerIn(request).account;
        return policyOf(context.parts().policies.change(request.params.name, request.body, author));
      },
    );
  };

function policyOf({ name, mode, pilot, parameters, changedAt, changedBy }: KeptPolicy): Policy {
  const bounds = Object.entries(PARAMETERS[name]).map(([key, [usual, min, max]]) => [key, { usual, min, max }]);
  return {
    name,
    mode,
    pilot: { acting: [...pilot.acting], control: [...pilot.control] },
    parameters: { ...parameters },
    bounds: Object.fromEntries(bounds) as Policy["bounds"],
    changedAt,
    changedBy,
  };
}
