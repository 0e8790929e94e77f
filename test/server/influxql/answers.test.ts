import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { checkSelect } from "#server/store/influxql/check.ts";
import { parse } from "#server/store/influxql/parse.ts";
import { influxdPath, startInfluxd } from "../../influxd.ts";

/**
 * Texts, good and bad, and what InfluxDB 1.8.10 says is wrong with each. `vitest run -u` on this file, where an influxd is
 * at hand, asks it again and writes the table anew; a new text is added with null for its answer.
 */
const TABLE = fileURLToPath(new URL("../../fixtures/influxql-answers.json", import.meta.url));
const rows = JSON.parse(readFileSync(TABLE, "utf8")) as [text: string, answer: string | null][];

function ours(text: string): string | null {
  try {
    for (const statement of parse(text)) if (statement.kind === "select") checkSelect(statement, 0n);
    return null;
  } catch (problem) {
    return (problem as Error).message;
  }
}

describe("What is wrong with a text is said in InfluxDB's words, at the same place", () => {
  test(`in each of ${rows.length} texts`, () => {
    expect(rows.length).toBeGreaterThan(1000);
    expect(rows.map(([text]) => [text, ours(text)])).toEqual(rows);
  });

  test.skipIf(influxdPath === undefined)("and a real InfluxDB says so today", async () => {
    const influxd = await startInfluxd();
    try {
      await ask(influxd.url, "CREATE DATABASE t");
      const answers: string[] = [];
      for (let from = 0; from < rows.length; from += AT_ONCE) {
        const asked = rows.slice(from, from + AT_ONCE).map(async ([text]) => [text, await ask(influxd.url, text)]);
        for (const row of await Promise.all(asked)) answers.push(JSON.stringify(row));
      }
      await expect(`[\n${answers.join(",\n")}\n]\n`).toMatchFileSnapshot(TABLE);
    } finally {
      await influxd.stop();
    }
  });
});

const AT_ONCE = 20;

async function ask(url: string, text: string): Promise<string | null> {
  const response = await fetch(`${url}/query?db=t`, { method: "POST", body: new URLSearchParams({ q: text }) });
  const answer = (await response.json()) as { error?: string; results?: { error?: string }[] };
  return answer.error ?? answer.results?.find((each) => each.error !== undefined)?.error ?? null;
}
