import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Reading } from "#protocol/messages.ts";
import type { Instant } from "#protocol/units.ts";
import { virtualClock } from "#rehearsal/clock.ts";
import { createApi } from "#server/api/api.ts";
import { createServer } from "#server/server.ts";
import { openState } from "#server/state.ts";
import { describeDevices } from "#server/store/describe.ts";
import { type DuckdbStore, duckdbStore } from "#server/store/duckdb.ts";
import type { Contribution } from "#server/store/store.ts";
import { listBroker, signer } from "../server/village.ts";
import type { Day } from "./day.ts";

/** A server that listens, over an embedded store in a directory of its own that has a day in it. */
export interface Served {
  readonly url: string;
  readonly store: DuckdbStore;
  /** An API key of the role that Grafana reads by. */
  readonly key: string;
  /** One that may write, too. */
  readonly writing: string;
  stop(): Promise<void>;
}

/** Serves a day as it was at its end, `now`: readings by commit, the server's own points by record. */
export async function serve(town: Day, now: Instant, make = duckdbStore): Promise<Served> {
  const { territory, geojson } = town;
  const directory = mkdtempSync(join(tmpdir(), "vigie-served-"));
  const store = make(join(directory, "readings.duckdb"), { describe: describeDevices(territory) });
  await store.open();
  for (const contributions of contributionsOf(town)) await store.commit(contributions);
  for (let from = 0; from < town.own.length; from += POINTS) await store.record(town.own.slice(from, from + POINTS));
  const clock = virtualClock(now);
  const state = openState(":memory:", territory.id);
  const server = createServer({
    territory,
    clock: clock.settling,
    broker: listBroker(),
    store,
    state,
    signer,
    secret: randomBytes(32),
    randomBytes: (size) => randomBytes(size),
  });
  const api = await createApi({ territory, geojson, version: "test", clock, wall: clock, log: console.error });
  await server.start();
  api.ready(server);
  return {
    url: await api.listen(0, "127.0.0.1"),
    store,
    key: server.access.addApiKey("Grafana", "viewer", "test").key,
    writing: server.access.addApiKey("writes", "operator", "test").key,
    async stop() {
      await api.close();
      await server.stop();
      state.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const READINGS = 20_000;
const POINTS = 10_000;

/** In the order of time, as they would have come; a commit holds some twenty thousand. */
function* contributionsOf({ territory, readings }: Day): Iterable<Contribution[]> {
  const all = [...readings.values()].flat().sort((a, b) => a.at - b.at);
  const first = new Map<string, number>();
  for (let from = 0; from < all.length; from += READINGS) {
    const byStation = Map.groupBy(
      all.slice(from, from + READINGS),
      ({ device }: Reading) => territory.devices.get(device)?.station ?? device,
    );
    yield [...byStation].map(([station, list]) => {
      const number = first.get(station) ?? 1;
      first.set(station, number + list.length);
      return { station, epoch: "a day", first: number, readings: list };
    });
  }
}
