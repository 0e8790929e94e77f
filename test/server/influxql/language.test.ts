import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Expression, Select, Statement } from "#server/store/influxql/ast.ts";
import { parse } from "#server/store/influxql/parse.ts";
import { print, printExpression } from "#server/store/influxql/print.ts";
import { ANY_NAMES, select, show } from "./arbitrary.ts";

const one = (text: string, parameters?: Record<string, unknown>): Statement => {
  const [statement, ...others] = parse(text, parameters);
  if (statement === undefined || others.length > 0) throw new Error(`not one statement: ${text}`);
  return statement;
};
const selectOf = (text: string, parameters?: Record<string, unknown>): Select => {
  const statement = one(text, parameters);
  if (statement.kind !== "select") throw new Error(`no SELECT: ${text}`);
  return statement;
};
/** An expression with parentheses around every operation, which shows what binds to what. */
const bound = (expression: Expression): string =>
  expression.kind === "binary"
    ? `(${bound(expression.left)} ${expression.operator} ${bound(expression.right)})`
    : expression.kind === "parentheses"
      ? bound(expression.inner)
      : printExpression(expression);

describe("A text becomes a tree", () => {
  test("with everything a panel asks for", () => {
    const text =
      "SELECT mean(level) AS l FROM lamp WHERE device = 'L1' AND time > now() - 1h " +
      "GROUP BY time(5m, 30s), device fill(none) ORDER BY time DESC LIMIT 5 OFFSET 4 SLIMIT 3 SOFFSET 2 tz('Europe/Paris')";
    expect(one(text)).toEqual({
      kind: "select",
      columns: [
        { expression: { kind: "call", name: "mean", arguments: [{ kind: "reference", name: "level" }] }, alias: "l" },
      ],
      from: [{ kind: "measurement", name: "lamp" }],
      where: {
        kind: "binary",
        operator: "AND",
        left: {
          kind: "binary",
          operator: "=",
          left: { kind: "reference", name: "device" },
          right: { kind: "string", value: "L1" },
        },
        right: {
          kind: "binary",
          operator: ">",
          left: { kind: "reference", name: "time" },
          right: {
            kind: "binary",
            operator: "-",
            left: { kind: "call", name: "now", arguments: [] },
            right: { kind: "duration", ns: 3_600_000_000_000n },
          },
        },
      },
      group: [
        { kind: "time", every_ns: 300_000_000_000n, offset_ns: 30_000_000_000n },
        { kind: "tag", name: "device" },
      ],
      fill: { kind: "none" },
      order: "desc",
      isOrderWritten: true,
      limit: 5,
      offset: 4,
      slimit: 3,
      soffset: 2,
      zone: "Europe/Paris",
    });
  });

  test.each([
    ["a + b * c - d", "((a + (b * c)) - d)"],
    ["a - b - c", "((a - b) - c)"],
    ["(a - b) * c", "((a - b) * c)"],
    ["a | b & c ^ d", "((a | (b & c)) ^ d)"],
    ["-a * 2", "((-1 * a) * 2)"],
    ["a / -2", "(a / -2)"],
  ])("%s as %s", (text, grouped) => {
    expect(bound(selectOf(`SELECT ${text} FROM m`).columns[0]?.expression as Expression)).toBe(grouped);
  });

  test("with OR weaker than AND, AND weaker than a comparison, a comparison weaker than a sum", () => {
    const { where } = selectOf("SELECT a FROM m WHERE x = 1 OR y > 2 + 3 AND z =~ /a/");
    expect(bound(where as Expression)).toBe("((x = 1) OR ((y > (2 + 3)) AND (z =~ /a/)))");
  });

  test.each([
    ["1h30m", 5_400_000_000_000n],
    ["10u", 10_000n],
    ["10µ", 10_000n],
    ["7ns", 7n],
    ["1w2d", 777_600_000_000_000n],
  ])("with %s as %s ns", (text, ns) => {
    const { where } = selectOf(`SELECT a FROM m WHERE x > ${text}`);
    expect(where).toMatchObject({ right: { kind: "duration", ns } });
  });

  test("with comments of both kinds, empty statements and several statements", () => {
    expect(parse("SELECT a FROM m -- the first\n; ; SHOW DATABASES /* the second */").map(print)).toEqual([
      "SELECT a FROM m",
      "SHOW DATABASES",
    ]);
  });

  test("with names and strings in quotes and their escapes", () => {
    const found = selectOf(`SELECT "a \\"b\\"" FROM "x"."y"."z w" WHERE s = 'it\\'s\\n'`);
    expect(found.columns[0]?.expression).toEqual({ kind: "reference", name: 'a "b"' });
    expect(found.from).toEqual([{ kind: "measurement", database: "x", retention: "y", name: "z w" }]);
    expect(found.where).toMatchObject({ right: { kind: "string", value: "it's\n" } });
  });

  test("and what writes or administers is kept as its first words", () => {
    expect(parse("DROP SERIES FROM m; CREATE DATABASE x; KILL QUERY 3; GRANT READ ON d TO u")).toEqual([
      { kind: "refused", what: "DROP SERIES" },
      { kind: "refused", what: "CREATE DATABASE", database: "x" },
      { kind: "refused", what: "KILL QUERY" },
      { kind: "refused", what: "GRANT", database: "d" },
    ]);
  });
});

