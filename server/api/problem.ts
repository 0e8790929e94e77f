import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Language } from "#protocol/faults.ts";
import { Fault } from "#protocol/faults.ts";
import { languageOf, sentenceOf } from "./language.ts";
import type { Problem } from "./resources.ts";
import { violationsOf, type Violation } from "./violations.ts";

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
  const wrong = violationsOf(error.validation ?? [])[0];
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
  const violations = violationsOf(error.validation ?? []);
  if (violations.length === 0) return undefined;
  return violations.slice(0, 20).map(({ path, expected }) => ({
    path: path || "(whole)",
    problem: sentenceOf(new Fault("FIELD_EXPECTED", { expected }), language),
  }));
}
