import { randomBytes } from "node:crypto";
import { afterEach, expect } from "vitest";
import { type TSchema, TypeBoxValidatorCompiler } from "@fastify/type-provider-typebox";
import type { Command } from "#protocol/messages.ts";
import { encodeBatch, encodeMessage } from "#protocol/messages.ts";
import type { Clock } from "#protocol/ports.ts";
import type { TerritoryFile } from "#protocol/territory.ts";
import { up } from "#protocol/topics.ts";
import type { Instant } from "#protocol/units.ts";
import { virtualClock, type VirtualClock } from "#rehearsal/clock.ts";
import { createApi, type Api, type ApiLimits } from "#server/api/api.ts";
import type { Role } from "#server/api/resources.ts";
import { createServer, type Server } from "#server/server.ts";
import { openState } from "#server/state.ts";
import { memoryStore } from "#server/store/memory.ts";
import type { Store } from "#server/store/store.ts";
import { listBroker, type ListBroker, MONDAY, signer, village } from "../village.ts";

/** The village's server with its API on top: real parts, virtual time, everything in memory. */
export interface TownHall {
  readonly api: Api;
  readonly server: Server;
  readonly clock: VirtualClock;
  readonly broker: ListBroker;
  /** Lines that the API had to log: none in a test that goes well. */
  readonly logged: string[];
  /** Headers of somebody with this role, by API key. */
  as(role: Role): Record<string, string>;
  /** What GET answers to a viewer, parsed. */
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  send(
    method: "POST" | "PUT" | "PATCH" | "DELETE",
    path: string,
    body: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>;
  /** A station comes online and reports values of its devices, now. */
  report(station: string, values: readonly [device: string, measure: string, value: number][]): Promise<void>;
  /** Lets the town's time pass. */
  pass(duration_s: number): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | number | undefined>;
  readonly text: string;
  // Tests look into answers of every shape.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

export const villageFile: TerritoryFile = {
  type: "FeatureCollection",
  vigie: { id: village.id },
  features: [
    {
      type: "Feature",
      geometry: { type: "Point", coordinates: [2.35, 48.85] },
      properties: { kind: "station", id: "S-L1" },
    },
  ],
};

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

export async function townHall(
  options: { ready?: boolean; limits?: Partial<ApiLimits>; at?: Instant; wall?: Clock; store?: Store } = {},
): Promise<TownHall> {
  const clock = virtualClock(options.at ?? MONDAY);
  const state = openState(":memory:", village.id);
  const broker = listBroker();
  const server = createServer({
    territory: village,
    clock: clock.settling,
    ...(options.wall && { wall: options.wall }),
    broker,
    store: options.store ?? memoryStore(),
    state,
    signer,
    secret: randomBytes(32),
    randomBytes: (size) => randomBytes(size),
  });
  const logged: string[] = [];
  const api = await createApi({
    territory: village,
    geojson: villageFile,
    version: "test",
    clock,
    wall: options.wall ?? clock,
    log: (line) => logged.push(line),
    ...(options.limits && { limits: options.limits }),
  });
  await server.start();
  if (options.ready !== false) api.ready(server);
  open.push(async () => {
    await api.close();
    await server.stop();
    state.close();
  });

  const keys = new Map<Role, string>();
  const numbers = new Map<string, number>();
  const as = (role: Role): Record<string, string> => {
    let key = keys.get(role);
    if (key === undefined) keys.set(role, (key = server.access.addApiKey(`of a ${role}`, role, "test").key));
    return { authorization: `Bearer ${key}` };
  };
  const ask = async (method: string, path: string, body: unknown, headers: Record<string, string>): Promise<Answer> => {
    const url = path.startsWith("/") ? path : `/api/v1/${path}`;
    const answer = await api.app.inject({
      method: method as "GET",
      url,
      headers: { ...headers, ...(body !== undefined && { "content-type": "application/json" }) },
      ...(body !== undefined && { payload: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const json = /json/.test(String(answer.headers["content-type"]));
    return {
      status: answer.statusCode,
      headers: answer.headers,
      text: answer.payload,
      body: json ? answer.json() : undefined,
    };
  };
  return {
    api,
    server,
    clock,
    broker,
    logged,
    as,
    get: (path, headers) => ask("GET", path, undefined, headers ?? as("viewer")),
    send: (method, path, body, headers) => ask(method, path, body, headers ?? as("operator")),
    async report(station, values) {
      const at = clock.now();
      const first = numbers.get(station) ?? 1;

      const readings = values.map(([device, measure, value]) => ({ device, measure, at, value }));
      const status = { online: true, since: at, version: "1", clock: at, waiting: 0, dropped: 0 };
      await broker.handlers?.onMessage(station, up(village.id, station, "status"), encodeMessage(status));
      numbers.set(station, first + readings.length);
      const batch = { epoch: "e1", after: first - 1, first, readings };
      const taken = broker.handlers?.onMessage(station, up(village.id, station, "readings"), encodeBatch(batch));
      // The group commit lingers for some milliseconds of the town's time.
      await clock.run((at + 50) as Instant);
      await taken;
    },
    pass: (duration_s) => clock.run((clock.now() + duration_s * 1000) as Instant),
  };
}

/** Holds an answer to the schema that the API publishes for it. */
export function expectShape(schema: TSchema, value: unknown): void {
  const check = TypeBoxValidatorCompiler({ schema, method: "", url: "", httpPart: "body" });
  expect(check(value)).toEqual({ value });
}

/** What a device answers to a command. */
export async function apply({ broker, clock }: TownHall, { id, station, device, sequence }: Command): Promise<void> {
  const answer = encodeMessage({ command: id, device, sequence, at: clock.now(), outcome: "applied" });
  await broker.handlers?.onMessage(station, up(village.id, station, "applied"), answer);
}
