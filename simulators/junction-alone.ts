import type { Behaviour } from "#edge/behaviour.ts";
import { signalBehaviour } from "#edge/signals.ts";
import type { Hardware } from "#edge/hardware/hardware.ts";
import { seededChance } from "#protocol/chance.ts";
import type { Cancel, Clock } from "#protocol/ports.ts";
import type { SignalGroup, Territory } from "#protocol/territory.ts";
import type { Instant } from "#protocol/units.ts";
import type { JunctionWatch, Violation } from "./junction-watch.ts";
import { watchJunction } from "./junction-watch.ts";
import type { JunctionTruth } from "./traffic.ts";
import { createJunctionTruth } from "./traffic.ts";

/** One junction with its real behaviour on its own truth, without agent or server: what its bench and its tests run. */
export interface JunctionAlone {
  readonly behaviour: Behaviour;
  readonly truth: JunctionTruth;
  readonly watch: JunctionWatch;
  readonly violations: readonly Violation[];
  start(): void;
  stop(): void;
}

export interface AloneOptions {
  readonly territory: Territory;
  readonly junction: string;
  /** Vehicles or walkers an hour that come to a group. */
  readonly rate: (group: SignalGroup, at: number) => number;
  readonly seed: number;
  readonly clock: Clock;
  /** What the cabinet takes for the time, where it is wrong. */
  readonly cabinetClock?: Clock;
  /** Stands between the behaviour and the wiring, to break an input. */
  readonly wire?: (hardware: Hardware) => Hardware;
  readonly memory?: { load(): string | undefined; save(text: string): void };
}

/** Puts the junction together; raises Fault DEVICE_UNKNOWN by its behaviour when the territory does not have it. */
export function junctionAlone(options: AloneOptions): JunctionAlone {
  const { territory, clock } = options;
  const junction = territory.junctions.find((each) => each.id === options.junction);
  const device = territory.devices.get(options.junction);
  if (junction === undefined || device === undefined) throw new Error(`there is no junction ${options.junction}`);
  const truth = createJunctionTruth({
    junction,
    detectors: territory.detectors,
    buttons: territory.buttons,
    rate: options.rate,
    chance: seededChance(options.seed).branch(junction.id),
    now: clock.now(),
  });
  const watch = watchJunction(junction);
  const violations: Violation[] = [];
  let greens = 0;
  let ambers = 0;
  const bare: Hardware = {
    read: (id, measure) => truth.read(id, measure, clock.now()),
    write(_, output, value) {
      if (output === "greens") greens = value;
      else ambers = value;
      const now = clock.now();
      violations.push(...watch.changed(now, greens, ambers));
      truth.greens(greens, ambers, now);
    },
    watch: (listener) => truth.onDetector(listener),
    close: () => undefined,
  };
  const hardware = options.wire?.(bare) ?? bare;
  const behaviour = signalBehaviour({
    device,
    territory,
    hardware,
    clock: options.cabinetClock ?? clock,
    memory: options.memory ?? { load: () => undefined, save: () => undefined },
    report: () => undefined,
    shout: () => undefined,
  });
  let calledOff: Cancel | undefined;
  return {
    behaviour,
    truth,
    watch,
    violations,
    start() {
      hardware.watch((id: string, measure: string, at: Instant) => behaviour.sensed(id, measure, at));
      behaviour.start();
      calledOff = truth.start(clock);
    },
    stop() {
      behaviour.stop();
      calledOff?.();
    },
  };
}
