import { createRequire } from "node:module";
import helmet from "@fastify/helmet";
import rateLimit from "@fastify/rate-limit";
import type { TSchema, TypeBoxTypeProvider, TypeBoxValidatorCompiler } from "@fastify/type-provider-typebox";
import Fastify, { type FastifyInstance, type RouteOptions } from "fastify";
import { type RoadGraph, roadGraph } from "#control/roads.ts";
import { Fault } from "#protocol/faults.ts";
import type { Cancel, Clock } from "#protocol/ports.ts";
import type { Territory, TerritoryFile } from "#protocol/territory.ts";
import type { Access } from "../access.ts";
import { offsetsOf } from "../offsets.ts";
import { accounts } from "./accounts.ts";
import { alarms } from "./alarms.ts";
import { backup } from "./backup.ts";
import { serveConsole } from "./assets.ts";
import { tellChanges } from "./changes.ts";
import { type ApiContext, type Holder, type RunningServer, notReady } from "./context.ts";
import { decisions } from "./decisions.ts";
import { devices } from "./devices.ts";
import { documentOf } from "./document.ts";
import { guardEntrance } from "./entrance.ts";
import { events } from "./events.ts";
import { type PageFiles, packageFiles } from "./files.ts";
import { exports } from "./export.ts";
import { fleet } from "./fleet.ts";
import { history } from "./history.ts";
import { influxFace } from "./influx/face.ts";
import { junctions } from "./junctions.ts";
import { lamps } from "./lamps.ts";
import { serveMetrics } from "./metrics.ts";
import { overrides } from "./overrides.ts";
import { createPlans, type Plans } from "./plans.ts";
import { policies } from "./policies.ts";
import { MAX_BODY_BYTES, answerProblems } from "./problem.ts";
import { session } from "./session.ts";
import { Problem } from "./resources.ts";
import { listenFault } from "../ports/free-port.ts";
import { createStream } from "./stream.ts";
import { town } from "./town.ts";
import { waste } from "./waste.ts";

export interface ApiOptions {
  readonly territory: Territory;
  /** The territory as it was given. */
  readonly geojson: TerritoryFile;
  readonly version: string;
  /** The town's clock, which may run faster than life. */
  readonly clock: Clock;
  /** The clock on the wall, by which the event stream is paced. */
  readonly wall: Clock;
  /** The secret of the data directory: who can read it may have a backup written. */
  readonly secret?: Uint8Array;
  /** Whether a proxy in front says in its headers who calls and whether by https. */
  readonly behindProxy?: boolean;
  readonly limits?: Partial<ApiLimits>;
  readonly files?: PageFiles;
  /** Told of what went wrong in the server itself, one line each. */
  log(line: string): void;
}

export interface ApiLimits {
  /** Requests to the API that one address may make in a minute. */
  readonly requestsAMinute: number;
  /** A request that has not come in whole by then is cut off. */
  readonly request_s: number;
}
const LIMITS: ApiLimits = { requestsAMinute: 1200, request_s: 30 };

/** The page and /api/v1 over HTTP. It answers from the start, and serves the town once it is `ready`. */
export interface Api {
  readonly app: FastifyInstance;
  /** People can sign in from now on, also while history is laid down. */
  admit(access: Access): void;
  /** How much of the history is laid down, from 0 to 1. */
  progress(share: number): void;
  /** Nothing goes on until this is mended; undefined: it is. */
  waits(fault: Fault | undefined): void;
  /** The town runs: everything is served. */
  ready(server: RunningServer): void;
  /** Returns the address it answers at. Raises Fault PORT_TAKEN or OPTION_INVALID. */
  listen(port: number, host: string): Promise<string>;
  close(): Promise<void>;
}

