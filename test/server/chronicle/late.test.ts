import { beforeAll, describe, expect, test } from "vitest";
import type { Reading } from "#protocol/messages.ts";
import { parseTerritory } from "#protocol/territory.ts";
import type { SeriesName } from "#protocol/series.ts";
import { DAY, HOUR, instant, MINUTE, type Instant } from "#protocol/units.ts";
import { rehearse, type Rehearsed } from "#rehearsal/rehearse.ts";
import { type Book, createBooking } from "#server/chronicle/booking.ts";
import { growthIn } from "#server/chronicle/growth.ts";
import { type OwnPoint, point } from "#server/chronicle/point.ts";
import { memoryStore } from "#server/store/memory.ts";
import type { Store } from "#server/store/store.ts";
import { generateTown } from "#simulators/generate.ts";

const QUARTER = 15 * MINUTE;
const FROM = instant(Date.UTC(2026, 2, 2, 18));
const HOURS = 7;
/** From 20:05 to 22:05, when all lamps burn, nothing reaches the server. */
const CUT = { kind: "network-cut", at_s: 7500, for_s: 2 * 3600 } as const;
const [CUT_AT, WHOLE_AT] = [FROM + 7_500_000, FROM + 7_500_000 + 2 * HOUR];
const territory = parseTerritory(generateTown({ seed: 3, lamps: 30, containers: 8, junctions: 2 }), "a small town");

describe("after two hours in which all lines were cut", () => {
  let town: Rehearsed;
  let points: OwnPoint[];
  const of = (name: SeriesName): OwnPoint[] => points.filter(({ measurement }) => measurement === name);
  const byQuarter = (name: SeriesName, field: string): Map<number, number> => {
    const sums = new Map<number, number>();
    for (const { at, fields } of of(name)) sums.set(at, (sums.get(at) ?? 0) + Number(fields[field] ?? 0));
    return sums;
  };

  beforeAll(async () => {
    town = await rehearse({
      territory,
      seed: 3,
      from: FROM,
      hours: HOURS,
      faults: [CUT],
      chronicle: true,
      hand: false,
    });
    points = await town.store.recorded(instant(0), instant(FROM + DAY));
  }, 60_000);

  test.each([
    ["lighting", "energy_kWh", territory.luminaires.map(({ id }) => id)],
    ["lighting", "passes", territory.presences.map(({ id }) => id)],
    ["junction", "vehicles", territory.detectors.filter(({ place }) => place === "stop-line").map(({ id }) => id)],
    ["junction", "arrivals_green", territory.junctions.map(({ id }) => id)],
  ] as const)("%s: %s is booked to the quarter of an hour in which it was counted", async (name, field, devices) => {
    const counted = new Map<number, number>();
    for (const device of devices) {
      const read = await town.store.range(device, field, instant(0), instant(FROM + DAY), 1_000_000);
      for (const [index, { at, value }] of read.entries()) {
        const quarter = Math.floor(at / QUARTER) * QUARTER;
        counted.set(quarter, (counted.get(quarter) ?? 0) + value - (read[index - 1]?.value ?? value));
      }
    }
    const booked = byQuarter(name, field);
    for (let at = FROM + QUARTER; at < FROM + HOURS * HOUR; at += QUARTER) {
      expect(booked.get(at), new Date(at).toISOString()).toBeCloseTo(counted.get(at) ?? 0, 6);
    }
    const during = [...booked].filter(([at]) => at > CUT_AT && at + QUARTER < WHOLE_AT);
    expect(during.length).toBe(7);
    expect(during.reduce((sum, [, each]) => sum + each, 0)).toBeGreaterThan(0);
  });

  test("the line's return makes no spike: no quarter of an hour used half as much again as the one before it", () => {
    const energy = byQuarter("lighting", "energy_kWh");
    for (let at = FROM + HOUR; at < FROM + HOURS * HOUR; at += QUARTER) {
      expect(energy.get(at)).toBeLessThan(1.5 * (energy.get(at - QUARTER) as number));
    }
  });

  test("greens of that time are told with the modes of that time", () => {
    // The frame that the server sent last ends within the hour: the fixed plan runs from then on, and an end by the plan is one.
    const fallback = byQuarter("junction", "fallback_s");
    const whole = [...fallback].flatMap(([quarter, seconds]) => (seconds === 2 * 900 ? [quarter] : []));
    expect(whole.length).toBeGreaterThan(2);
    for (const quarter of whole) {
      const ended = of("phase").filter(({ at, fields }) => {
        const end = at + Number(fields["green_s"]) * 1000;
        return at >= quarter && end < quarter + QUARTER;
      });
      expect(ended.length, new Date(quarter).toISOString()).toBeGreaterThan(10);
      expect(new Set(ended.map(({ tags }) => tags["end"]))).toEqual(new Set(["force-off"]));
    }
    for (const [quarter, seconds] of fallback)
      expect(seconds, new Date(quarter).toISOString()).toBeLessThanOrEqual(2 * 900);
  });

  test("a station is told of each quarter of an hour, and at once when it goes and when it comes", () => {
    for (const station of territory.byStation.keys()) {
      const said = of("station").filter(({ tags }) => tags["station"] === station);
      const regular = said.filter(({ at }) => at % QUARTER === 0);
      expect(regular.length).toBeGreaterThan(HOURS * 4 - 4);
      const moves = said
        .filter(({ at }) => at % QUARTER !== 0)
        .map(({ at, fields }) => ({ at, online: fields["online"] }));
      // The broker notices a line that is cut when it has missed its keep-alive.
      expect(
        moves.some(({ at, online }) => online === 0 && at >= CUT_AT && at < CUT_AT + 5 * MINUTE),
        station,
      ).toBe(true);
      expect(moves.some(({ at, online }) => online === 1 && at >= WHOLE_AT && at < WHOLE_AT + 5 * MINUTE)).toBe(true);
      expect(moves.length).toBeLessThan(12);
    }
  });
});

