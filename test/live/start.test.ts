import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { descendants, endAll, type Place, place, run, runs, start, until, vigie } from "./running.ts";
import { visit } from "./visitor.ts";

let here: Place;
beforeEach(() => (here = place()));
afterEach(async () => {
  await endAll();
  here.remove();
});

interface Now {
  readonly state: string;
  readonly progress: number;
}

test("while the past is laid down the page answers and says so; then the town is there with its past", async () => {
  const server = start(here, "--history", "2h");
  const visitor = await visit(server);
  const early = await visitor.get<Now>("/now");
  expect(early.state).toBe("preparing");
  await server.says(/Ctrl-C stops/);
  expect((await visitor.get<Now>("/now")).state).toBe("ready");
  const { entries } = await visitor.get<{ entries: { at: number }[] }>("/decisions?limit=100");
  expect(Math.min(...entries.map(({ at }) => at))).toBeLessThan(Date.now() - 3_600_000);
  expect(await server.stop()).toEqual({ code: 0, signal: null });
  expect(server.out() + server.err()).not.toMatch(/Warning|npm|deprecated/i);
});

test("through a pipe there are no control characters, and no line is longer than 80 columns", async () => {
  const server = start(here, "--history", "30m");
  await server.says(/Ctrl-C stops/);
  await server.stop();
  const text = server.out() + server.err();
  // The line feed is the one that stays.
  expect(text.split("\n").join("")).not.toMatch(/\p{Cc}/u);
  for (const line of text.split("\n")) {
    expect(line.length, line).toBeLessThanOrEqual(80);
  }
});

test("the link signs in once", async () => {
  const server = start(here, "--no-town");
  await visit(server);
  await expect(visit(server)).rejects.toThrow("401");
});

test("Ctrl-C while the past is laid down ends at once with nothing left running; the next start lays it down anew", async () => {
  const server = start(here, "--history", "40d");
  await server.says(/ 0 %/);
  const below = descendants(server.pid);
  expect(below).toHaveLength(1);
  expect(await server.stop()).toEqual({ code: 0, signal: null });
  await until(() => !below.some(runs));
  const again = start(here, "--history", "10m");
  await again.says(/Ctrl-C stops/);
  expect(readFileSync(join(here.data, "history"), "utf8")).toMatch(/^20.*Z 20.*Z/);
});

test("kill -9 while the past is laid down ends the process that rehearses it too", async () => {
  const server = start(here, "--history", "40d");
  await server.says(/ 0 %/);
  const below = descendants(server.pid);
  server.process.kill("SIGKILL");
  await server.ended;
  await until(() => !below.some(runs));
});

test("when the process that rehearses the past dies, one sentence says so, and nothing is left running", async () => {
  const server = start(here, "--history", "40d");
  await server.says(/ 0 %/);
  const [child] = descendants(server.pid);
  process.kill(child as number, "SIGKILL");
  expect((await server.ended).code).toBe(2);
  expect(server.err()).toContain("vigie: The past could not be rehearsed: it ended with SIGKILL.");
  expect(server.err()).not.toMatch(/^ {4}at /m);
});

test("a past is never laid over days that were really lived", async () => {
  const first = start(here, "--no-town");
  await first.says(/Ctrl-C stops/);
  await first.stop();
  const second = start(here, "--history", "1h");
  await second.says(/Ctrl-C stops/);
  expect(second.err()).toBe("");
});

test("the environment and the settings file count, in both languages", async () => {
  const settings = join(here.directory, "settings.json");
  writeFileSync(settings, JSON.stringify({ data: here.data, territory: here.territory, "mqtt-port": 0, town: false }));
  const server = vigie(["start", "--settings", settings], { VIGIE_PORT: "0", VIGIE_LANG: "fr" });
  await server.says(/Ctrl-C arrête ; le prochain démarrage reprend ici\./);
  expect(server.out()).toContain("20 luminaires, 4 conteneurs, 1 carrefour\n");
  expect(await server.stop()).toEqual({ code: 0, signal: null });
});

test("a town sixty times faster than life is the same age in both processes", async () => {
  const server = start(here, "--history", "0", "--speed", "60");
  const visitor = await visit(server);
  await server.says(/Ctrl-C stops/);
  // Every lamp speaks within a quarter of an hour of its own time.
  let newest = 0;
  await until(async () => {
    const { entries } = await visitor.get<{ entries: { latest: { at: number } | null }[] }>("/devices?kind=lamp");
    newest = Math.max(...entries.map(({ latest }) => latest?.at ?? 0));
    return newest > 0;
  });
  const { at } = await visitor.get<{ at: number }>("/now");
  expect(Math.abs(at - newest)).toBeLessThan(15 * 60_000);
});

test("npm start says nothing of its own, and Ctrl-C through npm ends cleanly", async () => {
  const words = ["start", "--", "--data", here.data, "--territory", here.territory];
  const npm = run("npm", [...words, "--port", "0", "--mqtt-port", "0", "--history", "0"]);
  await npm.says(/Ctrl-C stops/);
  const below = descendants(npm.pid);
  // In a terminal the key goes to npm, its shell and to us at once, and npm passes it on once more.
  for (const pid of [npm.pid, ...below.slice(0, 2)]) process.kill(pid, "SIGINT");
  await npm.ended;
  await until(() => !below.some(runs));
  expect(npm.err()).toBe("");
  expect(npm.out()).not.toMatch(/warn|npm /i);
  expect(npm.out()).toContain("Stopping: what was read is written, stations are told.");
});
