import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { endAll, type Place, place, start, until, vigie } from "./running.ts";
import { type Visitor, visit } from "./visitor.ts";

let here: Place;
let copy: string;
beforeEach(() => {
  here = place();
  copy = join(here.directory, "copy");
});
afterEach(async () => {
  await endAll();
  here.remove();
});

async function told(...words: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const run = vigie(words);
  const { code } = await run.ended;
  return { code, out: run.out(), err: run.err() };
}

interface Totals {
  readonly readingsStored: number;
  readonly live: number;
}
const totals = async (who: Visitor): Promise<Totals> => (await who.get<{ totals: Totals }>("/fleet")).totals;
const lampsOf = async (who: Visitor): Promise<string[]> =>
  (await who.get<{ entries: { id: string }[] }>("/devices?kind=lamp&limit=20")).entries.map(({ id }) => id);
const readingsOf = async (who: Visitor, lamp: string, until: number): Promise<unknown> =>
  (await who.get<{ rows: unknown }>(`/devices/${lamp}/readings?measure=power_W&from=0&to=${until}&limit=10000`)).rows;

test("a town that runs is backed up and goes on from the backup: readings equal, journal whole, stations and all", async () => {
  const server = start(here, "--history", "1h");
  const visitor = await visit(server);
  await server.says(/Ctrl-C stops/);
  await until(async () => (await totals(visitor)).live > 20);
  const saved = await told("backup", "--data", here.data, "--to", copy);
  expect(saved.err).toMatch(/ 100 % {2}backing up/);
  expect(saved).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+ files, [\d.]+ MB, in /) });
  const at = statSync(join(copy, "readings.duckdb")).birthtimeMs - 2000;
  // A second one finds that directory taken.
  const second = await told("backup", "--data", here.data, "--to", copy);
  expect(second).toMatchObject({ code: 2, err: expect.stringContaining("is not empty") });
  const lamps = await lampsOf(visitor);
  const before = await Promise.all(lamps.map((lamp) => readingsOf(visitor, lamp, at)));
  expect(before.flat().length).toBeGreaterThan(20);
  await server.stop();

  const other = { ...here, data: join(here.directory, "restored") };
  expect(await told("restore", "--from", copy, "--data", other.data)).toMatchObject({ code: 0 });
  expect(statSync(join(other.data, "keys", "secret")).mode & 0o777).toBe(0o600);
  expect(await told("decisions", "verify", "--data", other.data)).toMatchObject({ code: 0 });
  const next = start(other);
  const again = await visit(next);
  await next.says(/Ctrl-C stops/);
  expect(await Promise.all(lamps.map((lamp) => readingsOf(again, lamp, at)))).toEqual(before);
  // Stations that come back go on, though the server has less of them than it had.
  const { readingsStored } = await totals(again);
  await until(async () => {
    const now = await totals(again);
    return now.live > 20 && now.readingsStored > readingsStored;
  });
  await next.stop();
});

test("a town that stands still is backed up, too; a file that is wrong is named and nothing is restored", async () => {
  const server = start(here, "--no-town");
  await server.says(/Ctrl-C stops/);
  await server.stop();
  const saved = await told("backup", "--data", here.data, "--to", copy, "--json");
  expect(saved.code).toBe(0);
  const { files } = JSON.parse(readFileSync(join(copy, "manifest.json"), "utf8")) as { files: { name: string }[] };
  expect(files.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["keys/secret", "readings.duckdb", "state.sqlite", "territory.geojson"]),
  );
  const target = join(here.directory, "restored");
  mkdirSync(target);
  writeFileSync(join(target, "mine"), "");
  const taken = await told("restore", "--from", copy, "--data", target);
  expect(taken).toMatchObject({ code: 2, err: expect.stringContaining("is not empty") });
  expect(readdirSync(target)).toEqual(["mine"]);

  const elsewhere = join(here.directory, "elsewhere");
  const state = join(copy, "state.sqlite");
  const whole = readFileSync(state);
  const changed = Buffer.from(whole);
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  writeFileSync(state, changed);
  const differs = await told("restore", "--from", copy, "--data", elsewhere);
  expect(differs).toMatchObject({ code: 2, err: expect.stringContaining("state.sqlite: its SHA-256 differs") });
  truncateSync(state, 100);
  const short = await told("restore", "--from", copy, "--data", elsewhere);
  expect(short.err).toContain(`state.sqlite: it has 100 bytes, not ${whole.length}`);
  writeFileSync(state, whole);
  const manifest = readFileSync(join(copy, "manifest.json"), "utf8");
  writeFileSync(join(copy, "manifest.json"), manifest.replace('"format": 1', '"format": 2'));
  const newer = await told("restore", "--from", copy, "--data", elsewhere);
  expect(newer).toMatchObject({ code: 2, err: expect.stringContaining("was written by a newer version (format 2") });
  writeFileSync(join(copy, "manifest.json"), manifest.replace("keys/secret", "../keys/secret"));
  const outside = await told("restore", "--from", copy, "--data", elsewhere);
  expect(outside.err).toContain("it names a file outside the backup");
  expect(existsSync(elsewhere)).toBe(false);
  writeFileSync(join(copy, "manifest.json"), manifest);
  expect(await told("restore", "--from", copy, "--data", elsewhere, "--json")).toMatchObject({ code: 0 });
});

test("readings are exported beside a running server, by the API, and from a directory at rest, all the same", async () => {
  const server = start(here, "--history", "30m");
  const visitor = await visit(server);
  await server.says(/Ctrl-C stops/);
  const [lamp = ""] = await lampsOf(visitor);
  const [from, to] = [Date.now() - 1_500_000, Date.now() - 600_000];
  const span = ["--from", new Date(from).toISOString(), "--to", new Date(to).toISOString(), "--device", lamp];
  const file = (name: string): string => join(here.directory, name);
  const asked = (name: string) => told("export", "--data", here.data, ...span, "--out", file(name));
  expect(await asked("beside.csv")).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+ readings in /) });
  const answer = await visitor.raw(`/export?from=${from}&to=${to}&device=${lamp}`);
  expect(answer.headers.get("content-type")).toBe("text/csv; charset=utf-8");
  writeFileSync(file("api.csv"), await answer.text());
  const parquet = Buffer.from(await (await visitor.raw(`/export?format=parquet&from=${from}&to=${to}`)).arrayBuffer());
  expect(parquet.subarray(0, 4).toString()).toBe("PAR1");
  await expect(visitor.raw(`/export?from=0&to=${to}`)).rejects.toThrow("at most 92 days apart");
  await server.stop();
  await asked("rest.csv");
  const [beside, api, rest] = ["beside.csv", "api.csv", "rest.csv"].map((name) => readFileSync(file(name), "utf8"));
  expect(beside?.split("\n").length).toBeGreaterThan(2);
  expect(api).toBe(beside);
  expect(rest).toBe(beside);
});

test("whoever cannot show the secret of the directory gets no backup", async () => {
  const server = start(here, "--no-town");
  const [, address = ""] = await server.says(/page +(http:\S+)/);
  await server.says(/Ctrl-C stops/);
  const answer = await fetch(`${address}/api/v1/backup`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ to: copy, at: Date.now(), proof: "AAAA" }),
  });
  expect(answer.status).toBe(401);
  expect(existsSync(copy)).toBe(false);
  await server.stop();
  expect(existsSync(join(here.data, "address"))).toBe(false);
});
