import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { answerText, noHeader } from "#server/api/influx/answers.ts";
import { DuckdbEngine } from "#server/store/influxql/duckdb-engine.ts";
import { InfluxError } from "#server/store/influxql/engine.ts";
import type { Send } from "../../dashboards/double/look.ts";

const MS_NS = 1_000_000n;
const PLENTY = { points: 1e9, series: 1e9, buckets: 1e9, time_ms: 60_000, memory_MB: 1000 };
const FORM = { csv: false, pretty: false, epoch_ns: MS_NS };

/** The embedded store's own answers, over a database in a directory of its own. */
export async function ours(now: number) {
  const directory = mkdtempSync(join(tmpdir(), "vigie-ours-"));
  const instance = await DuckDBInstance.create(join(directory, "points.duckdb"));
  const engine = new DuckdbEngine(instance);
  await engine.open();
  const now_ns = BigInt(now) * MS_NS;
  const send: Send = async ({ path, body }) => {
    const address = new URL(path, "http://vigie");
    const text = new URLSearchParams(body).get("q") ?? address.searchParams.get("q") ?? "";
    try {
      return answerText(await engine.query(text, { database: "vigie", now_ns, limits: PLENTY }), FORM, noHeader());
    } catch (problem) {
      if (!(problem instanceof InfluxError)) throw problem;
      return JSON.stringify({ error: problem.message });
    }
  };
  return {
    send,
    write: (lines: readonly string[]) =>
      engine.writeLines(new TextEncoder().encode(lines.join("\n")), {
        database: "vigie",
        precision_ns: MS_NS,
        now_ns,
      }),
    async stop() {
      await engine.close();
      instance.closeSync();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
