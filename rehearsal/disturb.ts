import type { SeededChance } from "#protocol/chance.ts";
import { seconds } from "#protocol/units.ts";
import { inTheStreet, type ScheduledFault } from "#simulators/faults.ts";
import type { Town } from "#simulators/town.ts";
import type { VirtualClock } from "./clock.ts";
import type { VirtualDisk } from "./disk.ts";
import type { VirtualNetwork } from "./network.ts";
import type { ServerHost } from "./rehearse.ts";

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

/** Plans every fault of the schedule that strikes the line, a disk or the server; the town strikes the street itself. */
export function disturb(victims: Victims, faults: readonly ScheduledFault[]): void {
  const { clock } = victims;
  for (const fault of faults) {
    if (inTheStreet(fault)) continue;
    clock.after(seconds(fault.at_s), () => {
      const mend = strike(victims, fault);
      clock.after(seconds(Math.max(1, fault.for_s)), () => {
        mend();
        victims.network.applyFaults();
      });
      victims.network.applyFaults();
    });
  }
}

/** Begins a fault and returns how it ends. */
function strike(victims: Victims, { kind, target, amount }: ScheduledFault): () => void {
  const { network, clock, host, town, serverDisk, stationDisks, chance } = victims;
  const { faults } = network;
  const disks =
    target === undefined ? [serverDisk, ...stationDisks.values()] : [stationDisks.get(target) ?? serverDisk];
  switch (kind) {
    case "server-killed":
      host.kill();
      serverDisk.crash(chance);
      return () => void clock.hold(host.revive());
    case "broker-gone":
      faults.brokerGone = true;
      return () => void (faults.brokerGone = false);
    case "network-cut":
      faults.cut.add(target ?? "*");
      return () => void faults.cut.delete(target ?? "*");
    case "network-delayed":
      faults.delay_s = amount ?? USUAL.delay_s;
      return () => void (faults.delay_s = 0);
    case "network-duplicated":
      faults.duplicated = amount ?? USUAL.share;
      return () => void (faults.duplicated = 0);
    case "network-reordered":
      faults.reordered = amount ?? USUAL.share;
      return () => void (faults.reordered = 0);
    case "disk-full":
      for (const disk of disks) disk.full = true;
      return () => disks.forEach((disk) => void (disk.full = false));
    case "disk-loses-unsynced":
      // The power goes: agents, and with no target the server, come back to what their disks had synced.
      town.cut(target);
      if (target === undefined) host.kill();
      for (const disk of disks) disk.crash(chance);
      return () => {
        town.boot(target);
        if (target === undefined) void clock.hold(host.revive());
      };
    default:
      return () => {};
  }
}