describe("A bound parameter", () => {
  test.each([
    ['"x"', "x", { kind: "string", value: "x" }],
    ["5", 5, { kind: "integer", value: 5n }],
    ["5n", 5n, { kind: "integer", value: 5n }],
    ["0.5", 0.5, { kind: "number", value: 0.5 }],
    ["1e-7", 1e-7, { kind: "number", value: 1e-7 }],
    ["true", true, { kind: "boolean", value: true }],
    ['{ regex: "a/b" }', { regex: "a/b" }, { kind: "regex", source: "a/b" }],
    ['{ duration: "1m" }', { duration: "1m" }, { kind: "duration", ns: 60_000_000_000n }],
    ["{ duration: 5000 }", { duration: 5000 }, { kind: "duration", ns: 5000n }],
    ["{ integer: 7 }", { integer: 7 }, { kind: "integer", value: 7n }],
    ["{ float: 7 }", { float: 7 }, { kind: "number", value: 7 }],
    ['{ identifier: "a b" }', { identifier: "a b" }, { kind: "reference", name: "a b" }],
    ['{ string: "a" }', { string: "a" }, { kind: "string", value: "a" }],
  ] as const)("of %j is a literal", (_, value, expected) => {
    expect(selectOf("SELECT a FROM m WHERE f = $v", { v: value }).where).toMatchObject({ right: expected });
  });

  test("may be a regular expression after =~ and a number after LIMIT", () => {
    const found = selectOf("SELECT a FROM m WHERE f =~ $r LIMIT $n", { r: { regex: "x" }, n: 3 });
    expect(found).toMatchObject({ where: { right: { kind: "regex", source: "x" } }, limit: 3 });
  });

  test.each([
    [{}, "missing parameter: v"],
    [{ v: null }, "missing parameter: unable to bind parameter with type <nil>"],
    [{ v: [1] }, "missing parameter: unable to bind parameter with type []interface {}"],
    [{ v: {} }, "missing parameter: bound object parameter value must have exactly one entry"],
    [{ v: { foo: 1 } }, "missing parameter: unknown bind object type: foo"],
    [{ v: { regex: 1 } }, "missing parameter: regex literal must be a string value"],
  ])("of %j is refused where it is used", (parameters, reason) => {
    expect(() => parse("SELECT a FROM m WHERE f = $v", parameters)).toThrow(`error parsing query: ${reason}`);
    expect(parse("SELECT a FROM m", parameters)).toHaveLength(1);
  });
});

describe("What is printed", () => {
  test("is read back as the same SELECT", () => {
    fc.assert(
      fc.property(select(ANY_NAMES), (statement) => {
        expect(parse(print(statement))).toEqual([statement]);
      }),
      { numRuns: 1000 },
    );
  });

  test("is read back as the same SHOW", () => {
    fc.assert(
      fc.property(show(ANY_NAMES), (statement) => {
        expect(parse(print(statement))).toEqual([statement]);
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    "SELECT mean(level) AS l FROM db.rp.lamp WHERE device = 'L1' GROUP BY time(5m), device fill(0) ORDER BY time DESC LIMIT 5 TZ('Europe/Paris')",
    "SELECT DISTINCT level FROM (SELECT * FROM /l.*/), db..m",
    "SELECT top(level, device, 3), 0.500 * a::float INTO db.rp.:MEASUREMENT FROM m",
    "SHOW TAG VALUES EXACT CARDINALITY ON db FROM m WITH KEY IN (a, b)",
    "SHOW MEASUREMENTS WITH MEASUREMENT =~ /a\\/b/ LIMIT 3",
  ])("is canonical: %s", (text) => {
    expect(print(one(text))).toBe(text);
  });
});

test("Trees that walking would break on are refused with their limit", () => {
  expect(() => parse(`SELECT ${"(".repeat(101)}a${")".repeat(101)} FROM m`)).toThrow("nested deeper than 100");
  expect(() => parse(`SELECT ${"a + ".repeat(4001)}a FROM m`)).toThrow(
    "more than 4000 operators at line 1, char 16010",
  );
  const widest = parse(`SELECT a FROM m WHERE ${"d = 1 OR ".repeat(1999)}d = 1`);
  expect(print(widest[0] as Statement)).toHaveLength(21 + 9 * 1999 + 6);
});
