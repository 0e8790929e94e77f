import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Language } from "#protocol/faults.ts";
import { Fault } from "#protocol/faults.ts";
import { languageOf, sentenceOf } from "./language.ts";
import type { Problem } from "./resources.ts";

/** The largest body that a request may have; nothing that a person writes here is longer. */
export const MAX_BODY_BYTES = 65_536;

/** Answers every fault and every mistake in a request as `application/problem+json` (RFC 9457), in the caller's language. */
export function answerProblems(app: FastifyInstance, log: (line: string) => void): void {
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const language = languageOf(request.headers["accept-language"]);
    const fault = faultOf(error, request);
    if (fault.code === "UNEXPECTED") log(`${request.method} ${request.url}: ${error.stack ?? error.message}`);
    const retry = fault.facts["retry_s"];
    if (retry !== undefined) reply.header("retry-after", String(retry));
    return sendProblem(reply, problemOf(fault, language, request.url, fieldsOf(error, language)));
  });
  app.setNotFoundHandler((request) => {
    throw new Fault("NOT_FOUND", { thing: "address", id: pathOf(request.url) });
  });
}

/** A fault as the body of an answer. */
export function problemOf(fault: Fault, language: Language, url: string, fields?: Problem["fields"]): Problem {
  return {
    type: `/api/v1/problems/${fault.code}`,
    title: fault.code,
    status: fault.status,
    detail: sentenceOf(fault, language),
    instance: pathOf(url),
    facts: { ...fault.facts },
    ...(fields !== undefined && { fields }),
  };
}

function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply
    .code(problem.status)
    .type("application/problem+json; charset=utf-8")
    .header("cache-control", "no-store")
    .header("vary", "accept-language")
    .send(problem);
}

const pathOf = (url: string): string => (url.split("?")[0] ?? "").slice(0, 200);

function faultOf(error: FastifyError, request: FastifyRequest): Fault {
  if (error instanceof Fault) return error;
  const wrong = violationsOf(error)[0];
  if (wrong !== undefined) {
    const { path, expected } = wrong;
    return new Fault("PAYLOAD_INVALID", { path: path || "(whole)", found: foundAt(request, error, wrong), expected });
  }
  switch (error.code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return new Fault("PAYLOAD_TOO_LARGE", {
        size: Number(request.headers["content-length"] ?? MAX_BODY_BYTES + 1),
        limit: MAX_BODY_BYTES,
      });
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
      return new Fault("MEDIA_UNKNOWN", {
        found: request.headers["content-type"] ?? "nothing",
        expected: "application/json",
      });
    case "FST_ERR_CTP_EMPTY_JSON_BODY":
    case "FST_ERR_CTP_INVALID_JSON_BODY":
      return new Fault("PAYLOAD_UNREADABLE", { problem: error.message });
  }
  if (error instanceof SyntaxError && error.statusCode === 400) {
    return new Fault("PAYLOAD_UNREADABLE", { problem: error.message });
  }
  if (error.statusCode !== undefined && error.statusCode < 500) {
    return new Fault("PAYLOAD_UNREADABLE", { problem: error.message });
  }
  return new Fault("UNEXPECTED", { place: `${request.method} ${pathOf(request.url)}` });
}

interface Violation {
  /** Like `scope.kind`; empty for the whole. */
  readonly path: string;
  readonly expected: string;
}

/** What TypeBox says about a request, as paths and expectations; the first is the one to mend first. */
function violationsOf(error: FastifyError): Violation[] {
  const violations: Violation[] = [];
  for (const { keyword, instancePath, params } of error.validation ?? []) {
    const path = instancePath.slice(1).replaceAll("/", ".");
    // Said again, with the name of the field, by "additionalProperties" and by the branches of "anyOf".
    if (keyword === "boolean" || keyword === "anyOf") continue;
    for (const violation of violationOf(keyword, path, params as Readonly<Record<string, unknown>>)) {
      if (!violations.some((known) => known.path === violation.path)) violations.push(violation);
    }
  }
  const first = error.validation?.[0];
  if (violations.length === 0 && first !== undefined) {
    violations.push({
      path: first.instancePath.slice(1).replaceAll("/", "."),
      expected: first.message ?? "another value",
    });
  }
  return violations;
}

function violationOf(keyword: string, path: string, params: Readonly<Record<string, unknown>>): Violation[] {
  const inside = (names: unknown): string[] =>
    (names as string[]).map((name) => (path === "" ? name : `${path}.${name}`));
  const limit = String(params["limit"]);
  switch (keyword) {
    case "required":
      return inside(params["requiredProperties"]).map((each) => ({ path: each, expected: "a value" }));
    case "additionalProperties":
      return inside(params["additionalProperties"]).map((each) => ({ path: each, expected: "no such field" }));
    case "enum":
      return [{ path, expected: `one of ${(params["allowedValues"] as unknown[]).join(", ")}` }];
    case "const":
      return [{ path, expected: String(params["allowedValue"]) }];
    case "type":
      return [{ path, expected: typeName(params["type"]) }];
    case "minimum":
      return [{ path, expected: `at least ${limit}` }];
    case "maximum":
      return [{ path, expected: `at most ${limit}` }];
    case "minLength":
      return [{ path, expected: `at least ${limit} characters` }];
    case "maxLength":
      return [{ path, expected: `at most ${limit} characters` }];
    case "minItems":
      return [{ path, expected: `at least ${limit} entries` }];
    case "maxItems":
      return [{ path, expected: `at most ${limit} entries` }];
    case "minProperties":
      return [{ path, expected: "at least one field" }];
    case "pattern":
      return [{ path, expected: "a text of the form asked for" }];
    default:
      return [{ path, expected: keyword }];
  }
}

function typeName(type: unknown): string {
  const names: Readonly<Record<string, string>> = {
    object: "an object",
    array: "a list",
    string: "a text",
    number: "a number",
    integer: "a whole number",
    boolean: "true or false",
  };
  const first = Array.isArray(type) ? (type as string[])[0] : (type as string);
  return names[first ?? ""] ?? String(first);
}

/** What stood at the path, shortened; a password is never said back. */
function foundAt(request: FastifyRequest, error: FastifyError, { path }: Violation): string {
  if (/password|token/i.test(path)) return "…";
  const parts: Readonly<Record<string, unknown>> = {
    body: request.body,
    querystring: request.query,
    params: request.params,
    headers: request.headers,
  };
  let value = parts[error.validationContext ?? "body"];
  for (const name of path === "" ? [] : path.split(".")) {
    value = typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  }
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function fieldsOf(error: FastifyError, language: Language): Problem["fields"] | undefined {
  const violations = violationsOf(error);
  if (violations.length === 0) return undefined;
  return violations.slice(0, 20).map(({ path, expected }) => ({
    path: path || "(whole)",
    problem: sentenceOf(new Fault("FIELD_EXPECTED", { expected }), language),
  }));
}
