import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generatedTown } from "#cli/territory.ts";
import { bare, root } from "../cli/cli.ts";

/** A directory with a territory of twenty lamps, and a place for data that is not there yet. */
export interface Place {
  readonly directory: string;
  readonly data: string;
  readonly territory: string;
  remove(): void;
}

export function place(): Place {
  const directory = mkdtempSync(join(tmpdir(), "vigie-live-"));
  const territory = join(directory, "town.geojson");
  writeFileSync(territory, JSON.stringify(generatedTown({ seed: 5, lamps: 20, containers: 4, junctions: 1 }).geojson));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  return { directory, territory, data: join(directory, "data"), remove };
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A real process and what it has said so far. */
export interface Running {
  readonly process: ChildProcess;
  readonly pid: number;
  out(): string;
  err(): string;
  /** Resolves with the match once it is said on standard output or error; rejects when the process ends before. */
  says(pattern: RegExp): Promise<RegExpMatchArray>;
  readonly ended: Promise<Ended>;
  /** Sends Ctrl-C and waits for the end. */
  stop(): Promise<Ended>;
}

const started = new Set<Running>();

/** Whatever a test that failed has left behind. */
export async function endAll(): Promise<void> {
  for (const each of started) {
    for (const pid of [...descendants(each.pid), each.pid]) kill(pid, "SIGKILL");
    await each.ended;
  }
  started.clear();
}

export function vigie(words: readonly string[], environment: Record<string, string> = {}): Running {
  return run(process.execPath, [join(root, "cli.ts"), ...words], environment);
}

/** `vigie start` in this place on free ports. */
export function start(where: Place, ...words: readonly string[]): Running {
  const ports = ["--port", "0", ...(words.includes("--broker") ? [] : ["--mqtt-port", "0"])];
  return vigie(["start", "--data", where.data, "--territory", where.territory, ...ports, ...words]);
}

export function run(
  command: string,
  words: readonly string[],
  environment: Record<string, string> = {},
  directory = root,
): Running {
  const child = spawn(command, words, {
    cwd: directory,
    env: { ...bare, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let err = "";
  const watchers = new Set<() => void>();
  const hear = (): void => {
    for (const each of watchers) each();
  };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    out += text;
    hear();
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    err += text;
    hear();
  });
  const ended = new Promise<Ended>((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  const running: Running = {
    process: child,
    pid: child.pid as number,
    out: () => out,
    err: () => err,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(out) ?? pattern.exec(err);
          if (match === null) return;
          watchers.delete(look);
          resolve(match);
        };
        watchers.add(look);
        look();
        void ended.then(() => reject(new Error(`it ended without ${pattern}:\n${out}${err}`)));
      }),
    ended,
    stop() {
      child.kill("SIGINT");
      return ended;
    },
  };
  started.add(running);
  return running;
}

export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}

/** Every process below this one, from Linux's /proc; none where there is no /proc. */
export function descendants(root_pid: number): number[] {
  const parents = new Map<number, number>();
  try {
    for (const name of readdirSync("/proc")) {
      if (!/^\d+$/.test(name)) continue;
      const parent = /^PPid:\s+(\d+)/m.exec(readOr(`/proc/${name}/status`))?.[1];
      if (parent !== undefined) parents.set(Number(name), Number(parent));
    }
  } catch {
    return [];
  }
  const below = (pid: number): number[] =>
    [...parents].filter(([, parent]) => parent === pid).flatMap(([child]) => [child, ...below(child)]);
  return below(root_pid);
}

/** Whether a process still runs; a dead one that nobody has buried does not. */
export const runs = (pid: number): boolean => /^State:\s+[^ZX]/m.test(readOr(`/proc/${pid}/status`));

/** Looks again and again until it is so. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 50));
}

function readOr(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
