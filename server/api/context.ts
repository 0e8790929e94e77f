import type { RoadGraph } from "#control/roads.ts";
import { Fault } from "#protocol/faults.ts";
import type { Clock } from "#protocol/ports.ts";
import type { Territory, TerritoryFile } from "#protocol/territory.ts";
import type { Access } from "../access.ts";
import type { Alarms } from "../alarms.ts";
import type { Dispatch } from "../dispatch.ts";
import type { Groups } from "../groups.ts";
import type { Ingest } from "../ingest.ts";
import type { Journal } from "../journal.ts";
import type { Overrides } from "../overrides.ts";
import type { Policies } from "../policies.ts";
import type { Offsets } from "../offsets.ts";
import type { Registry } from "../registry.ts";
import type { Store } from "../store/store.ts";
import type { Plans } from "./plans.ts";
import type { Stream } from "./stream.ts";

/** The running parts of the server that the API shows and steers. */
export interface ServerParts {
  readonly registry: Registry;
  readonly store: Store;
  readonly journal: Journal;
  readonly overrides: Overrides;
  readonly policies: Policies;
  readonly groups: Groups;
  readonly alarms: Alarms;
  readonly dispatch: Pick<Dispatch, "stats">;
  readonly ingest: Pick<Ingest, "stats" | "quarantine">;
}

/**
 * What the API speaks for. While history is laid down there are no parts yet: the page answers, the data does not.
 * Access may come before the parts, so that a person can already sign in.
 */
export interface Holder {
  access?: Access;
  parts?: ServerParts;
  /** Share of the history that is laid down, from 0 to 1. */
  progress: number;
}

/** What every group of routes receives. */
export interface ApiContext {
  readonly territory: Territory;
  /** The territory as it was given. */
  readonly geojson: TerritoryFile;
  readonly clock: Clock;
  readonly stream: Stream;
  readonly holder: Holder;
  /** The parts. Raises Fault NOT_READY while there are none. */
  parts(): ServerParts;
  access(): Access;
  readonly offsets: Offsets;
  /** The street network, built at the first question. */
  roads(): RoadGraph;
  /** The rounds of the last days, read at the first question. */
  plans(): Plans;
}

/** Raised while history is laid down. */
export const notReady = (): Fault => new Fault("NOT_READY", { state: "preparing", retry_s: 2 });
