import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lookAt } from "../dashboards/double/look.ts";
import type { Send } from "../dashboards/double/look.ts";
import type { HttpRequest } from "../dashboards/double/requests.ts";
import { board, BOARDS, source } from "../test/dashboards/provisioned.ts";
import { influxdPath, startInfluxd } from "../test/influxd.ts";
import { WEEK_END } from "./dashboards-week.ts";
import { start } from "./ingest-rig.ts";
import { plainSend } from "./plain-http.ts";
import type { RefreshServer } from "./refresh-server.ts";
import type { Row } from "./row.ts";

const WIDTH_PX = 1600;
const REPEATS = 25;
const WARM_S = 3;
const REFRESHES = 30;
/** VIGIE_SLOWEST=20 also lists so many of the slowest questions against InfluxDB's. */
const LISTED = Number(process.env["VIGIE_SLOWEST"] ?? 0);

interface Question {
  readonly where: string;
  readonly influxql: string;
  readonly request: HttpRequest;
}

interface Timed {
  readonly where: string;
  readonly influxql: string;
  readonly ours_ms: number;
  readonly theirs_ms: number;
}

/** Every panel's questions as Grafana asks them over HTTP, after a week of the default town, of our server and of InfluxDB. */
export async function run(): Promise<Row[]> {
  if (influxdPath === undefined) return [];
  const directory = mkdtempSync(join(tmpdir(), "vigie-bench-"));
  const influxd = await startInfluxd({ flux: false });
  try {
    const place = { file: join(directory, "readings.duckdb"), map: join(directory, "town.geojson") };
    await start("refresh-week.ts", { ...place, influx: influxd.url }).ended;
    const server = start("refresh-server.ts", { ...place, stations: 0 });
    const { url, key } = await server.next<RefreshServer>();
    const [ours, theirs] = [plainSend(url, key), plainSend(influxd.url)];
    const asked = await panelsOf(theirs);
    const first = await timesOf(asked, ours, theirs, 1);
    // From the first questions on the newest values are fetched into memory; a dashboard asks again every ten seconds.
    await pause(WARM_S);
    // As after it was open for five minutes, of both servers: a wall shows it for months.
    for (let refresh = 0; refresh < REFRESHES; refresh++) await timesOf(asked, ours, theirs, 1);
    const timed = await timesOf(asked, ours, theirs, REPEATS);
    ours.close();
    theirs.close();
    server.tell("stop");
    await server.ended;
    list(timed);
    const ratios = timed.map(({ ours_ms, theirs_ms }) => ours_ms / theirs_ms);
    const total = (of: "ours_ms" | "theirs_ms"): number => timed.reduce((sum, each) => sum + each[of], 0);
    return [
      { what: "panel queries asked", value: timed.length, unit: "queries", better: "more" },
      { what: "panel queries asked for the first time, geometric mean, ours / InfluxDB", value: mean(first), unit: "×", better: "less" }, // prettier-ignore
      { what: "all panels once, ours", value: total("ours_ms"), unit: "ms", better: "less" },
      { what: "all panels once, InfluxDB", value: total("theirs_ms"), unit: "ms", better: "less" },
      { what: "panel queries, geometric mean, ours / InfluxDB", value: mean(timed), unit: "×", must: 0.33, aim: 0.1, better: "less" }, // prettier-ignore
      { what: "slowest panel query, ours / InfluxDB", value: Math.max(...ratios), unit: "×", must: 1, aim: 0.5, better: "less" }, // prettier-ignore
    ];
  } finally {
    await influxd.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

const mean = (timed: readonly Timed[]): number =>
  Math.exp(timed.reduce((sum, { ours_ms, theirs_ms }) => sum + Math.log(ours_ms / theirs_ms), 0) / timed.length);
const pause = (s: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, s * 1000));

async function panelsOf(send: Send): Promise<Question[]> {
  const found: Question[] = [];
  for (const id of BOARDS) {
    const looking = { now: WEEK_END, offset_ms: 3_600_000, width_px: WIDTH_PX };
    for (const { asked } of await lookAt(board("en", id), source(), send, looking)) {
      if (asked.kind === "panel") found.push(asked);
    }
  }
  return found;
}

/** The median of each question's times, the two servers in turn, so that what else the machine does strikes both. */
async function timesOf(questions: readonly Question[], ours: Send, theirs: Send, repeats: number): Promise<Timed[]> {
  const timed: Timed[] = [];
  for (const { request, where, influxql } of questions) {
    const [own, other]: [number[], number[]] = [[], []];
    for (let repeat = 0; repeat < repeats; repeat++) {
      own.push(await time(() => ours(request)));
      other.push(await time(() => theirs(request)));
    }
    timed.push({ where, influxql, ours_ms: median(own), theirs_ms: median(other) });
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
