import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { claimDirectory, FORMAT } from "#cli/directory.ts";
import { bare, root } from "./cli.ts";

let place: string;
beforeEach(() => (place = mkdtempSync(join(tmpdir(), "vigie-"))));
afterEach(() => rmSync(place, { recursive: true, force: true }));

test("a new directory is made and says that it is fresh; the second time it is not", () => {
  const first = claimDirectory(join(place, "data"));
  expect(first.fresh).toBe(true);
  first.release();
  const second = claimDirectory(join(place, "data"));
  expect(second.fresh).toBe(false);
  second.release();
});

test("data of a newer version is left alone, and the sentence names both versions", () => {
  writeFileSync(join(place, "format"), `${FORMAT + 1}\n`);
  expect(() => claimDirectory(place)).toThrow(
    `written by a newer version (format ${FORMAT + 1}; this one knows ${FORMAT})`,
  );
});

/** A process of its own that claims the directory, says so, and keeps it until it is killed. */
async function claimant(): Promise<ChildProcess> {
  const program = `
    const { claimDirectory } = await import(${JSON.stringify(join(root, "cli/directory.ts"))});
    globalThis.held = claimDirectory(${JSON.stringify(place)});
    console.log("held");
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], { cwd: root, env: bare });
  await once(child.stdout, "data");
  return child;
}

test("a directory that a living process holds is refused with its number; after kill -9 it is free at once", async () => {
  const child = await claimant();
  const ended = once(child, "exit");
  try {
    expect(() => claimDirectory(place)).toThrow(`Another vigie (process ${child.pid}) uses the data in ${place}`);
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
  const directory = claimDirectory(place);
  expect(() => claimDirectory(place)).toThrow(`Another vigie (process ${process.pid})`);
  directory.release();
  claimDirectory(place).release();
});

test("the number of a process that lives, but holds nothing, keeps nobody out", () => {
  // As after a reboot, or in a container, where the number of the one that died is a stranger's: number 1 always lives.
  for (const stranger of [1, process.ppid]) {
    writeFileSync(join(place, "lock"), String(stranger));
    const directory = claimDirectory(place);
    expect(readFileSync(join(place, "lock"), "utf8")).toBe(String(process.pid));
    directory.release();
  }
});

test("a place that is a file is refused with the reason", () => {
  writeFileSync(join(place, "file"), "");
  expect(() => claimDirectory(join(place, "file"))).toThrow("cannot be written: it is a file, not a directory");
});

test("a place where the system lets nobody write is refused with the reason", () => {
  // Root may write anywhere but where the kernel itself has nothing to write to.
  if (process.platform !== "linux") return;
  expect(() => claimDirectory("/proc/vigie")).toThrow(
    "The directory /proc/vigie cannot be written: no directory can be made there.",
  );
  expect(() => claimDirectory("/proc/self/fdinfo")).toThrow("The directory /proc/self/fdinfo cannot be written: ");
});
