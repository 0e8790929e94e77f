import { DAY, instant, seconds } from "#protocol/units.ts";
import { systemClock } from "#server/ports/clock.ts";
import { duckdbStore } from "#server/store/duckdb.ts";
import { startDataPath } from "./ingest-path.ts";

/**
 * The data path, and nothing else: broker, ingest and store in one process.
 * Says {port} when it listens; asked for "stats" it says what ingest counted; asked to "compact" it moves what is over three
 * days old into archives, and says how many; asked to "stop" it does.
 */
interface ServerArguments {
  readonly directory: string;
  readonly port: number;
  readonly stations: number;
  readonly acknowledge: "after-commit" | "before-commit";
}

const { directory, ...given } = JSON.parse(process.argv[2] as string) as ServerArguments;
const store = duckdbStore(`${directory}/readings.duckdb`);
await store.open();
const path = await startDataPath(store, given);
process.once("disconnect", () => process.exit());
process.on("message", (asked) => {
  if (asked === "stats") {
    process.send?.({ stats: path.ingest.stats(), cpu: process.cpuUsage(), memory: process.memoryUsage.rss() });
  }
  if (asked === "compact") void compact();
  if (asked === "stop") void stop();
});
process.send?.({ port: path.port });

async function compact(): Promise<void> {
  const pause = (): Promise<void> => new Promise((resolve) => systemClock.after(seconds(0.05), resolve));
  const archives = await store.compact(instant(systemClock.now() - 3 * DAY), pause);
  process.send?.({ archives });
}

async function stop(): Promise<void> {
  await path.stop();
  await store.close();
  process.exit();
}
