import type { DecisionName } from "#control/decide.ts";
import { DECIDE, decide } from "#control/decide.ts";
import { Fault } from "#protocol/faults.ts";
import type { Receipt } from "#protocol/messages.ts";
import { encodeMessage } from "#protocol/messages.ts";
import type { Clock } from "#protocol/ports.ts";
import type { Territory } from "#protocol/territory.ts";
import { down, mayPublish, maySubscribe } from "#protocol/topics.ts";
import type { Access } from "./access.ts";
import { openAccess } from "./access.ts";
import type { Alarms } from "./alarms.ts";
import { openAlarms } from "./alarms.ts";
import type { Broker } from "./broker.ts";
import { isStationPassword } from "./credentials.ts";
import type { Dispatch, Signer } from "./dispatch.ts";
import { createChronicle } from "./chronicle/chronicle.ts";
import { createDispatch } from "./dispatch.ts";
import type { Groups } from "./groups.ts";
import { openGroups } from "./groups.ts";
import type { Ingest, IngestOptions } from "./ingest.ts";
import { createIngest } from "./ingest.ts";
import type { Decide, Journal } from "./journal.ts";
import { openJournal } from "./journal.ts";
import { createKeeping } from "./keeping.ts";
import type { Loop } from "./loop.ts";
import { createLoop } from "./loop.ts";
import type { Offsets } from "./offsets.ts";
import { offsetsOf } from "./offsets.ts";
import type { Overrides } from "./overrides.ts";
import { openOverrides } from "./overrides.ts";
import type { Policies } from "./policies.ts";
import { openPolicies } from "./policies.ts";
import type { Quarantined } from "./quarantine.ts";
import type { Registry } from "./registry.ts";
import { createRegistry } from "./registry.ts";
import { lightingService } from "./services/lighting.ts";
import type { ServiceParts } from "./services/service.ts";
import { trafficService } from "./services/traffic.ts";
import { wasteService } from "./services/waste.ts";
import type { State } from "./state.ts";
import type { Store } from "./store/store.ts";
import type { Watch } from "./watch.ts";
import { createWatch } from "./watch.ts";

/** What a server is made of and does not make itself: the real ones live, the rehearsal's on virtual time. */
export interface ServerParts {
  readonly territory: Territory;
  readonly clock: Clock;
  readonly broker: Broker;
  /** Opened at start, or as soon as it answers, and closed at stop. */
  readonly store: Store;
  /** Stays with the caller: it outlives a server that is killed. */
  readonly state: State;
  readonly signer: Signer;
  /** What the passwords of stations are made from. */
  readonly secret: Uint8Array;
  /** Bytes that nobody can foresee, for tokens. */
  randomBytes(size: number): Uint8Array;
  /** The time of the people who sign in, where the town's clock runs faster than life. */
  readonly wall?: Clock;
  readonly settings?: ServerSettings;
  /** Keeps beside the readings what the server knows of itself, as this version; without it nothing of the kind is kept. */
  readonly chronicle?: { readonly version: string; memory?(): number };
  /** Told of everything that was said and not believed. */
  quarantined?(entry: Quarantined): void;
  /** "before-commit" loses what a crash catches: only to show that a rehearsal finds it. */
  readonly acknowledge?: IngestOptions["acknowledge"];
}

export interface ServerSettings {
  /** Readings older than this are dropped, once a day; without it they are kept. */
  readonly retention_d?: number;
  /** So are their roll-ups by quarters of an hour, and what the server writes of itself. */
  readonly quarters_d?: number;
}

export interface Server {
  readonly territory: Territory;
  readonly clock: Clock;
  readonly store: Store;
  readonly state: State;
  readonly offsets: Offsets;
  readonly ingest: Ingest;
  readonly registry: Registry;
  readonly journal: Journal;
  readonly alarms: Alarms;
  readonly groups: Groups;
  readonly policies: Policies;
  readonly overrides: Overrides;
  readonly dispatch: Dispatch;
  readonly loop: Loop;
  readonly watch: Watch;
  readonly access: Access;
  /** Does not wait for a store that does not answer: see `Ingest.start`. Raises the store's other faults. */
  start(): Promise<void>;
  /** Ends what is under way and closes the store. */
  stop(): Promise<void>;
  /** Stops as a crash does: nothing is finished, nothing is closed. */
  kill(): void;
}

/** Computes a journalled decision again, by its name. */
export const decideByName: Decide = (name, inputs) =>
  Object.hasOwn(DECIDE, name) ? decide(name as DecisionName, inputs as never) : undefined;

/** The newest entries of the journal, whose chain is checked at each start; `vigie decisions verify` checks all. */
const CHECKED_AT_START = 1000;

