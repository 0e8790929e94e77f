import { expect, test } from "vitest";
import { framesOf } from "../../dashboards/double/frames.ts";
import { interpolate } from "../../dashboards/double/interpolate.ts";
import { intervalOf, intervalText, parsedTime } from "../../dashboards/double/interval.ts";
import type { VariableFile } from "../../dashboards/double/provisioned.ts";

const street: VariableFile = {
  name: "street",
  type: "query",
  query: "",
  multi: true,
  includeAll: true,
  allValue: ".*",
};
const policy: VariableFile = { name: "policy", type: "custom", query: "", multi: false };
const WHERE = `"street" =~ /^$street$/`;
const put = (text: string, values: Record<string, string | string[]>): string =>
  interpolate(text, [street, policy], new Map(Object.entries(values)));

test("several values become alternatives, each escaped for a regular expression", () => {
  expect(put(WHERE, { street: ["rue-haute", "place (d'armes)"] })).toBe(
    `"street" =~ /^(rue-haute|place \\(d'armes\\))$/`,
  );
});

test("all is what the variable says all is, untouched", () => {
  expect(put(WHERE, { street: ["$__all"] })).toBe(`"street" =~ /^.*$/`);
});

test("one value of a variable that takes one is put in as it is, and escaped between slashes", () => {
  expect(put('FROM "$policy"."lamp"', { policy: "raw" })).toBe('FROM "raw"."lamp"');
  expect(put('"x" =~ /^$policy$/', { policy: "a.b" })).toBe('"x" =~ /^a\\.b$/');
});

test("what is no variable of the dashboard stays for the backend", () => {
  expect(put("$timeFilter GROUP BY time($__interval)", {})).toBe("$timeFilter GROUP BY time($__interval)");
});

test("a day over 800 pixels is a step of 108 s, rounded to 2 min; a panel's own 15 min win", () => {
  // 86,400,000 / 800 = 108,000 ms, which lies between 90 s and 210 s.
  expect(intervalText(intervalOf(86_400_000, 800, 0))).toBe("2m");
  expect(intervalText(intervalOf(86_400_000, 800, 900_000))).toBe("15m");
});

test("now/d is the last midnight of whoever looks", () => {
  const noon = Date.UTC(2026, 11, 1, 12);
  expect(parsedTime("now/d", noon, 3_600_000)).toBe(Date.UTC(2026, 10, 30, 23));
  expect(parsedTime("now-2d", noon, 0)).toBe(Date.UTC(2026, 10, 29, 12));
});

const ROWS = (time: number, value: number) => ({ columns: ["time", "fill"], values: [[time, value]] });
const BODY = JSON.stringify({
  results: [
    {
      statement_id: 0,
      series: [
        { name: "container", tags: { device: "C1" }, ...ROWS(1000, 0.5) },
        { name: "container", tags: { device: "C2" }, ...ROWS(2000, 0.7) },
      ],
    },
  ],
});

test("a series is a frame, called by its alias with the tag in it", () => {
  const frames = framesOf({ format: "time_series", alias: "bin $tag_device", influxql: "", interval_ms: 1 }, BODY);
  expect(frames.map((frame) => frame.name)).toEqual(["bin C1", "bin C2"]);
  expect(frames[1]?.fields.map((field) => field.values)).toEqual([[2000], [0.7]]);
});

test("a table is one frame: time, tags, fields, one row after the other", () => {
  const [frame] = framesOf({ format: "table", alias: "", influxql: "", interval_ms: 1 }, BODY);
  expect(frame?.fields.map(({ name, values }) => [name, values])).toEqual([
    ["Time", [1000, 2000]],
    ["device", ["C1", "C2"]],
    ["fill", [0.5, 0.7]],
  ]);
});

test("an error of the statement is raised in InfluxDB's own words", () => {
  const body = JSON.stringify({ results: [{ statement_id: 0, error: "database not found: nowhere" }] });
  expect(() => framesOf({ format: "table", alias: "", influxql: "", interval_ms: 1 }, body)).toThrow(
    "database not found: nowhere",
  );
});
