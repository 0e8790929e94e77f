import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DAY, instant, seconds } from "#protocol/units.ts";
import { point } from "#server/chronicle/point.ts";
import type { Retention } from "#server/keeping.ts";
import { systemClock } from "#server/ports/clock.ts";
import type { Describe } from "#server/store/describe.ts";
import { influx1Store } from "#server/store/influx1.ts";
import { influx2Store } from "#server/store/influx2.ts";
import type { AggregateRow, Store } from "#server/store/store.ts";
import { type Influxd, influxdPath, startInfluxd } from "../../influxd.ts";

const lamp: Describe = (device) => ({ measurement: "lamp", tags: { device } });
const common = { describe: lamp, clock: systemClock };
const DRIVERS = {
  "through the client of 1.x": (url: string, database: string, retention?: Retention): Store =>
    influx1Store({ ...common, url, database, ...(retention && { retention }) }),
  "through the client of 2.x": (url: string, database: string, retention?: Retention): Store =>
    influx2Store({ ...common, url, org: "o", bucket: `${database}/raw`, ...(retention && { retention }) }),
};

let influxd: Influxd | undefined;
beforeAll(async () => {
  if (influxdPath !== undefined) influxd = await startInfluxd();
}, 60_000);
afterAll(() => influxd?.stop());

describe.skipIf(influxdPath === undefined).each(Object.entries(DRIVERS))("%s", (name, driver) => {
  const database = (of: string): string => `${of} ${name}`;
  const ask = async (q: string): Promise<unknown[][]> => {
    const answer = await fetch(`${influxd?.url}/query?${new URLSearchParams({ q })}`, { method: "POST" });
    const { results } = (await answer.json()) as { results: { error?: string; series?: { values: unknown[][] }[] }[] };
    expect(results[0]?.error).toBeUndefined();
    return results[0]?.series?.[0]?.values ?? [];
  };
  const policies = async (of: string) => {
    const rows = await ask(`SHOW RETENTION POLICIES ON "${database(of)}"`);
    return Object.fromEntries(rows.map(([policy, duration, shard]) => [policy, [duration, shard]]));
  };
  const opened = async (of: string, retention?: Retention): Promise<Store> => {
    const store = driver(influxd?.url ?? "", database(of), retention);
    await store.open();
    return store;
  };

  test("90 days of readings, 5 years of quarters and hours for good are the database's own policies, and follow the settings", async () => {
    await (await opened("town", { raw_d: 90, quarters_d: 1826 })).close();
    expect(await policies("town")).toEqual({
      raw: ["2160h0m0s", "24h0m0s"],
      chronicle: ["43824h0m0s", "168h0m0s"],
      quarter: ["43824h0m0s", "672h0m0s"],
      hour: ["0s", "8736h0m0s"],
      marks: ["0s", "168h0m0s"],
    });
    // A shorter one than the shards of the policy: they are cut to it.
    await (await opened("town", { raw_d: 7, quarters_d: 14 })).close();
    expect(await policies("town")).toMatchObject({
      raw: ["168h0m0s", "24h0m0s"],
      chronicle: ["336h0m0s", "168h0m0s"],
      quarter: ["336h0m0s", "336h0m0s"],
      hour: ["0s", "8736h0m0s"],
    });
    // Whoever copies says nothing of it.
    await (await opened("town")).close();
    expect(await policies("town")).toMatchObject({ raw: ["168h0m0s", "24h0m0s"], quarter: ["336h0m0s", "336h0m0s"] });
    await (await opened("town", { raw_d: 90, quarters_d: 1826 })).close();
    expect(await policies("town")).toMatchObject({
      raw: ["2160h0m0s", "24h0m0s"],
      quarter: ["43824h0m0s", "672h0m0s"],
    });
    expect(await ask(`SHOW RETENTION POLICIES ON "${database("town")}"`)).toContainEqual([
      "chronicle",
      "43824h0m0s",
      "168h0m0s",
      1,
      true,
    ]);
  });

  test("what is dropped leaves its roll-ups: readings after 90 days, quarters after 5 years, hours never", async () => {
    const now = Date.now();
    const store = await opened("years");
    const ages = [10, 100, 2000];
    const readings = ages.map((days) => ({
      device: "L1",
      measure: "level",
      at: instant(now - days * DAY),
      value: days,
    }));
    await store.commit([{ station: "s", epoch: "e", first: 1, readings }]);
    await store.record(readings.map(({ at }) => point("server", at, {}, { stored: 1 })));
    expect(await store.compact?.(instant(now), async () => {})).toBe(3);
    expect(await store.prune(instant(now - 90 * DAY), instant(now - 1826 * DAY))).toBe(2);
    const kept = async (policy: string): Promise<unknown[]> =>
      (await ask(`SELECT last_level FROM "${database("years")}"."${policy}".lamp`)).map(([, value]) => value);
    expect((await store.during(instant(0), instant(now), 9))?.map(({ value }) => value)).toEqual([10]);
    expect(await kept("quarter")).toEqual([100, 10]);
    expect(await kept("hour")).toEqual([2000, 100, 10]);
    expect(await store.recorded(instant(0), instant(now))).toHaveLength(2);

    // From now on the database keeps to it by itself: what comes later than that is let go, and the rest is kept.
    await store.close();
    const keeping = await opened("years", { raw_d: 90, quarters_d: 1826 });
    const late = [50, 100].map((days) => ({ device: "L1", measure: "level", at: instant(now - days * DAY), value: 0 }));
    await keeping.commit([{ station: "s", epoch: "e", first: 4, readings: late }]);
    expect(await keeping.compact?.(instant(now), async () => {})).toBe(2);
    expect((await keeping.during(instant(0), instant(now), 9))?.map(({ value }) => value)).toEqual([0, 10]);
    expect(await kept("quarter")).toEqual([100, 0, 10]);
    await keeping.close();
  });

  test("once readings are dropped, what was asked of them is answered from what they were summed up to", async () => {
    const day = Math.floor((Date.now() - 95 * DAY) / DAY) * DAY;
    const readings = Array.from({ length: 10 * 288 }, (_, index) => ({
      device: `L${1 + (index % 2)}`,
      measure: "level",
      at: instant(day + index * 300_000),
      value: (index * 7) % 11,
    }));
    const first = await opened("past");
    await first.commit([{ station: "s", epoch: "e", first: 1, readings }]);
    await first.compact?.(instant(0), async () => {});
    const to = instant(day + 10 * DAY);
    const common = { devices: ["L1", "L2"], measure: "level", from: instant(day), to };
    const queries = [
      { ...common, every: seconds(86_400) },
      { ...common, every: seconds(86_400), by: "device" as const },
      { ...common, from: instant(day + 3 * 900_000), every: seconds(5 * 900), by: "device" as const },
    ];
    const known = await Promise.all(queries.map((query) => first.aggregate(query)));
    expect(known.map((rows) => rows.length)).toEqual([10, 20, 384]);
    await first.close();
    const store = await opened("past", { raw_d: 90, quarters_d: 1826 });
    expect(await store.prune(instant(Date.now() - 90 * DAY))).toBe(5 * 288);
    const near = (rows: readonly AggregateRow[]) => rows.map((row) => ({ ...row, mean: expect.closeTo(row.mean, 9) }));
    const [together, each, fine] = await Promise.all(queries.map((query) => store.aggregate(query)));
    expect(each).toEqual(near(known[1] ?? []));
    expect(fine).toEqual(near(known[2] ?? []));
    // Of several devices in the same quarter, nothing says which spoke first.
    const anyOf = (rows: readonly AggregateRow[]) => near(rows).map((row) => ({ ...row, first: expect.any(Number), last: expect.any(Number) })); // prettier-ignore
    expect(together).toEqual(anyOf(known[0] ?? []));
    await store.close();
  });

  test("a database that was filled before there were roll-ups gets them from its first reading on", async () => {
    const noon = Date.UTC(2026, 5, 1, 12);
    const store = await opened("older");
    const readings = [0, 1, 30].map((hours) => ({ device: "L1", measure: "level", at: instant(noon + hours * 3_600_000), value: hours })); // prettier-ignore
    await store.commit([{ station: "s", epoch: "e", first: 1, readings }]);
    await store.close();
    await ask(`DROP RETENTION POLICY hour ON "${database("older")}"`);
    const again = await opened("older");
    // Noon, and thirty hours after it.
    expect(await again.compact?.(instant(0), async () => {})).toBe(31);
    expect(await ask(`SELECT sum_level, count_level FROM "${database("older")}".hour.lamp`)).toEqual([
      ["2026-06-01T12:00:00Z", 0, 1],
      ["2026-06-01T13:00:00Z", 1, 1],
      ["2026-06-02T18:00:00Z", 30, 1],
    ]);
    expect(await again.compact?.(instant(0), async () => {})).toBe(0);
    await again.close();
  });
});

