import { afterAll, beforeAll, expect, test } from "vitest";
import { influxdPath, type Influxd, startInfluxd } from "../../influxd.ts";
import { type Disagreement, examine } from "./oracle.ts";

let influxd: Influxd;

beforeAll(async () => {
  if (influxdPath !== undefined) influxd = await startInfluxd({ flux: false });
});
afterAll(async () => {
  await influxd?.stop();
});

const report = (found: readonly Disagreement[]): string =>
  found.map(({ question, difference, seed }) => `seed ${seed}: ${question}\n  ours: ${difference}`).join("\n");

test.skipIf(influxdPath === undefined)(
  "500 questions about random points are answered as InfluxDB 1.8.10 answers them",
  { timeout: 60_000 },
  async () => {
    expect(report(await examine(influxd.url, { seed: 20_260_329, questions: 500 }))).toBe("");
  },
);

test.skipIf(influxdPath === undefined)(
  "100 more of a seed that nobody chose are, too",
  { timeout: 60_000 },
  async () => {
    const seed = Number(process.hrtime.bigint() % 2_000_000_000n);
    console.log(`Questions of seed ${seed}`);
    expect(report(await examine(influxd.url, { seed, questions: 100 }))).toBe("");
  },
);
