import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { InfluxDB as InfluxDB2, Point } from "@influxdata/influxdb-client";
import { FieldType, InfluxDB } from "influx";
import { afterEach, expect, test } from "vitest";
import { duckdbStore } from "#server/store/duckdb.ts";
import { townHall } from "./townHall.ts";

const close: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const each of close.splice(0)) await each();
});

/** A listening server whose store answers InfluxQL, and an operator's key. */
async function listening(): Promise<{ host: string; port: number; url: string; key: string }> {
  const directory = mkdtempSync(join(tmpdir(), "vigie-clients-"));
  const store = duckdbStore(join(directory, "readings.duckdb"), { describe: () => undefined });
  await store.open();
  close.push(async () => {
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const hall = await townHall({ store });
  const url = await hall.api.listen(0, "127.0.0.1");
  const key = String(hall.as("operator")["authorization"]).slice("Bearer ".length);
  return { host: "127.0.0.1", port: Number(new URL(url).port), url, key };
}

test("the npm client `influx` pings, writes by its schema, asks, groups and lists what there is", async () => {
  const { host, port, key } = await listening();
  const influx = new InfluxDB({
    host,
    port,
    username: "anyone",
    password: key,
    database: "vigie",
    schema: [{ measurement: "noise", fields: { level_dB: FieldType.FLOAT, cars: FieldType.INTEGER, ok: FieldType.BOOLEAN, note: FieldType.STRING }, tags: ["street"] }], // prettier-ignore
  });
  expect((await influx.ping(5000)).map(({ online, version }) => [online, version])).toEqual([[true, "1.8.10"]]);
  await influx.createDatabase("vigie");
  const at = (minute: number): Date => new Date(Date.UTC(2026, 2, 2, 9, minute));
  await influx.writePoints([
    { measurement: "noise", tags: { street: "rue du Four" }, fields: { level_dB: 50, cars: 3, ok: true, note: 'say "hi"' }, timestamp: at(0) }, // prettier-ignore
    { measurement: "noise", tags: { street: "rue du Four" }, fields: { level_dB: 60, cars: 5, ok: false, note: "a, b" }, timestamp: at(5) }, // prettier-ignore
    { measurement: "noise", tags: { street: "quai" }, fields: { level_dB: 70, cars: 9, ok: true, note: "c" }, timestamp: at(6) }, // prettier-ignore
  ]);
  const rows = await influx.query<{ time: Date; mean: number; street: string }>(
    `SELECT mean(level_dB) FROM noise WHERE time >= '2026-03-02' AND time < '2026-03-03' GROUP BY time(1d), street`,
  );
  expect(rows.map(({ mean, street }) => [mean, street]).toSorted(([a], [b]) => Number(a) - Number(b))).toEqual([
    [55, "rue du Four"],
    [70, "quai"],
  ]);
  expect(rows.groups().map(({ name, tags }) => [name, tags])).toEqual([["noise", { street: "quai" }], ["noise", { street: "rue du Four" }]]); // prettier-ignore
  const all = await influx.query<{ note: string; cars: number; ok: boolean }>(
    "SELECT * FROM noise ORDER BY time DESC LIMIT 1",
  );
  expect(all.map(({ note, cars, ok }) => [note, cars, ok])).toEqual([["c", 9, true]]);
  const bound = await influx.query<{ cars: number }>("SELECT cars FROM noise WHERE cars > $least", {
    placeholders: { least: 4 },
  });
  expect(bound.map(({ cars }) => cars).toSorted((a, b) => a - b)).toEqual([5, 9]);
  expect(await influx.getDatabaseNames()).toEqual(["vigie"]);
  expect(await influx.getMeasurements()).toContain("noise");
  expect(await influx.getSeries()).toContain("noise,street=quai");
  expect((await influx.showRetentionPolicies()).map(({ name }) => name)).toContain("raw");
  await expect(influx.query("SELECT nope( FROM noise")).rejects.toThrow(/error parsing query/);
  await expect(influx.dropMeasurement("noise")).rejects.toThrow(/DROP MEASUREMENT is not supported/);
});

test("the official 2.x client writes, in batches and packed", async () => {
  const { url, host, port, key } = await listening();
  const writing = new InfluxDB2({ url, token: key }).getWriteApi("any", "vigie/raw", "ms", { gzipThreshold: 100 });
  for (let minute = 0; minute < 200; minute++) {
    writing.writePoint(new Point("air").tag("place", "square").floatField("pm10", minute).intField("n", minute).timestamp(Date.UTC(2026, 2, 2, 9, minute))); // prettier-ignore
  }
  await writing.close();
  const influx = new InfluxDB({ host, port, username: "x", password: key, database: "vigie" });
  const [row] = await influx.query<{ count: number; last: number }>("SELECT count(pm10), last(n) FROM air");
  expect([row?.count, row?.last]).toEqual([200, 199]);
});

const shell = spawnSync("influx", ["-version"]).error === undefined;
if (!shell) console.log("The `influx` shell is not installed: its test is skipped");

test.skipIf(!shell)("InfluxDB's own shell inserts, asks in columns and in CSV, and shows what there is", async () => {
  const { host, port, key } = await listening();
  const run = async (command: string, format = "csv"): Promise<string> => {
    const { stdout } = await promisify(execFile)(
      "influx",
      ["-host", host, "-port", String(port), "-username", "x", "-password", key, "-database", "vigie", "-format", format, "-execute", command], // prettier-ignore
      { encoding: "utf8" },
    );
    return stdout;
  };
  await run("INSERT air,place=square pm10=12.5 1767225600000000000");
  expect(await run("SELECT * FROM air")).toBe("name,time,place,pm10\nair,1767225600000000000,square,12.5\n");
  expect(await run("SHOW TAG VALUES WITH KEY = place")).toContain("square");
  expect(await run("SELECT mean(pm10) FROM air", "column")).toMatch(/mean\s*\n.*\n.*12\.5/);
  expect(await run("SHOW DATABASES")).toContain("vigie");
});
