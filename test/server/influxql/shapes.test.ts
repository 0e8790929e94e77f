import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InfluxError } from "#server/store/influxql/engine.ts";
import { parse } from "#server/store/influxql/parse.ts";
import { print } from "#server/store/influxql/print.ts";
import { ANY_NAMES, select, show } from "./arbitrary.ts";

/** What becomes of a text, in whole or in its refusal. */
function outcome(text: string, parameters?: Record<string, unknown>): unknown {
  try {
    return parse(text, parameters);
  } catch (problem) {
    if (problem instanceof InfluxError) return problem.message;
    throw problem;
  }
}
/** With parameters, if only none, each text is read anew. */
const anew = (text: string): unknown => outcome(text, {});

const time = fc.oneof(
  fc.nat({ max: 2_000_000_000_000 }).map((ms) => `${String(ms).padStart(10, "0")}ms`),
  fc.constantFrom("9223372036854ms", "9223372036855ms", "0000000000ms", "99999999999999999999ms"),
);

describe("A text that differs from one before in its times alone", () => {
  const panel = (from: string, to: string): string =>
    `SELECT mean("level") AS "level" FROM "raw"."lamp" WHERE "street" = 'quai' AND time >= ${from} and time <= ${to} GROUP BY time(10m), "street" fill(null)`;

  test("is read as if there had been none", () => {
    fc.assert(
      fc.property(time, time, time, time, (a, b, c, d) => {
        outcome(panel(a, b));
        expect(outcome(panel(c, d))).toEqual(anew(panel(c, d)));
        expect(outcome(panel(a, b))).toEqual(anew(panel(a, b)));
      }),
    );
  });

  test("is read anew only where it differs", () => {
    const [first] = parse(panel("1796018400000ms", "1796040000000ms"));
    const [second] = parse(panel("1796018410000ms", "1796040010000ms"));
    if (first?.kind !== "select" || second?.kind !== "select") throw new Error("it is a SELECT");
    expect(second.columns).toBe(first.columns);
    expect(second.where).not.toBe(first.where);
  });

  test.each([
    ["within a text", (at: string) => `SELECT a FROM m WHERE b = '${at}' AND time > ${at}`],
    ["within a name", (at: string) => `SELECT a FROM "m ${at}" WHERE time > ${at}`],
    ["behind a letter", (at: string) => `SELECT a FROM m WHERE x${at} = 1 AND time > ${at}`],
    ["within a pattern", (at: string) => `SELECT a FROM m WHERE b =~ /${at}/ AND time > ${at}`],
    ["within a comment", (at: string) => `SELECT a FROM m /* ${at} */ WHERE time > ${at}`],
    ["as a part of a duration", (at: string) => `SELECT a FROM m WHERE time > ${at} - 1h${at}5u`],
    ["as a fraction", (at: string) => `SELECT a FROM m WHERE b > 1.${at} AND time > ${at}`],
    ["with a sign", (at: string) => `SELECT a FROM m WHERE time > -${at}`],
    ["as a step of time", (at: string) => `SELECT mean(a) FROM m WHERE time > ${at} GROUP BY time(${at})`],
    ["as an argument", (at: string) => `SELECT derivative(a, ${at}) FROM m WHERE time > ${at}`],
    ["in an inner question", (at: string) => `SELECT a FROM (SELECT b FROM m WHERE time > ${at}) WHERE (time < ${at})`],
    ["in a text of several", (at: string) => `SELECT a FROM m WHERE time > ${at}; SHOW TAG KEYS WHERE time > ${at}`],
    ["after two ends of a line", (at: string) => `SELECT a\r\nFROM m\r\nWHERE time > ${at} AND b = '${at}'`],
    ["before the end", (at: string) => `SELECT a FROM m WHERE time > ${at}\0 AND b = '${at}'`],
  ])("is read right with what looks like a time %s", (_, text) => {
    for (const at of ["1796018400000ms", "1796018410000ms", "9999999999999999999ms", "1796018400000ms"]) {
      expect(outcome(text(at))).toEqual(anew(text(at)));
    }
  });

  test("is read right wherever times stand in whatever is asked", () => {
    const places = fc.array(fc.nat(), { minLength: 1, maxLength: 3 });
    const statement = fc.oneof(select(ANY_NAMES), show(ANY_NAMES));
    const put = (text: string, at: readonly number[], times: readonly string[]): string => {
      let out = text;
      for (const [index, place] of at.entries()) {
        const here = place % (out.length + 1);
        out = `${out.slice(0, here)} ${times[index] ?? "1796018400000ms"} ${out.slice(here)}`;
      }
      return out;
    };
    fc.assert(
      fc.property(statement, places, fc.array(fc.array(time, { maxLength: 3 }), { maxLength: 3 }), (asked, at, all) => {
        for (const times of all) {
          const text = put(print(asked), at, times);
          expect(outcome(text)).toEqual(anew(text));
        }
      }),
      { numRuns: 300 },
    );
  });
});
