import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
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

test("a database that does not answer is one sentence with its address and the next step, and exit code 2", async () => {
  const server = start(here, "--store", "influx1", "--store-url", "http://127.0.0.1:1", "--history", "30m");
  expect((await server.ended).code).toBe(2);
  expect(server.err()).toContain("The time-series store at http://127.0.0.1:1/vigie does not answer: ECONNREFUSED.");
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
