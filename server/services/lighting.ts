import type { HourCount } from "#control/forecast/profile.ts";
import { forecastError, recentCorrection, usualWeek } from "#control/forecast/profile.ts";
import type { ProgrammeInput, ProgrammePolicy, RecentDay } from "#control/lighting/programme.ts";
import { programme } from "#control/lighting/programme.ts";
import type { OffsetFrom } from "#control/localTime.ts";
import type { Luminaire, PresenceSensor, Street } from "#protocol/territory.ts";
import type { Instant } from "#protocol/units.ts";
import { DAY, HOUR, seconds } from "#protocol/units.ts";
import type { Outcome, Service, ServiceParts } from "./service.ts";
import { HISTORY_DAYS } from "./service.ts";

/** Programmes are made at noon, so that a lamp has the night ahead in hand, and the night after in case of need. */
const MADE_AT_H = 12;
const AHEAD_MS = 36 * HOUR;

/** Lighting programmes: one a street with lamps, each day at noon, from how many usually pass in each hour of the week. */
export function lightingService(parts: ServiceParts): Service {
  const { territory, registry, policies, clock, offsets } = parts;
  const streets = new Map(territory.streets.map((street) => [street.id, street]));
  const lamps = Map.groupBy(territory.luminaires, (lamp) => lamp.street);
  const sensors = Map.groupBy(territory.presences, (sensor) => sensor.street);

  const input = (street: Street, now: Instant, { footfall, recent }: Footfall): ProgrammeInput => {
    const [lon, lat] = street.line[0] ?? territory.position;
    const to = (now + AHEAD_MS) as Instant;
    const { idle, floor, hold_s } = policies.get("lighting.programme").parameters;
    return {
      street: street.id,
      lightingClass: designClass(lamps.get(street.id) ?? [], street),
      highway: street.highway,
      lat,
      lon,
      from: now,
      to,
      offsets: offsets.over(now, to),
      footfall,
      ...(recent && { recent }),
      presence: everyLampSees(lamps.get(street.id) ?? [], sensors.get(street.id) ?? []),
      policy: { idle, floor, hold_s } as ProgrammePolicy,
    };
  };

  return {
    name: "lighting.programme",
    subjects: territory.streets.filter((street) => lamps.has(street.id)).map((street) => street.id),
    dueAt: (_, last) => (last === undefined ? clock.now() : offsets.nextAt(last, MADE_AT_H)),
    async decide(subject, now) {
      const street = streets.get(subject) as Street;
      const devices = (lamps.get(subject) ?? []).map((lamp) => lamp.id);
      const footfall = await expectedFootfall(parts, sensors.get(subject) ?? [], now);
      const inputs = input(street, now, footfall);
      const decided = outcome(inputs, devices);
      // A street that the policy has left goes back to its class all night: its lamps would repeat their last programme.
      const led = devices.filter((device) => registry.twin(device)?.machine !== undefined);
      if (led.length === 0) return decided;
      const plain: ProgrammeInput = { ...inputs, footfall: footfall.footfall.map(() => null), presence: false };
      return { ...decided, otherwise: outcome(plain, led) };
    },
  };
}

function outcome(inputs: ProgrammeInput, devices: readonly string[]): Outcome {
  const decision = programme(inputs);
  const order = decision.value;
  return { inputs, decision, orders: devices.map((device) => ({ device, order, expiresAt: decision.validUntil })) };
}

interface Footfall {
  /** People an hour at a point of the street, at the 90 % quantile, by hour of the local week; null: nothing is known. */
  readonly footfall: readonly (number | null)[];
  readonly recent?: RecentDay;
}

async function expectedFootfall(
  { store, offsets }: ServiceParts,
  sensors: readonly PresenceSensor[],
  now: Instant,
): Promise<Footfall> {
  const to = (Math.floor(now / HOUR) * HOUR) as Instant;
  const from = (to - HISTORY_DAYS * DAY) as Instant;
  if (sensors.length === 0) return { footfall: usualWeek([], []).quantile };
  const devices = sensors.map((sensor) => sensor.id);
  const rows = await store.aggregate({ devices, measure: "passes", from, to, every: seconds(3600), by: "device" });
  const hours = new Map<number, { count: number; sensors: number }>();
  const before = new Map<string, number>();
  for (const { at, device = "", first, last } of rows) {
    // A counter's rise since the hour before; in its first hour, what rose within.
    const rise = Math.max(0, last - (before.get(device) ?? first));
    before.set(device, last);
    const hour = hours.get(at);
    if (hour === undefined) hours.set(at, { count: rise, sensors: 1 });
    else {
      hour.count += rise;
      hour.sensors++;
    }
  }
  const history: HourCount[] = [...hours].map(([at, { count, sensors: n }]) => ({ at, count: count / n }));
  const over = offsets.over(from, to);
  const recent = recentDay(history, (to - DAY) as Instant, over);
  return { footfall: usualWeek(history, over).quantile, ...(recent && { recent }) };
}

/** The hours from `since` on, held against the usual week that was known before them. */
function recentDay(
  history: readonly HourCount[],
  since: Instant,
  offsets: readonly OffsetFrom[],
): RecentDay | undefined {
  const usual = usualWeek(
    history.filter(({ at }) => at < since),
    offsets,
  );
  const came = history.filter(({ at }) => at >= since);
  const error = forecastError(usual, came, offsets);
  if (error === null) return undefined;
  return { correction: recentCorrection(came, usual, offsets), error: error.relative, covered: error.covered };
}

/** What full output was designed for: the lamps' own class where all agree, else the street's. */
function designClass(lamps: readonly Luminaire[], street: Street): Street["lightingClass"] {
  const first = lamps[0]?.lightingClass;
  return first !== undefined && lamps.every((lamp) => lamp.lightingClass === first) ? first : street.lightingClass;
}

/** Idling is for streets where somebody is seen wherever they come from: at least every other lamp has a sensor. */
function everyLampSees(lamps: readonly Luminaire[], sensors: readonly PresenceSensor[]): boolean {
  return sensors.length * 2 >= lamps.length;
}
