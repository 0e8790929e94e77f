import { fork } from "node:child_process";
import type { DuckDBConnection, DuckDBValue } from "@duckdb/node-api";
import { rowsOf } from "./sql.ts";

/** Where an archive is written: runs SQL over what is to be archived. */
export interface Aside {
  rows(sql: string): Promise<DuckDBValue[][]>;
  end(): Promise<void>;
}

export interface AsideOrder {
  /** Where it may put what does not fit into its memory. */
  readonly directory: string;
  /** What DuckDB may hold in memory, as it writes it. */
  readonly memory: string;
}
export type AsideWord = { readonly rows: DuckDBValue[][] } | { readonly problem: string };

/** In the database itself: sooner done than a process has begun, where there is little to do. */
export function onTheSpot(connection: DuckDBConnection): Aside {
  return { rows: (sql) => rowsOf(connection, sql), end: () => Promise.resolve() };
}

/**
 * In a process of its own of the lowest priority: what takes seconds there takes nothing from those who commit here. It sees
 * files only. Ends early when `closing` is aborted.
 */
export async function inAnotherProcess(order: AsideOrder, closing: AbortSignal): Promise<Aside> {
  const child = fork(new URL("aside-process.ts", import.meta.url), {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    serialization: "advanced",
    execArgv: [],
  });
  const ended = new Promise<string>((resolve) => {
    child.once("error", ({ message }) => resolve(message));
    child.once("exit", (code, signal) => resolve(`it ended with ${signal ?? code}`));
  });
  const stop = (): void => void child.kill("SIGKILL");
  closing.addEventListener("abort", stop, { once: true });
  const tell = (message: AsideOrder | string): Promise<DuckDBValue[][]> =>
    new Promise((resolve, reject) => {
      child.once("message", (word: AsideWord) => {
        if ("rows" in word) resolve(word.rows);
        else reject(new Error(word.problem));
      });
      void ended.then((how) => reject(new Error(`the process that writes archives is gone: ${how}`)));
      child.send(message, () => {});
    });
  const aside: Aside = {
    rows: tell,
    async end() {
      closing.removeEventListener("abort", stop);
      stop();
      await ended;
    },
  };
  try {
    closing.throwIfAborted();
    await tell(order);
    return aside;
  } catch (problem) {
    await aside.end();
    throw problem;
  }
}
