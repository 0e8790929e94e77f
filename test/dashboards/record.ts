import { darkness } from "#control/lighting/sun.ts";
import { CLASSES } from "#control/lighting/classes.ts";
import type { RoundPlan, RoundsInput } from "#control/waste/rounds.ts";
import type { Reading } from "#protocol/messages.ts";
import type { OrderOf } from "#protocol/messages.ts";
import type { Instant } from "#protocol/units.ts";
import { DAY, HOUR, MINUTE } from "#protocol/units.ts";
import { alarmSentence } from "#server/alarm-kinds.ts";
import { type Day, FROM, TO } from "./day.ts";
import { own, type Written } from "./points.ts";

const QUARTER = 15 * MINUTE;
/** Usual widths of the lit strip, m. */
const WIDTH_M: Readonly<Record<string, number>> = { primary: 14, secondary: 11, tertiary: 9, residential: 8 };
/** Mean illuminance of a luminance, on usual asphalt (R3): 0.07 cd/m² a lux. */
const LX_A_CANDELA = 1 / 0.07;

/** What the server is to write of itself over a rehearsed day, worked out afterwards from what was read and decided. */
export function recorded(day: Day): Written[] {
  return [
    ...places(day),
    ...decisions(day),
    ...alarms(day),
    ...lighting(day),
    ...waste(day),
    ...greens(day),
    ...junctions(day),
    ...health(day),
    own("deployment", FROM, { what: "server", name: "vigie" }, said("1", "Vigie starts", "Vigie démarre")),
  ];
}

const said = (version: string, text_en: string, text_fr: string): Written["fields"] => ({ version, text_en, text_fr });
const listOf = ({ readings }: Day, device: string, measure: string): readonly Reading[] =>
  readings.get(`${device} ${measure}`) ?? [];

/** The newest value at `at`; undefined before the first. */
function valueAt(list: readonly Reading[], at: number): number | undefined {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((list[middle] as Reading).at <= at) low = middle + 1;
    else high = middle;
  }
  return list[low - 1]?.value;
}

const grown = (list: readonly Reading[], from: number, to: number): number =>
  Math.max(0, (valueAt(list, to) ?? 0) - (valueAt(list, from) ?? valueAt(list, to) ?? 0));

function* quarters(): Iterable<number> {
  for (let at = Math.ceil(FROM / QUARTER) * QUARTER; at + QUARTER <= TO; at += QUARTER) yield at;
}

function places({ territory }: Day): Written[] {
  return [...territory.devices.values()].map(({ id, kind, station, street, zone, position: [lon, lat] }) =>
    own("place", FROM, { device: id, kind, station, street, zone }, { lat, lon }),
  );
}

function decisions({ journal }: Day): Written[] {
  return journal.flatMap((entry) => {
    const { id, at, name, subject, mode, acted, decision, author } = entry;
    const refused = decision.alternatives.flatMap(({ cost }) => (cost === undefined ? [] : [cost]));
    const cost = decision.evidence["delay_s"];
    const texts = {
      text_en: `${name} for ${subject}: ${decision.because}`,
      text_fr: `${name} pour ${subject} : ${decision.because}`,
    };
    const points = [
      own(
        "decision",
        at,
        { name, subject, mode, rule: decision.because, acted: acted ? "yes" : "no" },
        {
          entry: id,
          cost: typeof cost === "number" ? cost : undefined,
          refused_cost: refused.length === 0 ? undefined : Math.min(...refused),
          ...texts,
        },
      ),
    ];
    if (!name.startsWith("override.")) return points;
    const { override, reason, devices } = decision.evidence;
    const [scope, of] = subject.split(":");
    const state = name === "override.create" ? "active" : name === "override.release" ? "released" : "expired";
    return [
      ...points,
      own(
        "override",
        at,
        { scope, id: of, state },
        {
          number: Number(override),
          devices: Number(devices),
          until_ms: decision.validUntil,
          author: author ?? "",
          reason: String(reason ?? ""),
          ...texts,
        },
      ),
    ];
  });
}

