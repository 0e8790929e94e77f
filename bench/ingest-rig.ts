import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { join } from "node:path";
import type { IngestStats } from "#server/ingest.ts";
import type { GeneratorReport } from "./ingest-generator.ts";

/** A child of ours with its messages in order, so that each can be waited for. */
export interface Child {
  readonly process: ChildProcess;
  tell(word: string): void;
  /** The next message; rejects when the child ends first. */
  next<T>(): Promise<T>;
  ended: Promise<void>;
}

export function start(file: string, given: object): Child {
  const child = fork(join(import.meta.dirname, file), [JSON.stringify(given)], { stdio: "inherit" });
  const heard: unknown[] = [];
  const waiting: { resolve: (message: unknown) => void; reject: (problem: Error) => void }[] = [];
  child.on("message", (message) => {
    const first = waiting.shift();
    if (first === undefined) heard.push(message);
    else first.resolve(message);
  });
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => {
      for (const each of waiting.splice(0)) each.reject(new Error(`${file} ended`));
      resolve();
    });
  });
  return {
    process: child,
    tell: (word) => void child.send(word),
    next<T>() {
      if (heard.length > 0) return Promise.resolve(heard.shift() as T);
      return new Promise<T>((resolve, reject) => {
        waiting.push({ resolve: resolve as (message: unknown) => void, reject });
      });
    },
    ended,
  };
}

export interface ServerProcess {
  readonly port: number;
  stats(): Promise<{ stats: IngestStats; cpu: NodeJS.CpuUsage; memory: number }>;
  /** Archives what is over three days old; how many archives that made. */
  compact(): Promise<number>;
  /** kill -9. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export async function startServer(given: {
  directory: string;
  port?: number;
  stations: number;
  acknowledge?: "after-commit" | "before-commit";
}): Promise<ServerProcess> {
  const child = start("ingest-server.ts", { port: 0, acknowledge: "after-commit", ...given });
  const { port } = await child.next<{ port: number }>();
  return {
    port,
    stats() {
      child.tell("stats");
      return child.next();
    },
    async compact() {
      child.tell("compact");
      return (await child.next<{ archives: number }>()).archives;
    },
    async kill() {
      child.process.kill("SIGKILL");
      await child.ended;
    },
    async stop() {
      child.tell("stop");
      await child.ended;
    },
  };
}

export interface Generator {
  /** Connects all stations; resolves when each has its subscription. */
  connect(): Promise<void>;
  go(): void;
  /** What happened since the last `go`; waits for the loss of all connections when `lost`. */
  report(lost?: "lost"): Promise<GeneratorReport>;
  stop(): Promise<GeneratorReport>;
}

export async function startGenerator(given: {
  port: number;
  stations: number;
  perMessage: number;
  window: number;
  rate?: number;
  from?: number;
}): Promise<Generator> {
  const child = start("ingest-generator.ts", given);
  await child.next();
  return {
    async connect() {
      child.tell("connect");
      await child.next();
    },
    go: () => child.tell("go"),
    report(lost) {
      if (lost === undefined) child.tell("report");
      return child.next();
    },
    async stop() {
      child.tell("stop");
      const report = await child.next<GeneratorReport>();
      await child.ended;
      return report;
    },
  };
}
