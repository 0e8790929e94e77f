import { expect, test } from "vitest";
import type { Junction } from "#protocol/territory.ts";
import { parseTerritory } from "#protocol/territory.ts";
import { HOUR, instant } from "#protocol/units.ts";
import { crossing } from "#simulators/crossing.ts";
import { trafficRate } from "#simulators/traffic-day.ts";

const junction = parseTerritory(crossing()).junctions[0] as Junction;
const rate = trafficRate(junction, { vehicles: 9000, walkers: 1500 }, "Europe/Paris");
const TUESDAY = Date.UTC(2026, 2, 3) - HOUR;
const SATURDAY = Date.UTC(2026, 2, 7) - HOUR;
const came = (kind: string, day: number, from_h = 0, to_h = 24): number => {
  let sum = 0;
  for (let hour = from_h; hour < to_h; hour++) {
    for (const group of junction.groups) if (group.kind === kind) sum += rate(group, instant(day + hour * HOUR));
  }
  return sum;
};

test("a weekday brings the vehicles and walkers that were asked for", () => {
  expect(came("vehicle", TUESDAY)).toBeCloseTo(9000);
  expect(came("pedestrian", TUESDAY)).toBeCloseTo(1500);
});

test("the rush is at eight and at five by the town's clocks, and the night is quiet", () => {
  const hourly = Array.from({ length: 24 }, (_, hour) => came("vehicle", TUESDAY, hour, hour + 1));
  expect(hourly.indexOf(Math.max(...hourly))).toBe(17);
  expect(hourly[8]).toBeGreaterThan(1.3 * (hourly[10] as number));
  expect(hourly[3]).toBeLessThan((hourly[8] as number) / 20);
});

test("a Saturday has less traffic and no morning rush", () => {
  // 72 % of a weekday.
  expect(came("vehicle", SATURDAY)).toBeCloseTo(6480);
  expect(came("vehicle", SATURDAY, 8, 9)).toBeLessThan(came("vehicle", SATURDAY, 11, 12));
});
