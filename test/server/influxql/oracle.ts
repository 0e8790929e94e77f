import fc from "fast-check";
import type { DuckdbEngine } from "#server/store/influxql/duckdb-engine.ts";
import { askEngine, askInfluxd, difference, engineInMemory } from "./compare.ts";
import { question, world } from "./questions.ts";

export interface Disagreement {
  readonly seed: number;
  readonly question: string;
  readonly difference: string;
}

export interface Examination {
  readonly seed: number;
  readonly questions: number;
}

/** Two weeks of InfluxDB's shards with a change of the clock in them: what lies in two shards is another matter. */
const STARTS = [Date.UTC(2026, 2, 24, 12), Date.UTC(2025, 9, 21, 12)] as const;
const QUESTIONS_A_WORLD = 100;
const RECENT_MB = 8;
const LONG = 2001;
const START_NOW = Date.UTC(2026, 2, 30);

const write = (engine: DuckdbEngine, body: string): Promise<void> =>
  engine.writeLines(new TextEncoder().encode(body), { database: "vigie", precision_ns: 1n, now_ns: 0n });

/** Writes random points to both servers, asks both the same, and says where they differ. */
export async function examine(url: string, { seed, questions }: Examination): Promise<Disagreement[]> {
  const found: Disagreement[] = [];
  for (let index = 0; index * QUESTIONS_A_WORLD < questions; index++) {
    const start_ns = BigInt(STARTS[index % 2] as number) * 1_000_000n;
    const own = seed + index;
    const [points] = fc.sample(world(start_ns), { seed: own, numRuns: 1 });
    const body = points?.body ?? "";
    const database = `oracle_${own}`;
    await writeTo(url, database, body);
    const engine = await engineInMemory();
    await write(engine, body);
    // One that begins to hold what is newest when half of it is there.
    const holding = await engineInMemory(RECENT_MB);
    const half = body.indexOf("\n", body.length / 2);
    await write(holding, body.slice(0, half));
    await holding.remember(START_NOW);
    await write(holding, body.slice(half));
    const numRuns = Math.min(QUESTIONS_A_WORLD, questions - index * QUESTIONS_A_WORLD);
    for (const text of fc.sample(question(start_ns), { seed: own, numRuns })) {
      const now_ns = BigInt(Date.now()) * 1_000_000n;
      const [ours, atHand, held, theirs] = await Promise.all([
        askEngine(engine, text, now_ns),
        askEngine(holding, text, now_ns),
        // Long texts are handed to the other thread.
        askEngine(holding, text.padEnd(LONG), now_ns),
        askInfluxd(url, database, text),
      ]);
      for (const [who, answer] of [
        ["database", ours],
        ["at hand", atHand],
        ["memory", held],
      ] as const) {
        const unlike = difference(answer, theirs);
        if (unlike !== undefined) found.push({ seed: own, question: text, difference: `${who}: ${unlike}` });
      }
    }
    await engine.close();
    await holding.close();
    await fetch(`${url}/query`, { method: "POST", body: new URLSearchParams({ q: `DROP DATABASE ${database}` }) });
  }
  return found;
}

/** A database that was just made is at times not there yet for who writes to it. */
const ATTEMPTS = 20;

async function writeTo(url: string, database: string, body: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const q = `CREATE DATABASE ${database}`;
    await (await fetch(`${url}/query`, { method: "POST", body: new URLSearchParams({ q }) })).text();
    const written = await fetch(`${url}/write?db=${database}`, { method: "POST", body });
    if (written.status === 204) return;
    const reason = await written.text();
    if (written.status !== 404 || attempt >= ATTEMPTS) throw new Error(`${q}: ${reason}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
