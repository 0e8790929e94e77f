import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "./schema.ts";
import { Fault } from "#protocol/faults.ts";
import { KINDS, measureOf } from "#protocol/kinds.ts";
import type { Device as Known } from "#protocol/territory.ts";
import { type Instant, seconds } from "#protocol/units.ts";
import type { Twin as KeptTwin } from "../registry.ts";
import type { ApiContext } from "./context.ts";
import { pageIn } from "./pages.ts";
import { At, Device, DeviceKindName, Id, Paging, Readings, Twin, Why, pageOf } from "./resources.ts";
import { explain } from "../why.ts";
import { deviceOf, latestOf, overrideOf, twinOf } from "./twin.ts";

/** Rows of one answer: readings as they came, or steps of an aggregate. */
const MAX_ROWS = 10_000;

const Filter = {
  kind: Type.Optional(DeviceKindName),
  street: Type.Optional(Id),
  zone: Type.Optional(Id),
  junction: Type.Optional(Id),
  station: Type.Optional(Id),
  q: Type.Optional(Type.String({ maxLength: 100, description: "part of the id or of the street's name" })),
};
type Filter = { [Name in keyof typeof Filter]?: string };

const Range = Type.Object({
  measure: Type.String({ minLength: 1, maxLength: 64 }),
  from: At,
  to: At,
  every_s: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 31_622_400, description: "one row a step of this length" }),
  ),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_ROWS, default: 1000 })),
});

/** /devices: what hangs in the street, as it is and as it was. */
export const devices =
  (context: ApiContext): FastifyPluginAsyncTypebox =>
  async (app) => {
    const names = new Map(context.territory.streets.map((street) => [street.id, street.name.toLowerCase()]));
    const twinNamed = (id: string): KeptTwin => {
      const twin = context.parts().registry.twin(id);
      if (twin === undefined) throw new Fault("NOT_FOUND", { thing: "device", id });
      return twin;
    };

    app.get(
      "/devices",
      {
        schema: {
          tags: ["devices"],
          summary: "Devices, in the order of the territory",
          querystring: Type.Object({ ...Filter, ...Paging }),
          response: { 200: pageOf(Device) },
        },
      },
      async ({ query }) => {
        const parts = context.parts();
        const now = context.clock.now();
        const known = [...context.territory.devices.values()].filter((device) => matches(device, query, names));
        return pageIn(
          known,
          query,
          ({ id }) => id,
          ({ id }) => deviceOf(parts, twinNamed(id), now),
        );
      },
    );

    const params = Type.Object({ id: Id });
    app.get(
      "/devices/:id",
      {
        schema: {
          tags: ["devices"],
          summary: "A device's twin: reported, desired, applied",
          params,
          response: { 200: Twin },
        },
      },
      async ({ params }) => twinOf(context.parts(), twinNamed(params.id), context.clock.now()),
    );

    app.get(
      "/devices/:id/why",
      { schema: { tags: ["devices"], summary: "Why it does what it does", params, response: { 200: Why } } },
      async ({ params }) => whyOf(context, twinNamed(params.id).device),
    );

    app.get(
      "/devices/:id/readings",
      {
        schema: {
          tags: ["devices"],
          summary: "Readings of one measure; as CSV where Accept asks for text/csv",
          params,
          querystring: Range,
          response: { 200: Readings },
        },
      },
      async ({ params, query, headers }, reply) => {
        const readings = await readingsOf(context, twinNamed(params.id).device, query);
        if (!/\btext\/csv\b/.test(headers.accept ?? "")) return readings;
        reply.type("text/csv; charset=utf-8");
        reply.header("content-disposition", `attachment; filename="${params.id}-${readings.measure}.csv"`);
        return reply.serializer((text: string) => text).send(csvOf(readings) as never);
      },
    );
  };

/** The explanation as the drawer shows it. */
function whyOf(context: ApiContext, { id, kind }: Known): Why {
  const { territory, clock } = context;
  const { registry, journal, overrides } = context.parts();
  const why = explain({ territory, registry, journal, overrides, clock }, id);
  const { measure, latest, override, machine } = why;
  return {
    device: id,
    kind,
    at: why.at,
    measure: measure ?? null,
    latest: measure === undefined || latest === undefined ? null : latestOf(kind, measure, latest, why.at),
    because: why.because ?? null,
    evidence: { ...why.evidence },
    alternatives: [...why.alternatives],
    validUntil: why.validUntil ?? null,
    decision: why.entry === undefined ? null : String(why.entry),
    value: why.value ?? null,
    override: override === undefined ? null : overrideOf(override),
    machine: machine === undefined ? null : { because: machine.because, value: machine.value },
  };
}

function matches(device: Known, filter: Filter, names: ReadonlyMap<string, string>): boolean {
  for (const name of ["kind", "street", "zone", "junction", "station"] as const) {
    if (filter[name] !== undefined && device[name] !== filter[name]) return false;
  }
  if (filter.q === undefined) return true;
  const part = filter.q.toLowerCase();
  return device.id.toLowerCase().includes(part) || (names.get(device.street ?? "")?.includes(part) ?? false);
}

async function readingsOf(
  context: ApiContext,
  device: Known,
  query: { measure: string; from: number; to: number; every_s?: number; limit?: number },
): Promise<Readings> {
  const { measure, every_s, limit = 1000 } = query;
  const row = measureOf(device.kind, measure);
  if (row === undefined) {
    const known = Object.keys(KINDS[device.kind].measures).join(", ");
    throw new Fault("MEASURE_UNKNOWN", { kind: device.kind, measure, known });
  }
  const from = query.from as Instant;
  const to = query.to as Instant;
  if (to <= from) throw new Fault("PAYLOAD_INVALID", { path: "to", found: to, expected: "an instant after from" });
  const head = { device: device.id, measure, unit: row.unit, from, to };
  const { store } = context.parts();
  if (every_s === undefined) {
    const readings = await store.range(device.id, measure, from, to, limit + 1);
    const rows = readings.slice(0, limit).map(({ at, value }) => ({ at, value }));
    return { ...head, every_s: null, more: readings.length > limit, rows };
  }
  const steps = Math.ceil((to - from) / 1000 / every_s);
  if (steps > MAX_ROWS) {
    throw new Fault("PAYLOAD_INVALID", {
      path: "every_s",
      found: `${steps} steps`,
      expected: `at most ${MAX_ROWS} entries`,
    });
  }
  const aggregate = await store.aggregate({ devices: [device.id], measure, from, to, every: seconds(every_s) });
  const rows = aggregate.map(({ at, mean, count, min, max, first, last }) => ({
    at,
    value: mean,
    count,
    min,
    max,
    first,
    last,
  }));
  return { ...head, every_s, more: false, rows };
}

function csvOf({ rows, every_s, measure }: Readings): string {
  const columns = every_s === null ? ["at", "value"] : ["at", "value", "count", "min", "max", "first", "last"];
  const lines = rows.map((row) =>
    columns
      .map((column) =>
        column === "at"
          ? new Date(row.at).toISOString()
          : String((row as Record<string, number | undefined>)[column] ?? ""),
      )
      .join(","),
  );
  const head = columns.map((column) => (column === "value" ? measure : column)).join(",");
  return `${[head, ...lines].join("\r\n")}\r\n`;
}
