import type { RoadGraph } from "#control/roads.ts";
import { Fault } from "#protocol/faults.ts";
import type { Clock } from "#protocol/ports.ts";
import type { Territory, TerritoryFile } from "#protocol/territory.ts";
import type { Access } from "../access.ts";
import type { Offsets } from "../offsets.ts";
import type { Server } from "../server.ts";
import type { Plans } from "./plans.ts";
import type { Stream } from "./stream.ts";

/** The parts of a running server that the API shows and steers. */
export type RunningServer = Pick<
  Server,
  | "registry"
  | "store"
  | "journal"
  | "overrides"
  | "policies"
  | "groups"
  | "alarms"
  | "dispatch"
  | "ingest"
  | "access"
  | "loop"
>;

/**
 * What the API speaks for. While history is laid down there are no parts yet: the page answers, the data does not.
 * Access may come before the parts, so that a person can already sign in.
 */
export interface Holder {
  access?: Access;
  parts?: RunningServer;
  /** Share of the history that is laid down, from 0 to 1. */
  progress: number;
  /** Why it does not go on, while it does not. */
  waitsFor?: Fault | undefined;
}

/** What every group of routes receives. */
export interface ApiContext {
  readonly territory: Territory;
  /** The territory as it was given. */
  readonly geojson: TerritoryFile;
  /** The town's clock, which may run faster than life. */
  readonly clock: Clock;
  /** The clock on the wall, by which sessions end. */
  readonly wall: Clock;
  readonly stream: Stream;
  readonly holder: Holder;
  /** The secret of the data directory, where there is one. */
  readonly secret: Uint8Array | undefined;
  /** The parts. Raises Fault NOT_READY while there are none. */
  parts(): RunningServer;
  access(): Access;
  readonly offsets: Offsets;
  /** The street network, built at the first question. */
  roads(): RoadGraph;
  /** The rounds of the last days, read at the first question. */
  plans(): Plans;
}

/** Raised while history is laid down, or waits to be. */
export const notReady = ({ waitsFor }: Holder): Fault =>
  waitsFor ?? new Fault("NOT_READY", { state: "preparing", retry_s: 2 });
