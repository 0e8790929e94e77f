import { Agent, request } from "node:http";
import { text } from "node:stream/consumers";
import type { Send } from "../../dashboards/double/look.ts";
import { type Day, pointsOf, ROLLED_MS, rolledOf } from "./day.ts";
import { lineOf, type Written } from "./points.ts";

/** Writes a day into an empty InfluxDB: readings as they came and summed up, and what the server says of itself. */
export async function fill(url: string, town: Day): Promise<void> {
  const create = [
    'CREATE DATABASE "vigie" WITH DURATION INF NAME "raw"',
    ...Object.keys(ROLLED_MS).map((name) => `CREATE RETENTION POLICY "${name}" ON "vigie" DURATION INF REPLICATION 1`),
  ].join("; ");
  await fetch(`${url}/query`, { method: "POST", body: new URLSearchParams({ q: create }) });
  await write(url, "raw", linesOf(town));
  for (const [policy, step_ms] of Object.entries(ROLLED_MS)) {
    await write(url, policy, written(rolledOf(town, step_ms)));
  }
}

/** A day as line protocol, times in milliseconds. */
const linesOf = (town: Day): string[] => [...written(pointsOf(town)), ...written(town.own)];

const written = (points: Iterable<Written>): string[] => [...points].flatMap((point) => lineOf(point) ?? []);

async function write(url: string, policy: string, lines: readonly string[]): Promise<void> {
  for (let from = 0; from < lines.length; from += LINES_A_BODY) {
    const body = lines.slice(from, from + LINES_A_BODY).join("\n");
    const answered = await fetch(`${url}/write?db=vigie&rp=${policy}&precision=ms`, { method: "POST", body });
    if (answered.status !== 204) throw new Error(await answered.text());
  }
}
const LINES_A_BODY = 20_000;

/** Sends as Grafana does, over connections that stay open: to Vigie with a name that nobody looks at and the key as the password. */
export function sendTo(url: string, key?: string): Send {
  const signed = key === undefined ? {} : { authorization: `Basic ${btoa(`grafana:${key}`)}` };
  const agent = new Agent({ keepAlive: true });
  return ({ method, path, headers, body }) =>
    new Promise((resolve, reject) => {
      const asking = request(url + path, { method, headers: { ...headers, ...signed }, agent }, (answer) => {
        text(answer).then(resolve, reject);
      });
      asking.once("error", reject);
      asking.end(body);
    });
}
