import { BEHAVIOURS, type Behaviours } from "#edge/behaviours.ts";
import { ed25519Verifier } from "#edge/ports/ed25519.ts";
import { seededChance } from "#protocol/chance.ts";
import { command, parseMessage } from "#protocol/messages.ts";
import { every, type Clock } from "#protocol/ports.ts";
import type { Territory } from "#protocol/territory.ts";
import { instant, seconds, type Instant } from "#protocol/units.ts";
import { stationPassword } from "#server/credentials.ts";
import { openState, type State } from "#server/state.ts";
import type { Store } from "#server/store/store.ts";
import type { ScheduledFault } from "#simulators/faults.ts";
import { inTheStreet } from "#simulators/faults.ts";
import { createTown, type Town } from "#simulators/town.ts";
import { virtualClock } from "./clock.ts";
import { commandWatch, type CommandWatch } from "./commands.ts";
import { virtualDisk, type VirtualDisk } from "./disk.ts";
import { disturb } from "./disturb.ts";
import { hand } from "./hand.ts";
import { serverHost } from "./host.ts";
import { keysFromSeed } from "./keys.ts";
import { ledger, type Account } from "./ledger.ts";
import { virtualNetwork, type VirtualNetwork } from "./network.ts";
import { recoveryWatch } from "./recovery.ts";
import { streetWatch, type TraceLine } from "./street.ts";

export interface RehearsalOptions {
  readonly territory: Territory;
  readonly seed: number;
  readonly from: Instant;
  readonly hours: number;
  readonly faults?: readonly ScheduledFault[];
  /** Told of everything that really happens in the street. */
  readonly trace?: (line: TraceLine) => void;
  /** Told now and then which share of the time has passed. */
  progress?(share: number): void;
  /** A person who now and then overrules the machine: on unless it must not be in the record. */
  readonly hand?: boolean;
  /** False: the clock stops at the end, and what waits then waits on in the outboxes. */
  readonly settle?: boolean;
  /** False: nothing is held to account and the store keeps no log, as when a past is laid down that no fault strikes. */
  readonly watched?: boolean;
  /** The server also keeps what it knows of itself, as for a past that is looked at in charts. */
  readonly chronicle?: boolean;
  /** Those of a live server, when the rehearsed past is to be its own. */
  readonly keys?: ReturnType<typeof keysFromSeed>;
  /** Parts that are not as they should be, to show that the watches see it. */
  readonly replaced?: Replaced;
}

export interface Replaced {
  /** Around the store of every life of the server. */
  store?(store: Store, clock: Clock): Store;
  /** Around the behaviours of all devices and their witnesses. */
  behaviours?(behaviours: Behaviours): Behaviours;
  readonly acknowledge?: "before-commit";
}

export interface RehearsalResult {
  readonly seed: number;
  readonly hours: number;
  /** The hash of the last journal entry, which chains all before it. */
  readonly journal_sha256: string;
  readonly decisions: number;
  readonly acknowledged: number;
  readonly stored: number;
  readonly lost: number;
  readonly duplicated: number;
  /** How often each invariant was broken: all are 0 in a town in order. */
  readonly violations: Readonly<Record<Invariant, number>>;
  /** The first few, in words. */
  readonly examples: readonly string[];
  /** How often the town had two undisturbed minutes after faults, and was looked at. */
  readonly recoveries: number;
  readonly energy_kWh: number;
  readonly wall_s: number;
}

export type Invariant =
  | "acknowledged-lost"
  | "stored-twice"
  | "conflicting-greens"
  | "intergreen-too-short"
  | "minimum-green-cut"
  | "waited-over-cap"
  | "lamp-below-floor"
  | "command-after-expiry"
  | "command-twice"
  | "override-overruled"
  | "not-recovered";

/** What is left of a rehearsal for those who go on from it. */
export interface Rehearsed {
  readonly result: RehearsalResult;
  readonly store: Store;
  readonly state: State;
  readonly town: Town;
  readonly stationDisks: ReadonlyMap<string, VirtualDisk>;
}

/** What is on its way at the end gets this long to arrive. */
const SETTLE_S = 121;
const MOST_EXAMPLES = 20;
const NO_ACCOUNT: Account = { acknowledged: 0, stored: 0, lost: 0, duplicated: 0, examples: [] };

/**
 * Runs server and town in one process on virtual time. The same options give the same journal, on any machine.
 * After the hours asked for, faults end and the town gets two minutes to hand over what waits, before it is held to account.
 */
