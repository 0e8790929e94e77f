import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "#protocol/ports.ts";
import { seconds } from "#protocol/units.ts";
import { errorText } from "../../store/influxql/answers.ts";
import { type AnswerForm, InfluxError, type InfluxEngine, type QueryLimits } from "../../store/influxql/engine.ts";
import type { ApiContext } from "../context.ts";
import { callerOf, requireRole } from "./caller.ts";
import {
  FORM,
  MAX_BODY_BYTES,
  bodyOf,
  boundParameters,
  contentTypeOf,
  formOf,
  parametersOf,
  tooLarge,
} from "./requests.ts";
import { Turns } from "./turns.ts";

/** The version of InfluxDB whose answers these are. */
const VERSION = "1.8.10";
/** Nothing here is a page: a browser that is led to an answer shows it as text and loads nothing. */
const HEADERS = {
  "x-influxdb-version": VERSION,
  "x-influxdb-build": "Vigie",
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none';frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
} as const;
const QUERY_LIMITS: QueryLimits = {
  points: 5_000_000,
  series: 100_000,
  buckets: 1_000_000,
  time_ms: 30_000,
  memory_MB: 512,
};
const TURNS = { atOnce: 4, waiting: 256 };

/**
 * The HTTP face of InfluxDB 1.8: `/ping`, `/health`, `/query`, `/write` and `/api/v2/write`, so that what reads or feeds an
 * InfluxDB (Grafana, Telegraf, its clients) does so here without change. Errors are InfluxDB's, with its statuses.
 */
export async function influxFace(app: FastifyInstance, context: ApiContext): Promise<void> {
  // The town's clock and not the wall's: it is what the readings' times are of.
  const { clock, wall } = context;
  const turns = new Turns(TURNS);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer", bodyLimit: MAX_BODY_BYTES }, (_, body, done) => done(null, body));
  app.addHook("onRequest", async (request, reply) => {
    // As InfluxDB: nobody needs to say of what type a body of line protocol is, and Go's client says an empty one.
    const type = request.headers["content-type"];
    if (type !== undefined && !type.startsWith(FORM)) request.headers["content-type"] = "application/octet-stream";
    reply.headers(HEADERS);
  });
  app.setErrorHandler((error, request, reply) => refuse(error, request, reply));
  // What is said to browsers elsewhere is composed anew for each answer; a panel is asked for many times a second.
  const hidden = { schema: { hide: true }, helmet: false } as const;

  app.route({
    method: ["GET", "HEAD"],
    url: "/ping",
    ...hidden,
    handler: async (request, reply) => {
      const verbose = parametersOf(request).get("verbose");
      if (verbose !== null && verbose !== "0" && verbose !== "false") return { version: VERSION };
      return reply.code(204).send();
    },
  });

  app.get("/health", hidden, async (_, reply) => {
    const problem = problemIn(context);
    return reply.code(problem === undefined ? 200 : 503).send({
      checks: [],
      message: problem ?? "ready for queries and writes",
      name: "influxdb",
      status: problem === undefined ? "pass" : "fail",
      version: VERSION,
    });
  });

  app.route({
    method: ["GET", "POST"],
    url: "/query",
    ...hidden,
    handler: async (request, reply) => {
      const parameters = parametersOf(request);
      const form = formOf(request, parameters);
      requireRole(await callerOf(request, parameters, context.access()), "viewer", "read");
      const text = (parameters.get("q") ?? "").trim();
      if (text === "") throw new InfluxError(400, 'missing required parameter "q"');
      const bound = boundParameters(parameters.get("params"));
      const gone = new AbortController();
      request.raw.once("close", () => {
        if (!reply.raw.writableEnded) gone.abort();
      });
      // From here on, whether it waits for its turn or runs.
      const cancel = wall.after(seconds(QUERY_LIMITS.time_ms / 1000), () =>
        gone.abort(new InfluxError(500, `query timeout: it took more than ${QUERY_LIMITS.time_ms} ms`)),
      );
      const asked = turns.run(() =>
        engineOf(context).answer(
          text,
          {
            ...given("database", parameters.get("db")),
            ...given("retention", parameters.get("rp")),
            ...(bound !== undefined && { parameters: bound }),
            now_ns: nanoseconds(clock),
            limits: QUERY_LIMITS,
            signal: gone.signal,
          },
          form,
        ),
      );
      const body = await asked.finally(cancel);
      return reply.type(contentTypeOf(form)).send(body);
    },
  });

  for (const version of [1, 2] as const) {
    app.post(
      version === 1 ? "/write" : "/api/v2/write",
      { ...hidden, bodyLimit: MAX_BODY_BYTES },
      async (request, reply) => {
        const parameters = parametersOf(request);
        requireRole(await callerOf(request, parameters, context.access()), "operator", "write");
        const where = version === 1 ? target1(parameters) : target2(parameters);
        const body = await bodyOf(request);
        await engineOf(context).writeLines(body, { ...where, now_ns: nanoseconds(clock) });
        return reply.code(204).send();
      },
    );
  }
}

