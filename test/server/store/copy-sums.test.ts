import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Reading } from "#protocol/messages.ts";
import { DAY, HOUR, instant, MINUTE, seconds } from "#protocol/units.ts";
import { backUp, restore } from "#server/backup.ts";
import { systemClock } from "#server/ports/clock.ts";
import { copyStore } from "#server/store/copy.ts";
import type { Describe, Description } from "#server/store/describe.ts";
import { type DuckdbStore, duckdbStore } from "#server/store/duckdb.ts";
import { influx1Store } from "#server/store/influx1.ts";
import { influx2Store } from "#server/store/influx2.ts";
import { memoryStore } from "#server/store/memory.ts";
import type { RolledPolicy } from "#server/store/influxql/rolled.ts";
import type { Store } from "#server/store/store.ts";
import type { Sums } from "#server/store/sums.ts";
import { WEEK, weekOf } from "#server/store/weeks.ts";
import { type Influxd, influxdPath, startInfluxd } from "../../influxd.ts";
import { bound } from "./bound.ts";

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end();
});

/** Two hundred days end at this instant; readings are kept for ninety of them, from 10:40 on. */
const NOW = instant(Date.UTC(2026, 10, 20, 10, 40));
const BEGAN = Date.UTC(2026, 4, 4);
const RAW_FROM = instant(NOW - 90 * DAY);
const LAMPS = ["L1", "L2", "L3"];
/** Was taken down long before the oldest reading that is kept, and is in no territory any more. */
const GONE = "L9";

const filed = (device: string, street = "Rue d’Or"): Description => ({
  measurement: device.startsWith("C") ? "container" : "lamp",
  tags: { device, station: `s${device.length}`, street },
});
const territory: Describe = (device) => (device === GONE ? undefined : filed(device));

/** Five readings every other day of the level and the power of each lamp, one of a container, and one a minute around the border. */
function readings(): Reading[] {
  const all: Reading[] = [];
  const says = (device: string, measure: string, at: number, value: number): void =>
    void all.push({ device, measure, at: instant(at), value });
  for (let day = BEGAN, index = 0; day < NOW; day += 2 * DAY, index++) {
    for (const [place, lamp] of [...LAMPS, ...(index < 30 ? [GONE] : [])].entries()) {
      for (let hour = 0; hour < 5; hour++) {
        const at = day + (hour + 6) * HOUR + ((index * 7 + place * 20) % 60) * MINUTE;
        if (at >= NOW) continue;
        says(lamp, "level", at, ((index + hour) % 10) / 10);
        says(lamp, "power_W", at, 40 * ((index + hour) % 10) + place / 7);
      }
    }
    says("C1", "fill", day + 6 * HOUR, (index % 14) / 14);
  }
  for (let minute = -50; minute < 50; minute++) says("L1", "level", RAW_FROM + minute * MINUTE, (minute + 50) / 100);
  return all.sort((a, b) => a.at - b.at);
}

const noPause = async (): Promise<void> => {};

/** Directories and stores of one test, or of all. */
type Ending = (() => unknown)[];

async function duckdb(describe = territory, until: Ending = ending, file = newFile(until)): Promise<DuckdbStore> {
  const store = duckdbStore(file, { describe });
  await store.open();
  until.push(() => store.close());
  return store;
}

function newFile(until: Ending): string {
  const directory = mkdtempSync(join(tmpdir(), "vigie-copy-sums-"));
  until.push(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, "readings.duckdb");
}

async function say(store: Store, all: readonly Reading[]): Promise<void> {
  for (const part of partsOf(all)) await store.commit([{ station: "s", epoch: "e", first: 1, readings: part }]);
}

/** A town of two hundred days that has kept ninety. */
async function oldTown(until: Ending = ending): Promise<DuckdbStore> {
  const file = newFile(until);
  const young = await duckdb(filed, until, file);
  await say(young, readings());
  // Whoever asks in InfluxQL, or writes points, has every device filed.
  await young.recordings();
  await young.close();
  const store = await duckdb(territory, until, file);
  await store.compact(instant(NOW - 2 * DAY));
  expect(await store.prune(RAW_FROM)).toBeGreaterThan(2000);
  return store;
}

