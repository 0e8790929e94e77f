import type { FastifyInstance, FastifyRequest } from "fastify";
import { Fault } from "#protocol/faults.ts";
import type { Person } from "../access.ts";
import type { ApiContext } from "./context.ts";
import { notReady } from "./context.ts";
import { ROLES, type Role } from "./resources.ts";

/** Who asks, and how it was shown: the cookie of a session or an API key. */
export interface Caller extends Person {
  readonly by: "session" | "api-key";
  readonly expires: number | null;
  /** The session's token, to end it. */
  readonly token: string | undefined;
}

declare module "fastify" {
  interface FastifyContextConfig {
    /** The least role that may call; "anyone" needs none. Reading needs a viewer unless it says otherwise. */
    readonly role?: Role | "anyone";
    /** Answers while history is laid down, too. */
    readonly early?: boolean;
  }
  interface FastifyRequest {
    caller: Caller | null;
  }
}

export const SESSION_COOKIE = "vigie_session";

/**
 * The one check that every request to the API passes: is the server ready for it, does a change come from our own page,
 * who asks, and may they. A route that changes something and names no role is our mistake and stops the start.
 */
export function guardEntrance(app: FastifyInstance, context: ApiContext): void {
  app.decorateRequest("caller", null);
  app.addHook("onRoute", ({ method, url, config }) => {
    const reads = [method].flat().every((each) => each === "GET" || each === "HEAD");
    if (!reads && config?.role === undefined) throw new Error(`${String(method)} ${url} names no role`);
  });
  app.addHook("onRequest", async (request) => {
    const { role = "viewer", early = false } = request.routeOptions.config;
    if (request.is404) return;
    const { holder } = context;
    if (request.method !== "GET" && request.method !== "HEAD") refuseOtherOrigin(request);
    if (holder.access === undefined) {
      if (early || role === "anyone") return;
      throw notReady(holder);
    }
    const caller = callerOf(request, context);
    request.caller = caller ?? null;
    if (role !== "anyone") {
      if (caller === undefined) throw new Fault("NOT_SIGNED_IN", {});
      if (ROLES.indexOf(caller.role) < ROLES.indexOf(role)) {
        throw new Fault("ROLE_TOO_LOW", { needed: role, role: caller.role });
      }
    }
    if (!early && role !== "anyone" && holder.parts === undefined) throw notReady(holder);
  });
}

/** Who signed in on this request. Raises Fault NOT_SIGNED_IN. */
export function callerIn(request: FastifyRequest): Caller {
  if (request.caller === null) throw new Fault("NOT_SIGNED_IN", {});
  return request.caller;
}

/** Who asks, by API key or cookie; undefined: nobody that is known. */
export function callerOf(request: FastifyRequest, context: ApiContext): Caller | undefined {
  const { access } = context.holder;
  if (access === undefined) return undefined;
  const [scheme, key] = (request.headers.authorization ?? "").split(" ");
  if (scheme?.toLowerCase() === "bearer" && key !== undefined) {
    const person = access.bearer(key);
    return person && { ...person, by: "api-key", expires: null, token: undefined };
  }
  const token = cookieOf(request.headers.cookie, SESSION_COOKIE);
  const session = token === undefined ? undefined : access.session(token);
  return session && { account: session.account, role: session.role, by: "session", expires: session.expires, token };
}

/** A cookie's value (RFC 6265, section 4.2); undefined when it is not there. */
export function cookieOf(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined;
  for (const pair of header.split(";")) {
    const [key, value] = pair.trim().split("=", 2);
    if (key === name && value !== undefined) return value;
  }
  return undefined;
}

/**
 * A browser sends the cookie along whoever wrote the page, so a change must come from a page of ours: browsers say so in
 * Sec-Fetch-Site, older ones in Origin. What sends neither is no browser, and nobody can make it send our cookie.
 */
function refuseOtherOrigin(request: FastifyRequest): void {
  const site = request.headers["sec-fetch-site"];
  if (site === "same-origin") return;
  const { origin, host } = request.headers;
  if (site === undefined && (origin === undefined || originHost(origin) === host)) return;
  throw new Fault("OTHER_ORIGIN", { found: (origin ?? String(site)).slice(0, 200) });
}

function originHost(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
