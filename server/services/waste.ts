import { localMidnight, offsetAt } from "#control/localTime.ts";
import type { OffsetFrom } from "#control/localTime.ts";
import type { RoadGraph } from "#control/roads.ts";
import { roadGraph, travelTimes } from "#control/roads.ts";
import type { Candidate, FillInput } from "#control/waste/fill.ts";
import { candidate } from "#control/waste/fill.ts";
import { learnedFill } from "#control/waste/rates.ts";
import type { RoundsInput, RoundVehicle } from "#control/waste/rounds.ts";
import { rounds, ROUNDS_POLICY } from "#control/waste/rounds.ts";
import { SELECTION_POLICY } from "#control/waste/selection.ts";
import type { Reading } from "#protocol/messages.ts";
import type { Container, Depot, Territory, Vehicle } from "#protocol/territory.ts";
import type { Instant } from "#protocol/units.ts";
import { DAY, HOUR, MINUTE } from "#protocol/units.ts";
import type { Store } from "../store/store.ts";
import type { DeviceOrder, Service, ServiceParts } from "./service.ts";
import { HISTORY_DAYS } from "./service.ts";

/** Containers are on average emptied so long into the shift. */
const INTO_SHIFT_MS = 3 * HOUR;
/** A shift with less left than this is not begun. */
const LEAST_SHIFT_MS = 30 * MINUTE;
/** Readings of one container that are looked at: a level an hour and each change, for four weeks. */
const MOST_READINGS = 5000;
/** A fall this large is a collection. */
const EMPTIED = 0.2;

/** Waste rounds: one plan a depot and day, early in the morning, from the levels as forecast for the shift. */
export function wasteService(parts: ServiceParts): Service {
  const { territory, policies, clock, offsets } = parts;
  const depots = new Map(territory.depots.map((depot) => [depot.id, depot]));
  const served = containersByDepot(territory);
  const tables = new Map<string, number[][]>();
  let graph: RoadGraph | undefined;

  /** Driving times between depot, tipping sites and containers: the streets do not move, so once. */
  const travel = (depot: Depot): number[][] => {
    const known = tables.get(depot.id);
    if (known !== undefined) return known;
    graph ??= roadGraph(territory.streets);
    const places = [depot, ...territory.tippingSites, ...(served.get(depot.id) ?? [])];
    const times = travelTimes(
      graph,
      places.map((place) => place.position),
    );
    tables.set(depot.id, times);
    return times;
  };

  const atHour = (): number => policies.get("waste.rounds").parameters["at_h"] ?? 5;
  return {
    name: "waste.rounds",
    subjects: [...depots.keys()],
    dueAt: (_, last) => offsets.nextAt(last ?? clock.now(), atHour()),
    async decide(subject, now) {
      const depot = depots.get(subject) as Depot;
      const around = offsets.over((now - HISTORY_DAYS * DAY) as Instant, (now + 3 * DAY) as Instant);
      const day = localMidnight(now, around);
      const vehicles = depot.vehicles.flatMap((vehicle) => shiftOf(vehicle, day, now, around));
      const first = vehicles.reduce((least, vehicle) => Math.min(least, vehicle.shiftStart), now + DAY);
      const visit = (first + INTO_SHIFT_MS) as Instant;
      const containers = served.get(subject) ?? [];
      const candidates: Candidate[] = [];
      const places = [0, ...territory.tippingSites.map((_, index) => index + 1)];
      for (const [index, container] of containers.entries()) {
        const readings = await fills(parts.store, container, now);
        const input = fillInput(readings, around);
        if (input === undefined) continue;
        candidates.push(candidate(container, input, visit, (visit + DAY) as Instant, lastEmptied(readings)));
        places.push(1 + territory.tippingSites.length + index);
      }
      const times = travel(depot);
      const { full, overflow_s, longest_d, least } = policies.get("waste.rounds").parameters;
      const chosen = { ...SELECTION_POLICY, ...defined({ full, overflow_s, longest_d, least }) };
      const inputs: RoundsInput = {
        plan: `${subject}-${offsets.day(now)}`,
        day,
        depot: subject,
        candidates,
        tippingSites: territory.tippingSites.map(({ id, service_s, streams }) => ({ id, service_s, streams })),
        vehicles,
        travel_s: places.map((from) => places.map((to) => times[from]?.[to] ?? 0)),
        policy: { ...ROUNDS_POLICY, selection: chosen },
        seed: Math.floor(day / DAY) + territory.depots.indexOf(depot),
      };
      const decision = rounds(inputs);
      const orders = decision.value.rounds.map((round): DeviceOrder => {
        const stops = round.stops.map(({ site, what, eta }) => ({ site, what, eta: Math.round(eta) }));
        return {
          device: round.vehicle,
          order: { action: "round", round: round.id, stops },
          expiresAt: decision.validUntil,
        };
      });
      return { inputs, decision, orders };
    },
  };
}

