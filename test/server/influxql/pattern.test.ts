import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compilePattern } from "#server/store/influxql/pattern.ts";
import { influxdPath, startInfluxd } from "../../influxd.ts";

/** Patterns, and which of the values below InfluxDB 1.8.10, which is written in Go, finds by them. */
const TABLE = fileURLToPath(new URL("../../fixtures/pattern-answers.json", import.meta.url));
const rows = JSON.parse(readFileSync(TABLE, "utf8")) as [pattern: string, found: string[]][];

const VALUES = [
  ..."L1 L22 lamp Lamp-7 a\tb é É αβγ 😀 a.b foo_bar x{2} aaa aaaa ab abab [x] a]b - a-b 0 12:34 K ſ s a^b$".split(" "),
  ..."\\d a|b (a) tab A1B2 zZ _".split(" "),
  "\u212a",
  "a b",
];

describe("A pattern in Go's syntax", () => {
  test(`finds what Go finds, in each of ${rows.length}`, () => {
    expect(rows.map(([pattern]) => [pattern, VALUES.filter((value) => compilePattern(pattern).test(value))])).toEqual(
      rows,
    );
  });

  test.skipIf(influxdPath === undefined)("as a real InfluxDB finds it today", async () => {
    const influxd = await startInfluxd();
    try {
      await fetch(`${influxd.url}/query`, { method: "POST", body: new URLSearchParams({ q: "CREATE DATABASE t" }) });
      const lines = VALUES.map((value) => `m,t=${value.replaceAll(/[ ,=]/g, "\\$&")} v=1 1`);
      await fetch(`${influxd.url}/write?db=t`, { method: "POST", body: lines.join("\n") });
      const answers: string[] = [];
      for (const [pattern] of rows) answers.push(JSON.stringify([pattern, await found(influxd.url, pattern)]));
      await expect(`[\n${answers.join(",\n")}\n]\n`).toMatchFileSnapshot(TABLE);
    } finally {
      await influxd.stop();
    }
  });

  test("finds the same by JavaScript's engine and by the machine", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "A", "\n", " ", "é", "_", "1"), maxLength: 8 });
    fc.assert(
      fc.property(fc.constantFrom(...rows.map(([pattern]) => pattern)), text, (pattern, value) => {
        // Three things more that need not be there: too many repeats for JavaScript's engine.
        const byMachine = compilePattern(`(?:${pattern})(?:y?)(?:y?)(?:y?)`);
        expect(byMachine.test(value)).toBe(compilePattern(pattern).test(value));
      }),
      { numRuns: 3000 },
    );
  });

  test.each(["(a+)+$", "(a|a)*b", "a*a*a*a*a*a*a*b", "(.*)(.*)(.*)(.*)=x"])(
    "that would keep JavaScript's engine busy for years is answered: %s",
    (pattern) => {
      expect(compilePattern(pattern).test(`${"a".repeat(5000)}c`)).toBe(false);
    },
  );
});

async function found(url: string, pattern: string): Promise<string[]> {
  const q = `SELECT v FROM m WHERE t =~ /${pattern.replaceAll("/", "\\/")}/ GROUP BY t`;
  const response = await fetch(`${url}/query?db=t`, { method: "POST", body: new URLSearchParams({ q }) });
  const answer = (await response.json()) as { results: { series?: { tags: { t: string } }[] }[] };
  const values = new Set((answer.results[0]?.series ?? []).map((each) => each.tags.t));
  return VALUES.filter((value) => values.has(value));
}