function alarms({ alarms: all }: Day): Written[] {
  return all.map((alarm) =>
    own(
      "alarm",
      alarm.raisedAt,
      { key: alarm.key, severity: alarm.severity, event: "opened" },
      {
        number: alarm.id,
        subject: alarm.subject,
        text_en: alarmSentence(alarm, "en"),
        text_fr: alarmSentence(alarm, "fr"),
      },
    ),
  );
}

function lighting(day: Day): Written[] {
  const { territory, journal } = day;
  const lamps = Map.groupBy(territory.luminaires, (lamp) => lamp.street);
  const [lon, lat] = territory.position;
  return territory.streets.flatMap((street) => {
    const here = lamps.get(street.id) ?? [];
    if (here.length === 0) return [];
    const sensors = territory.presences.filter((each) => each.street === street.id);
    const steps = journal
      .filter((entry) => entry.name === "lighting.programme" && entry.subject === street.id)
      .flatMap((entry) => (entry.decision.value as OrderOf<"programme">).steps);
    const rated_kW = here.reduce((sum, lamp) => sum + lamp.power_W, 0) / 1000;
    const row = CLASSES[street.lightingClass];
    const lux = row.unit === "lx" ? row.maintained : row.maintained * LX_A_CANDELA;
    const area_m2 = lengthOf(street.line) * (WIDTH_M[street.highway] ?? 6);
    return [...quarters()].map((at) => {
      const end = at + QUARTER;
      const dark_h =
        darkness(at as Instant, end as Instant, lat, lon).reduce((sum, each) => sum + each.to - each.from, 0) / HOUR;
      const local = (new Date(at).getUTCHours() + 1) % 24;
      const active = steps.findLast((step) => step.at <= at)?.active ?? 1;
      const levels = here.map((lamp) => valueAt(listOf(day, lamp.id, "level"), end) ?? 0);
      const energy_kWh = here.reduce((sum, lamp) => sum + grown(listOf(day, lamp.id, "energy_kWh"), at, end), 0);
      return own(
        "lighting",
        at,
        { street: street.id, zone: street.zone },
        {
          energy_kWh,
          full_kWh: rated_kW * dark_h,
          half_night_kWh: rated_kW * dark_h * (local >= 23 || local < 5 ? 0.5 : 1),
          class_kWh: rated_kW * dark_h * active,
          power_W: here.reduce((sum, lamp) => sum + (valueAt(listOf(day, lamp.id, "power_W"), end) ?? 0), 0),
          flux_lx_m2: lux * area_m2,
          area_m2,
          lamps: here.length,
          lit: levels.filter((level) => level > 0).length,
          lit_level: levels.reduce((sum, level) => sum + level, 0),
          failed: here.filter((lamp) => valueAt(listOf(day, lamp.id, "failed"), end) === 1).length,
          passes: sensors.reduce((sum, each) => sum + grown(listOf(day, each.id, "passes"), at, end), 0),
        },
      );
    });
  });
}

function lengthOf(line: readonly (readonly [number, number])[]): number {
  return line.slice(1).reduce((sum, [lon, lat], index) => {
    const [lonBefore, latBefore] = line[index] as readonly [number, number];
    const east = (lon - lonBefore) * Math.cos((lat * Math.PI) / 180);
    return sum + Math.hypot(east, lat - latBefore) * 111_195;
  }, 0);
}

