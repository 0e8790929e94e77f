import * as fc from "fast-check";
import { expect, test } from "vitest";
import { HOUR, instant } from "#protocol/units.ts";
import {
  createRollups,
  hourOf,
  type NoteKind,
  type OpenHour,
  type RollupServer,
} from "#server/store/influx-rollups.ts";

type Turn = <T>(what: string, act: () => T) => Promise<T>;

/** A database that keeps its words in memory; each call happens at once, when its turn comes, or fails before, after or long before it. */
class Database {
  readonly readings = new Map<OpenHour, number>();
  readonly summed = new Map<OpenHour, number>();
  readonly kept = new Map<OpenHour, Record<NoteKind, number>>();

  server(turn: Turn): RollupServer {
    return {
      notes: () => turn("notes", () => [...this.kept].map(([hour, { opened, summed }]) => [hour, opened, summed])),
      note: (hours, are, number) =>
        turn(are, () => {
          for (const hour of hours) {
            const { opened = 0, summed = 0 } = this.kept.get(hour) ?? {};
            this.kept.set(hour, { opened, summed, [are]: number });
          }
        }),
      span: () =>
        turn("span", () => {
          const hours = [...this.readings.keys()];
          return hours.length === 0 ? undefined : [Math.min(...hours), Math.max(...hours)];
        }),
      sumUp: async (from, to) => {
        const found = await turn("read", () => [...this.readings].filter(([hour]) => hour >= from && hour < to));
        await turn("write what is summed up", () => {
          for (const [hour, count] of found) this.summed.set(hour, count);
        });
      },
    };
  }
}

const says = (hour: number) => ({
  station: "s",
  epoch: "e",
  first: 1,
  readings: [{ device: "d", measure: "m", at: instant(hour * HOUR + 1), value: 1 }],
});

test("however commits, summing up, failures and restarts fall together, the next summing up leaves nothing out", async () => {
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.record({ commit: fc.integer({ min: 0, max: 2 }) }) },
    { weight: 12, arbitrary: fc.constant("wait" as const) },
    { weight: 4, arbitrary: fc.constant("sum up" as const) },
    { weight: 1, arbitrary: fc.constant("restart" as const) },
  );
  const failing = fc.infiniteStream(
    fc.oneof(
      { weight: 20, arbitrary: fc.constant("no") },
      { weight: 2, arbitrary: fc.constantFrom("before", "after", "late") },
    ),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(step, { maxLength: 60, size: "max" }),
      failing,
      async (scheduler, steps, fails) => {
        const database = new Database();
        const turn: Turn = async (what, act) => {
          await scheduler.schedule(Promise.resolve(), what);
          const fail = fails.next().value;
          if (fail === "late" && what === "summed") begin(scheduler.schedule(Promise.resolve(), "late").then(act));
          if (fail === "before" || fail === "late") throw new Error("cut off before");
          const answer = act();
          if (fail === "after") throw new Error("cut off after");
          return answer;
        };
        const underWay: Promise<unknown>[] = [];
        const begin = (doing: Promise<unknown>): void => void underWay.push(doing.catch(() => {}));
        let rollups = createRollups(database.server(turn));
        const commit = async (hour: number): Promise<void> => {
          const touched = rollups.touch([says(hour)]);
          try {
            await touched.noted;
            await turn("write", () => {
              const at = hourOf(hour * HOUR);
              database.readings.set(at, (database.readings.get(at) ?? 0) + 1);
            });
          } finally {
            touched.written();
          }
        };
        const settle = async (): Promise<void> => {
          while (underWay.length > 0) await scheduler.waitFor(Promise.all(underWay.splice(0)));
        };
        for (const each of steps) {
          if (each === "wait") {
            if (scheduler.count() > 0) await scheduler.waitOne();
            // What waits for an answer asks its next question now.
            await new Promise(setImmediate);
          } else if (each === "sum up") begin(rollups.sumUp());
          else if (each !== "restart") begin(commit(each.commit));
          else {
            // What a process that ends has sent is done or not by the time that the next one asks.
            await settle();
            rollups = createRollups(database.server(turn));
            for (let attempt = 0; attempt < 100; attempt++) {
              const started = await scheduler.waitFor(rollups.start().then(() => true, () => false)); // prettier-ignore
              if (started) break;
            }
          }
        }
        await settle();
        const calm = createRollups(database.server(async (_, act) => act()));
        await calm.start();
        await calm.sumUp();
        expect(database.summed).toEqual(database.readings);
      },
    ),
    { numRuns: 2000 },
  );
});

test("hours beside each other are summed up together, six at most, the oldest first", async () => {
  const asked: string[] = [];
  const rollups = createRollups({
    notes: async () => [9, 3, 1, 2, 0, 5, 4, 6, 8].map((hour) => [hour * HOUR, 5, hour === 8 ? 6 : 4]),
    note: async (hours, are, number) => void asked.push(`${hours.length} ${are}: ${number}`),
    span: async () => undefined,
    sumUp: async (from, to) => void asked.push(`${from / HOUR} to ${to / HOUR}`),
  });
  await rollups.start();
  expect(await rollups.sumUp()).toBe(8);
  expect(asked).toEqual(["0 to 6", "6 summed: 7", "6 to 7", "1 summed: 8", "9 to 10", "1 summed: 9"]);
  expect(await rollups.sumUp()).toBe(0);
});
