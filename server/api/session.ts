import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "./schema.ts";
import type { FastifyReply, FastifyRequest } from "fastify";
import { Fault } from "#protocol/faults.ts";
import type { Session as KeptSession } from "../access.ts";
import type { ApiContext } from "./context.ts";
import { callerIn, SESSION_COOKIE } from "./entrance.ts";
import { Session, SignIn } from "./resources.ts";

/** Sign-ins that one address may try in a minute, right or wrong. */
const SIGN_INS_A_MINUTE = 20;

/** /session: signing in by name and password or by a one-time link, who one is, and signing out. */
export const session =
  (context: ApiContext): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      "/session",
      {
        config: { early: true },
        schema: { tags: ["people"], summary: "Who is signed in", response: { 200: Session } },
      },
      (request) => {
        if (context.holder.access === undefined) throw new Fault("NOT_SIGNED_IN", {});
        const { account, role, by, expires } = callerIn(request);
        return { account, role, by, expires };
      },
    );

    app.post(
      "/session",
      {
        config: { role: "anyone", rateLimit: { max: SIGN_INS_A_MINUTE, timeWindow: 60_000 } },
        schema: {
          tags: ["people"],
          summary: "Sign in with name and password, or with the token of a one-time link",
          body: SignIn,
          response: { 201: Session },
        },
      },
      async (request, reply) => {
        const { token, session } = await signIn(context, request.body, request.ip);
        setCookie(request, reply, token, session.expires - context.wall.now());
        return reply.code(201).send(shown(session));
      },
    );

    app.delete(
      "/session",
      {
        config: { role: "viewer", early: true },
        schema: { tags: ["people"], summary: "Sign out", response: { 204: Type.Null() } },
      },
      async (request, reply) => {
        const { token } = callerIn(request);
        if (token !== undefined) context.access().signOut(token);
        setCookie(request, reply, "", 0);
        return reply.code(204).send(null);
      },
    );
  };

async function signIn(
  context: ApiContext,
  given: SignIn,
  from: string,
): Promise<{ token: string; session: KeptSession }> {
  const access = context.access();
  try {
    return "token" in given ? access.redeem(given.token, from) : await access.signIn(given.name, given.password, from);
  } catch (fault) {
    // Here nobody has to be told to sign in, but that it did not work.
    if (fault instanceof Fault && fault.code === "NOT_SIGNED_IN") throw new Fault("SIGN_IN_REFUSED", {});
    throw fault;
  }
}

const shown = ({ account, role, expires }: KeptSession): Session => ({ account, role, by: "session", expires });

/** Out of reach of scripts, and never sent along from another site. */
function setCookie(request: FastifyRequest, reply: FastifyReply, token: string, life_ms: number): void {
  const parts = [
    `${SESSION_COOKIE}=${token}`,
    "Path=/",
    "HttpOnly",
    "SameSite=Strict",
    `Max-Age=${Math.max(0, Math.floor(life_ms / 1000))}`,
  ];
  if (request.protocol === "https") parts.push("Secure");
  reply.header("set-cookie", parts.join("; "));
}
