import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Row } from "./row.ts";

/** What `npm ci --omit=dev` puts on a disk, without the pinned Node. */
export function run(): Promise<Row[]> {
  const root = join(import.meta.dirname, "..");
  const place = mkdtempSync(join(tmpdir(), "vigie-install-"));
  try {
    for (const file of ["package.json", "package-lock.json", ".npmrc"]) cpSync(join(root, file), join(place, file));
    const start = performance.now();
    execFileSync("npm", ["ci", "--omit=dev", "--ignore-scripts"], { cwd: place, stdio: "ignore" });
    const took = (performance.now() - start) / 1000;
    const size = (path: string): number =>
      Number(execFileSync("du", ["-sk", path], { encoding: "utf8" }).split("\t")[0]) / 1024;
    const nodes = execFileSync("sh", ["-c", "ls -d node_modules/node-* 2>/dev/null || true"], {
      cwd: place,
      encoding: "utf8",
    })
      .split("\n")
      .filter((name) => name !== "");
    const pinned = nodes.map((name) => size(join(place, name))).reduce((sum, each) => sum + each, 0);
    return Promise.resolve([
      {
        what: "npm ci --omit=dev, the pinned Node apart",
        value: size(place) - pinned,
        unit: "MB",
        must: 200,
        aim: 150,
        better: "less",
      },
      { what: "the pinned Node", value: pinned, unit: "MB", better: "less" },
      { what: "npm ci --omit=dev", value: took, unit: "s", better: "less" },
    ]);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}