function* partsOf(all: readonly Reading[]): Generator<Reading[]> {
  for (let from = 0; from < all.length; from += 1000) yield all.slice(from, from + 1000);
}

let influxd: Influxd | undefined;
let databases = 0;
let town: DuckdbStore;
const ended: Ending = [];
beforeAll(async () => {
  if (influxdPath !== undefined) influxd = await startInfluxd();
  town = await oldTown(ended);
}, 60_000);
afterAll(async () => {
  for (const end of ended.toReversed()) await end();
  await influxd?.stop();
});

interface Place {
  readonly store: Store;
  /** What it answers in InfluxQL. */
  readonly ask: (q: string) => Promise<Answer>;
}
type Answer = readonly {
  readonly name: string;
  readonly tags: unknown;
  readonly rows: readonly (readonly unknown[])[];
}[];

const inDuckdb = async (store?: Store): Promise<Place> => {
  const of = store ?? (await duckdb());
  return {
    store: of,
    async ask(q) {
      const limits = { points: 0, series: 0, buckets: 0, time_ms: 0 };
      const [result] =
        (await of.influx?.query(q, { database: "vigie", now_ns: BigInt(NOW) * 1_000_000n, limits })) ?? [];
      expect(result?.error).toBeUndefined();
      return rounded(result?.series ?? [], (time) => Number((time as bigint) / 1_000_000n));
    },
  };
};

const inInflux = (open: (url: string, database: string) => Store) => async (): Promise<Place> => {
  const { url } = influxd as Influxd;
  const database = `town${++databases}`;
  const store = open(url, database);
  await store.open();
  ending.push(() => store.close());
  return {
    store,
    async ask(q) {
      const answer = await fetch(`${url}/query?${new URLSearchParams({ q, db: database, epoch: "ms" })}`);
      const { results } = (await answer.json()) as {
        results: { error?: string; series?: { name: string; tags?: object; values: unknown[][] }[] }[];
      };
      expect(results[0]?.error).toBeUndefined();
      return rounded(results[0]?.series ?? [], Number);
    },
  };
};

/** Without the last digits, in which sums of the same numbers in another order differ. */
const rounded = (
  series: readonly {
    readonly name: string;
    readonly tags?: object | undefined;
    readonly values: readonly (readonly unknown[])[];
  }[],
  timeOf: (time: unknown) => number,
): Answer =>
  series.map(({ name, tags, values }) => ({
    name,
    tags: { ...tags },
    rows: values.map(([time, ...row]) => [
      timeOf(time),
      ...row.map((value) => (value === null ? null : Number(Number(value).toPrecision(9)))),
    ]),
  }));

const KINDS = {
  duckdb: () => inDuckdb(),
  influx1: inInflux((url, database) => influx1Store({ url, database, describe: territory, clock: systemClock })),
  influx2: inInflux((url, database) =>
    influx2Store({ url, org: "o", bucket: `${database}/raw`, describe: territory, clock: systemClock }),
  ),
};
type Kind = keyof typeof KINDS;

const KEPT = ["mean", "min", "max", "first", "last", "sum", "count"];
const columns = (measure: string): string => KEPT.map((each) => `${each}_${measure}`).join(", ");
const DEVICES = "device =~ /^(L1|L2|L3|C1)$/";

/** All that is answered from quarters and hours, of devices that still measure. */
async function answersOf({ ask }: Place): Promise<Record<string, Answer>> {
  const answers: Record<string, Answer> = {};
  for (const policy of ["quarter", "hour"]) {
    for (const [kind, measure] of [
      ["lamp", "level"],
      ["lamp", "power_W"],
      ["container", "fill"],
    ] as const) {
      answers[`${policy} ${measure}`] = await ask(
        `SELECT ${columns(measure)} FROM "${policy}"."${kind}" WHERE ${DEVICES} GROUP BY *`,
      );
    }
  }
  return answers;
}

const WAYS: readonly (readonly Kind[])[] = [["duckdb"], ["influx1", "influx2", "duckdb"], ["influx2", "influx1"]];

