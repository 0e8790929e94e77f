import { fork } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "#protocol/faults.ts";
import { instant, type Instant } from "#protocol/units.ts";
import type { HistoryOrder } from "#rehearsal/history.ts";
import { adoptHistory } from "#server/adopt.ts";
import { FILES } from "#server/main.ts";
import type { State } from "#server/state.ts";
import type { DataDirectory } from "./directory.ts";
import { mistake, tracesIn } from "./mistake.ts";

/** What the process that rehearses the past says. */
export interface HistoryWord {
  readonly share?: number;
  readonly problem?: string;
  readonly trace?: string;
}

/** There once a past is whole, or a town has begun to live without one; until then a start begins the past anew. */
const MARK = "history";

/** Whether this town is so new that a past can be laid down: readings of a real day are never replaced by a rehearsal's. */
export const hasNoPast = (directory: DataDirectory): boolean => !existsSync(directory.file(MARK));

/** From here on the town lives, with the past that it has. */
export function beginPresent(directory: DataDirectory): void {
  if (hasNoPast(directory)) writeFileSync(directory.file(MARK), "none\n");
}

/**
 * Rehearses the past in a process of its own while the page answers, then takes it over; false when it was stopped.
 * Raises Fault HISTORY_FAILED.
 */
export async function layDown(past: {
  readonly directory: DataDirectory;
  readonly state: State;
  readonly seed: number;
  readonly until: Instant;
  readonly length_s: number;
  readonly stopped: Promise<unknown>;
  /** Brings the past's readings to where the town's are kept. */
  takeReadings(): Promise<void>;
  progress(share: number): void;
}): Promise<boolean> {
  const { directory, state, until } = past;
  const draft = directory.file("history-draft");
  rmSync(draft, { recursive: true, force: true });
  rmSync(directory.file(FILES.readings), { force: true });
  rmSync(directory.file(`${FILES.readings}.wal`), { force: true });
  rmSync(directory.file("town"), { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  const order: HistoryOrder = {
    territory: directory.file("territory.geojson"),
    seed: past.seed,
    from: instant(until - past.length_s * 1000),
    to: until,
    keys: directory.file(FILES.keys),
    readings: directory.file(FILES.readings),
    state: join(draft, FILES.state),
    town: directory.file("town"),
  };
  const child = fork(join(import.meta.dirname, "history-process.ts"), {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const exit = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const done = new Promise<true>((resolve, reject) => {
    const fail = (problem: string): void => reject(new Fault("HISTORY_FAILED", { problem }));
    child.on("message", ({ share, problem, trace }: HistoryWord) => {
      if (trace !== undefined) mistake(Object.assign(new Error(problem), { stack: trace }), tracesIn(directory.path));
      if (problem !== undefined) fail(problem);
      if (share !== undefined) past.progress(share);
    });
    child.once("error", (problem) => fail(problem.message));
    child.once("exit", (code, signal) => (code === 0 ? resolve(true) : fail(`it ended with ${signal ?? code}`)));
  });
  child.send(order);
  try {
    if ((await Promise.race([done, past.stopped])) !== true) return false;
  } finally {
    child.kill("SIGKILL");
    await exit;
  }
  await past.takeReadings();
  adoptHistory(state, order.state);
  rmSync(draft, { recursive: true, force: true });
  writeFileSync(directory.file(MARK), `${new Date(order.from).toISOString()} ${new Date(order.to).toISOString()}\n`);
  return true;
}
