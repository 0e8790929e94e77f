import { expect, test } from "vitest";
import { AtHand } from "#server/store/influxql/at-hand.ts";
import { Catalogue } from "#server/store/influxql/catalogue.ts";
import type { QueryOptions } from "#server/store/influxql/engine.ts";

const LIMITS = { points: 0, series: 0, buckets: 0, time_ms: 30_000 };
const OPTIONS: QueryOptions = { database: "vigie", now_ns: 9_000_000_000n, limits: LIMITS };
const JSON_IN_MS = { csv: false, pretty: false, epoch_ns: 1_000_000n };

/** So many lamps, of which each was last at its own level. */
function lamps(count: number): AtHand {
  const catalogue = new Catalogue();
  for (let number = 0; number < count; number++) {
    const series = catalogue.seriesOf("lamp", [["device", `L${number}`]]);
    const slot = catalogue.add(series, "level", "float", "readings", number);
    catalogue.renew(slot, BigInt(number + 1) * 1_000_000_000n, number / 2);
  }
  return new AtHand(catalogue, 1e6);
}

test("what was written last of few series is answered at once", async () => {
  const text = "SELECT last(level) AS level FROM lamp WHERE time > 0 AND device = 'L1'";
  expect(await lamps(3).answer(text, OPTIONS, JSON_IN_MS)).toBe(
    '{"results":[{"statement_id":0,"series":[{"name":"lamp","columns":["time","level"],"values":[[2000,0.5]]}]}]}\n',
  );
});

test("that there is nothing is answered at once", async () => {
  expect(await lamps(1).answer('SELECT sum("count") FROM quarantine', OPTIONS, JSON_IN_MS)).toBe(
    '{"results":[{"statement_id":0}]}\n',
  );
});

test("what takes values is not, the first time as any other", async () => {
  const hand = lamps(1);
  for (const from of [1, 2, 3]) {
    expect(await hand.ask(`SELECT mean(level) FROM lamp WHERE time > 179601840000${from}ms`, OPTIONS)).toBeUndefined();
  }
});

test.each([
  ["many series", "SELECT last(level) FROM lamp", 65],
  ["a pattern of measurements", "SELECT last(level) FROM /lamp/", 1],
  ["a long text", `SELECT last(level) FROM lamp${" ".repeat(2000)}`, 1],
  ["an inner question", "SELECT last(a) FROM (SELECT level AS a FROM lamp)", 1],
  ["names", "SHOW MEASUREMENTS", 1],
  ["a policy of which it is not known whether there is one", "SELECT last(level) FROM hour.lamp", 1],
])("what may take long is not: %s", async (_, text, count) => {
  expect(await lamps(count).ask(text, OPTIONS)).toBeUndefined();
});

test("what is no question is refused", async () => {
  await expect(lamps(1).ask("SELECT", OPTIONS)).rejects.toThrow("error parsing query: found EOF");
  const [result] = (await lamps(1).ask("SELECT last(level) FROM other..lamp", OPTIONS)) ?? [];
  expect(result?.error).toBe("database not found: other");
});
