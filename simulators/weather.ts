import { getPosition } from "suncalc";
import type { SeededChance } from "#protocol/chance.ts";
import type { LonLat } from "#protocol/territory.ts";
import { DAY, HOUR } from "#protocol/units.ts";
import type { Instrument } from "./instrument.ts";

/** The weather of one place, from its seed: asked for any time it gives the same answer, so there is nothing to keep. */
export interface Weather {
  temperature_C(at: number): number;
  rain_mm_h(at: number): number;
  wind_m_s(at: number): number;
  /** Degrees above the horizon. */
  sun_deg(at: number): number;
  illuminance_lx(at: number): number;
}

/** Log10 of lux by the sun's altitude in a clear sky; civil twilight ends at 3.4 lx (USNO, The Explanatory Supplement). */
const CLEAR_SKY: readonly (readonly [deg: number, log10: number])[] = [
  [-18, -2.9],
  [-12, -2.1],
  [-6, 0.53],
  [-3, 1.7],
  [-0.8, 2.6],
  [5, 3.7],
  [10, 4.1],
  [20, 4.5],
  [40, 4.85],
  [65, 5.03],
];

export function createWeather(position: LonLat, chance: SeededChance): Weather {
  const [lon, lat] = position;
  const known = new Map<string, number>();
  /** A number in [0, 1) for each hour and quantity. */
  const drawn = (what: string, index: number): number => {
    const name = `${what} ${index}`;
    let value = known.get(name);
    if (value === undefined) {
      if (known.size > 4000) known.clear();
      known.set(name, (value = chance.branch(name).next()));
    }
    return value;
  };
  /** Smooth between one drawing each `period`. */
  const smooth = (what: string, at: number, period: number): number => {
    const index = Math.floor(at / period);
    const share = at / period - index;
    const eased = share * share * (3 - 2 * share);
    return drawn(what, index) * (1 - eased) + drawn(what, index + 1) * eased;
  };
  const season = (at: number): number => Math.cos(((at / DAY - 200) / 365.25) * 2 * Math.PI) * Math.sign(lat || 1);
  const cloud = (at: number): number => Math.max(0, Math.min(1, smooth("cloud", at, 9 * HOUR) * 1.5 - 0.25));
  const weather: Weather = {
    temperature_C(at) {
      const day = Math.cos(((at / HOUR + lon / 15 - 15) / 24) * 2 * Math.PI);
      return (
        11.5 +
        8 * season(at) +
        (4 + 2 * season(at)) * day * (1 - cloud(at) / 2) +
        9 * (smooth("front", at, 40 * HOUR) - 0.5)
      );
    },
    rain_mm_h(at) {
      const wet = cloud(at) - 0.72;
      return wet <= 0 ? 0 : Math.round(wet * 14 * drawn("shower", Math.floor(at / HOUR)) * 10) / 10;
    },
    wind_m_s: (at) => 1 + 9 * smooth("wind", at, 7 * HOUR) ** 2,
    sun_deg: (at) => getPosition(new Date(at), lat, lon).altitude,
    illuminance_lx(at) {
      const sun = weather.sun_deg(at);
      let index = CLEAR_SKY.findIndex(([deg]) => deg > sun);
      if (index === 0) return 0;
      if (index < 0) index = CLEAR_SKY.length - 1;
      const [a, low] = CLEAR_SKY[index - 1] as readonly [number, number];
      const [b, high] = CLEAR_SKY[index] as readonly [number, number];
      return 10 ** (low + ((high - low) * (sun - a)) / (b - a)) * (1 - 0.75 * cloud(at));
    },
  };
  return weather;
}

export function photocell(weather: Weather): Instrument {
  return {
    read: (measure, now) =>
      measure === "illuminance_lx" ? Math.min(150_000, Math.round(weather.illuminance_lx(now) * 10) / 10) : undefined,
  };
}

export function weatherStation(weather: Weather): Instrument {
  const tenths = (value: number): number => Math.round(value * 10) / 10;
  return {
    read(measure, now) {
      if (measure === "temperature_C") return tenths(weather.temperature_C(now));
      if (measure === "rain_mm_h") return weather.rain_mm_h(now);
      if (measure === "wind_m_s") return tenths(weather.wind_m_s(now));
      return undefined;
    },
  };
}