/** Steps of every device, the gone one's, too, in one order. */
async function stepsOf({ sums }: Store, policy: RolledPolicy): Promise<string[]> {
  const all: string[] = [];
  for (let week = weekOf(BEGAN); week < RAW_FROM; week += WEEK) {
    const span = { from: instant(week), to: instant(Math.min(week + WEEK, Math.ceil(RAW_FROM / HOUR) * HOUR)) };
    for await (const piece of (sums as Sums).read(policy, span)) {
      for (const { device, measure, at, count, sum, min, max, first, last } of piece) {
        all.push([device, measure, at, count, sum.toPrecision(9), min, max, first, last].join(" "));
      }
    }
  }
  return all.sort();
}

/** The same store, but for what is summed up in it: after so many steps the one who reads it is gone. */
const breakingAfter = (store: Store, steps: number): Store => ({
  ...bound(store),
  sums: {
    ...boundSums(store),
    async *read(...span) {
      for await (const piece of (store.sums as Sums).read(...span)) {
        for (const sum of piece) {
          if (steps-- === 0) throw new Error("enough");
          yield [sum];
        }
      }
    },
  },
});

describe.skipIf(influxdPath === undefined)("a town of two hundred days that keeps readings for ninety", () => {
  test.each(WAYS.map((way) => [way.join(", then to "), way] as const))(
    "says the same of all its time when it has moved to %s, each time begun again in the middle of a week, and when readings are dropped there",
    async (_, way) => {
      let place = await inDuckdb(town);
      const wanted = await answersOf(place);
      // 101 mornings of five hours; the first lamp has one more around the border, and its last is still to come.
      expect(wanted["hour level"]?.map(({ rows }) => rows.length)).toEqual([505, 505, 505]);
      for (const kind of way) {
        const next = await KINDS[kind]();
        await expect(copyStore(breakingAfter(place.store, 1000), next.store)).rejects.toThrow("enough");
        await next.store.close();
        await next.store.open();
        const copied = await copyStore(place.store, next.store);
        expect(copied).toMatchObject({ written: 0, differences: [] });
        // Of what was there only the week that was not whole is written again.
        expect(copied.summedUpWritten).toBeGreaterThan(copied.summedUp - 1000);
        expect(copied.summedUpWritten).toBeLessThan(copied.summedUp - 750);
        await next.store.compact?.(instant(NOW - 2 * DAY), noPause);
        expect(await answersOf(next)).toEqual(wanted);
        for (const policy of ["quarter", "hour"] as const) {
          expect(await stepsOf(next.store, policy)).toEqual(await stepsOf(town, policy));
        }
        place = next;
      }
      expect(await place.store.prune(instant(NOW - 50 * DAY))).toBeGreaterThan(500);
      await place.store.compact?.(NOW, noPause);
      expect(await answersOf(place)).toEqual(wanted);
    },
    120_000,
  );
});

test.skipIf(influxdPath === undefined)(
  "a device that no territory has any more keeps its measurement and tags, there and back",
  async () => {
    const [there, back, again] = [await KINDS.influx1(), await duckdb(), await KINDS.influx1()];
    for (const [from, to] of [
      [town, there.store],
      [there.store, back],
      [back, again.store],
    ] as const) {
      expect((await copyStore(from, to)).differences).toEqual([]);
    }
    for (const { ask } of [there, again]) {
      const found = await ask(`SELECT sum(count_level) FROM "hour"."lamp" WHERE device = '${GONE}' GROUP BY *`);
      // Thirty mornings of five readings.
      expect(found).toEqual([{ name: "lamp", tags: { ...filed(GONE).tags }, rows: [[0, 150]] }]);
    }
  },
  60_000,
);

test.skipIf(influxdPath === undefined)(
  "a quarter of an hour in which a device moved is one step, though InfluxDB has it in two parts",
  async () => {
    const moving = { street: "Rue d’Or" };
    const { url } = influxd as Influxd;
    const describe: Describe = (device) => filed(device, moving.street);
    const from = influx1Store({ url, database: `town${++databases}`, describe, clock: systemClock });
    await from.open();
    ending.push(() => from.close());
    const noon = Date.UTC(2026, 5, 1, 12);
    const minute = (at: number, value: number): Reading => ({ device: "L1", measure: "level", at: instant(noon + at * MINUTE), value }); // prettier-ignore
    await say(from, [minute(1, 4), minute(2, 6)]);
    moving.street = "Rue du Bois";
    await say(from, [minute(8, 2), minute(200 * 24 * 60, 1)]);
    await from.compact?.(NOW, noPause);
    await from.prune(instant(noon + 100 * DAY));
    const to = await duckdb();
    // A quarter and an hour.
    expect(await copyStore(from, to)).toMatchObject({ readings: 1, summedUp: 2, differences: [] });
    const query = { devices: ["L1"], measure: "level", from: instant(noon), every: seconds(900) };
    expect(await to.aggregate({ ...query, to: instant(noon + HOUR) })).toMatchObject([
      { count: 3, mean: 4, min: 2, max: 6 },
    ]);
    expect(await copyStore(from, to)).toMatchObject({ summedUpWritten: 0, differences: [] });
  },
  60_000,
);

