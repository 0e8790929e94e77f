import type { FastifyInstance, FastifyRequest } from "fastify";
import { Fault } from "#protocol/faults.ts";
import type { Clock } from "#protocol/ports.ts";
import { errorText } from "../../store/influxql/answers.ts";
import { InfluxError, type InfluxEngine, type QueryLimits } from "../../store/influxql/engine.ts";
import type { ApiContext } from "../context.ts";
import { callerOf, requireRole } from "./caller.ts";
import { type Answer, VERSION, answerAt } from "./exchange.ts";
import { Question } from "./question.ts";
import {
  JSON_TYPE,
  type Parameters,
  boundParameters,
  contentTypeOf,
  formOf,
  parametersOf,
  unpacked,
} from "./requests.ts";
import { Turns } from "./turns.ts";

const QUERY_LIMITS: QueryLimits = {
  points: 5_000_000,
  series: 100_000,
  buckets: 500_000,
  time_ms: 30_000,
};
const TURNS = { atOnce: 4, waiting: 256 };

/**
 * The HTTP face of InfluxDB 1.8: `/ping`, `/health`, `/query`, `/write` and `/api/v2/write`, so that what reads or feeds an
 * InfluxDB (Grafana, Telegraf, its clients) does so here without change. Errors are InfluxDB's, with its statuses.
 */
export function influxFace(app: FastifyInstance, context: ApiContext): void {
  // The town's clock and not the wall's: it is what the readings' times are of.
  const { clock, wall } = context;
  const turns = new Turns(TURNS);
  const serving = { app, refuse };

  answerAt(serving, ["GET", "HEAD"], "/ping", (request) => {
    const verbose = parametersOf(request).get("verbose");
    if (verbose === undefined || verbose === "0" || verbose === "false") return { status: 204 };
    return { status: 200, type: JSON_TYPE, body: JSON.stringify({ version: VERSION }) };
  });

  answerAt(serving, ["GET", "HEAD"], "/health", () => {
    const problem = problemIn(context);
    const health = {
      checks: [],
      message: problem ?? "ready for queries and writes",
      name: "influxdb",
      status: problem === undefined ? "pass" : "fail",
      version: VERSION,
    };
    return { status: problem === undefined ? 200 : 503, type: JSON_TYPE, body: JSON.stringify(health) };
  });

  answerAt(serving, ["GET", "HEAD", "POST"], "/query", async (request, response, body) => {
    const parameters = parametersOf(request, body);
    const form = formOf(request, parameters);
    requireRole(await callerOf(request, parameters, context.access()), "viewer", "read");
    const text = (parameters.get("q") ?? "").trim();
    if (text === "") throw new InfluxError(400, 'missing required parameter "q"');
    const bound = boundParameters(parameters.get("params"));
    const asked = {
      ...given("database", parameters.get("db")),
      ...given("retention", parameters.get("rp")),
      ...(bound !== undefined && { parameters: bound }),
      now_ns: nanoseconds(clock),
      limits: QUERY_LIMITS,
    };
    const question = new Question(asked, response, wall);
    try {
      const answer = await turns.run(() => engineOf(context).answer(text, question, form));
      return { status: 200, type: contentTypeOf(form), body: answer };
    } finally {
      question.end();
    }
  });

  for (const version of [1, 2] as const) {
    answerAt(serving, ["POST"], version === 1 ? "/write" : "/api/v2/write", async (request, _, body) => {
      const parameters = parametersOf(request, body);
      requireRole(await callerOf(request, parameters, context.access()), "operator", "write");
      const where = version === 1 ? target1(parameters) : target2(parameters);
      const lines = await unpacked(request, body);
      await engineOf(context).writeLines(lines, { ...where, now_ns: nanoseconds(clock) });
      return { status: 204 };
    });
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

function target1(parameters: Parameters): Target {
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
function target2(parameters: Parameters): Target {
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

function given<Name extends string>(name: Name, value: string | undefined): Partial<Record<Name, string>> {
  return value === undefined || value === "" ? {} : ({ [name]: value } as Record<Name, string>);
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

function refuse(problem: unknown, request: FastifyRequest, body: Buffer): Answer {
  const form = formOf(request, parametersOf(request, body));
  const { status, message } = refusalOf(problem);
  const more = ["x-influxdb-error", message.replace(/[^\x20-\x7e]/g, "?").slice(0, 1000)];
  if (status === 401) more.push("www-authenticate", 'Basic realm="InfluxDB"');
  return { status, type: contentTypeOf(form), body: errorText(message, form), more };
}

function refusalOf(problem: unknown): InfluxError {
  if (problem instanceof InfluxError) return problem;
  const { message } = problem as Error;
  return new InfluxError(problem instanceof Fault ? problem.status : 500, message);
}
