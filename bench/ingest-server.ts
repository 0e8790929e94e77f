import { DAY, instant, seconds } from "#protocol/units.ts";
import { encodeMessage } from "#protocol/messages.ts";
import { down, mayPublish, maySubscribe } from "#protocol/topics.ts";
import { embeddedBroker } from "#server/broker-aedes.ts";
import { isStationPassword } from "#server/credentials.ts";
import { createIngest } from "#server/ingest.ts";
import { systemClock } from "#server/ports/clock.ts";
import { duckdbStore } from "#server/store/duckdb.ts";
import { lampTown, SECRET, TOWN } from "./ingest-town.ts";

/**
 * The data path as the server has it, and nothing else: broker, ingest and store in one process.
 * Says {port} when it listens; asked for "stats" it says what ingest counted; asked to "compact" it moves what is over three
 * days old into archives, and says how many; asked to "stop" it does.
 */
interface ServerArguments {
  readonly directory: string;
  readonly port: number;
  readonly stations: number;
  readonly acknowledge: "after-commit" | "before-commit";
}

const { directory, port, stations, acknowledge } = JSON.parse(process.argv[2] as string) as ServerArguments;
const nobody = (): void => {};
const noStreets = new Set<string>();
const broker = embeddedBroker({ host: "127.0.0.1", port, clock: systemClock });
const store = duckdbStore(`${directory}/readings.duckdb`);
const ingest = createIngest({
  territory: lampTown(stations),
  store,
  clock: systemClock,
  acknowledge,
  receipts: (station, receipt) => broker.publish(down(TOWN, station, "receipt"), encodeMessage(receipt)),
  listener: { committed: nobody, status: nobody, applied: nobody, quarantined: nobody },
});

await store.open();
await ingest.start();
await broker.start({
  authenticate: (station, password) => isStationPassword(SECRET, station, password),
  mayPublish: (station, topic) => mayPublish(topic, TOWN, station, noStreets),
  maySubscribe: (station, filter) => maySubscribe(filter, TOWN, station, noStreets),
  onMessage: (station, topic, payload) => ingest.message(station, topic, payload),
});
process.on("message", (asked) => {
  if (asked === "stats") {
    process.send?.({ stats: ingest.stats(), cpu: process.cpuUsage(), memory: process.memoryUsage.rss() });
  }
  if (asked === "compact") void compact();
  if (asked === "stop") void stop();
});
process.send?.({ port: broker.port });

async function compact(): Promise<void> {
  const pause = (): Promise<void> => new Promise((resolve) => systemClock.after(seconds(0.05), resolve));
  const archives = await store.compact(instant(systemClock.now() - 3 * DAY), pause);
  process.send?.({ archives });
}

async function stop(): Promise<void> {
  await broker.stop();
  await ingest.stop();
  await store.close();
  process.exit();
}
