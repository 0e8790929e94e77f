import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FieldValue, Point } from "#server/store/influxql/engine.ts";
import { lineOf, LineReader, parseLines } from "#server/store/line-protocol.ts";
import { influxdPath, startInfluxd } from "../../influxd.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("A line", () => {
  test("of two fields is one point", () => {
    const body = bytes('m,station=S1,device=L1 level=0.5,n=3i,on=t,s="a b" 1700000000000000000\n');
    expect(parseLines(body, "n", 0n)).toEqual({
      points: [
        {
          measurement: "m",
          tags: [
            ["device", "L1"],
            ["station", "S1"],
          ],
          fields: [
            ["level", 0.5],
            ["n", 3n],
            ["on", true],
            ["s", "a b"],
          ],
          at_ns: 1_700_000_000_000_000_000n,
        },
      ],
      errors: [],
    });
  });

  test.each([
    ["n", 1_700_000_000_123_456_789n, 1_700_000_000_123_456_789n],
    ["u", 1_700_000_000_123_456n, 1_700_000_000_123_456_000n],
    ["ms", 1_700_000_000_123n, 1_700_000_000_123_000_000n],
    ["s", 1_700_000_000n, 1_700_000_000_000_000_000n],
    ["m", 28_333_333n, 1_699_999_980_000_000_000n],
    ["h", 472_222n, 1_699_999_200_000_000_000n],
  ] as const)("in %s is told in nanoseconds", (precision, time, at_ns) => {
    const reader = new LineReader();
    // The first line of a series is read with care, the second as a plain one.
    for (let pass = 0; pass < 2; pass++) {
      expect(reader.read(bytes(`m v=1 ${time}`), precision, 0n).times[0]).toBe(at_ns);
    }
  });

  test("without a time gets that of its arrival, cut to the unit", () => {
    const body = bytes("m v=1");
    expect(parseLines(body, "s", 1_700_000_000_123_456_789n).points[0]?.at_ns).toBe(1_700_000_000_000_000_000n);
    expect(parseLines(body, "n", 1_700_000_000_123_456_789n).points[0]?.at_ns).toBe(1_700_000_000_123_456_789n);
  });

  test("that is bad leaves the others as they are", () => {
    const { points, errors } = parseLines(bytes("m v=1 5\nm v=x 5\n# a comment\n\nm v=2 6\n"), "n", 0n);
    expect(points.map((each) => each.fields[0]?.[1])).toEqual([1, 2]);
    expect(errors).toEqual(["unable to parse 'm v=x 5': invalid boolean"]);
  });
});

const name = fc.oneof(
  fc.constantFrom("m", "level", "a b", "a,b", "a=b", 'a"b', "é", "😀", "#x".slice(1)),
  fc.stringMatching(/^[a-z][a-zA-Z0-9 ,=_.é-]{0,8}[a-z]$/),
);
const value: fc.Arbitrary<FieldValue> = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: -100_000, max: 100_000 }).map((thousandths) => thousandths / 1000),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.boolean(),
  fc.oneof(fc.string({ unit: "grapheme", maxLength: 12 }), fc.constantFrom('"', "\\", "a\nb", "x,y=z ", "")),
);
const point: fc.Arbitrary<Point> = fc
  .record({
    measurement: name,
    tags: fc.uniqueArray(fc.tuple(name, name), { maxLength: 3, selector: ([key]) => key }),
    fields: fc.uniqueArray(fc.tuple(name, value), { minLength: 1, maxLength: 4, selector: ([key]) => key }),
    at_ns: fc.bigInt({ min: -(2n ** 63n) + 2n, max: 2n ** 63n - 2n }),
  })
  .map((each) => ({ ...each, tags: each.tags.toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))) }));

/** What stands in the reader's columns, without its numbers of slots. */
function contents(reader: LineReader): unknown[] {
  const { columns, table } = reader;
  return Array.from({ length: columns.length }, (_, row) => {
    const slot = table.slots[columns.slots[row] ?? -1];
    return [
      slot?.series,
      slot?.field,
      columns.value(row),
      columns.types[row],
      columns.times[row],
      columns.pointOf[row],
    ];
  });
}

describe("What is written as lines", () => {
  test("is read back as it was", () => {
    fc.assert(
      fc.property(fc.array(point, { maxLength: 5 }), (points) => {
        const body = bytes(points.map(lineOf).join("\n"));
        expect(parseLines(body, "n", 0n)).toEqual({ points, errors: [] });
      }),
      { numRuns: 2000 },
    );
  });

  test("is read the same when its series are known already", () => {
    fc.assert(
      fc.property(fc.array(point, { minLength: 1, maxLength: 5 }), (points) => {
        const reader = new LineReader();
        const body = bytes(points.map(lineOf).join("\n"));
        reader.read(body, "n", 0n);
        const first = contents(reader);
        reader.read(body, "n", 0n);
        expect(contents(reader)).toEqual(first);
      }),
      { numRuns: 1000 },
    );
  });
});