const PRECISIONS_1: Readonly<Record<string, bigint>> = {
  "": 1n,
  n: 1n,
  ns: 1n,
  u: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const PRECISIONS_2: Readonly<Record<string, bigint>> = {
  "": 1n,
  ns: 1n,
  us: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
};

interface Target {
  readonly database: string;
  readonly retention?: string;
  readonly precision_ns: bigint;
}

function target1(parameters: URLSearchParams): Target {
  const precision = parameters.get("precision") ?? "";
  const precision_ns = PRECISIONS_1[precision];
  if (precision_ns === undefined) {
    throw new InfluxError(400, `invalid precision ${JSON.stringify(precision)} (use n, u, ms, s, m or h)`);
  }
  const database = parameters.get("db") ?? "";
  if (database === "") throw new InfluxError(400, "database is required");
  return { database, ...given("retention", parameters.get("rp")), precision_ns };
}

/** A bucket is a database and a retention policy with a slash between them; without one the default policy is meant. */
function target2(parameters: URLSearchParams): Target {
  const precision = parameters.get("precision") ?? "";
  const precision_ns = PRECISIONS_2[precision];
  if (precision_ns === undefined) {
    throw new InfluxError(400, `invalid precision ${JSON.stringify(precision)} (use ns, us, ms or s)`);
  }
  const bucket = parameters.get("bucket") ?? "";
  if (bucket === "") {
    throw new InfluxError(404, 'bucket name "" is missing a slash; not in "database/retention-policy" format');
  }
  const [database = "", retention = ""] = bucket.split("/");
  return { database, ...given("retention", retention), precision_ns };
}

function given<Name extends string>(name: Name, value: string | null): Partial<Record<Name, string>> {
  return value === null || value === "" ? {} : ({ [name]: value } as Record<Name, string>);
}

const nanoseconds = (clock: Clock): bigint => BigInt(clock.now()) * 1_000_000n;

function engineOf(context: ApiContext): InfluxEngine {
  const { influx } = context.parts().store;
  if (influx !== undefined) return influx;
  throw new InfluxError(501, "this server keeps its readings in a store of its own face: ask that store");
}

function problemIn({ holder }: ApiContext): string | undefined {
  if (holder.parts === undefined) return "history is being laid down";
  return holder.parts.ingest.stats().failing?.problem;
}

function refuse(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const form: AnswerForm = formOf(request, parametersOf(request));
  const refused = refusalOf(error);
  if (refused.status === 401) reply.header("www-authenticate", 'Basic realm="InfluxDB"');
  return reply
    .code(refused.status)
    .header("x-influxdb-error", refused.message.replace(/[^\x20-\x7e]/g, "?").slice(0, 1000))
    .type(contentTypeOf(form))
    .send(errorText(refused.message, form));
}

function refusalOf(error: unknown): InfluxError {
  if (error instanceof InfluxError) return error;
  const { code, statusCode, status, message } = error as {
    code?: string;
    statusCode?: number;
    status?: number;
    message: string;
  };
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE") return tooLarge();
  const known = statusCode ?? status;
  return known === undefined || known >= 500 ? new InfluxError(known ?? 500, message) : new InfluxError(known, message);
}
