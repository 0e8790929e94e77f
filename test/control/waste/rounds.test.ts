import { describe, expect, test } from "vitest";
import * as fc from "fast-check";
import { seededChance } from "#protocol/chance.ts";
import type { Candidate } from "#control/waste/fill.ts";
import type { RoundsInput } from "#control/waste/rounds.ts";
import { ROUNDS_POLICY, ROUNDS_REFUSALS, ROUNDS_RULES, rounds } from "#control/waste/rounds.ts";
import { VISIT_RULES } from "#control/waste/selection.ts";
import { canonical } from "#protocol/canonical.ts";

const morning = Date.UTC(2026, 10, 24, 5);
const policy = { ...ROUNDS_POLICY, iterations: 200 };

const full = (container: string, change: Partial<Candidate> = {}): Candidate => ({
  container,
  stream: "residual",
  volume_L: 1000,
  service_s: 60,
  now: 0.9,
  q50: 1,
  q90: 1.1,
  risk: 0.9,
  sinceEmptied_d: 3,
  ...change,
});

/** Depot at 0, tip at 1,000, candidates at the places given, on one straight road at a second a metre. */
function day(
  places: readonly number[],
  candidates: readonly Candidate[],
  change: Partial<RoundsInput> = {},
): RoundsInput {
  const all = [0, 1000, ...places];
  return {
    plan: "depot-2026-11-24",
    day: morning,
    depot: "depot",
    candidates,
    tippingSites: [{ id: "tip", service_s: 600, streams: ["residual", "glass"] }],
    vehicles: [{ id: "V1", capacity_L: 10_000, streams: ["residual", "glass"], shiftStart: morning, shift_s: 25_200 }],
    travel_s: all.map((from) => all.map((to) => Math.abs(from - to))),
    policy,
    seed: 1,
    ...change,
  };
}

describe("a sheet", () => {
  test("of two full containers has both, the tip, the way home, and the time of each", () => {
    const { value, because } = rounds(day([300, 500], [full("A"), full("B")]));
    expect(because).toBe("risk-against-visit");
    expect(value.skipped).toEqual([]);
    const [round] = value.rounds;
    expect(round?.stops.map(({ site, eta }) => [site, (eta - morning) / 1000])).toEqual([
      ["depot", 0],
      ["A", 300],
      ["B", 300 + 60 + 200],
      ["tip", 560 + 60 + 500],
      ["depot", 1120 + 600 + 1000],
    ]);
    expect(round).toMatchObject({
      id: "depot-2026-11-24-V1",
      vehicle: "V1",
      duration_s: 2720,
      driving_s: 2000,
      load_L: 2000,
    });
    expect(round?.stops[1]).toMatchObject({
      what: "container",
      expectedFill_q50: 1,
      expectedFill_q90: 1.1,
      because: "full",
    });
  });

  test("tips between when the second does not fit", () => {
    const vehicles = [{ id: "V1", capacity_L: 1500, streams: ["residual"], shiftStart: morning, shift_s: 25_200 }];
    const [round] = rounds(day([300, 500], [full("A"), full("B")], { vehicles })).value.rounds;
    expect(round?.stops.map((stop) => stop.site)).toEqual([
      "depot",
      expect.any(String),
      "tip",
      expect.any(String),
      "tip",
      "depot",
    ]);
  });

  test("never mixes two streams between tips", () => {
    const [round] = rounds(day([300, 500, 700], [full("A"), full("B", { stream: "glass" }), full("C")])).value.rounds;
    const trips = (round?.stops ?? [])
      .map((stop) => stop.site)
      .join(" ")
      .split("tip");
    expect(trips.filter((trip) => trip.includes("B"))).toHaveLength(1);
    expect(trips.find((trip) => trip.includes("B"))).not.toMatch(/A|C/);
  });

  test("tips at the depot what no tipping site takes", () => {
    const [round] = rounds(day([300], [full("A")], { tippingSites: [] , travel_s: [[0, 300], [300, 0]] })).value.rounds; // prettier-ignore
    expect(round?.stops.map((stop) => stop.site)).toEqual(["depot", "A", "depot"]);
  });
});

