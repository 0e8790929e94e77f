import { cpus, totalmem, release, platform, arch } from "node:os";
import type { Row } from "./row.ts";

/**
 * `npm run bench [name…] [-- --json]`: every figure that the README quotes, measured on this machine.
 * Each bench is a module that exports `run`; they run one after the other, never side by side.
 */
const BENCHES: Record<string, () => Promise<{ run(): Promise<Row[]> }>> = {
  decisions: () => import("./decisions.ts"),
  signals: () => import("./signals.ts"),
  faults: () => import("./faults.ts"),
  rehearsal: () => import("./rehearsal.ts"),
  start: () => import("./start.ts"),
  ingest: () => import("./ingest.ts"),
  kills: () => import("./kills.ts"),
  keeping: () => import("./keeping.ts"),
  install: () => import("./install.ts"),
  influxql: () => import("./influxql.ts"),
  dashboards: () => import("./dashboards.ts"),
  refresh: () => import("./refresh.ts"),
  console: () => import("./console.ts"),
};

const json = process.argv.includes("--json");
const asked = process.argv.slice(2).filter((word) => !word.startsWith("-"));
const unknown = asked.filter((name) => !Object.hasOwn(BENCHES, name));
if (unknown.length > 0) {
  console.error(`bench: there is no bench ${unknown.join(", ")}; there are ${Object.keys(BENCHES).join(", ")}`);
  process.exit(2);
}

const machine = {
  processor: cpus()[0]?.model ?? "unknown",
  cores: cpus().length,
  memory_GiB: Math.round(totalmem() / 2 ** 30),
  system: `${platform()} ${release()} ${arch()}`,
  node: process.version,
};
const results: Record<string, Row[]> = {};
for (const name of asked.length > 0 ? asked : Object.keys(BENCHES)) {
  if (!json) console.log(`\n${name}`);
  const rows = await ((await BENCHES[name]?.())?.run() ?? Promise.resolve([]));
  results[name] = rows;
  if (!json) for (const row of rows) console.log(lineOf(row));
}
if (json) {
  console.log(JSON.stringify({ machine, results }, undefined, 2));
} else {
  console.log(
    `\n${machine.processor}, ${machine.cores} cores, ${machine.memory_GiB} GiB, ${machine.system}, Node ${machine.node}`,
  );
}
const missed = Object.values(results)
  .flat()
  .filter((row) => verdict(row) === "missed");
process.exitCode = missed.length > 0 ? 1 : 0;

function verdict({ value, must, aim, better }: Row): "aim" | "met" | "missed" | "" {
  const reaches = (bound: number): boolean => (better === "more" ? value >= bound : value <= bound);
  if (aim !== undefined && reaches(aim)) return "aim";
  if (must === undefined) return "";
  return reaches(must) ? "met" : "missed";
}

function lineOf(row: Row): string {
  const spread = row.spread === undefined ? "" : ` (${short(row.spread[0])} to ${short(row.spread[1])})`;
  const bounds = [
    row.must === undefined ? "" : `must ${short(row.must)}`,
    row.aim === undefined ? "" : `aim ${short(row.aim)}`,
    verdict(row),
  ].filter((text) => text !== "");
  return `  ${row.what.padEnd(64)} ${short(row.value).padStart(10)} ${row.unit}${spread}${bounds.length > 0 ? `  [${bounds.join(", ")}]` : ""}`;
}

function short(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString("en");
  return value.toLocaleString("en", { maximumSignificantDigits: 3 });
}
