import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Instant, instant } from "#protocol/units.ts";
import { duckdbStore } from "#server/store/duckdb.ts";
import { exportReadings } from "#server/store/export.ts";
import { memoryStore } from "#server/store/memory.ts";
import type { Store } from "#server/store/store.ts";

let place: string;
beforeEach(() => (place = mkdtempSync(join(tmpdir(), "vigie-export-"))));
afterEach(() => rmSync(place, { recursive: true, force: true }));

const T0 = Date.UTC(2026, 2, 2, 23, 59, 59);
const at = (second: number): Instant => instant(T0 + second * 1000 + 5);
const span = { from: at(0), to: at(3) };
const stores: Record<string, () => Store> = {
  "the DuckDB store": () => duckdbStore(join(place, "readings.duckdb")),
  "a store without a way of its own": () => memoryStore(),
};

for (const [name, make] of Object.entries(stores)) {
  test(`${name} exports a span, by device, measure and time, as CSV and as Parquet`, async () => {
    const store = make();
    await store.open();
    const reading = (device: string, measure: string, second: number, value: number) => ({
      device,
      measure,
      at: at(second),
      value,
    });
    await store.commit([
      {
        station: "s",
        epoch: "e",
        first: 1,
        readings: [
          reading("lamp-2", "level", 1, 0.25),
          reading("lamp-1", "power_W", 1, 12.5),
          reading('lamp "3", new', "level", 2, 1),
          reading("lamp-1", "level", 0, 0),
          reading("lamp-1", "level", 2, 1e-7),
          reading("lamp-1", "level", 3, 0.9),
        ],
      },
    ]);
    const csv = join(place, "all.csv");
    expect(await exportReadings(store, { format: "csv", ...span }, csv)).toBe(5);
    const lines = readFileSync(csv, "utf8").split("\n");
    expect(lines.map((line) => line.replace(/1e-0?7/, "1e-7").replace(/,(\d+)\.0$/, ",$1"))).toEqual([
      "device,measure,at,value",
      '"lamp ""3"", new",level,2026-03-03T00:00:01.005Z,1',
      "lamp-1,level,2026-03-02T23:59:59.005Z,0",
      "lamp-1,level,2026-03-03T00:00:01.005Z,1e-7",
      "lamp-1,power_W,2026-03-03T00:00:00.005Z,12.5",
      "lamp-2,level,2026-03-03T00:00:00.005Z,0.25",
      "",
    ]);
    const parquet = join(place, "some.parquet");
    const devices = ["lamp-2", "lamp-1", "lamp-9"];
    expect(await exportReadings(store, { format: "parquet", devices, ...span }, parquet)).toBe(4);
    const instance = await DuckDBInstance.create(":memory:");
    const connection = await instance.connect();
    const found = await connection.runAndReadAll(
      `SELECT device, measure, epoch_ms("at")::DOUBLE, value, typeof("at") FROM '${parquet}'`,
    );
    expect(found.getRows()).toEqual([
      ["lamp-1", "level", at(0), 0, "TIMESTAMP WITH TIME ZONE"],
      ["lamp-1", "level", at(2), 1e-7, "TIMESTAMP WITH TIME ZONE"],
      ["lamp-1", "power_W", at(1), 12.5, "TIMESTAMP WITH TIME ZONE"],
      ["lamp-2", "level", at(1), 0.25, "TIMESTAMP WITH TIME ZONE"],
    ]);
    connection.closeSync();
    instance.closeSync();
    await store.close();
  });
}