/** Bodies, InfluxDB 1.8.10's refusal of each ("" if it takes it), and the values that it then holds. */
const TABLE = fileURLToPath(new URL("../../fixtures/line-protocol-answers.json", import.meta.url));
type Row = [body: string, refusal: string, values: string[]];
const rows = JSON.parse(readFileSync(TABLE, "utf8")) as Row[];

function ours(body: string): Row {
  const { points, errors } = parseLines(bytes(body), "n", 0n);
  const reason = errors.join("\n");
  const refusal = errors.length === 0 || points.length === 0 ? reason : `partial write: ${reason} dropped=0`;
  if (refusal !== "") return [body, refusal, []];
  // Of two values of one field at one time the last stays.
  const held = new Map<string, string>();
  for (const { measurement, tags, fields, at_ns } of points) {
    for (const [field, value] of fields) {
      const series = [measurement, Object.fromEntries(tags), field];
      const text =
        typeof value === "string" ? JSON.stringify(value) : typeof value === "bigint" ? `${value}` : jsonNumber(value);
      held.set(JSON.stringify([...series, String(at_ns)]), `${JSON.stringify(series)}=${text}`);
    }
  }
  return [body, refusal, [...new Set(held.values())].sort()];
}
const jsonNumber = (value: number | boolean): string => JSON.stringify(value);

describe("Odd lines are taken and refused as InfluxDB takes and refuses them", () => {
  test(`in each of ${rows.length} bodies`, () => {
    expect(rows.length).toBeGreaterThan(200);
    expect(rows.map(([body]) => ours(body))).toEqual(rows);
  });

  test.skipIf(influxdPath === undefined)("and a real InfluxDB does so today", async () => {
    const influxd = await startInfluxd();
    try {
      await query(influxd.url, "CREATE DATABASE d");
      const answers: string[] = [];
      for (let from = 0; from < rows.length; from += AT_ONCE) {
        const sent = rows
          .slice(from, from + AT_ONCE)
          .map(([body], index) => theirs(influxd.url, `r${from + index}`, body));
        for (const row of await Promise.all(sent)) answers.push(JSON.stringify(row));
      }
      await expect(`[\n${answers.join(",\n")}\n]\n`).toMatchFileSnapshot(TABLE);
    } finally {
      await influxd.stop();
    }
  });
});

const AT_ONCE = 20;

/** Each body has a retention policy of its own: types of fields are settled there, and one is sooner made than a database. */
async function theirs(url: string, policy: string, body: string): Promise<Row> {
  await query(url, `CREATE RETENTION POLICY ${policy} ON d DURATION INF REPLICATION 1 SHARD DURATION 5200w`);
  const response = await fetch(`${url}/write?db=d&rp=${policy}`, { method: "POST", body });
  if (response.status !== 204) return [body, ((await response.json()) as { error: string }).error, []];
  const values: string[] = [];
  for (const { name, tags, columns, values: found } of await query(url, `SELECT * FROM ${policy}./.*/ GROUP BY *`)) {
    for (const row of found ?? []) {
      for (const [index, value] of row.entries()) {
        if (index === 0 || value === null) continue;
        const present = Object.fromEntries(Object.entries(tags ?? {}).filter(([, each]) => each !== ""));
        values.push(`${JSON.stringify([name, present, columns[index]])}=${JSON.stringify(value)}`);
      }
    }
  }
  return [body, "", [...new Set(values)].sort()];
}

interface Series {
  readonly name: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly columns: readonly string[];
  readonly values?: readonly (readonly unknown[])[];
}

async function query(url: string, text: string): Promise<readonly Series[]> {
  const body = new URLSearchParams({ q: text });
  const response = await fetch(`${url}/query?db=d&epoch=ns`, { method: "POST", body });
  // Integers keep all their digits.
  const answer = JSON.parse(await response.text(), (_, each: unknown, context?: { source?: string }) =>
    typeof each === "number" && !Number.isSafeInteger(each) && /^-?\d+$/.test(context?.source ?? "")
      ? (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(context?.source ?? "")
      : each,
  ) as { results: { series?: Series[]; error?: string }[] };
  return answer.results[0]?.series ?? [];
}
