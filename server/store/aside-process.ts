import { closeSync, copyFileSync, openSync, readSync, rmSync } from "node:fs";
import { constants, setPriority } from "node:os";
import type { DuckDBConnection, DuckDBValue } from "@duckdb/node-api";
import { DuckDBInstance } from "@duckdb/node-api";
import type { AsideOrder, AsideWord } from "./aside.ts";
import { rowsOf } from "./sql.ts";

/**
 * Runs SQL over a copy of a database, as a process of its own that gives way to everybody: the order in, "ready" out; then
 * statements in, rows out, one after the other.
 */
setPriority(constants.priority.PRIORITY_LOW);

const say = (word: AsideWord): void => void process.send?.(word);

process.once("message", (order: AsideOrder) => {
  let turn = begin(order);
  process.on("message", (sql: string) => {
    turn = turn.then(async (connection) => {
      await answer(async () => rowsOf(connection, sql));
      return connection;
    });
  });
  void answer(async () => {
    await turn;
    return [];
  });
});
// Without the one who asked nobody would list what it writes.
process.once("disconnect", () => process.exit(0));
process.on("SIGINT", () => {});

async function begin({ database, copy, memory }: AsideOrder): Promise<DuckDBConnection> {
  copyDatabaseFile(database, copy);
  const instance = await DuckDBInstance.create(copy, {
    memory_limit: memory,
    threads: "1",
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  return instance.connect();
}

async function answer(work: () => Promise<DuckDBValue[][]>): Promise<void> {
  try {
    say({ rows: await work() });
  } catch (problem) {
    say({ problem: (problem as Error).message });
  }
}

/** The three headers of a DuckDB file; which blocks count follows from them, and a checkpoint writes one of them last. */
const HEADERS_B = 3 * 4096;
const TRIES = 10;

/**
 * Copies a database that is open elsewhere, as it stood at its last checkpoint. Between two checkpoints no block that counts
 * is written over, so that a copy is whole when the headers were the same before and after it.
 */
function copyDatabaseFile(from: string, to: string): void {
  for (let tries = 0; tries < TRIES; tries++) {
    rmSync(to, { force: true });
    const before = headersOf(from);
    copyFileSync(from, to);
    if (before.equals(headersOf(from)) && before.equals(headersOf(to))) return;
  }
  throw new Error(`${from} is written to faster than it can be copied`);
}

function headersOf(file: string): Buffer {
  const headers = Buffer.alloc(HEADERS_B);
  const handle = openSync(file, "r");
  try {
    readSync(handle, headers, 0, HEADERS_B, 0);
  } finally {
    closeSync(handle);
  }
  return headers;
}