/** Each container belongs to the nearest depot that has a vehicle for its stream. */
function containersByDepot({ depots, containers }: Territory): Map<string, Container[]> {
  const served = new Map<string, Container[]>(depots.map((depot) => [depot.id, []]));
  for (const container of containers) {
    const able = depots.filter((depot) => depot.vehicles.some((vehicle) => vehicle.streams.includes(container.stream)));
    const near = (depot: Depot): number => {
      const [lon, lat] = depot.position;
      const [toLon, toLat] = container.position;
      return Math.hypot((toLon - lon) * Math.cos((lat * Math.PI) / 180), toLat - lat);
    };
    const nearest = able.reduce<Depot | undefined>(
      (best, depot) => (best === undefined || near(depot) < near(best) ? depot : best),
      undefined,
    );
    if (nearest !== undefined) served.get(nearest.id)?.push(container);
  }
  return served;
}

/** What is left of a vehicle's shift on the local day that begins at `day`. */
function shiftOf(vehicle: Vehicle, day: Instant, now: Instant, offsets: readonly OffsetFrom[]): RoundVehicle[] {
  const [hour = 0, minute = 0] = vehicle.shiftStart.split(":").map(Number);
  const plain = day + hour * HOUR + minute * MINUTE;
  // On the day of a clock change the wall shows this hour earlier or later than midnight would have it.
  const start = plain - (offsetAt(plain, offsets) - offsetAt(day, offsets));
  const end = start + vehicle.shift_h * HOUR;
  const shiftStart = Math.max(start, now);
  if (end - shiftStart < LEAST_SHIFT_MS) return [];
  const { id, capacity_L, streams } = vehicle;
  return [{ id, capacity_L, streams, shiftStart, shift_s: Math.round((end - shiftStart) / 1000) }];
}

/** The levels that a forecast rests on: four weeks of one container. */
export function fills(store: Store, container: Container, now: Instant): Promise<Reading[]> {
  return store.range(container.id, "fill", (now - HISTORY_DAYS * DAY) as Instant, (now + 1) as Instant, MOST_READINGS);
}

/** What is known of a container from its levels; undefined when it has never said one. */
export function fillInput(readings: readonly Reading[], offsets: readonly OffsetFrom[]): FillInput | undefined {
  const last = readings.at(-1);
  if (last === undefined) return undefined;
  const learned = learnedFill(
    readings.map(({ at, value }) => ({ at, fill: value })),
    offsets,
  );
  return { fill: last.value, measuredAt: last.at, ...learned, offsets };
}

function lastEmptied(readings: readonly Reading[]): Instant | null {
  for (let index = readings.length - 1; index > 0; index--) {
    const [before, after] = [readings[index - 1] as Reading, readings[index] as Reading];
    if (before.value - after.value > EMPTIED) return after.at;
  }
  return null;
}

function defined<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}
