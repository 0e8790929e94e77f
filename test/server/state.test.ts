import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, expect, test } from "vitest";
import { Fault } from "#protocol/faults.ts";
import { openState } from "#server/state.ts";

const directory = mkdtempSync(join(tmpdir(), "vigie-state-"));
const path = join(directory, "state.db");
afterEach(() => {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
});

const code = (action: () => unknown): string => {
  try {
    action();
  } catch (problem) {
    if (problem instanceof Fault) return problem.code;
  }
  return "nothing";
};

test("what was written is there after it is closed and opened again", () => {
  const before = openState(path, "village");
  before.run("INSERT INTO meta VALUES ('colour', 'green')");
  before.close();
  const after = openState(path, "village");
  expect(after.get("SELECT value FROM meta WHERE key = 'colour'")).toEqual({ value: "green" });
  after.close();
});

test("data of a newer version is refused", () => {
  openState(path, "village").close();
  const database = new DatabaseSync(path);
  database.exec("PRAGMA user_version = 99");
  database.close();
  expect(code(() => openState(path, "village"))).toBe("DATA_NEWER");
});

test("data of another town is refused", () => {
  openState(path, "village").close();
  expect(code(() => openState(path, "metropolis"))).toBe("DATA_OTHER_TOWN");
});

test("each commit is on disk before the call returns: write-ahead log, fully synchronous", () => {
  const state = openState(path, "village");
  expect(state.get("PRAGMA journal_mode")).toEqual({ journal_mode: "wal" });
  expect(state.get("PRAGMA synchronous")).toEqual({ synchronous: 2 });
  state.close();
});

test("what waits for a commit runs after it, and never when it fails", () => {
  const state = openState(":memory:", "village");
  const order: string[] = [];
  state.transaction(() => {
    state.transaction(() => state.afterCommit(() => order.push("after")));
    order.push("within");
  });
  expect(order).toEqual(["within", "after"]);
  expect(() =>
    state.transaction(() => {
      state.afterCommit(() => order.push("never"));
      throw new Error("no");
    }),
  ).toThrow("no");
  state.afterCommit(() => order.push("at once"));
  expect(order).toEqual(["within", "after", "at once"]);
});
