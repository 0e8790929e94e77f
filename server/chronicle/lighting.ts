import { CLASSES, levelFor } from "#control/lighting/classes.ts";
import { hourOfWeek } from "#control/localTime.ts";
import { darkness, overlap } from "#control/lighting/sun.ts";
import type { Street, Territory } from "#protocol/territory.ts";
import type { Instant } from "#protocol/units.ts";
import { DAY, HOUR } from "#protocol/units.ts";
import type { Offsets } from "../offsets.ts";
import type { Registry } from "../registry.ts";
import { growthOf } from "./growth.ts";
import { type OwnPoint, point } from "./point.ts";

/** The best usual plan without sensors: every lamp at half output between these hours of the local night. */
const HALF_NIGHT = { level: 0.5, from_h: 23, to_h: 5 };
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
}

/**
 * Each quarter of an hour and street: what its lamps used against what they would have used in full output, by the half-night plan and at
 * the level of its class all night, and what EN 13201-5 asks for: Σ E·A of the class.
 */
export function createLightingSums({ territory, registry, offsets }: LightingParts) {
  const [lon, lat] = territory.position;
  const streets = territory.streets.flatMap((street) => {
    const lamps = territory.luminaires.filter((lamp) => lamp.street === street.id);
    const sensors = territory.presences.filter((sensor) => sensor.street === street.id);
    return lamps.length === 0 ? [] : [{ street, lamps, sensors, area_m2: areaOf(street) }];
  });
  const grown = growthOf(registry);

  /** The quarter of an hour that ends now. */
  return (from: Instant, to: Instant): OwnPoint[] => {
    const nights = darkness((from - DAY) as Instant, (to + DAY) as Instant, lat, lon);
    const dark_h = overlap(nights, from, to) / HOUR;
    const hour = hourOfWeek(from, offsets.over(from, to)) % 24;
    const half_h = hour >= HALF_NIGHT.from_h || hour < HALF_NIGHT.to_h ? dark_h : 0;
    const hours = (to - from) / HOUR;
    return streets.map(({ street, lamps, sensors, area_m2 }) => {
      const energy_kWh = sum(lamps.map(({ id }) => grown(id, "energy_kWh")));
      const rated_kW = sum(lamps.map(({ power_W }) => power_W)) / 1000;
      const { lightingClass } = street;
      const levels = lamps.map(({ id }) => registry.value(id, "level") ?? 0);
      const row = CLASSES[lightingClass];
      return point(
        "lighting",
        from,
        { street: street.id, zone: street.zone },
        {
          energy_kWh,
          full_kWh: rated_kW * dark_h,
          half_night_kWh: rated_kW * (dark_h - half_h + half_h * HALF_NIGHT.level),
          class_kWh: dark_h * sum(lamps.map((lamp) => (lamp.power_W / 1000) * levelFor(lamp.lightingClass, lightingClass))), // prettier-ignore
          power_W: (energy_kWh / hours) * 1000,
          flux_lx_m2: row.unit === "lx" ? row.maintained * area_m2 : null,
          area_m2,
          lamps: lamps.length,
          lit: levels.filter((level) => level > 0).length,
          lit_level: sum(levels),
          failed: lamps.filter(({ id }) => registry.value(id, "failed") === 1).length,
          passes: sum(sensors.map(({ id }) => grown(id, "passes"))),
        },
      );
    });
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
