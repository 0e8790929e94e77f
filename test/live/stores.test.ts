import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { vigie as answer } from "../cli/cli.ts";
import { type Influxd, influxdPath, startInfluxd } from "../influxd.ts";
import { endAll, type Place, place, start, until, vigie } from "./running.ts";
import { visit } from "./visitor.ts";

let here: Place;
let influxd: Influxd | undefined;
beforeEach(() => (here = place()));
afterEach(async () => {
  await endAll();
  await influxd?.stop();
  influxd = undefined;
  here.remove();
});

test.skipIf(influxdPath === undefined)(
  "a town whose readings are in InfluxDB: its past is there, a failure of the database is said and mended, and it moves house",
  async () => {
    influxd = await startInfluxd({ flux: false });
    const { url } = influxd;
    const server = start(here, "--store", "influx1", "--store-url", url, "--history", "30m");
    const visitor = await visit(server);
    await server.says(/Ctrl-C stops/);
    const [, address = ""] = await server.says(/page +(http:\S+)/);
    const ready = async (): Promise<number> => (await fetch(`${address}/readyz`)).status;
    const [lamp] = (await visitor.get<{ entries: { id: string }[] }>("/devices?kind=lamp&limit=1")).entries;
    const path = `/devices/${lamp?.id}/readings?measure=power_W&from=0&to=${Date.now() + 60_000}&limit=10000`;
    expect((await visitor.get<{ rows: unknown[] }>(path)).rows.length).toBeGreaterThan(1);

    // What a page shows first: asked for once before, it is there while the database is not.
    const shown = async (): Promise<unknown[]> => [await visitor.get("/now"), await visitor.get("/fleet?limit=1")];
    await shown();
    await influxd.kill();
    await until(async () => (await ready()) === 503);
    expect(await shown()).toHaveLength(2);
    await influxd.start();
    await until(async () => (await ready()) === 200);
    expect(await server.stop()).toEqual({ code: 0, signal: null });

    const database = `influx1:${url}/vigie`;
    const file = `duckdb:${join(here.directory, "moved.duckdb")}`;
    const words = ["store", "copy", "--from", database, "--to", file, "--data", here.data];
    const moving = vigie(words);
    expect((await moving.ended).code).toBe(0);
    expect(moving.out()).toMatch(
      /readings of \d+ series, .* written now: count, first, last and sum of each are equal/,
    );
    expect(JSON.parse(answer(...words, "--json").out)).toMatchObject({ written: 0, differences: [] });
  },
);

describe.skipIf(influxdPath === undefined)("a database", () => {
  test.each([
    ["by a town that is to get a past", ["--history", "30m"], false],
    ["by a server without a town", ["--no-town"], true],
  ])(
    "that is down at the start is waited for, %s: the page says what is wrong, and it goes on by itself",
    async (_, words, isServed) => {
      influxd = await startInfluxd({ flux: false });
      const { url } = influxd;
      await influxd.kill();
      const server = start(here, "--store", "influx1", "--store-url", url, ...words);
      const visitor = await visit(server);
      const unanswered = `The time-series store at ${url}/vigie does not answer: ECONNREFUSED.`;
      await server.says(new RegExp(unanswered));
      const [, address = ""] = await server.says(/page +(http:\S+)/);
      const ready = (): Promise<Response> => fetch(`${address}/readyz`);
      await until(async () => (await (await ready()).text()).includes(unanswered));
      if (isServed) {
        const alarms = async (): Promise<string> => JSON.stringify(await visitor.get("/alarms?limit=9"));
        await until(async () => (await alarms()).includes(unanswered.slice(0, -1)));
        expect(await (await fetch(`${address}/metrics`)).text()).toContain("vigie_store_failing 1");
        // What rests on no reading is there.
        expect(await visitor.get("/now")).toMatchObject({ state: "ready", waste: { containers: 4 } });
        expect(await visitor.get("/fleet?limit=1")).toBeDefined();
      } else {
        expect(await visitor.get("/now")).toMatchObject({ state: "preparing", waitsFor: { en: expect.stringContaining(unanswered) } }); // prettier-ignore
      }
      await influxd.start();
      await server.says(/Ctrl-C stops/);
      await until(async () => (await ready()).status === 200);
      expect(await visitor.get("/now")).toMatchObject({ state: "ready" });
      expect(await server.stop()).toEqual({ code: 0, signal: null });
    },
  );

  test("that refuses the password is one sentence with the next step, and exit code 2", async () => {
    influxd = await startInfluxd({ flux: false, auth: true });
    const create = new URLSearchParams({ q: "CREATE USER ana WITH PASSWORD 'secret' WITH ALL PRIVILEGES" });
    await fetch(`${influxd.url}/query?${create}`, { method: "POST" });
    for (const words of [["--history", "30m"], ["--no-town"]]) {
      const user = ["--store-user", "ana", "--store-password", "wrong"];
      const server = start(here, "--store", "influx1", "--store-url", influxd.url, ...user, ...words);
      expect((await server.ended).code).toBe(2);
      expect(server.err()).toContain(`The time-series store at ${influxd.url}/vigie refuses: authorization failed.`);
    }
  });
});

test("readings that are kept in memory are there after a restart", async () => {
  const first = start(here, "--store", "memory", "--history", "30m");
  const stored = async (who: Awaited<ReturnType<typeof visit>>): Promise<number> =>
    (await who.get<{ totals: { readingsStored: number } }>("/fleet")).totals.readingsStored;
  const visitor = await visit(first);
  await first.says(/Ctrl-C stops/);
  const before = await stored(visitor);
  expect(before).toBeGreaterThan(100);
  expect(await first.stop()).toEqual({ code: 0, signal: null });
  const second = start(here, "--store", "memory");
  const again = await visit(second);
  await second.says(/Ctrl-C stops/);
  expect(await stored(again)).toBeGreaterThanOrEqual(before);
  expect(await second.stop()).toEqual({ code: 0, signal: null });
});