function waste(day: Day): Written[] {
  const { territory, journal } = day;
  const containers = new Map(territory.containers.map((each) => [each.id, each]));
  return journal
    .filter((entry) => entry.name === "waste.rounds")
    .flatMap((entry) => {
      const plan = entry.decision.value as RoundPlan;
      const input = entry.inputs as RoundsInput;
      const stops = new Map(plan.rounds.flatMap((round) => round.stops.map((stop) => [stop.site, stop] as const)));
      const skipped = new Map(plan.skipped.map((each) => [each.container, each]));
      const outlooks = input.candidates.flatMap((candidate) => {
        const { container: id, now, q50, q90 } = candidate;
        const container = containers.get(id);
        const tags = {
          device: id,
          stream: candidate.stream,
          street: container?.street,
          zone: territory.devices.get(id)?.zone,
        };
        // The level at the visit, some six hours on, drawn out to two days.
        const rate_h = Math.max(0.0005, (q50 - now) / 6);
        const spread = (q90 - q50) / Math.sqrt(6);
        const hours = Array.from({ length: 48 }, (_, hour) => {
          const middle = now + rate_h * hour;
          return own("forecast", Math.ceil(entry.at / HOUR) * HOUR + hour * HOUR, tags, {
            q50: Math.min(1.5, middle),
            q90: Math.min(1.5, middle + spread * Math.sqrt(hour)),
          });
        });
        const because = stops.get(id)?.because ?? skipped.get(id)?.because ?? "";
        const days = Math.max(0, Math.min(14, (1 - now) / rate_h / 24));
        return [
          own("outlook", entry.at, tags, { days_to_full: days, visited: stops.has(id) ? 1 : 0, because }),
          ...hours,
        ];
      });
      const rounds = plan.rounds.flatMap((round) => {
        const [departure, end] = [round.stops[0]?.eta ?? entry.at, round.stops.at(-1)?.eta ?? entry.at];
        if (end > TO) return [];
        const loads = listOf(day, round.vehicle, "load_kg").filter(({ at }) => at >= departure && at <= end + HOUR);
        const weight_kg = loads.reduce(
          (sum, { value }, index) => sum + Math.max(0, (loads[index - 1]?.value ?? 0) - value),
          0,
        );
        const planned = round.stops.filter((stop) => stop.what === "container");
        return own(
          "round",
          departure,
          { vehicle: round.vehicle, depot: input.depot },
          {
            round: round.id,
            distance_km: grown(listOf(day, round.vehicle, "distance_km"), departure, end + HOUR),
            weight_kg,
            stops: planned.length,
            served: planned.filter((stop) => grown(listOf(day, stop.site, "collections"), entry.at, entry.at + DAY) > 0)
              .length,
            duration_s: round.duration_s,
          },
        );
      });
      return [...outlooks, ...rounds];
    });
}

function greens(day: Day): Written[] {
  const { territory, journal } = day;
  return territory.junctions.flatMap((junction) => {
    const frames = journal.filter((entry) => entry.name === "traffic.frame" && entry.subject === junction.id);
    const shown = listOf(day, junction.id, "greens");
    return junction.groups.flatMap((group, bit) => {
      if (group.kind !== "vehicle") return [];
      let since: number | undefined;
      let ended: number | undefined;
      const points: Written[] = [];
      for (const { at, value } of shown) {
        const green = Math.floor(value / 2 ** bit) % 2 === 1;
        if (green && since === undefined) since = at;
        if (green || since === undefined) continue;
        const begun = since;
        const green_s = (at - begun) / 1000;
        const frame = frames.findLast((entry) => entry.at <= begun)?.decision.value as OrderOf<"frame"> | undefined;
        const stages = (frame?.stages ?? []).filter(({ stage }) =>
          junction.stages.find((each) => each.id === stage)?.groups.includes(group.id),
        );
        const sum = (of: "target_s" | "max_s"): number => stages.reduce((total, stage) => total + stage[of], 0);
        const cycle = frame?.cycle_s ?? 60;
        const begin_s = (((begun / 1000 - (frame?.offset_s ?? 0)) % cycle) + cycle) % cycle;
        const fixed = (valueAt(listOf(day, junction.id, "mode"), begun) ?? 0) > 0;
        points.push(
          own(
            "phase",
            begun,
            {
              device: junction.id,
              group: group.id,
              end: fixed ? "force-off" : green_s >= sum("max_s") - 1 ? "max-out" : "gap-out",
            },
            {
              green_s,
              target_s: stages.length === 0 ? undefined : sum("target_s"),
              red_s: ended === undefined ? undefined : (begun - ended) / 1000,
              begin_s,
              end_s: begin_s + green_s,
            },
          ),
        );
        ended = at;
        since = undefined;
      }
      return points;
    });
  });
}