describe("a book of one street", () => {
  const T = instant(Date.UTC(2026, 2, 2, 12));
  const reading = (at: number, value: number): Reading => ({
    device: "L1",
    measure: "energy_kWh",
    at: at as Instant,
    value,
  });

  async function booked(store: Store, fails: () => boolean = () => false, from = T) {
    const said = new Map<number, number>();
    const book: Book = {
      subjects: ["rue"],
      subjectOf: ({ device }) => (device === "L1" ? "rue" : undefined),
      async sums(_, from, to) {
        if (fails()) throw new Error("the store is away");
        const grown = await growthIn(store, "energy_kWh", ["L1"], from, to);
        const points: OwnPoint[] = [];
        for (let at = from; at < to; at = instant(at + QUARTER)) {
          points.push(point("lighting", at, { street: "rue" }, { energy_kWh: grown("L1", at) }));
        }
        return points;
      },
    };
    const booking = createBooking(book, (points) => {
      for (const { at, fields } of points) said.set((at - T) / QUARTER, Number(fields["energy_kWh"]));
    });
    let number = 1;
    const read = async (...readings: Reading[]): Promise<void> => {
      await store.commit([{ station: "S", epoch: "e", first: number, readings }]);
      number += readings.length;
      booking.take(readings);
    };
    await booking.settle(from);
    return { booking, said, read };
  }

  test("what comes late is booked where it was read, and the quarters after it count from there", async () => {
    const { booking, said, read } = await booked(memoryStore());
    await read(reading(T - 1, 10));
    await read(reading(T + 60_000, 11));
    await booking.settle(instant(T + QUARTER));
    await booking.settle(instant(T + 2 * QUARTER));
    await read(reading(T + 2 * QUARTER + 60_000, 14));
    await booking.settle(instant(T + 3 * QUARTER));
    expect([...said.values()].slice(-3)).toEqual([1, 0, 3]);
    await read(reading(T + QUARTER + 60_000, 13));
    await booking.settle(instant(T + 3 * QUARTER + 60_000));
    expect([said.get(0), said.get(1), said.get(2)]).toEqual([1, 2, 1]);
  });

  test("what was read over a day ago is booked no more, and counted", async () => {
    const { booking, said, read } = await booked(memoryStore());
    await booking.settle(instant(T + QUARTER));
    await read(reading(T - DAY, 1), reading(T - DAY + 2 * QUARTER, 3), reading(T + QUARTER + 1, 5));
    await booking.settle(instant(T + QUARTER + 60_000));
    expect(booking.tooLate()).toBe(1);
    expect(Math.min(...said.keys())).toBe(-94);
    expect(said.get(-94)).toBe(2);
  });

  test("while the store is away its quarters are owed, and said when it is back", async () => {
    let away = true;
    const { booking, said, read } = await booked(memoryStore(), () => away);
    await read(reading(T + 1, 1), reading(T + 2, 2));
    await booking.settle(instant(T + QUARTER));
    await booking.settle(instant(T + 2 * QUARTER));
    expect(said.size).toBe(0);
    away = false;
    await booking.settle(instant(T + 2 * QUARTER + 60_000));
    expect([...said]).toEqual([
      [0, 1],
      [1, 0],
    ]);
  });

  test("a server that was stopped sums up the quarter in which it last heard something, and those that it slept through", async () => {
    const store = memoryStore();
    const before = await booked(store);
    await before.read(reading(T + 60_000, 1), reading(T + 120_000, 3));
    const after = await booked(store, undefined, instant(T + 3 * QUARTER));
    after.booking.owe(instant(T + 120_000));
    await after.booking.settle(instant(T + 3 * QUARTER + 5000));
    expect([...after.said]).toEqual([
      [0, 2],
      [1, 0],
      [2, 0],
    ]);
  });
});