export async function createApi(options: ApiOptions): Promise<Api> {
  const { territory, geojson, clock, wall } = options;
  const limits = { ...LIMITS, ...options.limits };
  const holder: Holder = { progress: 0 };
  const stream = createStream(wall);
  const offsets = offsetsOf(territory.timeZone);
  let roads: RoadGraph | undefined;
  let plans: Plans | undefined;
  let quiet: Cancel | undefined;
  const context: ApiContext = {
    territory,
    geojson,
    clock,
    wall,
    stream,
    holder,
    secret: options.secret,
    offsets,
    parts() {
      if (holder.parts === undefined) throw notReady(holder);
      return holder.parts;
    },
    access() {
      if (holder.access === undefined) throw notReady(holder);
      return holder.access;
    },
    roads: () => (roads ??= roadGraph(territory.streets)),
    plans: () => (plans ??= createPlans(context.parts().journal, offsets, clock.now())),
  };

  const app = Fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: limits.request_s * 1000,
    keepAliveTimeout: 75_000,
    trustProxy: options.behindProxy ?? false,
    // A stop does not wait for browsers that hold a connection open.
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 100 },
    // Never asked, for the compilers are set below; but without these Fastify loads its own, and their 10 MB.
    schemaController: { compilersFactory: { buildValidator: isSet, buildSerializer: isSet } },
  }).withTypeProvider<TypeBoxTypeProvider>();
  // A check is compiled when its route is first asked for: most of them never are on a quiet day.
  app.setValidatorCompiler<TSchema>((route) => {
    let check: ReturnType<typeof TypeBoxValidatorCompiler> | undefined;
    return (value) => (check ??= compiler()(route))(value);
  });
  // Answers are typed by their schemas; the tests hold each to its schema, so production does not check them again.
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  app.removeContentTypeParser("text/plain");
  answerProblems(app, (line) => options.log(line));
  // Before anything else is hooked to requests: it answers as InfluxDB does, and quickly.
  await app.register(async (face) => influxFace(face, context));
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    // Only https makes sense of these two; behind a proxy it is the proxy's to say.
    strictTransportSecurity: false,
    crossOriginOpenerPolicy: { policy: "same-origin" },
    referrerPolicy: { policy: "same-origin" },
  });
  const routes: RouteOptions[] = [];
  app.addHook("onRoute", (route) => {
    // Fastify adds HEAD to each GET by itself, which the document does not name.
    if (route.method !== "HEAD") routes.push(route);
  });
  await app.register(rateLimit, {
    global: false,
    errorResponseBuilder: (_, { max, ttl }) =>
      new Fault("TOO_MANY", { thing: "requests", limit: max, retry_s: Math.ceil(ttl / 1000) }),
  });
  serveMetrics(app, context);
  await app.register(
    async (api) => {
      guardEntrance(api, context);
      api.addHook("onRequest", api.rateLimit({ max: limits.requestsAMinute, timeWindow: 60_000 }));
      api.addHook("onSend", async (_, reply) => {
        if (!reply.hasHeader("cache-control")) reply.header("cache-control", "no-store");
      });
      api.addHook("onRoute", (route) => {
        const { response } = (route.schema ?? {}) as { response?: Record<string, unknown> };
        if (route.schema !== undefined) route.schema = { ...route.schema, response: { ...response, default: REFUSAL } };
      });
      const document = { config: { role: "anyone" }, schema: { hide: true } } as const;
      let written: Promise<object> | undefined;
      const openapi = (): Promise<object> => (written ??= documentOf(routes, options.version));
      api.get("/", document, openapi);
      api.get("/openapi.json", document, openapi);
      for (const routes of [
        town,
        history,
        devices,
        lamps,
        junctions,
        waste,
        decisions,
        overrides,
        alarms,
        policies,
        fleet,
        session,
        accounts,
        backup,
        exports,
        events,
      ]) {
        await api.register(routes(context));
      }
    },
    { prefix: "/api/v1" },
  );
  serveConsole(app, options.files ?? packageFiles, `${options.version}-${wall.now().toString(36)}`);
  app.addHook("preClose", async () => {
    quiet?.();
    stream.close();
  });
  await app.ready();

  return {
    app,
    admit(access) {
      holder.access = access;
    },
    progress(share) {
      holder.progress = share;
      stream.say("progress", { state: "preparing", progress: share });
    },
    waits(fault) {
      holder.waitsFor = fault;
      stream.say("progress", { state: "preparing", progress: holder.progress });
    },
    ready(server) {
      holder.access = server.access;
      holder.parts = server;
      holder.progress = 1;
      plans = undefined;
      quiet?.();
      quiet = tellChanges(context, server, wall);
      stream.say("progress", { state: "ready", progress: 1 });
    },
    async listen(port, host) {
      try {
        return await app.listen({ port, host });
      } catch (problem) {
        throw listenFault(problem, port, host, "--port") ?? problem;
      }
    },
    close: () => app.close(),
  };
}

const load = createRequire(import.meta.url);

/** What checks requests, in memory only from the first one that needs it: until then a server does without its 15 MB. */
const compiler = (): typeof TypeBoxValidatorCompiler =>
  (load("@fastify/type-provider-typebox") as typeof import("@fastify/type-provider-typebox")).TypeBoxValidatorCompiler;

const isSet = (): never => {
  throw new Error("the API's own compilers are set");
};

/** How any request can be refused. */
const REFUSAL = {
  description: "The request was refused, with the reason",
  content: { "application/problem+json": { schema: Problem } },
};
