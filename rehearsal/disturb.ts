import type { SeededChance } from "#protocol/chance.ts";
import type { Cancel } from "#protocol/ports.ts";
import { seconds } from "#protocol/units.ts";
import { inTheStreet, SERVER, type ScheduledFault } from "#simulators/faults.ts";
import type { Town } from "#simulators/town.ts";
import type { VirtualClock } from "./clock.ts";
import type { VirtualDisk } from "./disk.ts";
import type { VirtualNetwork } from "./network.ts";
import type { ServerHost } from "./host.ts";

interface Victims {
  readonly clock: VirtualClock;
  readonly network: VirtualNetwork;
  readonly town: Town;
  readonly host: ServerHost;
  readonly serverDisk: VirtualDisk;
  readonly stationDisks: ReadonlyMap<string, VirtualDisk>;
  readonly chance: SeededChance;
}

/** Unless the schedule says how much: seconds of delay, share of messages. */
const USUAL = { delay_s: 5, share: 0.2 };
/** A power cut is at least this long, in seconds: nothing comes back at the moment it goes. */
const LEAST_S = 1;

/**
 * Plans every fault of the schedule that strikes the line, a disk or the server; the town strikes the street itself.
 * Faults may overlap: what two of them broke is whole when both are over. `told` hears when one begins and when it ends,
 * those of the street too. The returned function ends all that strike now and calls off the others.
 */
export function disturb(
  victims: Victims,
  faults: readonly ScheduledFault[],
  told: (fault: ScheduledFault, begins: boolean) => void,
): () => void {
  const { clock, network } = victims;
  const broken = breakage(victims);
  const planned = new Set<Cancel>();
  const striking = new Set<() => void>();
  const plan = (delay_s: number, action: () => void): void => {
    const cancel = clock.after(seconds(delay_s), () => {
      planned.delete(cancel);
      action();
    });
    planned.add(cancel);
  };
  for (const fault of faults) {
    plan(fault.at_s, () => {
      const mends = inTheStreet(fault) ? [] : breaks(victims, broken, fault);
      network.applyFaults();
      told(fault, true);
      const end = (): void => {
        if (!striking.delete(end)) return;
        for (const mend of mends) mend();
        network.applyFaults();
        told(fault, false);
      };
      striking.add(end);
      plan(Math.max(LEAST_S, fault.for_s), end);
    });
  }
  return () => {
    for (const cancel of planned) cancel();
    planned.clear();
    for (const end of striking) end();
  };
}

type Mend = () => void;

/** Something that several faults may break at once: broken by the first, mended when the last is over. */
function shared<Name>(breaking: (name: Name) => void, mending: (name: Name) => void): (name: Name) => Mend {
  const reasons = new Map<Name, number>();
  return (name) => {
    const before = reasons.get(name) ?? 0;
    reasons.set(name, before + 1);
    if (before === 0) breaking(name);
    return () => {
      const left = (reasons.get(name) as number) - 1;
      reasons.set(name, left);
      if (left === 0) mending(name);
    };
  };
}

/** An amount of which the largest asked for holds. */
function largest(set: (amount: number) => void): (amount: number) => Mend {
  const asked: number[] = [];
  const settle = (): void => set(Math.max(0, ...asked));
  return (amount) => {
    asked.push(amount);
    settle();
    return () => {
      asked.splice(asked.indexOf(amount), 1);
      settle();
    };
  };
}

type Breakage = ReturnType<typeof breakage>;

function breakage({ network: { faults }, clock, host, town }: Victims) {
  return {
    server: shared<string>(
      () => host.kill(),
      () => void clock.hold(host.revive()),
    ),
    broker: shared<string>(
      () => void (faults.brokerGone = true),
      () => void (faults.brokerGone = false),
    ),
    line: shared<string>(
      (station) => void faults.cut.add(station),
      (station) => void faults.cut.delete(station),
    ),
    power: shared<string>(
      (station) => town.cut(station),
      (station) => town.boot(station),
    ),
    room: shared<VirtualDisk>(
      (disk) => void (disk.full = true),
      (disk) => void (disk.full = false),
    ),
    delay: largest((amount) => void (faults.delay_s = amount)),
    duplicated: largest((amount) => void (faults.duplicated = amount)),
    reordered: largest((amount) => void (faults.reordered = amount)),
  };
}

/** Begins a fault and returns how each part of it ends. */
function breaks(victims: Victims, broken: Breakage, { kind, target, amount }: ScheduledFault): Mend[] {
  const { serverDisk, stationDisks, chance } = victims;
  const stations = [...stationDisks.keys()].filter((station) => target === undefined || target === station);
  const ofServer = target === undefined || target === SERVER;
  const disks = [
    ...(ofServer ? [serverDisk] : []),
    ...stations.map((station) => stationDisks.get(station) as VirtualDisk),
  ];
  switch (kind) {
    case "server-killed": {
      const mend = broken.server(SERVER);
      serverDisk.crash(chance);
      return [mend];
    }
    case "broker-gone":
      return [broken.broker(SERVER)];
    case "network-cut":
      return [broken.line(target ?? "*")];
    case "network-delayed":
      return [broken.delay(amount ?? USUAL.delay_s)];
    case "network-duplicated":
      return [broken.duplicated(amount ?? USUAL.share)];
    case "network-reordered":
      return [broken.reordered(amount ?? USUAL.share)];
    case "disk-full":
      return disks.map((disk) => broken.room(disk));
    case "disk-loses-unsynced": {
      // The power goes: agents and server come back to what their disks had synced.
      const mends = stations.map((station) => broken.power(station));
      if (ofServer) mends.push(broken.server(SERVER));
      for (const disk of disks) disk.crash(chance);
      return mends;
    }
    case "sensor-stuck":
    case "sensor-silent":
    case "clock-wrong":
    case "lamp-failed":
      return [];
    default:
      return kind satisfies never;
  }
}
