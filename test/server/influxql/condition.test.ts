import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { conditionOf } from "#server/store/influxql/condition.ts";
import { parse } from "#server/store/influxql/parse.ts";
import { printExpression } from "#server/store/influxql/print.ts";
import { offsetIn, rfc3339, secondsAhead, timeOf } from "#server/store/influxql/time.ts";

const NOW = timeOf("2026-06-01T12:00:00Z") ?? 0n;

function split(where: string, zone?: string): { from?: string; to?: string; where?: string } {
  const [statement] = parse(`SELECT a FROM m WHERE ${where}`);
  if (statement?.kind !== "select") throw new Error(where);
  const found = conditionOf(statement.where, NOW, zone);
  return {
    ...(found.from_ns !== undefined && { from: rfc3339(found.from_ns) }),
    ...(found.to_ns !== undefined && { to: rfc3339(found.to_ns) }),
    ...(found.where !== undefined && { where: printExpression(found.where) }),
  };
}

describe("WHERE is split into a span of time and the rest", () => {
  test.each([
    ["time > now() - 1h", { from: "2026-06-01T11:00:00.000000001Z" }],
    ["now() - 1h < time", { from: "2026-06-01T11:00:00.000000001Z" }],
    [
      "time >= '2026-05-01' AND time < '2026-05-02'",
      { from: "2026-05-01T00:00:00Z", to: "2026-05-01T23:59:59.999999999Z" },
    ],
    ["time = '2026-05-01T10:00:00+02:00'", { from: "2026-05-01T08:00:00Z", to: "2026-05-01T08:00:00Z" }],
    ["time >= '2026-05-01 5:06:07.5'", { from: "2026-05-01T05:06:07.5Z" }],
    ["time <= 1700000000s", { to: "2023-11-14T22:13:20Z" }],
    ["time <= 1700000000000ms + 30m * 2", { to: "2023-11-14T23:13:20Z" }],
    ["time > '2026-05-01' - 1d AND x = 1", { from: "2026-04-30T00:00:00.000000001Z", where: "x = 1" }],
    ["(x = 1 AND time > 5s) AND (y = 2)", { from: "1970-01-01T00:00:05.000000001Z", where: "(x = 1) AND (y = 2)" }],
    ["x = 1 OR time > 5s", { from: "1970-01-01T00:00:05.000000001Z", where: "x = 1" }],
    ["time > 1s AND time > 3s AND time > 2s", { from: "1970-01-01T00:00:03.000000001Z" }],
    ["true", {}],
    ["x = 1 AND 1 = 1", { where: "x = 1" }],
    ["x > 2 * 3 + 1", { where: "x > 7" }],
    ["x = 1 AND 1 = 2", { where: "false" }],
  ])("%s", (where, expected) => {
    expect(split(where)).toEqual(expected);
  });

  test("in the zone of the query, on both nights of clock change", () => {
    const paris = (where: string): string | undefined => split(where, "Europe/Paris").from;
    expect(paris("time >= '2026-01-15 12:00:00'")).toBe("2026-01-15T11:00:00Z");
    expect(paris("time >= '2026-07-15 12:00:00'")).toBe("2026-07-15T10:00:00Z");
    // The clock goes from 01:59:59 to 03:00:00 at 01:00 UTC.
    expect(paris("time >= '2026-03-29 01:59:59'")).toBe("2026-03-29T00:59:59Z");
    expect(paris("time >= '2026-03-29 03:00:00'")).toBe("2026-03-29T01:00:00Z");
    // The clock goes from 02:59:59 back to 02:00:00 at 01:00 UTC.
    expect(paris("time >= '2026-10-25 01:59:59'")).toBe("2026-10-24T23:59:59Z");
    expect(paris("time >= '2026-10-25 03:00:00'")).toBe("2026-10-25T02:00:00Z");
    expect(paris("time >= '2026-10-25T02:30:00Z'")).toBe("2026-10-25T02:30:00Z");
  });
});

describe("A time", () => {
  test("that is no time is undefined", () => {
    for (const text of [
      "2026-02-30",
      "2026-13-01",
      "2026-01-01T00:00:00",
      "2026-01-01 24:00:00",
      "2026-01-01 00:00",
      "x",
    ]) {
      expect(timeOf(text)).toBeUndefined();
    }
    expect(timeOf("2024-02-29")).toBe(1_709_164_800_000_000_000n);
  });

  test("is told in RFC 3339 and read back", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n) + 2n, max: 2n ** 63n - 2n }), (at_ns) => {
        expect(timeOf(rfc3339(at_ns))).toBe(at_ns);
      }),
    );
  });

  test("in a zone is the one at which the zone's clock shows it, wherever it shows it once", () => {
    const zones = fc.constantFrom("Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC");
    fc.assert(
      fc.property(zones, fc.integer({ min: 0, max: 2_000_000_000 }), (zone, at_s) => {
        const ahead = secondsAhead(at_s, zone);
        const isOnce = [-7200, 7200].every((away) => secondsAhead(at_s + away, zone) === ahead);
        const local = rfc3339(BigInt(at_s + ahead) * 1_000_000_000n)
          .slice(0, 19)
          .replace("T", " ");
        if (isOnce) expect(timeOf(local, zone)).toBe(BigInt(at_s) * 1_000_000_000n);
      }),
    );
  });

  test("lies after the last multiple of a week, which begins on a Monday", () => {
    const week_ns = 604_800_000_000_000n;
    // The first of June 2026 is a Monday: it is twelve hours into its week.
    expect(offsetIn(NOW, week_ns)).toBe(43_200_000_000_000n);
  });
});