function junctions(day: Day): Written[] {
  const { territory } = day;
  return territory.junctions.flatMap((junction) => {
    const loops = territory.detectors.filter(
      (each) => each.junction === junction.id && each.kind === "loop" && each.place === "stop-line",
    );
    const queue = listOf(day, junction.id, "queue");
    const waits = listOf(day, junction.id, "longest_wait_s");
    const mode = listOf(day, junction.id, "mode");
    return [...quarters()].map((at) => {
      const end = at + QUARTER;
      const during = (list: readonly Reading[]): number[] =>
        list.filter((each) => each.at >= at && each.at < end).map(({ value }) => value);
      const vehicles = loops.reduce((sum, loop) => sum + grown(listOf(day, loop.id, "vehicles"), at, end), 0);
      const queued = during(queue);
      const mean = queued.reduce((sum, each) => sum + each, 0) / Math.max(1, queued.length);
      const minutes = Array.from({ length: 15 }, (_, minute) => valueAt(mode, at + minute * MINUTE) ?? 0);
      return own(
        "junction",
        at,
        { device: junction.id },
        {
          vehicles,
          delay_s: vehicles === 0 ? undefined : (mean * QUARTER) / 1000 / vehicles,
          longest_wait_s: Math.max(0, ...during(waits)),
          fallback_s: 60 * minutes.filter((each) => each > 0).length,
        },
      );
    });
  });
}

/** What a rehearsal can say of its server: how much came when, and that nobody was missing. */
function health(day: Day): Written[] {
  const { territory, readings, alarms: all, journal } = day;
  const held = (at: number): number =>
    journal.filter((entry) => entry.at <= at && entry.name === "override.create").length -
    journal.filter((entry) => entry.at <= at && /^override\.(release|expire)$/.test(entry.name)).length;
  const stored = new Map<number, number>();
  let bytes = 0;
  for (const list of readings.values()) {
    for (const { at } of list) {
      const minute = Math.floor(at / MINUTE) * MINUTE;
      stored.set(minute, (stored.get(minute) ?? 0) + 1);
    }
  }
  const points: Written[] = [];
  for (let at = Math.ceil(FROM / MINUTE) * MINUTE; at < TO; at += MINUTE) {
    bytes += (stored.get(at) ?? 0) * 8;
    const open = all.filter((alarm) => alarm.raisedAt <= at && alarm.updatedAt >= at);
    points.push(
      own(
        "server",
        at,
        {},
        {
          stored: stored.get(at) ?? 0,
          duplicates: 0,
          early: 0,
          quarantined: 0,
          waiting: 0,
          commit_p50_ms: 0.1,
          commit_p99_ms: 0.1,
          puback_p50_ms: 0.1,
          puback_p99_ms: 0.1,
          stations: territory.stations.length,
          online: territory.stations.length,
          outboxes: 0,
          alarms_open: open.length,
          alarms_critical: open.filter((alarm) => alarm.severity === "critical").length,
          overrides: held(at),
          commands_waiting: 0,
          lighting_ok: 1,
          waste_ok: 1,
          traffic_ok: 1,
          store_ok: 1,
          store_B: bytes,
          memory_B: 1e8,
        },
      ),
    );
    if (at % (5 * MINUTE) !== 0) continue;
    for (const { id } of territory.stations) {
      points.push(
        own("station", at, { station: id }, { online: 1, silent_s: 0, clock_error_s: 0, waiting: 0, dropped: 0 }),
      );
    }
  }
  return points;
}
