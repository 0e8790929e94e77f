import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Fault } from "#protocol/faults.ts";
import { instant } from "#protocol/units.ts";
import { duckdbStore } from "#server/store/duckdb.ts";
import type { Contribution } from "#server/store/store.ts";

let place: string;
let file: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "vigie-duckdb-"));
  file = join(place, "readings.duckdb");
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

const received = (station: number, upTo: number): Contribution => ({
  station: `station-${station}`,
  epoch: "e1",
  first: upTo + 1,
  readings: [],
  upTo,
});

async function inFile(sql: string): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(file);
  const connection = await instance.connect();
  const rows = (await connection.runAndReadAll(sql)).getRows();
  connection.closeSync();
  instance.closeSync();
  return rows;
}

test("data that another process has open is refused with that process's number", async () => {
  const root = join(import.meta.dirname, "../../..");
  const script = `const { duckdbStore } = await import("${root}/server/store/duckdb.ts");
    await duckdbStore(process.argv[1]).open();
    console.log("open");
    setInterval(() => {}, 1000);`;
  const other = spawn(process.execPath, ["--input-type=module", "-e", script, file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    await once(other.stdout, "data");
    const refused = await duckdbStore(file)
      .open()
      .catch((problem: unknown) => problem);
    expect(refused).toBeInstanceOf(Fault);
    expect(refused).toMatchObject({ code: "DATA_IN_USE", facts: { process: String(other.pid) } });
  } finally {
    other.kill("SIGKILL");
    await once(other, "exit");
  }
  // What a killed process held is free.
  const store = duckdbStore(file);
  await store.open();
  await store.close();
});

test("data that a newer version wrote is refused, and left as it was", async () => {
  const store = duckdbStore(file);
  await store.open();
  await store.commit([received(1, 5)]);
  await store.close();
  await inFile("UPDATE format SET version = 3");
  await expect(duckdbStore(file).open()).rejects.toMatchObject({ code: "DATA_NEWER", facts: { found: 3, known: 2 } });
  expect(await inFile("SELECT station, up_to FROM marks")).toEqual([["station-1", 5n]]);
});

test("a file that is no database is said in one sentence", async () => {
  writeFileSync(file, "no database ".repeat(1000));
  const refused = await duckdbStore(file)
    .open()
    .catch((problem: unknown) => problem as Fault);
  expect(refused).toMatchObject({ code: "STORE_FAILED" });
  expect((refused as Fault).message).not.toContain("\n");
});

test("marks are only added until a quarter of a million have gathered, then written anew as a whole, and none is lost", async () => {
  const stations = 5000;
  const commits = 53;
  const store = duckdbStore(file);
  await store.open();
  for (let number = 1; number <= commits; number++) {
    await store.commit(Array.from({ length: stations }, (_, station) => received(station, number)));
  }
  // The last thing said about some is older than the rewriting.
  await store.commit([received(0, commits + 1)]);
  await store.close();
  const [[rows] = [0]] = await inFile("SELECT count(*)::DOUBLE FROM marks");
  // 51 commits make 255,000 rows; the 52nd finds more than 250,000, and begins again with one for each station.
  expect(rows).toBe(stations + 2 * stations + 1);
  const again = duckdbStore(file);
  await again.open();
  const marks = await again.marks();
  expect(marks.length).toBe(stations);
  expect(marks.filter(({ upTo }) => upTo !== commits)).toEqual([
    { station: "station-0", epoch: "e1", upTo: commits + 1 },
  ]);
  await again.close();
});

test("commits beside a pruning are kept, and the pruning says how many it dropped", async () => {
  const store = duckdbStore(file);
  await store.open();
  const reading = (at: number): Contribution => ({
    station: "s",
    epoch: "e",
    first: at,
    readings: [{ device: "lamp", measure: "level", at: instant(at), value: at }],
  });
  for (let at = 1; at <= 20; at++) await store.commit([reading(at)]);
  const pruning = store.prune(instant(11));
  for (const at of [21, 22, 23]) await store.commit([reading(at)]);
  const dropped = await pruning;
  expect(dropped).toBe(10);
  expect((await store.range("lamp", "level", instant(0), instant(100), 100)).map(({ value }) => value)).toEqual(
    Array.from({ length: 13 }, (_, index) => index + 11),
  );
  expect(await store.size()).toMatchObject({ readings: 13 });
  await store.close();
});

test("data of the first format is brought up to this one: of what was said twice the last word stays", async () => {
  await inFile(`
    CREATE TABLE format(version INTEGER); INSERT INTO format VALUES (1);
    CREATE TABLE series(id INTEGER, device VARCHAR, measure VARCHAR); INSERT INTO series VALUES (0, 'lamp', 'level');
    CREATE TABLE marks(station VARCHAR, epoch VARCHAR, up_to BIGINT); INSERT INTO marks VALUES ('s', 'e', 5);
    CREATE TABLE readings(series INTEGER, instant BIGINT, value DOUBLE);
    INSERT INTO readings VALUES (0, 7, 1), (0, 8, 2), (0, 7, 3), (0, 90000000, 4), (0, 7, 5)`);
  const store = duckdbStore(file);
  await store.open();
  expect((await store.range("lamp", "level", instant(0), instant(1e9), 9)).map(({ value }) => value)).toEqual([
    5, 2, 4,
  ]);
  expect(await store.size()).toMatchObject({ readings: 3 });
  expect(await store.marks()).toEqual([{ station: "s", epoch: "e", upTo: 5 }]);
  await store.close();
  expect(await inFile("SELECT version FROM format")).toEqual([[2]]);
});
