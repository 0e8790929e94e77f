import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Statement } from "#server/store/influxql/ast.ts";
import { checkSelect } from "#server/store/influxql/check.ts";
import { InfluxError } from "#server/store/influxql/engine.ts";
import { parse } from "#server/store/influxql/parse.ts";
import { print } from "#server/store/influxql/print.ts";
import { LineReader } from "#server/store/line-protocol.ts";

/** The texts of a table that InfluxDB takes: mutated, they go wrong late rather than at once. */
const table = (name: string): string[] => {
  const path = new URL(`../../fixtures/${name}-answers.json`, import.meta.url);
  const rows = JSON.parse(readFileSync(path, "utf8")) as [text: string, refusal: string | null][];
  return rows.flatMap(([text, refusal]) => (refusal === null || refusal === "" ? [text] : []));
};

/** Whole numbers below `most` from a seed, the same on every machine. */
function chance(seed: number): (most: number) => number {
  let state = seed;
  return (most) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * most);
  };
}

const ODD = Array.from(" \t\n\r\0,;.:=~!<>()[]{}*+-/\\'\"$#%&|^@`éµ😀09azAZ_");

/** A text with one to three words or characters put in, left out, doubled, swapped with another text's, or cut off. */
function mutated(texts: readonly string[], words: readonly string[], next: (most: number) => number): string {
  const any = <Item>(items: readonly Item[]): Item => items[next(items.length)] as Item;
  let text = any(texts);
  for (let turn = next(3); turn >= 0; turn--) {
    const at = next(text.length + 1);
    const to = Math.min(text.length, at + next(8));
    switch (next(7)) {
      case 0:
        text = text.slice(0, at) + any(ODD) + text.slice(at);
        break;
      case 1:
        text = text.slice(0, at) + text.slice(to);
        break;
      case 2:
        text = text.slice(0, at) + any(words) + text.slice(at);
        break;
      case 3:
        text = text.slice(0, to) + text.slice(at);
        break;
      case 4: {
        const other = any(texts);
        text = text.slice(0, at) + other.slice(next(other.length));
        break;
      }
      case 5:
        text = text.slice(0, at);
        break;
      default:
        text = text.slice(0, at) + any(ODD).repeat(next(40)) + text.slice(at);
    }
  }
  return text;
}

/** Time at work of this thread alone, whatever else the machine does. */
const worked_ms = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};
const SLOW_MS = 1000;

describe("Whatever is sent", () => {
  const texts = table("influxql");
  const words = [...new Set(texts.flatMap((text) => text.match(/[A-Za-z0-9_]+/g) ?? []))];

  test.each([1, 2, 3, 4, 5])("50,000 mutated queries are read or refused with a reason, part %i", (seed) => {
    const next = chance(seed);
    let good = 0;
    let slowest_ms = 0;
    for (let turn = 0; turn < 10_000; turn++) {
      const text = mutated(texts, words, next);
      const began = worked_ms();
      let statements: Statement[] = [];
      try {
        statements = parse(text);
        good++;
        for (const each of statements) if (each.kind === "select") checkSelect(each, 0n);
      } catch (problem) {
        if (!(problem instanceof InfluxError) || problem.message === "") throw new Error(text, { cause: problem });
      }
      slowest_ms = Math.max(slowest_ms, worked_ms() - began);
      if (turn % 10 === 0) readBack(statements);
    }
    expect(good).toBeGreaterThan(1000);
    expect(slowest_ms).toBeLessThan(SLOW_MS);
  });

  test.each([6, 7])("50,000 mutated bodies of lines are read, known series or not, part %i", (seed) => {
    const bodies = table("line-protocol");
    const next = chance(seed);
    const reader = new LineReader();
    let good = 0;
    let slowest_ms = 0;
    for (let turn = 0; turn < 25_000; turn++) {
      const body = Buffer.from(mutated(bodies, ["v=1", ",a=b", "1700000000000000000", '"a b"', "\n"], next));
      const began = worked_ms();
      const columns = reader.read(body, "n", 0n);
      if (columns.points > 0) good++;
      for (const error of columns.errors) expect(error).toMatch(/^unable to parse '[^]*': .+$/);
      slowest_ms = Math.max(slowest_ms, worked_ms() - began);
    }
    expect(good).toBeGreaterThan(5000);
    expect(slowest_ms).toBeLessThan(SLOW_MS);
  });

  test.each([
    ["open parentheses", "(".repeat(200_000)],
    ["a long name", `SELECT ${"a".repeat(1_000_000)} FROM m`],
    ["an open string", `SELECT a FROM m WHERE b = '${"\\\\".repeat(500_000)}`],
    ["an open regular expression", `SELECT a FROM m WHERE b =~ /${"(a*)*".repeat(100_000)}`],
    ["nested groups", `SELECT a FROM m WHERE b =~ /${"(".repeat(20_000)}${")".repeat(20_000)}/`],
    ["nested repeats", `SELECT a FROM m WHERE b =~ /${"(".repeat(500)}a${"){1000}".repeat(500)}/`],
    ["nested subqueries", "SELECT a FROM (".repeat(20_000)],
    ["many operators", `SELECT ${"a+".repeat(500_000)}a FROM m`],
    ["many signs", `SELECT ${"-(".repeat(100_000)}a`],
    ["many statements", "SELECT a FROM m;".repeat(20_000)],
    ["many digits", `SELECT a FROM m WHERE b = ${"9".repeat(300_000)}`],
    ["many units", `SELECT a FROM m WHERE b = ${"1h".repeat(200_000)}`],
  ])("%s without end are read or refused within a second", (_, text) => {
    const began = worked_ms();
    try {
      parse(text);
    } catch (problem) {
      expect(problem).toBeInstanceOf(InfluxError);
    }
    expect(worked_ms() - began).toBeLessThan(SLOW_MS);
  });
});

/** What could be read can be printed, and is then read as the same. */
function readBack(statements: readonly Statement[]): void {
  for (const statement of statements) {
    if (statement.kind === "refused" || (statement.kind === "select" && statement.into?.name === "")) continue;
    expect(parse(print(statement)), print(statement)).toEqual([statement]);
  }
}
