import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Reading } from "#protocol/messages.ts";
import { DAY, HOUR, instant, MINUTE } from "#protocol/units.ts";
import { systemClock } from "#server/ports/clock.ts";
import { copyStore } from "#server/store/copy.ts";
import type { Describe } from "#server/store/describe.ts";
import { duckdbStore } from "#server/store/duckdb.ts";
import { influx1Store } from "#server/store/influx1.ts";
import { influx2Store } from "#server/store/influx2.ts";
import type { Store } from "#server/store/store.ts";
import { type Influxd, influxdPath, startInfluxd } from "../../influxd.ts";

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end();
});

/** Two hundred days end at this instant; readings are kept for ninety of them, from 10:40 on. */
const NOW = instant(Date.UTC(2026, 10, 20, 10, 40));
const BEGAN = instant(Date.UTC(2026, 4, 4));
const RAW_FROM = instant(NOW - 90 * DAY);
const LAMPS = ["L1", "L2", "L3"];
/** Was taken down long before the oldest reading that is kept. */
const GONE = "L9";

const territory: Describe = (device) => {
  const measurement = device.startsWith("C") ? "container" : "lamp";
  return { measurement, tags: { device, station: `s${device.length}`, street: "Rue d’Or" } };
};

/** Five readings a day of each lamp, its level and its power, and one of a container; and each minute around the border. */
function readings(): Reading[] {
  const all: Reading[] = [];
  const says = (device: string, measure: string, at: number, value: number): void =>
    void all.push({ device, measure, at: instant(at), value });
  for (let day = BEGAN as number, index = 0; day < NOW; day += DAY, index++) {
    for (const [place, lamp] of [...LAMPS, ...(index < 60 ? [GONE] : [])].entries()) {
      for (let hour = 0; hour < 5; hour++) {
        const at = day + hour * 5 * HOUR + ((index * 7 + place) % 60) * MINUTE;
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

async function duckdb(): Promise<Store> {
  const directory = mkdtempSync(join(tmpdir(), "vigie-copy-sums-"));
  ending.push(() => rmSync(directory, { recursive: true, force: true }));
  const store = duckdbStore(join(directory, "readings.duckdb"), { describe: territory });
  await store.open();
  ending.push(() => store.close());
  return store;
}

/** A town of two hundred days that has kept ninety. */
async function oldTown(): Promise<Store> {
  const store = await duckdb();
  for (const part of partsOf(readings())) await store.commit([{ station: "s", epoch: "e", first: 1, readings: part }]);
  await store.compact?.(instant(NOW - 2 * DAY), noPause);
  expect(await store.prune(RAW_FROM)).toBeGreaterThan(2000);
  return store;
}

function* partsOf(all: readonly Reading[]): Generator<Reading[]> {
  for (let from = 0; from < all.length; from += 1000) yield all.slice(from, from + 1000);
}

let influxd: Influxd | undefined;
let databases = 0;
beforeAll(async () => {
  if (influxdPath !== undefined) influxd = await startInfluxd();
}, 60_000);
afterAll(() => influxd?.stop());

interface Place {
  readonly store: Store;
  /** What it answers in InfluxQL. */
  ask(q: string): Promise<Answer>;
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
      const limits = { points: 0, series: 0, buckets: 0, time_ms: 0, memory_MB: 0 };
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

const WAYS: readonly (readonly Kind[])[] = [
  ["duckdb"],
  ["influx1", "duckdb"],
  ["influx2", "duckdb"],
  ["influx1", "influx2", "influx1"],
];

describe.skipIf(influxdPath === undefined)("a town of two hundred days that keeps readings for ninety", () => {
  test.each(WAYS.map((way) => [way.join(", then to "), way] as const))(
    "says the same of all its time when it has moved to %s",
    async (_, way) => {
      let place = await inDuckdb(await oldTown());
      const wanted = await answersOf(place);
      expect(wanted["hour level"]?.[0]?.rows[0]?.[0]).toBe(BEGAN);
      for (const kind of way) {
        const next = await KINDS[kind]();
        const copied = await copyStore(place.store, next.store);
        expect(copied.differences).toEqual([]);
        expect(copied.summedUpWritten).toBe(copied.summedUp);
        expect(copied.summedUp).toBeGreaterThan(1000);
        expect(await copyStore(place.store, next.store)).toMatchObject({
          written: 0,
          summedUpWritten: 0,
          differences: [],
        });
        await next.store.compact?.(instant(NOW - 2 * DAY), noPause);
        expect(await answersOf(next)).toEqual(wanted);
        place = next;
      }
    },
    60_000,
  );
});
