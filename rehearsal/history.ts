import { readFileSync } from "node:fs";
import { join } from "node:path";
import { directoryDisk } from "#edge/ports/directory-disk.ts";
import { KINDS } from "#protocol/kinds.ts";
import type { Reading } from "#protocol/messages.ts";
import { parseTerritory, type Territory } from "#protocol/territory.ts";
import { instant, type Instant } from "#protocol/units.ts";
import { keysIn } from "#server/ports/keys.ts";
import { describeDevices } from "#server/store/describe.ts";
import { duckdbStore } from "#server/store/duckdb.ts";
import type { Contribution, Store } from "#server/store/store.ts";
import type { VirtualDisk } from "./disk.ts";
import { rehearse } from "./rehearse.ts";

/** A past to lay down before a new town's first day: plain JSON, so that it can be handed to a process. */
export interface HistoryOrder {
  readonly territory: string;
  readonly seed: number;
  readonly from: Instant;
  readonly to: Instant;
  /** Directory of the server's keys: the past's commands are signed by the same hand as the future's. */
  readonly keys: string;
  /** Where the readings go (DuckDB), the decisions (SQLite), and what the stations and the street remember (a directory). */
  readonly readings: string;
  readonly state: string;
  readonly town: string;
}

/** Share of the work that is the rehearsal; the rest is writing it down. */
const REHEARSAL_SHARE = 0.9;
const END = instant(Number.MAX_SAFE_INTEGER);
/** Readings in one commit: large enough that the disk's turns do not count. */
const COMMIT_READINGS = 100_000;
/** Points of the server's own that are written at once. */
const RECORD_POINTS = 20_000;

/** Rehearses the past and leaves it on disk as a server and a town of that age would have. */
export async function layDownHistory(order: HistoryOrder, progress: (share: number) => void): Promise<void> {
  const territory = parseTerritory(JSON.parse(readFileSync(order.territory, "utf8")), order.territory);
  const { store, state, town, stationDisks } = await rehearse({
    territory,
    seed: order.seed,
    from: order.from,
    hours: (order.to - order.from) / 3_600_000,
    hand: false,
    watched: false,
    keys: keysIn(order.keys),
    settle: false,
    chronicle: true,
    progress: (share) => progress(share * REHEARSAL_SHARE),
  });
  const kept = duckdbStore(order.readings, { memory_MB: 512, describe: describeDevices(territory) });
  await kept.open();
  await keepReadings(store, kept, territory);
  progress(0.95);
  await keepPoints(store, kept);
  await kept.close();
  progress(0.97);
  state.run("VACUUM INTO ?", order.state);
  state.close();
  for (const [station, disk] of stationDisks) keepDisk(disk, join(order.town, "stations", station));
  directoryDisk(order.town, { durable: false }).replace("truth.json", new TextEncoder().encode(town.save()));
  progress(1);
}

/** Copies every reading and every mark, station by station. */
async function keepReadings(from: Store, to: Store, territory: Territory): Promise<void> {
  const marks = Map.groupBy(await from.marks(), ({ station }) => station);
  let group: Contribution[] = [];
  let size = 0;
  const commit = async (): Promise<void> => {
    if (group.length > 0) await to.commit(group);
    group = [];
    size = 0;
  };
  for (const [station, devices] of territory.byStation) {
    const newest = marks.get(station)?.at(-1);
    if (newest === undefined) continue;
    const readings: Reading[] = [];
    for (const { id, kind } of devices) {
      for (const measure of Object.keys(KINDS[kind].measures)) {
        const said = await from.range(id, measure, instant(0), END, Number.MAX_SAFE_INTEGER);
        // One by one: a junction says more in a week than a call takes arguments.
        for (const reading of said) readings.push(reading);
      }
    }
    readings.sort((a, b) => a.at - b.at);
    group.push({ station, epoch: newest.epoch, first: 1, readings, upTo: newest.upTo });
    size += readings.length;
    if (size >= COMMIT_READINGS) await commit();
  }
  await commit();
}

/** Copies what the server wrote of itself; what it foretells lies after the end. */
async function keepPoints(from: Store, to: Store): Promise<void> {
  const points = await from.recorded(instant(0), instant(Number.MAX_SAFE_INTEGER));
  for (let index = 0; index < points.length; index += RECORD_POINTS) {
    await to.record(points.slice(index, index + RECORD_POINTS));
  }
}

function keepDisk(disk: VirtualDisk, directory: string): void {
  const kept = directoryDisk(directory, { durable: false });
  for (const name of disk.list("")) {
    const bytes = disk.read(name);
    if (bytes !== undefined) kept.replace(name, bytes);
  }
}
