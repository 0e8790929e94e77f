import { writeFileSync } from "node:fs";
import { DAY, type Instant } from "#protocol/units.ts";
import { duckdbStore } from "#server/store/duckdb.ts";
import { fill } from "../test/dashboards/filled.ts";
import { serve } from "../test/dashboards/served.ts";
import { WEEK_END, weekOfTown } from "./dashboards-week.ts";

/**
 * Lays down a week of the default town, archived but for its last two days, and its map; and writes it into an empty
 * InfluxDB, too, where one is named. A process of its own, since what it holds in memory would be felt by whoever measures
 * beside it.
 */
const { file, map, influx } = JSON.parse(process.argv[2] as string) as { file: string; map: string; influx?: string };
const week = await weekOfTown();
const served = await serve(week, WEEK_END, (_, options) => duckdbStore(file, options));
await served.store.compact((WEEK_END - 2 * DAY) as Instant);
await served.stop();
if (influx !== undefined) await fill(influx, week);
writeFileSync(map, JSON.stringify(week.geojson));
process.exit();