test.skipIf(influxdPath === undefined)(
  "a user who may only write and read keeps what an administrator has set",
  async () => {
    const secured = await startInfluxd({ flux: false, auth: true });
    try {
      const ask = async (q: string, user = "&u=ana&p=secret"): Promise<unknown> =>
        (await fetch(`${secured.url}/query?${new URLSearchParams({ q })}${user}`, { method: "POST" })).json();
      await ask("CREATE USER ana WITH PASSWORD 'secret' WITH ALL PRIVILEGES", "");
      const options = { ...common, url: secured.url, database: "vigie" };
      const first = influx1Store({
        ...options,
        user: "ana",
        password: "secret",
        retention: { raw_d: 30, quarters_d: 300 },
      });
      await first.open();
      await first.close();
      await ask("CREATE USER leo WITH PASSWORD 'little'; GRANT ALL ON vigie TO leo");
      const store = influx1Store({
        ...options,
        user: "leo",
        password: "little",
        retention: { raw_d: 90, quarters_d: 1826 },
      });
      const at = instant(Date.now());
      await store.commit([
        { station: "s", epoch: "e", first: 1, readings: [{ device: "L1", measure: "level", at, value: 1 }] },
      ]);
      expect(await store.compact?.(at, async () => {})).toBe(1);
      expect(await store.prune(instant(at + DAY), instant(at + DAY))).toBe(0);
      expect(JSON.stringify(await ask("SHOW RETENTION POLICIES ON vigie"))).toContain(
        `["raw","720h0m0s","24h0m0s",1,false]`,
      );
      expect(JSON.stringify(await ask("SELECT count_level FROM vigie.hour.lamp"))).toContain("count_level");
      await store.close();
    } finally {
      await secured.stop();
    }
  },
  30_000,
);
