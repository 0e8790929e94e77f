import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { KINDS } from "#protocol/kinds.ts";
import type { Reading } from "#protocol/messages.ts";
import { HOUR, instant, type Instant } from "#protocol/units.ts";
import { systemClock } from "#server/ports/clock.ts";
import { describeDevices } from "#server/store/describe.ts";
import { influx1Store } from "#server/store/influx1.ts";
import { influx2Store } from "#server/store/influx2.ts";
import type { Contribution, Store } from "#server/store/store.ts";
import { differences } from "../../../dashboards/double/compare.ts";
import { lookAt, type Send } from "../../../dashboards/double/look.ts";
import { type Day, rehearsedDay } from "../../dashboards/day.ts";
import { sendTo } from "../../dashboards/filled.ts";
import { board, source } from "../../dashboards/provisioned.ts";
import { serve, type Served } from "../../dashboards/served.ts";
import { type Influxd, influxdPath, startInfluxd } from "../../influxd.ts";

/** Paris puts its clocks back on 25 October 2026 at 01:00 UTC: that day lasts from 22:00 UTC of the day before for 25 hours. */
const FROM = instant(Date.UTC(2026, 9, 24, 20));
const TO = instant(Date.UTC(2026, 9, 25, 23, 40));
const DAY_FROM = instant(Date.UTC(2026, 9, 24, 22));
const DAY_TO = instant(Date.UTC(2026, 9, 25, 23));

const DRIVERS = {
  "through the client of 1.x": (url: string, town: Day): Store =>
    influx1Store({ url, database: "vigie", describe: describeDevices(town.territory), clock: systemClock }),
  "through the client of 2.x": (url: string, town: Day): Store =>
    influx2Store({ url, org: "o", bucket: "vigie/raw", describe: describeDevices(town.territory), clock: systemClock }),
};

let town: Day;
let served: Served;
let sendOwn: Send;
const running: Influxd[] = [];
const noPause = async (): Promise<void> => {};

beforeAll(async () => {
  if (influxdPath === undefined) return;
  town = await rehearsedDay({ lamps: 12, containers: 6, junctions: 1, from: FROM, to: TO, faults: [] });
  served = await serve(town, TO);
  sendOwn = sendTo(served.url, served.key);
}, 120_000);
afterAll(async () => {
  for (const each of running) await each.stop();
  await served?.stop();
});

describe.skipIf(influxdPath === undefined).each(Object.entries(DRIVERS))(
  "after a night with a change of the clock, InfluxDB %s",
  (name, driver) => {
    let influxd: Influxd;
    let send: Send;
    beforeAll(async () => {
      influxd = await startInfluxd({ flux: name.includes("2.x") });
      running.push(influxd);
      send = sendTo(influxd.url);
      await fillInPieces(() => driver(influxd.url, town));
    }, 120_000);

    test("has of every step what the embedded store says of it", async () => {
      for (const policy of ["quarter", "hour"]) {
        for (const kind of ["lamp", "container", "loop", "presence", "signal"] as const) {
          for (const measure of Object.keys(KINDS[kind].measures)) {
            const columns = KEPT.map((each) => `${each}_${measure}`).join(", ");
            const all = `SELECT ${columns} FROM "${policy}"."${kind}" GROUP BY *`;
            expect(await rowsOf(send, all)).toEqual(await rowsOf(sendOwn, all));
          }
        }
      }
      expect(await rowsOf(send, `SELECT first_fill, last_fill FROM "hour"."container" GROUP BY *`)).toHaveLength(6);
    });

    test("has the sums of the day of 25 hours", async () => {
      const day = `WHERE time >= ${DAY_FROM}ms AND time < ${DAY_TO}ms GROUP BY time(1d) fill(none) tz('Europe/Paris')`;
      for (const policy of ["quarter", "hour"]) {
        const count = `SELECT sum(count_power_W), sum(sum_power_W) FROM "${policy}"."lamp" ${day}`;
        const [theirs, ours] = [await rowsOf(send, count), await rowsOf(sendOwn, count)];
        const counted = [...town.readings.values()]
          .flat()
          .filter(({ measure, device, at }) => measure === "power_W" && device.startsWith("L") && at >= DAY_FROM && at < DAY_TO); // prettier-ignore
        expect(theirs).toEqual(ours);
        // One row, for the day that begins at 22:00 UTC.
        expect(theirs.map(([, , rows]) => rows)).toEqual([[[DAY_FROM, counted.length, expect.any(Number)]]]);
      }
    });

    test.each(["quarter", "hour"])("answers every panel by the %s as the embedded store does", async (policy) => {
      for (const id of ["lighting", "waste", "traffic"]) {
        const whole = { ...board("fr", id), time: { from: "now-25h", to: "now" } };
        const looking = { now: TO, offset_ms: HOUR, width_px: 1600 };
        const look = async (which: Send) =>
          (await lookAt(whole, source(), which, looking, "all", { policy })).filter(({ asked }) =>
            asked.influxql.includes(`"${policy}".`),
          );
        const theirs = await look(send);
        expect(theirs.length).toBeGreaterThan(1);
        expect(differences(theirs, await look(sendOwn))).toEqual([]);
      }
    });
  },
);

/**
 * As a town lives: what is there is summed up, then stations say late what they measured in the night, over the hour that comes
 * twice; one value is said anew; and the server that took it ends before it has summed it up.
 */
async function fillInPieces(driver: () => Store): Promise<void> {
  const all = [...town.readings.values()].flat().sort((a, b) => a.at - b.at);
  const isLate = ({ at, device }: Reading): boolean =>
    at >= TO - 2 * HOUR || (/[02468]$/.test(device) && at >= FROM + 4 * HOUR && at < FROM + 8 * HOUR);
  const early = all.filter((each) => !isLate(each));
  const wrong = early.slice(0, 50).map((each): Reading => ({ ...each, value: each.value + 1 }));
  const first = driver();
  await first.open();
  await first.commit(saying(early));
  await first.commit(saying(wrong));
  expect(await first.compact?.(instant(0), noPause)).toBeGreaterThan(20);
  await first.commit(saying([...all.filter(isLate), ...early.slice(0, 50)]));

  const second = driver();
  await second.open();
  // Four hours of the night, the two last ones, and what was said anew.
  expect(await second.compact?.(instant(0), noPause)).toBeLessThan(12);
  expect(await second.compact?.(instant(0), noPause)).toBe(0);
  await second.record(town.own);
  await first.close();
  await second.close();
}

const saying = (readings: readonly Reading[]): Contribution[] => [{ station: "s", epoch: "e", first: 1, readings }];

/** What is kept of each measure, in the order of names. */
const KEPT = ["count", "first", "last", "max", "mean", "min", "sum"];

type Row = readonly [name: string, tags: string, rows: readonly (readonly unknown[])[]];

/** Series by name and tags, values without their last digits: sums of the same in another order. */
async function rowsOf(send: Send, influxql: string): Promise<Row[]> {
  const query = new URLSearchParams({ db: "vigie", epoch: "ms", q: influxql });
  const answer = JSON.parse(await send({ method: "GET", path: `/query?${query}`, headers: {} })) as {
    results: { error?: string; series?: { name: string; tags?: object; values: unknown[][] }[] }[];
  };
  expect(answer.results[0]?.error).toBeUndefined();
  return (answer.results[0]?.series ?? []).map(({ name, tags, values }): Row => {
    const round = (value: unknown): unknown => (typeof value === "number" ? Number(value.toPrecision(9)) : value);
    return [name, JSON.stringify(tags), values.map(([at, ...row]) => [at as Instant, ...row.map(round)])];
  });
}
