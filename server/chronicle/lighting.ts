import { CLASSES, levelFor } from "#control/lighting/classes.ts";
import { powerAt, UNMEASURED } from "#control/lighting/energy.ts";
import { darkness, overlap } from "#control/lighting/sun.ts";
import { hourOfWeek } from "#control/localTime.ts";
import type { Street, Territory } from "#protocol/territory.ts";
import type { Instant, Level } from "#protocol/units.ts";
import { DAY, HOUR, level, watts } from "#protocol/units.ts";
import type { Offsets } from "../offsets.ts";
import type { Registry } from "../registry.ts";
import type { Store } from "../store/store.ts";
import type { Book } from "./booking.ts";
import { growthIn, QUARTER_MS } from "./growth.ts";
import { type OwnPoint, point } from "./point.ts";

/** The best usual plan without sensors: every lamp at half output between these hours of the local night. */
const HALF_NIGHT = { level: level(0.5), from_h: 23, to_h: 5 };
/** No controller takes more while its lamp is off: beyond, it is read while it fades, or it burns against its order. */
const MOST_STANDBY_W = 3;
/** Width lit by the lamps of one street, in metres, by its kind: carriageway and pavements as usually built. */
const WIDTH_m: Readonly<Record<string, number>> = {
  primary: 14,
  secondary: 11,
  tertiary: 9,
  residential: 8,
  service: 5,
};
const OTHER_WIDTH_m = 4;

export interface LightingParts {
  readonly territory: Territory;
  readonly registry: Registry;
  readonly offsets: Offsets;
  readonly store: Pick<Store, "aggregate">;
}

/**
 * Each quarter of an hour and street: what its lamps used against what they would have used in full output, by the half-night plan and at
 * the level of its class all night, and what EN 13201-5 asks for: Σ E·A of the class.
 */
export function createLightingBook({ territory, registry, offsets, store }: LightingParts): Book & {
  /** How the lamps of each street stand now, for the quarter of an hour that began at `from`. */
  standing(from: Instant): OwnPoint[];
} {
  const [lon, lat] = territory.position;
  const streets = territory.streets.flatMap((street) => {
    const lamps = territory.luminaires.filter((lamp) => lamp.street === street.id);
    const sensors = territory.presences.filter((sensor) => sensor.street === street.id);
    return lamps.length === 0 ? [] : [{ street, lamps, sensors, area_m2: areaOf(street) }];
  });
  const counted = { lamp: "energy_kWh", presence: "passes" } as Readonly<Record<string, string>>;
  const streetOf = new Map(
    streets.flatMap(({ street, lamps, sensors }) => [...lamps, ...sensors].map(({ id }) => [id, street.id] as const)),
  );
  const standby_W = new Map<string, number>();

  /** What a lamp takes while it is off, by what it last said then: its controller and radio never sleep. */
  const curveOf = (lamp: string) => {
    const [dimmed, power] = [registry.latest(lamp, "level"), registry.latest(lamp, "power_W")];
    const isOff = dimmed?.value === 0 && power !== undefined && power.at >= dimmed.at;
    if (isOff && power.value <= MOST_STANDBY_W) standby_W.set(lamp, power.value);
    return { ...UNMEASURED, standby_W: standby_W.get(lamp) ?? UNMEASURED.standby_W };
  };

  return {
    subjects: streets.map(({ street }) => street.id),
    subjectOf: ({ device, measure }) =>
      measure === counted[territory.devices.get(device)?.kind ?? ""] ? streetOf.get(device) : undefined,

    async sums(subjects, from, to) {
      const asked = new Set(subjects);
      const chosen = streets.filter(({ street }) => asked.has(street.id));
      const idsOf = (of: "lamps" | "sensors"): string[] => chosen.flatMap((each) => each[of].map(({ id }) => id));
      const used = await growthIn(store, "energy_kWh", idsOf("lamps"), from, to);
      const passed = await growthIn(store, "passes", idsOf("sensors"), from, to);
      const nights = darkness((from - DAY) as Instant, (to + DAY) as Instant, lat, lon);
      const points: OwnPoint[] = [];
      for (let at = from; at < to; at = (at + QUARTER_MS) as Instant) {
        const end = (at + QUARTER_MS) as Instant;
        const hours = QUARTER_MS / HOUR;
        const dark_h = overlap(nights, at, end) / HOUR;
        const hour = hourOfWeek(at, offsets.over(at, end)) % 24;
        const half_h = hour >= HALF_NIGHT.from_h || hour < HALF_NIGHT.to_h ? dark_h : 0;
        for (const { street, lamps, sensors, area_m2 } of chosen) {
          const energy_kWh = sum(lamps.map(({ id }) => used(id, at)));
          const curves = lamps.map((lamp) => ({ ...lamp, rated: watts(lamp.power_W), curve: curveOf(lamp.id) }));
          const { lightingClass } = street;
          /** What all lamps take in `h` hours, each at its level. */
          const taking_kWh = (h: number, levelOf: (lamp: (typeof curves)[number]) => Level): number =>
            (h * sum(curves.map((lamp) => powerAt(levelOf(lamp), lamp.rated, lamp.curve)))) / 1000;
          const off_kWh = taking_kWh(hours - dark_h, () => level(0));
          const row = CLASSES[lightingClass];
          points.push(
            point(
              "lighting",
              at,
              { street: street.id, zone: street.zone },
              {
                energy_kWh,
                full_kWh: off_kWh + taking_kWh(dark_h, () => level(1)),
                half_night_kWh: off_kWh + taking_kWh(dark_h - half_h, () => level(1)) + taking_kWh(half_h, () => HALF_NIGHT.level), // prettier-ignore
                class_kWh: off_kWh + taking_kWh(dark_h, (lamp) => levelFor(lamp.lightingClass, lightingClass)),
                power_W: (energy_kWh / hours) * 1000,
                flux_lx_m2: row.unit === "lx" ? row.maintained * area_m2 : null,
                area_m2,
                passes: sum(sensors.map(({ id }) => passed(id, at))),
              },
            ),
          );
        }
      }
      return points;
    },

    standing: (from) =>
      streets.map(({ street, lamps }) => {
        const levels = lamps.map(({ id }) => registry.value(id, "level") ?? 0);
        return point(
          "lighting",
          from,
          { street: street.id, zone: street.zone },
          {
            lamps: lamps.length,
            lit: levels.filter((each) => each > 0).length,
            lit_level: sum(levels),
            failed: lamps.filter(({ id }) => registry.value(id, "failed") === 1).length,
          },
        );
      }),
  };
}

function areaOf(street: Street): number {
  const length = street.line.slice(1).reduce((total, [lon, lat], index) => {
    const [fromLon = 0, fromLat = 0] = street.line[index] ?? [];
    return total + 111_320 * Math.hypot((lon - fromLon) * Math.cos((lat * Math.PI) / 180), lat - fromLat);
  }, 0);
  return length * (WIDTH_m[street.highway] ?? OTHER_WIDTH_m);
}

const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0);
