import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "./schema.ts";
import { path } from "#control/roads.ts";
import { Fault } from "#protocol/faults.ts";
import type { LonLat, Container as Place } from "#protocol/territory.ts";
import type { ApiContext } from "./context.ts";
import type { DayPlan, PlannedRound } from "./plans.ts";
import { Container, Id, Round, RoundDetail } from "./resources.ts";

/** Lines kept, so that a round looked at by several people is led along the streets once. */
const LINES_KEPT = 200;

/** /containers and /rounds: how full, who comes when and why, and the way there. */
export const waste =
  (context: ApiContext): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { territory } = context;
    const streetNames = new Map(territory.streets.map((street) => [street.id, street.name]));
    const containers = new Map(territory.containers.map((container) => [container.id, container]));
    const sites = new Map<string, LonLat>(
      [...territory.containers, ...territory.depots, ...territory.tippingSites].map(({ id, position }) => [
        id,
        position,
      ]),
    );
    const lines = new Map<string, readonly LonLat[]>();

    app.get(
      "/containers",
      {
        schema: {
          tags: ["waste"],
          summary: "Containers now, with today's reason",
          response: { 200: Type.Array(Container) },
        },
      },
      async () => {
        const visits = visitsOf(context.plans().newest());
        return territory.containers.map((container) => containerOf(context, container, visits));
      },
    );

    app.get(
      "/rounds",
      {
        schema: {
          tags: ["waste"],
          summary: "The rounds of a day; today's without `day`",
          querystring: Type.Object({ day: Type.Optional(Type.String({ pattern: "^\\d{4}-\\d{2}-\\d{2}$" })) }),
          response: {
            200: Type.Object({ day: Type.String(), days: Type.Array(Type.String()), entries: Type.Array(Round) }),
          },
        },
      },
      async ({ query }) => {
        const plans = context.plans();
        const day = query.day ?? context.offsets.day(context.clock.now());
        const entries = plans.of(day).flatMap((plan) => plan.plan.rounds.map((round) => roundOf(context, plan, round)));
        return { day, days: plans.days(), entries };
      },
    );

    app.get(
      "/rounds/:id",
      {
        schema: {
          tags: ["waste"],
          summary: "A round: each stop with its forecast and reason, and the way along the streets",
          params: Type.Object({ id: Id }),
          response: { 200: RoundDetail },
        },
      },
      async ({ params: { id } }): Promise<RoundDetail> => {
        const found = context.plans().round(id);
        if (found === undefined) throw new Fault("NOT_FOUND", { thing: "round", id });
        const { plan, round } = found;
        const shown = roundOf(context, plan, round);
        return {
          ...shown,
          sites: round.stops.map((stop, index) => {
            const container = containers.get(stop.site);
            const street = container?.street;
            return {
              index,
              site: stop.site,
              what: stop.what,
              position: sites.get(stop.site) ?? territory.position,
              street: street ?? null,
              streetName: street === undefined ? null : (streetNames.get(street) ?? null),
              stream: container?.stream ?? null,
              volume_L: container?.volume_L ?? null,
              eta: stop.eta,
              q50: stop.expectedFill_q50 ?? null,
              q90: stop.expectedFill_q90 ?? null,
              because: stop.because ?? null,
              served: index < shown.served,
            };
          }),
          skipped: plan.plan.skipped.map(({ container, because, q90 }) => ({
            container,
            street: containers.get(container)?.street ?? null,
            because,
            q90,
          })),
          path: { type: "LineString", coordinates: [...lineOf(`${plan.entry} ${id}`, plan.depot, round)] },
        };
      },
    );

    function lineOf(key: string, depot: string, round: PlannedRound): readonly LonLat[] {
      const known = lines.get(key);
      if (known !== undefined) return known;
      const graph = context.roads();
      const places = [depot, ...round.stops.map((stop) => stop.site)].flatMap((site) => {
        const position = sites.get(site);
        return position === undefined ? [] : [position];
      });
      const line = places.slice(1).flatMap((place, index) => path(graph, places[index] as LonLat, place));
      if (lines.size >= LINES_KEPT) lines.delete(lines.keys().next().value as string);
      lines.set(key, line);
      return line;
    }
  };

interface Visit {
  readonly because: string | null;
  readonly round: string | null;
  readonly forecast: Container["forecast"];
}

/** What the newest plans say of each container. */
function visitsOf(plans: readonly DayPlan[]): ReadonlyMap<string, Visit> {
  const visits = new Map<string, Visit>();
  for (const { at, plan } of plans) {
    for (const { container, because, q50, q90 } of plan.skipped) {
      visits.set(container, { because, round: null, forecast: { at, q50, q90 } });
    }
    for (const round of plan.rounds) {
      for (const { site, what, eta, because, expectedFill_q50: q50, expectedFill_q90: q90 } of round.stops) {
        if (what !== "container") continue;
        const forecast = q50 === undefined || q90 === undefined ? null : { at: eta, q50, q90 };
        visits.set(site, { because: because ?? null, round: round.id, forecast });
      }
    }
  }
  return visits;
}

function containerOf(context: ApiContext, place: Place, visits: ReadonlyMap<string, Visit>): Container {
  const { registry } = context.parts();
  const { id, position, street, stream, volume_L, station } = place;
  const fill = registry.latest(id, "fill");
  const visit = visits.get(id);
  return {
    id,
    position,
    street: street ?? null,
    stream,
    place: place.place,
    volume_L,
    fill: fill?.value ?? null,
    at: fill?.at ?? null,
    online: registry.station(station)?.online ?? false,
    temperature_C: registry.value(id, "temperature_C") ?? null,
    forecast: visit?.forecast ?? null,
    because: visit?.because ?? null,
    round: visit?.round ?? null,
  };
}

/** A round with how far its vehicle has come, as far as the vehicle reports. */
export function roundOf(context: ApiContext, { day, depot, entry }: DayPlan, round: PlannedRound): Round {
  const { registry } = context.parts();
  const now = context.clock.now();
  const { id, vehicle, stops, duration_s, driving_s, load_L } = round;
  const departure = stops[0]?.eta ?? now;
  const end = stops.at(-1)?.eta ?? departure;
  const sheet = registry.twin(vehicle)?.machine?.order;
  const current = sheet?.action === "round" && sheet.round === id;
  const done = current ? Math.min(stops.length, registry.value(vehicle, "stop") ?? 0) : now >= end ? stops.length : 0;
  const state = done >= stops.length ? "done" : current && (done > 0 || now >= departure) ? "under-way" : "planned";
  const containersIn = (part: PlannedRound["stops"]): number => part.filter(({ what }) => what === "container").length;
  return {
    id,
    day,
    depot,
    vehicle,
    state,
    departure,
    end,
    stops: containersIn(stops),
    served: containersIn(stops.slice(0, done)),
    duration_s,
    driving_s,
    load_L,
    decision: String(entry),
  };
}
