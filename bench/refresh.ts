import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Send } from "../dashboards/double/look.ts";
import { dashboardRequests, type HttpRequest } from "../dashboards/double/requests.ts";
import { sendTo } from "../test/dashboards/filled.ts";
import { board, BOARDS, source } from "../test/dashboards/provisioned.ts";
import { WEEK_END } from "./dashboards-week.ts";
import { start, startGenerator } from "./ingest-rig.ts";
import type { RefreshServer } from "./refresh-server.ts";
import type { Row } from "./row.ts";

const STATIONS = 1000;
const READINGS_A_SECOND = 2000;
const REFRESH_S = 10;
/** How long stations are listened to before dashboards refresh, and again while they do. */
const PHASE_S = 20;
const ROUNDS = 5;
const WARM = 3;
/** A browser asks a server so many things at a time. */
const CONNECTIONS = 6;
const WIDTH_PX = 1600;
/** A directory with a week that was laid down before, instead of one that is laid down now. */
const KNOWN = process.env["VIGIE_BENCH_TOWN"];

/** What stations wait for while all six dashboards are open beside them, against what they wait for without. */
export async function run(): Promise<Row[]> {
  const directory = mkdtempSync(join(tmpdir(), "vigie-bench-"));
  try {
    const place = { file: join(directory, "readings.duckdb"), map: join(directory, "town.geojson") };
    if (KNOWN === undefined) await start("refresh-week.ts", place).ended;
    else cpSync(KNOWN, directory, { recursive: true });
    const server = start("refresh-server.ts", { ...place, stations: STATIONS });
    const { port, url, key } = await server.next<RefreshServer>();
    const generator = await startGenerator({
      port,
      stations: STATIONS,
      perMessage: 1,
      window: 20,
      rate: READINGS_A_SECOND,
      from: WEEK_END,
    });
    const send = sendTo(url, key);
    const took: number[] = [];
    const heard = async (isRefreshed: boolean): Promise<number> => {
      generator.go();
      if (isRefreshed) took.push(...(await refreshed(send)));
      else await pause(PHASE_S);
      return (await generator.report()).puback_ms.p99;
    };
    await generator.connect();
    // From the first questions on the newest values are fetched into memory; then they are there.
    for (let time = 0; time < WARM; time++) await refresh(send);
    await heard(false);
    const rounds: { readonly without: number; readonly beside: number }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      rounds.push({ without: await heard(false), beside: await heard(true) });
    }
    await generator.stop();
    server.tell("stop");
    await server.ended;
    return [
      row("all panels of all dashboards at once", took, "ms"),
      row("PUBACK p99 without dashboards", rounds.map(({ without }) => without), "ms"), // prettier-ignore
      row(`PUBACK p99 while all dashboards refresh every ${REFRESH_S} s`, rounds.map(({ beside }) => beside), "ms"), // prettier-ignore
      { ...row("the same, against none", rounds.map(({ without, beside }) => beside / without), "times"), must: 2, aim: 1.2 }, // prettier-ignore
    ];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Refreshes again and again for as long as a phase lasts; how long each took. */
async function refreshed(send: Send): Promise<number[]> {
  const took: number[] = [];
  for (let past_s = 0; past_s < PHASE_S; past_s += REFRESH_S) {
    const next = pause(REFRESH_S);
    took.push(await refresh(send));
    await next;
  }
  return took;
}

/** Asks every panel and annotation of all dashboards, as one browser does that has them all open. */
async function refresh(send: Send): Promise<number> {
  const began = performance.now();
  const waiting = BOARDS.flatMap((id) => requestsOf(id));
  const connection = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const body = await send(next);
      if (body.includes('"error"')) throw new Error(body);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  return performance.now() - began;
}

function requestsOf(id: (typeof BOARDS)[number]): HttpRequest[] {
  const asked = board("en", id);
  const values = new Map(
    asked.templating.list.map(({ name, current, query }) => [
      name,
      current?.value ?? (typeof query === "string" ? query : ""),
    ]),
  );
  const looking = { now: WEEK_END, offset_ms: 3_600_000, width_px: WIDTH_PX };
  return dashboardRequests(asked, source(), values, looking).map(({ request }) => request);
}

function row(what: string, values: readonly number[], unit: string): Row {
  const sorted = values.toSorted((a, b) => a - b);
  const [least = 0] = sorted;
  const value = sorted[sorted.length >> 1] ?? 0;
  return { what, value, unit, better: "less", spread: [least, sorted.at(-1) ?? 0] };
}

const pause = (s: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, s * 1000));