test("hours that stand in for quarters that were dropped are not copied as quarters", async () => {
  const [from, to] = [await oldTown(), await inDuckdb()];
  await from.prune(RAW_FROM, instant(NOW - 150 * DAY));
  const wanted = await answersOf(await inDuckdb(from));
  expect((await copyStore(from, to.store)).differences).toEqual([]);
  const quarters = await stepsOf(to.store, "quarter");
  expect(quarters).toEqual(await stepsOf(from, "quarter"));
  expect(quarters.length).toBeLessThan((await stepsOf(town, "quarter")).length * 0.7);
  expect(await stepsOf(to.store, "hour")).toEqual(await stepsOf(town, "hour"));
  expect(await answersOf(to)).toEqual(wanted);
});

test("a database that has older readings than the source keeps them, and takes over what is before them", async () => {
  const to = await duckdb();
  const oldest = instant(NOW - 120 * DAY);
  await say(
    to,
    readings().filter(({ at }) => at >= oldest),
  );
  const { differences, summedUpWritten } = await copyStore(town, to);
  // Of every series that lives there are more readings than in the source, and every step is there.
  expect(differences.map((line) => line.split(":")[0])).toEqual(
    expect.arrayContaining(["L1 level", "L2 power_W", "C1 fill"]),
  );
  expect(differences.filter((line) => line.startsWith("summed up"))).toEqual([]);
  expect(summedUpWritten).toBeGreaterThan(1000);
  expect(await to.range("C1", "fill", oldest, NOW, 1000)).toHaveLength(60);
  await to.compact(instant(NOW - 2 * DAY));
  for (const policy of ["quarter", "hour"] as const)
    expect(await stepsOf(to, policy)).toEqual(await stepsOf(town, policy));
});

test("a store that keeps nothing summed up is told of what it lacks", async () => {
  const { differences } = await copyStore(town, memoryStore());
  expect(differences).toHaveLength(2);
  expect(differences[1]).toMatch(
    /^summed up by the hour, of readings that are gone: \d+ steps from 2026-05-04T06:00:00.000Z to 2026-08-22T10:00:00.000Z with \d+ readings; copied nothing, since this store keeps nothing summed up$/,
  );
});

test("a backup has what is summed up of readings that are gone, and so has what is laid down from it", async () => {
  const directory = mkdtempSync(join(tmpdir(), "vigie-copy-sums-"));
  ending.push(() => rmSync(directory, { recursive: true, force: true }));
  const [data, kept, laid] = ["data", "kept", "laid"].map((name) => join(directory, name)) as [string, string, string];
  mkdirSync(data);
  const own = { version: "1", format: 1, at: NOW, progress: () => {} };
  await backUp({
    ...own,
    from: data,
    to: kept,
    readings: (to, progress) => town.backUp(to, progress).then(() => true),
  });
  await restore({ from: kept, to: laid, format: 1, progress: () => {} });
  const again = duckdbStore(join(laid, "readings.duckdb"), { describe: territory });
  ending.push(() => again.close());
  expect(await answersOf(await inDuckdb(again))).toEqual(await answersOf(await inDuckdb(town)));
  for (const policy of ["quarter", "hour"] as const) {
    expect(await stepsOf(again, policy)).toEqual(await stepsOf(town, policy));
  }
});

const boundSums = ({ sums }: Store): Sums => {
  const of = sums as Sums;
  return {
    gone: () => of.gone(),
    tally: (...span) => of.tally(...span),
    read: (...span) => of.read(...span),
    leave: (gone) => of.leave(gone),
    take: (...steps) => of.take(...steps),
  };
};
