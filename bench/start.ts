import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { residentBytes } from "./memory.ts";
import type { Row } from "./row.ts";

const RUNS = 5;
const IDLE_MS = 60_000;
const root = join(import.meta.dirname, "..");

/** From `npm start` to a page that answers, and what a server without a simulated town holds in memory after a minute. */
export async function run(): Promise<Row[]> {
  const took: number[] = [];
  for (let index = 0; index < RUNS; index++) {
    took.push(await withServer(["npm", "start", "--"], (_, started_ms) => Promise.resolve(started_ms)));
  }
  took.sort((a, b) => a - b);
  const resident_MB = await withServer([process.execPath, "cli.ts", "start"], async (pid) => {
    await wait(IDLE_MS);
    return (residentBytes(pid) ?? Number.NaN) / 2 ** 20;
  });
  return [
    {
      what: "npm start to a page that answers",
      value: (took[RUNS >> 1] as number) / 1000,
      unit: "s",
      must: 5,
      aim: 2,
      better: "less",
      spread: [(took[0] as number) / 1000, (took.at(-1) as number) / 1000],
    },
    {
      what: "idle memory of npm start --no-town, resident",
      value: resident_MB,
      unit: "MB",
      must: 200,
      aim: 150,
      better: "less",
    },
  ];
}

/** Starts a server on free ports in a fresh directory, and hands over its process and how long its page took. */
async function withServer<T>(
  [command = "", ...words]: readonly string[],
  use: (pid: number, started_ms: number) => Promise<T>,
): Promise<T> {
  const data = mkdtempSync(join(tmpdir(), "vigie-start-"));
  const began = performance.now();
  const server = spawn(command, [...words, "--data", data, "--port", "0", "--mqtt-port", "0", "--no-town"], {
    cwd: root,
    // A group of its own: Ctrl-C goes to npm, its shell and the server alike.
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const ended = new Promise((resolve) => server.once("close", resolve));
  try {
    const address = await new Promise<string>((resolve, reject) => {
      let said = "";
      server.stdout.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        const found = /page +(http:\S+)\n/.exec(said)?.[1];
        if (found !== undefined) resolve(found);
      });
      server.once("close", () => reject(new Error(`it ended at its start:\n${said}`)));
    });
    const page = await fetch(address);
    await page.text();
    return await use(server.pid as number, performance.now() - began);
  } finally {
    process.kill(-(server.pid as number), "SIGINT");
    await ended;
    rmSync(data, { recursive: true, force: true });
  }
}
