import { beforeAll, describe, expect, test } from "vitest";
import { parseTerritory } from "#protocol/territory.ts";
import { SERIES, type OwnSeries, type SeriesName } from "#protocol/series.ts";
import { DAY, HOUR, instant, MINUTE } from "#protocol/units.ts";
import { rehearse, type Rehearsed } from "#rehearsal/rehearse.ts";
import type { OwnPoint } from "#server/chronicle/point.ts";
import { generateTown } from "#simulators/generate.ts";

const FROM = instant(Date.UTC(2026, 2, 2, 11));
const HOURS = 27;
const territory = parseTerritory(generateTown({ seed: 3, lamps: 30, containers: 8, junctions: 2 }), "a small town");

describe("what the server writes of itself over a day", () => {
  let town: Rehearsed;
  let points: OwnPoint[];
  const of = (name: SeriesName): OwnPoint[] => points.filter(({ measurement }) => measurement === name);
  const sum = (each: readonly OwnPoint[], name: string): number =>
    each.reduce((total, { fields }) => total + Number(fields[name] ?? 0), 0);

  beforeAll(async () => {
    town = await rehearse({ territory, seed: 3, from: FROM, hours: HOURS, chronicle: true, hand: false });
    points = (await town.store.recorded?.(instant(0), instant(FROM + 4 * DAY))) ?? [];
  }, 60_000);

  test("every point holds what its series may hold, and numbers where numbers are said", () => {
    const strange = points.flatMap(({ measurement, tags, fields }) => {
      const series: OwnSeries = SERIES[measurement];
      return [
        ...Object.keys(tags).filter((tag) => !(tag in series.tags)),
        ...Object.entries(fields)
          .filter(([field, value]) => {
            const known = series.fields[field];
            return known === undefined || (known.unit === "text") !== (typeof value === "string");
          })
          .map(([field]) => field),
      ].map((name) => `${measurement}.${name}`);
    });
    expect([...new Set(strange)]).toEqual([]);
  });

  test("every series is written, but those that need a person, a fault or a stranger", () => {
    const written = new Set(points.map(({ measurement }) => measurement));
    const missing = (Object.keys(SERIES) as SeriesName[]).filter((name) => !written.has(name));
    expect(missing.filter((name) => !["override", "quarantine", "alarm"].includes(name))).toEqual([]);
  });

  test("each decision in the journal is a point, with its rule as a sentence in both languages", () => {
    expect(of("decision").length).toBe(town.result.decisions);
    const programme = of("decision").find(({ tags }) => tags["name"] === "lighting.programme");
    expect(programme?.fields["text_en"]).toMatch(/: (Each hour|Too few|The sun)/);
    expect(programme?.fields["text_fr"]).toMatch(/: (Chaque heure|Trop peu|Le soleil)/);
  });

  test("the energy of all streets over the night is the energy that the lamps counted", async () => {
    const lamps = territory.luminaires.map(({ id }) => id);
    const used = await town.store.aggregate({
      devices: lamps,
      measure: "energy_kWh",
      from: FROM,
      to: instant(FROM + HOURS * HOUR),
      every: (HOURS * 3600) as never,
      by: "device",
    });
    const counted = used.reduce((total, { first, last }) => total + last - first, 0);
    expect(counted).toBeGreaterThan(0);
    expect(Math.abs(sum(of("lighting"), "energy_kWh") - counted)).toBeLessThan(0.05 * counted + 0.1);
    expect(sum(of("lighting"), "full_kWh")).toBeGreaterThan(sum(of("lighting"), "half_night_kWh"));
    expect(sum(of("lighting"), "half_night_kWh")).toBeGreaterThan(counted);
  });

  test("by day lamps are compared with their own standby, so that nothing seems saved or wasted", () => {
    // From 12:00 to 16:00 UTC, with the sun up and no hand on any lamp.
    const day = of("lighting").filter(({ at }) => at >= FROM + HOUR && at < FROM + 5 * HOUR);
    // 30 lamps of 0.4 to 0.9 W for four hours; counters have steps of 0.0001 kWh.
    expect(sum(day, "energy_kWh")).toBeGreaterThan(30 * 0.0004 * 4);
    for (const against of ["full_kWh", "half_night_kWh", "class_kWh"]) {
      expect(Math.abs(sum(day, against) / sum(day, "energy_kWh") - 1), against).toBeLessThan(0.05);
    }
  });

  test("sums are of whole quarters of an hour, one of each street and junction", () => {
    for (const name of ["lighting", "junction"] as const) {
      const at = of(name).map((each) => `${each.at} ${each.tags["street"] ?? each.tags["device"]}`);
      expect(new Set(at).size, name).toBe(at.length);
      expect(of(name).every((each) => each.at % (15 * MINUTE) === 0)).toBe(true);
    }
  });

  test("greens of one group follow each other without an overlap, and none is longer than its frame allows", () => {
    for (const group of new Set(of("phase").map(({ tags }) => `${tags["device"]} ${tags["group"]}`))) {
      const greens = of("phase")
        .filter(({ tags }) => `${tags["device"]} ${tags["group"]}` === group)
        .sort((a, b) => a.at - b.at);
      for (const [index, green] of greens.entries()) {
        const next = greens[index + 1];
        if (next !== undefined) expect(green.at + Number(green.fields["green_s"]) * 1000).toBeLessThanOrEqual(next.at);
      }
      expect(greens.length).toBeGreaterThan(100);
    }
  });

  test("greens end as their cabinet counted: who rested in green while nobody else came was not cut off at the longest", async () => {
    for (const { id } of territory.junctions) {
      const counted = await town.store.range(id, "terminations", instant(0), instant(FROM + DAY), 10_000);
      const [first, last] = [counted[0], counted.at(-1)];
      if (first === undefined || last === undefined) throw new Error(`${id} counted nothing`);
      const ends = (how: string): number => {
        const found = of("phase").flatMap(({ at, tags, fields }) => {
          const end = at + Number(fields["green_s"]) * 1000;
          return tags["device"] === id && tags["end"] === how && end > first.at && end <= last.at ? [end] : [];
        });
        return new Set(found).size;
      };
      // A stage of pedestrians alone ends without a green of vehicles.
      expect(ends("gap-out") / (last.value - first.value)).toBeGreaterThan(0.9);
      expect(ends("gap-out")).toBeLessThanOrEqual(last.value - first.value);
      expect(ends("max-out")).toBeLessThan(0.05 * ends("gap-out"));
    }
  });

  test("a round is told once it is over: what was driven, emptied and tipped", () => {
    const [round] = of("round");
    expect(round?.fields["served"]).toBe(round?.fields["stops"]);
    expect(round?.fields["distance_km"]).toBeGreaterThan(0);
    expect(round?.fields["weight_kg"]).toBeGreaterThan(0);
  });

  test("a forecast reaches two days ahead, and what is passed once in ten times lies above what is as likely as not", () => {
    const forecasts = of("forecast");
    const furthest = forecasts.reduce((most, { at }) => Math.max(most, at), 0);
    expect(furthest).toBeGreaterThan(FROM + 2 * DAY);
    for (const { fields } of forecasts) expect(Number(fields["q90"])).toBeGreaterThanOrEqual(Number(fields["q50"]));
  });
});
