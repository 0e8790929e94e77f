import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { MAX_BODY_BYTES, tooLarge } from "./requests.ts";

/** The version of InfluxDB whose answers these are. */
export const VERSION = "1.8.10";
/** Names and values by turns. Nothing here is a page: a browser that is led to an answer shows it as text and loads nothing. */
const HEADERS = Object.entries({
  "x-influxdb-version": VERSION,
  "x-influxdb-build": "Vigie",
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none';frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
}).flat();

/** What is answered; without a body, that there is nothing to say (204). */
export interface Answer {
  readonly status: number;
  readonly type?: string;
  readonly body?: string | Uint8Array;
  /** More headers, names and values by turns. */
  readonly more?: readonly string[];
}

export interface Serving {
  readonly app: FastifyInstance;
  /** What is answered where `serve` raises. */
  readonly refuse: (problem: unknown, request: FastifyRequest, body: Buffer) => Answer;
}

/**
 * Answers `url` by what `serve` resolves to, on node's own request and response, before Fastify does any more than find the
 * route: a panel is asked for many times a second, and all that Fastify does around a handler takes as long as most questions.
 */
export function answerAt(
  { app, refuse }: Serving,
  method: ("GET" | "HEAD" | "POST")[],
  url: string,
  serve: (request: FastifyRequest, response: ServerResponse, body: Buffer) => Answer | Promise<Answer>,
): void {
  const exchange = async (request: FastifyRequest, response: ServerResponse): Promise<void> => {
    let body: Buffer = NOTHING;
    let answer: Answer;
    try {
      if (request.method === "POST") body = await bodyIn(request.raw);
      answer = await serve(request, response, body);
    } catch (problem) {
      answer = refuse(problem, request, body);
    }
    // Who sends more than is taken would go on sending.
    if (answer.status === 413) response.shouldKeepAlive = false;
    send(response, answer);
  };
  app.register(async (place) => {
    // The first hook of this address, so that none of the others is called.
    place.addHook("onRequest", (request, reply) => {
      reply.hijack();
      void exchange(request, reply.raw);
    });
    place.route({ method, url, schema: { hide: true }, handler: () => {} });
  });
}

function send(response: ServerResponse, { status, type, body, more }: Answer): void {
  if (body === undefined) {
    response.writeHead(status, HEADERS).end();
    return;
  }
  const length = typeof body === "string" ? Buffer.byteLength(body) : body.byteLength;
  const headers = [...HEADERS, "content-type", type as string, "content-length", String(length)];
  response.writeHead(status, more === undefined ? headers : [...headers, ...more]).end(body);
}

const NOTHING = Buffer.alloc(0);

/** Raises InfluxError 413 as soon as it is known that the body is too large. Never settles where the sender goes away. */
function bodyIn(request: IncomingMessage): Promise<Buffer> {
  if (Number(request.headers["content-length"]) > MAX_BODY_BYTES) throw tooLarge();
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let size = 0;
    request.on("data", (piece: Buffer) => {
      size += piece.length;
      if (size > MAX_BODY_BYTES) {
        request.pause();
        reject(tooLarge());
      } else pieces.push(piece);
    });
    request.once("end", () => resolve(pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces)));
  });
}
