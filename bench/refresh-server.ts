import { readFileSync } from "node:fs";
import { parseTerritory, type TerritoryFile } from "#protocol/territory.ts";
import { duckdbStore } from "#server/store/duckdb.ts";
import { serve } from "../test/dashboards/served.ts";
import { WEEK_END } from "./dashboards-week.ts";
import { startDataPath } from "./ingest-path.ts";

/**
 * A server over a week that was laid down: it answers dashboards and takes readings, in one process. Says where when it
 * listens; asked to "stop" it does.
 */
export interface RefreshServer {
  /** Of the broker. */
  readonly port: number;
  /** Where InfluxQL is answered, and an API key that may ask. */
  readonly url: string;
  readonly key: string;
}

const { file, map, stations } = JSON.parse(process.argv[2] as string) as {
  file: string;
  map: string;
  stations: number;
};
const geojson = JSON.parse(readFileSync(map, "utf8")) as TerritoryFile;
const town = { territory: parseTerritory(geojson, "the bench's town"), geojson, readings: new Map(), own: [] };
const served = await serve(town, WEEK_END, (_, options) => duckdbStore(file, options));
const { url, key } = served;
const path = await startDataPath(served.store, { port: 0, stations, acknowledge: "after-commit" });
process.once("disconnect", () => process.exit());
process.on("message", (asked) => {
  if (asked === "stop")
    void path
      .stop()
      .then(stop)
      .then(() => process.exit());
});
process.send?.({ port: path.port, url, key } satisfies RefreshServer);

async function stop(): Promise<void> {
  await path.stop();
  await served.stop();
  process.exit();
}
