import { encodeMessage } from "#protocol/messages.ts";
import { down, mayPublish, maySubscribe } from "#protocol/topics.ts";
import { embeddedBroker } from "#server/broker-aedes.ts";
import { isStationPassword } from "#server/credentials.ts";
import { createIngest, type Ingest } from "#server/ingest.ts";
import { systemClock } from "#server/ports/clock.ts";
import type { Store } from "#server/store/store.ts";
import { lampTown, SECRET, TOWN } from "./ingest-town.ts";

/** The data path as the server has it: broker and ingest over a store that is open. */
export interface DataPath {
  readonly port: number;
  readonly ingest: Ingest;
  stop(): Promise<void>;
}

export async function startDataPath(
  store: Store,
  given: { readonly port: number; readonly stations: number; readonly acknowledge: "after-commit" | "before-commit" },
): Promise<DataPath> {
  const { port, stations, acknowledge } = given;
  const nobody = (): void => {};
  const noStreets = new Set<string>();
  const broker = embeddedBroker({ host: "127.0.0.1", port, clock: systemClock });
  const ingest = createIngest({
    territory: lampTown(stations),
    store,
    clock: systemClock,
    acknowledge,
    receipts: (station, receipt) => broker.publish(down(TOWN, station, "receipt"), encodeMessage(receipt)),
    listener: { committed: nobody, status: nobody, applied: nobody, quarantined: nobody },
  });
  await ingest.start();
  await broker.start({
    authenticate: (station, password) => isStationPassword(SECRET, station, password),
    mayPublish: (station, topic) => mayPublish(topic, TOWN, station, noStreets),
    maySubscribe: (station, filter) => maySubscribe(filter, TOWN, station, noStreets),
    onMessage: (station, topic, payload) => ingest.message(station, topic, payload),
  });
  return {
    port: broker.port,
    ingest,
    async stop() {
      await broker.stop();
      await ingest.stop();
    },
  };
}
