import { DAY } from "#protocol/units.ts";
import type { Instant } from "#protocol/units.ts";
import { lookAt } from "../dashboards/double/look.ts";
import type { Send } from "../dashboards/double/look.ts";
import { fill, sendTo } from "../test/dashboards/filled.ts";
import { board, BOARDS, source } from "../test/dashboards/provisioned.ts";
import { serve } from "../test/dashboards/served.ts";
import { influxdPath, startInfluxd } from "../test/influxd.ts";
import { WEEK_END, weekOfTown } from "./dashboards-week.ts";
import type { Row } from "./row.ts";

const WIDTH_PX = 1600;
const REPEATS = 9;
/** VIGIE_SLOWEST=20 also lists so many of the slowest questions against InfluxDB's. */
const LISTED = Number(process.env["VIGIE_SLOWEST"] ?? 0);

interface Timed {
  readonly where: string;
  readonly influxql: string;
  readonly ours_ms: number;
  readonly theirs_ms: number;
}

/** Every panel's questions as Grafana asks them over HTTP, after a week of the default town, of our server and of InfluxDB. */
export async function run(): Promise<Row[]> {
  if (influxdPath === undefined) return [];
  const week = await weekOfTown();
  const to = WEEK_END;
  const influxd = await startInfluxd({ flux: false });
  const served = await serve(week, to);
  try {
    await fill(influxd.url, week);
    await served.store.compact((to - 2 * DAY) as Instant);
    const timed = await timesOf(to, sendTo(served.url, served.key), sendTo(influxd.url));
    list(timed);
    const ratios = timed.map(({ ours_ms, theirs_ms }) => ours_ms / theirs_ms);
    const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
    const total = (of: "ours_ms" | "theirs_ms"): number => timed.reduce((sum, each) => sum + each[of], 0);
    return [
      { what: "panel queries asked", value: timed.length, unit: "queries", better: "more" },
      { what: "all panels once, ours", value: total("ours_ms"), unit: "ms", better: "less" },
      { what: "all panels once, InfluxDB", value: total("theirs_ms"), unit: "ms", better: "less" },
      { what: "panel queries, geometric mean, ours / InfluxDB", value: mean, unit: "×", must: 0.33, aim: 0.1, better: "less" }, // prettier-ignore
      { what: "slowest panel query, ours / InfluxDB", value: Math.max(...ratios), unit: "×", must: 1, aim: 0.5, better: "less" }, // prettier-ignore
    ];
  } finally {
    await served.stop();
    await influxd.stop();
  }
}

/** The median of each question's times, the two servers in turn, so that what else the machine does strikes both. */
async function timesOf(now: Instant, ours: Send, theirs: Send): Promise<Timed[]> {
  const timed: Timed[] = [];
  for (const id of BOARDS) {
    const looking = { now, offset_ms: 3_600_000, width_px: WIDTH_PX };
    for (const { asked } of await lookAt(board("en", id), source(), theirs, looking)) {
      if (asked.kind !== "panel") continue;
      const [own, other]: [number[], number[]] = [[], []];
      for (let repeat = 0; repeat < REPEATS; repeat++) {
        own.push(await time(() => ours(asked.request)));
        other.push(await time(() => theirs(asked.request)));
      }
      timed.push({ where: asked.where, influxql: asked.influxql, ours_ms: median(own), theirs_ms: median(other) });
    }
  }
  return timed;
}

async function time(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

function list(timed: readonly Timed[]): void {
  const ratio = ({ ours_ms, theirs_ms }: Timed): number => ours_ms / theirs_ms;
  for (const each of timed.toSorted((a, b) => ratio(b) - ratio(a)).slice(0, LISTED)) {
    console.log(
      `  ${each.ours_ms.toFixed(1)} / ${each.theirs_ms.toFixed(1)} ms = ${ratio(each).toFixed(2)}  ${each.where}: ${each.influxql}`,
    );
  }
}
