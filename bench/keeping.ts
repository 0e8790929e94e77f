import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { generatedTown } from "#cli/territory.ts";
import { DAY, type Instant, instant, seconds } from "#protocol/units.ts";
import { rehearse } from "#rehearsal/rehearse.ts";
import { copyStore } from "#server/store/copy.ts";
import { duckdbStore } from "#server/store/duckdb.ts";
import { POINT_TABLES } from "#server/store/prune-points.ts";
import { startGenerator, startServer } from "./ingest-rig.ts";
import type { Row } from "./row.ts";

/** Monday, 2 March 2026, 0:00 UTC. */
const MONDAY = Date.UTC(2026, 2, 2);
const WEEK = 7 * DAY;
/** How many weeks a year is made of here: the rehearsed week again and again, each time with other values. */
const WEEKS = Number(process.env["VIGIE_BENCH_WEEKS"] ?? 52);
const TIMES = 9;
/** How long readings are kept where nobody says otherwise. */
const RAW_D = 90;
/** How often a week is archived beside stations, and how long these are listened to before and after. */
const ROUNDS = 3;
const STATIONS = 1000;
const QUIET_S = 10;

/** What a town's readings take on disk, and what they cost when they are moved, asked for and backed up. */
export async function run(): Promise<Row[]> {
  const directory = mkdtempSync(join(tmpdir(), "vigie-bench-"));
  try {
    const week = join(directory, "week.duckdb");
    await rehearsedWeek(week);
    return [
      ...(await oneWeek(week, join(directory, "one"))),
      ...(await beside(week, join(directory, "beside"))),
      ...(await year(week, join(directory, "year"))),
    ];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A week of the default town, as it comes in: nothing of it is archived yet. VIGIE_BENCH_WEEK names one that is there. */
async function rehearsedWeek(file: string): Promise<void> {
  const known = process.env["VIGIE_BENCH_WEEK"];
  if (known !== undefined) return copyFileSync(known, file);
  const { territory } = generatedTown({ seed: 1 });
  const hours = WEEK / 3_600_000;
  const { store } = await rehearse({
    territory,
    seed: 1,
    from: instant(MONDAY),
    hours,
    hand: false,
    watched: false,
    settle: false,
    chronicle: true,
  });
  const kept = duckdbStore(file, { memory_MB: 512 });
  await kept.open();
  await copyStore(store, kept);
  await kept.close();
}

async function oneWeek(week: string, place: string): Promise<Row[]> {
  mkdirSync(place);
  const file = join(place, "readings.duckdb");
  copyFileSync(week, file);
  const before = statSync(file).size;
  let store = duckdbStore(file);
  await store.open();
  const { readings } = await store.size();
  const [compaction] = await timed(1, () => store.compact(instant(MONDAY + WEEK)));
  await store.close();
  const archives = await sizes(file);
  store = duckdbStore(file);
  await store.open();
  const { bytes } = await store.size();
  const devices = [...new Set((await store.series()).map(({ device }) => device))].slice(0, 1000);
  const ask = (hour: number) =>
    store.aggregate({
      devices,
      measure: "level",
      from: instant(MONDAY),
      to: instant(MONDAY + WEEK),
      every: seconds(hour * 3600),
    });
  const hourly = await timed(TIMES, () => ask(1));
  await store.close();
  return [
    row("readings of a week of the default town", readings, "readings", "more"),
    row("bytes a reading as it comes in", before / readings, "bytes", "less"),
    { ...row("bytes a reading on disk, after compaction", archives.raw / readings, "bytes", "less"), must: 8, aim: 4 },
    row("the same with its roll-ups and all else", bytes / readings, "bytes", "less"),
    row("compaction of a week", (compaction as number) / 1000, "s", "less"),
    spread("hourly means of a week, all lamps together, from roll-ups", hourly),
    ...(await rawMeans(file)),
  ];
}

/** The same from raw readings, in one question that DuckDB answers alone. */
async function rawMeans(file: string): Promise<Row[]> {
  const raw = await archiveFile(file);
  const instance = await DuckDBInstance.create(raw, { access_mode: "READ_ONLY", threads: "2", memory_limit: "96MB" });
  const connection = await instance.connect();
  const [[count] = [0n]] = (await connection.runAndReadAll("SELECT count(DISTINCT series) FROM readings")).getRows();
  const hourly = await timed(TIMES, () =>
    connection.runAndReadAll("SELECT instant // 3600000, avg(value) FROM readings GROUP BY 1"),
  );
  connection.closeSync();
  instance.closeSync();
  return [spread(`hourly means of a week, all ${String(count)} series, from raw readings`, hourly)];
}

/** What stations wait for while a week is moved beside them, against what they wait for before and after. */
async function beside(week: string, place: string): Promise<Row[]> {
  const rounds: { readonly without: number; readonly during: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const directory = `${place}-${round}`;
    mkdirSync(directory);
    copyFileSync(week, join(directory, "readings.duckdb"));
    const server = await startServer({ directory, stations: STATIONS });
    const { port } = server;
    const generator = await startGenerator({ port, stations: STATIONS, perMessage: 1, window: 20, rate: 2000 });
    const heard = async (meanwhile: Promise<unknown>): Promise<number> => {
      generator.go();
      await meanwhile;
      return (await generator.report()).puback_ms.p99;
    };
    await generator.connect();
    await heard(pause(3));
    const before = await heard(pause(QUIET_S));
    const during = await heard(server.compact());
    const after = await heard(pause(QUIET_S));
    await generator.stop();
    await server.stop();
    rounds.push({ without: (before + after) / 2, during });
  }
  const of = (what: string, values: readonly number[], unit: string): Row =>
    spread(
      what,
      values.toSorted((a, b) => a - b),
      unit,
    );
  return [
    of("PUBACK p99 without", rounds.map(({ without }) => without), "ms"), // prettier-ignore
    of("PUBACK p99 while a week is archived", rounds.map(({ during }) => during), "ms"), // prettier-ignore
    of("the same, against none", rounds.map(({ during, without }) => during / without), "times"), // prettier-ignore
  ];
}

async function year(week: string, place: string): Promise<Row[]> {
  mkdirSync(place);
  const file = join(place, "readings.duckdb");
  copyFileSync(week, file);
  const began = performance.now();
  let store = duckdbStore(file, { memory_MB: 256 });
  await store.compact(instant(MONDAY + WEEK));
  await store.close();
  for (let number = 1; number < WEEKS; number++) {
    await weekAgain(week, file, number);
    store = duckdbStore(file, { memory_MB: 256 });
    await store.compact(instant(MONDAY + (number + 1) * WEEK));
    await store.close();
  }
  const made_s = (performance.now() - began) / 1000;
  store = duckdbStore(file);
  const [opened] = await timed(1, () => store.open());
  const { readings, bytes } = await store.size();
  const lamps = (await store.series()).filter(({ measure }) => measure === "level");
  const devices = lamps.map(({ device }) => device);
  const span = { from: instant(MONDAY), to: instant(MONDAY + WEEKS * WEEK) };
  const question = { devices, measure: "level", ...span };
  const days = await timed(3, () => store.aggregate({ ...question, every: seconds(86_400) }));
  const one = await timed(3, () =>
    store.aggregate({ ...question, devices: devices.slice(40, 41), every: seconds(3600) }),
  );
  const day = await timed(TIMES, () =>
    store.range(
      devices[40] as string,
      "level",
      (span.to - 30 * DAY) as Instant,
      (span.to - 29 * DAY) as Instant,
      10_000,
    ),
  );
  const to = join(place, "backup");
  mkdirSync(to);
  const [backup] = await timed(1, () => store.backUp(to, () => {}));
  const out = join(place, "month.parquet");
  const [month] = await timed(1, () =>
    store.exportTo({ format: "parquet", from: instant(span.to - 30 * DAY), to: span.to }, out),
  );
  const own = (await store.recordings()).reduce((sum, { values }) => sum + values, 0);
  // As every night; what is free in the middle of the main file is given back when a start finds most of it so.
  const [pruned] = await timed(1, () => store.prune((span.to - RAW_D * DAY) as Instant, instant(MONDAY)));
  await store.close();
  store = duckdbStore(file);
  await store.open();
  const kept = await store.size();
  await store.close();
  const what = `${WEEKS} weeks of the default town`;
  return [
    row(`${what}: readings`, readings, "readings", "more"),
    row(`${what}: values that the server wrote of itself`, own, "values", "more"),
    row(`${what}: on disk, all of it, with roll-ups`, bytes / 1e6, "MB", "less"),
    row(`${what}: on disk, what is over ${RAW_D} days old only summed up`, kept.bytes / 1e6, "MB", "less"),
    row(`${what}: that retention`, (pruned as number) / 1000, "s", "less"),
    row(`${what}: laid down and archived week by week`, made_s, "s", "less"),
    row(`${what}: opened`, opened as number, "ms", "less"),
    spread(`${what}: daily means of all lamps together`, days),
    spread(`${what}: hourly means of one device`, one),
    spread(`${what}: one day of one device, a month ago`, day),
    row(`${what}: readings backed up`, backup as number, "ms", "less"),
    row(`a month of them exported as Parquet`, (month as number) / 1000, "s", "less"),
  ];
}

/** Adds the week once more, so many weeks later, with readings that differ a little, and with what the server wrote of itself. */
async function weekAgain(week: string, file: string, number: number): Promise<void> {
  const instance = await DuckDBInstance.create(file);
  const connection = await instance.connect();
  await connection.run(`ATTACH '${week}' AS week (READ_ONLY)`);
  await connection.run(`INSERT INTO readings
    SELECT series, instant + ${number * WEEK}, CASE WHEN value = round(value) THEN value ELSE round(value * (0.9 + random() / 5), 3) END
    FROM week.readings`);
  for (const table of POINT_TABLES) {
    await connection.run(
      `INSERT INTO ${table} SELECT series, instant + ${number * WEEK}::BIGINT * 1000000, value FROM week.${table}`,
    );
  }
  connection.closeSync();
  instance.closeSync();
}

async function sizes(file: string): Promise<{ raw: number }> {
  return { raw: statSync(await archiveFile(file)).size };
}

async function archiveFile(file: string): Promise<string> {
  const instance = await DuckDBInstance.create(file);
  const connection = await instance.connect();
  const rows = (await connection.runAndReadAll("SELECT file FROM archives WHERE kind = 'raw'")).getRows();
  connection.closeSync();
  instance.closeSync();
  return join(file.replace(/\.duckdb$/, ".archive"), rows[0]?.[0] as string);
}

async function timed(times: number, work: () => Promise<unknown>): Promise<number[]> {
  const took: number[] = [];
  for (let time = 0; time < times; time++) {
    const began = performance.now();
    await work();
    took.push(performance.now() - began);
  }
  return took.sort((a, b) => a - b);
}

const row = (what: string, value: number, unit: string, better: Row["better"]): Row => ({ what, value, unit, better });

const spread = (what: string, took: readonly number[], unit = "ms"): Row => ({
  ...row(what, took[took.length >> 1] as number, unit, "less"),
  spread: [took[0] as number, took.at(-1) as number],
});

const pause = (s: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, s * 1000));
