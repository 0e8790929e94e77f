import type { FastifyRequest } from "fastify";
import type { Access, Person, Role } from "../../access.ts";
import { ROLES } from "../../access.ts";
import { InfluxError } from "../../store/influxql/engine.ts";
import { SESSION_COOKIE, cookieOf } from "../entrance.ts";
import type { Parameters } from "./requests.ts";

/**
 * Who asks, in each way that InfluxDB's clients have: `u` and `p` in the address, `Authorization: Basic`, `Token` or
 * `Bearer`. A token is an API key of ours; a password is an API key or the password of the account that is named. In a
 * browser the console's session counts, too. Raises InfluxError 401.
 */
export async function callerOf(request: FastifyRequest, parameters: Parameters, access: Access): Promise<Person> {
  const cookie = cookieOf(request.headers.cookie, SESSION_COOKIE);
  const session = cookie === undefined ? undefined : access.session(cookie);
  if (session !== undefined && request.method === "GET") return session;
  const shown = credentialsIn(request, parameters);
  if (shown === undefined) throw new InfluxError(401, "unable to parse authentication credentials");
  const byKey = access.bearer(shown.secret);
  if (byKey !== undefined) return byKey;
  const person = shown.name === undefined ? undefined : await access.verify(shown.name, shown.secret, request.ip);
  if (person === undefined) throw new InfluxError(401, "authorization failed");
  return person;
}

/** Raises InfluxError 403 where the role is too low. */
export function requireRole(person: Person, role: Role, doing: string): void {
  if (ROLES.indexOf(person.role) >= ROLES.indexOf(role)) return;
  throw new InfluxError(
    403,
    `"${person.account}" is a ${person.role} and is not authorized to ${doing}: needs the role ${role}`,
  );
}

interface Shown {
  readonly name?: string;
  readonly secret: string;
}

function credentialsIn(request: FastifyRequest, parameters: Parameters): Shown | undefined {
  const [name, password] = [parameters.get("u") ?? "", parameters.get("p") ?? ""];
  if (name !== "" && password !== "") return { name, secret: password };
  const { authorization } = request.headers;
  if (authorization === undefined) return undefined;
  if (authorization !== read.header) read = { header: authorization, shown: shownIn(authorization) };
  return read.shown;
}

/** What was read last: who asks many times a second says the same each time. */
let read: { readonly header: string; readonly shown: Shown | undefined } = { header: "", shown: undefined };

function shownIn(authorization: string): Shown | undefined {
  const [scheme = "", value] = authorization.split(" ");
  if (value === undefined || value === "") return undefined;
  switch (scheme.toLowerCase()) {
    case "bearer":
      return { secret: value };
    case "token":
      return pair(value) ?? { secret: value };
    case "basic":
      return pair(Buffer.from(value, "base64").toString("utf8"));
    default:
      return undefined;
  }
}

function pair(text: string): Shown | undefined {
  const colon = text.indexOf(":");
  return colon < 0 ? undefined : { name: text.slice(0, colon), secret: text.slice(colon + 1) };
}
