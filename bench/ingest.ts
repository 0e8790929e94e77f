import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FIRST_NUMBER } from "./ingest-frames.ts";
import type { Generator, ServerProcess } from "./ingest-rig.ts";
import { startGenerator, startServer } from "./ingest-rig.ts";
import { judge, storedState } from "./ingest-verify.ts";
import type { Row } from "./row.ts";

/** The data path: how much it takes and how soon it answers; kills.ts says what a kill -9 costs. */
export async function run(): Promise<Row[]> {
  return [
    await throughput("durable readings a second, one reading a message", 1, 20, { must: 25_000, aim: 40_000 }),
    await throughput("durable readings a second, batches of 20", 20, 4, { must: 25_000, aim: 40_000 }),
    await latency(),
  ];
}

const STATIONS = 1000;
const WARM_UP_S = 2;
const MEASURED_S = 10;

async function throughput(what: string, perMessage: number, window: number, wanted: Partial<Row>): Promise<Row> {
  return withServer(async (server) => {
    const generator = await startGenerator({ port: server.port, stations: STATIONS, perMessage, window });
    await generator.connect();
    generator.go();
    await pause(WARM_UP_S);
    const before = (await generator.report()).readings;
    const seconds: number[] = [];
    let previous = before;
    for (let second = 0; second < MEASURED_S; second++) {
      await pause(1);
      const { readings } = await generator.report();
      seconds.push(readings - previous);
      previous = readings;
    }
    await generator.stop();
    const value = Math.round((previous - before) / MEASURED_S);
    return {
      what,
      value,
      unit: "1/s",
      better: "more",
      spread: [Math.min(...seconds), Math.max(...seconds)],
      ...wanted,
    };
  });
}

async function latency(): Promise<Row> {
  return withServer(async (server) => {
    const generator = await startGenerator({
      port: server.port,
      stations: STATIONS,
      perMessage: 1,
      window: 20,
      rate: 2000,
    });
    await generator.connect();
    generator.go();
    await pause(WARM_UP_S);
    // A new start of the figures: the first seconds pay for code that is not yet compiled.
    generator.go();
    await pause(MEASURED_S);
    const { puback_ms } = await generator.stop();
    return {
      what: "PUBACK p99 at 2,000 readings a second over 1,000 connections",
      value: puback_ms.p99,
      unit: "ms",
      must: 25,
      aim: 10,
      better: "less",
      spread: [puback_ms.p50, puback_ms.max],
    };
  });
}

/** Kills the server `times` times under load and judges after each what is on disk. */
export async function kills(times: number, stations = STATIONS): Promise<Row[]> {
  const totals = await killed(times, stations, "after-commit");
  return [
    {
      what: `acknowledged readings lost over ${times} kill -9 under load`,
      value: totals.lost,
      unit: "readings",
      must: 0,
      aim: 0,
      better: "less",
    },
    {
      what: `readings stored twice over ${times} kill -9 under load`,
      value: totals.duplicates,
      unit: "readings",
      must: 0,
      aim: 0,
      better: "less",
    },
    {
      what: `readings acknowledged over ${times} kill -9`,
      value: totals.acknowledged,
      unit: "readings",
      better: "more",
    },
  ];
}

/** The same with acknowledgement before the commit: if no loss were found here, finding none above would mean nothing. */
export async function negativeControl(stations = STATIONS): Promise<Row> {
  const { lost } = await killed(1, stations, "before-commit");
  return {
    what: "readings found lost when acknowledged before the commit (control)",
    value: lost,
    unit: "readings",
    must: 1,
    better: "more",
  };
}

async function killed(times: number, stations: number, acknowledge: "after-commit" | "before-commit") {
  const directory = mkdtempSync(join(tmpdir(), "vigie-bench-"));
  const totals = { lost: 0, duplicates: 0, acknowledged: 0 };
  let server = await startServer({ directory, stations, acknowledge });
  const { port } = server;
  let generator: Generator | undefined;
  try {
    generator = await startGenerator({ port, stations, perMessage: 1, window: 20 });
    for (let time = 0; time < times; time++) {
      await generator.connect();
      generator.go();
      // Another moment each time, so that the kill falls into every part of a commit.
      await pause(0.4 + 0.037 * (time % 11));
      const gone = generator.report("lost");
      await server.kill();
      const { acknowledged } = await gone;
      const stored = await storedState(directory, stations);
      const { lost, duplicates } = judge(acknowledged, stored);
      totals.lost += lost;
      totals.duplicates = duplicates;
      totals.acknowledged = acknowledged.reduce((sum, last) => sum + last, 0) - stations * (FIRST_NUMBER - 1);
      if (time < times - 1) server = await startServer({ directory, stations, acknowledge, port });
    }
  } finally {
    await generator?.stop();
    await server.kill();
    rmSync(directory, { recursive: true, force: true });
  }
  return totals;
}

async function withServer<T>(work: (server: ServerProcess) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "vigie-bench-"));
  const server = await startServer({ directory, stations: STATIONS });
  try {
    return await work(server);
  } finally {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

const pause = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