/** Wires one server by hand. Nothing runs before `start`. */
export function createServer(parts: ServerParts): Server {
  const { territory, clock, broker, store, state, signer, secret, settings = {} } = parts;
  const publish = (topic: string, payload: Uint8Array): void => broker.publish(topic, payload);
  const offsets = offsetsOf(territory.timeZone);
  const registry = createRegistry(territory, clock);
  const journal = openJournal(state, decideByName);
  const alarms = openAlarms(state, clock);
  const groups = openGroups(state, territory);
  const policies = openPolicies(state, journal, territory, clock);
  const dispatch = createDispatch({ state, territory, clock, signer, registry, publish });
  const overrides = openOverrides({ state, territory, groups, journal, dispatch, clock });
  const access = openAccess({ state, clock: parts.wall ?? clock, randomBytes: (size) => parts.randomBytes(size) });
  const serviceParts: ServiceParts = { territory, store, registry, policies, clock, offsets };
  const services = [lightingService(serviceParts), trafficService(serviceParts), wasteService(serviceParts)];
  const loop = createLoop({ services, state, journal, policies, dispatch, alarms, clock });
  const ingest = createIngest({
    territory,
    store,
    clock,
    async open() {
      await store.open();
      registry.rebuild(await store.latest());
      isOpen = true;
      beginDeciding();
    },
    receipts: (station: string, receipt: Receipt) =>
      publish(down(territory.id, station, "receipt"), encodeMessage({ ...receipt, at: clock.now() })),
    listener: {
      committed: (station, readings) => registry.committed(station, readings),
      status: (station, status) => registry.status(station, status),
      applied: (station, answer) => dispatch.applied(station, answer),
      quarantined: (entry) => {
        watch.quarantined(entry.station);
        parts.quarantined?.(entry);
      },
    },
    ...(parts.acknowledge && { acknowledge: parts.acknowledge }),
  });
  const watch = createWatch({
    territory,
    registry,
    alarms,
    policies,
    clock,
    storeProblem: () => ingest.stats().failing?.problem,
    stateProblem: () => state.failing,
  });
  const streets = streetsByStation(territory);
  const chronicle =
    parts.chronicle &&
    createChronicle({
      territory,
      clock,
      offsets,
      registry,
      journal,
      alarms,
      overrides,
      ingest,
      dispatch,
      store,
      ...parts.chronicle,
    });
  const { retention_d: raw_d, quarters_d } = settings;
  const retention = { ...(raw_d !== undefined && { raw_d }), ...(quarters_d !== undefined && { quarters_d }) };
  const keeping = createKeeping({ store, clock, offsets, alarms, retention });

  const checkJournal = (): void => {
    try {
      journal.verify(CHECKED_AT_START);
      alarms.clear("journal-broken", "journal");
    } catch (problem) {
      if (!(problem instanceof Fault)) throw problem;
      const { entry = 0, problem: what = "" } = problem.facts;
      alarms.raise({ key: "journal-broken", subject: "journal", facts: { entry, problem: what } });
    }
  };

  let isOpen = false;
  let isUp = false;
  /** Every decision rests on what the store has: none is made before it has answered. */
  const beginDeciding = (): void => {
    if (isOpen && isUp) loop.start();
  };

  const quiet = (): void => {
    watch.stop();
    overrides.stop();
  };

  return {
    territory,
    clock,
    store,
    state,
    offsets,
    ingest,
    registry,
    journal,
    alarms,
    groups,
    policies,
    overrides,
    dispatch,
    loop,
    watch,
    access,
    async start() {
      await ingest.start();
      checkJournal();
      dispatch.start();
      chronicle?.start();
      overrides.start();
      watch.start();
      keeping.start();
      await broker.start({
        authenticate: (station, password) =>
          territory.byStation.has(station) && isStationPassword(secret, station, password),
        mayPublish: (station, topic) => mayPublish(topic, territory.id, station, streets.get(station) ?? NONE),
        maySubscribe: (station, filter) => maySubscribe(filter, territory.id, station, streets.get(station) ?? NONE),
        onMessage: (station, topic, payload) => ingest.message(station, topic, payload),
      });
      isUp = true;
      beginDeciding();
    },
    async stop() {
      isUp = false;
      await loop.stop();
      quiet();
      await broker.stop();
      await ingest.stop();
      // Last, for answers come in until the broker has stopped, and they are to be written down.
      dispatch.stop();
      await chronicle?.stop();
      await keeping.stop();
      await store.close();
    },
    kill() {
      isUp = false;
      void loop.stop();
      quiet();
      void keeping.stop();
      dispatch.kill();
    },
  };
}

const NONE: ReadonlySet<string> = new Set();

function streetsByStation(territory: Territory): ReadonlyMap<string, ReadonlySet<string>> {
  const streets = new Map<string, Set<string>>();
  for (const [station, devices] of territory.byStation) {
    streets.set(station, new Set(devices.flatMap((device) => (device.street === undefined ? [] : [device.street]))));
  }
  return streets;
}