describe("what is skipped says why", () => {
  test("for room left, for want of hours, and for want of a vehicle", () => {
    const vehicles = [{ id: "V1", capacity_L: 10_000, streams: ["residual"], shiftStart: morning, shift_s: 4000 }];
    const candidates = [
      full("near"),
      full("far"),
      full("bottles", { stream: "glass" }),
      full("empty", { q50: 0.1, risk: 0 }),
    ];
    const { value } = rounds(day([500, 9000, 400, 600], candidates, { vehicles }));
    expect(value.rounds[0]?.stops.map((stop) => stop.site)).toContain("near");
    expect(Object.fromEntries(value.skipped.map(({ container, because }) => [container, because]))).toEqual({
      far: "no-time",
      bottles: "no-vehicle",
      empty: "room-left",
    });
  });

  test("and a day on which nothing is full has no round", () => {
    const { value, because, evidence } = rounds(day([500], [full("A", { q50: 0.2, risk: 0 })]));
    expect([value.rounds, because, evidence["visited"]]).toEqual([[], "nothing-to-collect", 0]);
  });
});

test("a container larger than the vehicle is taken all the same", () => {
  const { value } = rounds(day([300], [full("skip", { volume_L: 20_000 })]));
  expect(value.rounds[0]?.stops[1]?.site).toBe("skip");
});

test("every alternative names its cost in seconds, to compare", () => {
  const { alternatives } = rounds(day([300, 500], [full("A"), full("B")]));
  expect(alternatives.map(({ refused }) => refused)).toEqual(["takes-longer", "overflows-more", "takes-longer"]);
  expect(alternatives[1]?.cost).toBe(2 * 0.9 * 3600);
});

test("any day gives a plan in which each container comes once, loads and hours hold, and the journal can keep it", () => {
  const anyDay = fc
    .tuple(fc.integer({ min: 0, max: 15 }), fc.integer(), fc.integer({ min: 0, max: 3 }))
    .map(([count, seed, vehicles]) => {
      const chance = seededChance(seed);
      const candidates = Array.from({ length: count }, (_, index) =>
        full(`C${index}`, {
          q50: Math.round(chance.next() * 1000) / 1000,
          risk: chance.next(),
          stream: chance.next() < 0.7 ? "residual" : "glass",
        }),
      );
      const fleet = Array.from({ length: vehicles }, (_, index) => ({
        id: `V${index}`,
        capacity_L: 2000 + Math.floor(chance.next() * 4000),
        streams: chance.next() < 0.5 ? ["residual"] : ["residual", "glass"],
        shiftStart: morning,
        shift_s: 5000 + Math.floor(chance.next() * 20_000),
      }));
      return day(candidates.map(() => Math.floor(chance.next() * 3000)), candidates, { vehicles: fleet, seed }); // prettier-ignore
    });
  fc.assert(
    fc.property(anyDay, (input) => {
      const decision = rounds(input);
      const { rounds: sheets, skipped } = decision.value;
      const visited = sheets.flatMap((sheet) =>
        sheet.stops.filter((stop) => stop.what === "container").map((stop) => stop.site),
      );
      expect([...visited, ...skipped.map((each) => each.container)].toSorted()).toEqual(
        input.candidates.map((each) => each.container).toSorted(),
      );
      for (const sheet of sheets) {
        const vehicle = input.vehicles.find((each) => each.id === sheet.vehicle);
        expect(sheet.duration_s).toBeLessThanOrEqual(vehicle?.shift_s ?? 0);
        expect(sheet.stops.at(-1)?.eta).toBe(morning + sheet.duration_s * 1000);
        expect(sheet.stops.map((stop) => stop.eta)).toEqual(
          sheet.stops.map((stop) => stop.eta).toSorted((a, b) => a - b),
        );
      }
      expect(ROUNDS_RULES).toContain(decision.because);
      for (const { refused } of decision.alternatives) expect(ROUNDS_REFUSALS).toContain(refused);
      for (const { because } of skipped) expect(VISIT_RULES).toContain(because);
      expect(JSON.parse(canonical(decision))).toEqual(decision);
      expect(canonical(rounds(JSON.parse(canonical(input)) as RoundsInput))).toBe(canonical(decision));
    }),
    { numRuns: 30 },
  );
});