export async function rehearse(options: RehearsalOptions): Promise<Rehearsed> {
  const began = performance.now();
  const { territory, seed, from, hours, faults = [], trace, replaced = {}, watched = true } = options;
  const chance = seededChance(`rehearsal ${seed}`);
  const clock = virtualClock(from);
  const network = virtualNetwork(clock, chance.branch("network"));
  const keys = options.keys ?? keysFromSeed(seed);
  const account = ledger();
  const commands = commandWatch();
  if (watched) listen(network, account, commands);
  const serverDisk = virtualDisk();
  const stationDisks = new Map<string, VirtualDisk>();
  const state = openState(":memory:", territory.id);
  const host = serverHost({
    options,
    clock,
    network,
    state,
    // Where nothing can strike the server, its store never reads its log, and keeps none.
    disk: watched && faults.length > 0 ? serverDisk : undefined,
    keys,
    refused: (reading) => account.refused(reading),
  });

  const street = streetWatch(territory, clock, () => host.running, trace);
  const witnessed = commands.witnessed(BEHAVIOURS);
  const town = createTown({
    territory,
    seed,
    clock,
    uplink: network.uplink,
    diskFor: (station) => diskOf(stationDisks, station),
    verifier: ed25519Verifier(keys.publicKeyPem),
    passwordFor: (station) => stationPassword(keys.secret, station),
    observer: street.observer,
    behaviours: replaced.behaviours?.(witnessed) ?? witnessed,
    faults: faults.filter(inTheStreet),
  });
  trace?.({ at: from, what: "rehearsal", seed, hours, until: from + hours * 3_600_000 });
  street.join(town);
  const recovery = recoveryWatch(clock, town, [...territory.byStation.keys()], (station) => account.newest(station));
  const victims = { clock, network, town, host, serverDisk, stationDisks, chance: chance.branch("faults") };
  const endFaults = disturb(victims, faults, (fault, begins) => {
    street.fault(fault, begins);
    recovery.fault(fault, begins);
  });

  await host.start();
  town.start();
  const stopWatch = watched ? every(clock, seconds(20), () => street.look()) : undefined;
  if (options.hand !== false) hand(territory, clock, chance.branch("hand"), () => host.running);
  const end = from + hours * 3_600_000;
  await clock.run(instant(end), (now) => options.progress?.((now - from) / (end - from)));
  const { energy_kWh } = town.figures();
  stopWatch?.();
  endFaults();
  // What is on its way is given the time to arrive; then the books are closed.
  const settle_ms = options.settle === false ? 0 : SETTLE_S * 1000;
  await clock.run(instant(end + settle_ms));
  const { store, server } = host.running ?? (await host.revive());
  const books: Account = watched ? await account.settle(store) : NO_ACCOUNT;
  const head = server.journal.head();
  const [counted] = state.all("SELECT count(*) AS decisions FROM journal WHERE author IS NULL");
  town.stop();
  await host.stop();

  const violations: Record<Invariant, number> = {
    "acknowledged-lost": books.lost,
    "stored-twice": books.duplicated,
    ...street.counts,
    "command-after-expiry": commands.afterExpiry.length,
    "command-twice": commands.twice.length,
    "not-recovered": recovery.failures.length,
  };
  const examples = [
    ...books.examples,
    ...street.examples,
    ...commands.afterExpiry.map((text) => `after its expiry: ${text}`),
    ...commands.twice.map((text) => `twice: ${text}`),
    ...recovery.failures,
  ].slice(0, MOST_EXAMPLES);
  return {
    store,
    state,
    town,
    stationDisks,
    result: {
      seed,
      hours,
      journal_sha256: head,
      decisions: Number(counted?.["decisions"]),
      acknowledged: books.acknowledged,
      stored: books.stored,
      lost: books.lost,
      duplicated: books.duplicated,
      violations,
      examples,
      recoveries: recovery.recoveries,
      energy_kWh: Math.round(energy_kWh * 1000) / 1000,
      wall_s: Math.round(performance.now() - began) / 1000,
    },
  };
}

function diskOf(disks: Map<string, VirtualDisk>, station: string): VirtualDisk {
  let disk = disks.get(station);
  if (disk === undefined) disks.set(station, (disk = virtualDisk()));
  return disk;
}

function listen(network: VirtualNetwork, account: ReturnType<typeof ledger>, commands: CommandWatch): void {
  const ofReadings = (topic: string): boolean => topic.endsWith("/up/readings");
  network.onPublished = (station, topic, payload) => {
    if (ofReadings(topic)) account.published(station, payload);
  };
  network.onAcknowledged = (station, topic, payload) => {
    if (ofReadings(topic)) account.acknowledged(station, payload);
  };
  network.onDelivered = (topic, payload) => {
    if (topic.endsWith("/down/command")) commands.delivered(parseMessage(command, payload));
  };
}
