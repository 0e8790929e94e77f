import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

const hasStrace = spawnSync("strace", ["-V"]).status === 0;
if (!hasStrace) console.log("Skipped: whether a commit reaches the disk is watched with strace, which is not here.");

test.skipIf(!hasStrace)("each of ten commits syncs the write-ahead log before it returns", () => {
  const directory = mkdtempSync(join(tmpdir(), "vigie-durable-"));
  try {
    const script = join(directory, "commits.mjs");
    const root = join(import.meta.dirname, "../../..");
    // A line on the standard error between commits shows in the trace where each one ended.
    writeFileSync(
      script,
      `import { writeSync } from "node:fs";
       const { duckdbStore } = await import("${root}/server/store/duckdb.ts");
       const store = duckdbStore("${directory}/readings.duckdb");
       await store.open();
       for (let number = 1; number <= 10; number++) {
         writeSync(2, "commit " + number);
         const reading = { device: "lamp", measure: "level", at: 1780000000000 + number, value: 0.5 };
         await store.commit([{ station: "pole", epoch: "e", first: number, readings: [reading] }]);
       }
       writeSync(2, "commit 11");
       await store.close();`,
    );
    const trace = join(directory, "trace");
    const traced = ["-f", "-y", "-o", trace, "-e", "trace=fsync,fdatasync,write", process.execPath, script];
    expect(spawnSync("strace", traced).status).toBe(0);
    const calls = readFileSync(trace, "utf8").split("\n");
    const marks = Array.from({ length: 11 }, (_, index) =>
      calls.findIndex((line) => line.includes(`"commit ${index + 1}"`)),
    );
    const synced = marks
      .slice(0, -1)
      .map((from, index) =>
        calls.slice(from, marks[index + 1]).some((line) => /f(data)?sync\(\d+<.*\.wal>/.test(line)),
      );
    expect(synced).toEqual(Array.from({ length: 10 }, () => true));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
