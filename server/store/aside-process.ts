import { constants, setPriority } from "node:os";
import type { DuckDBConnection, DuckDBValue } from "@duckdb/node-api";
import { DuckDBInstance } from "@duckdb/node-api";
import type { AsideOrder, AsideWord } from "./aside.ts";
import { rowsOf } from "./sql.ts";

/**
 * Runs SQL over files as a process of its own that gives way to everybody: the order in, no rows out; then statements in, rows
 * out, one after the other.
 */
setPriority(constants.priority.PRIORITY_LOW);

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

async function begin({ directory, memory }: AsideOrder): Promise<DuckDBConnection> {
  const instance = await DuckDBInstance.create(":memory:", {
    memory_limit: memory,
    temp_directory: directory,
    threads: "1",
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  return instance.connect();
}

async function answer(work: () => Promise<DuckDBValue[][]>): Promise<void> {
  let word: AsideWord;
  try {
    word = { rows: await work() };
  } catch (problem) {
    word = { problem: (problem as Error).message };
  }
  process.send?.(word);
}
