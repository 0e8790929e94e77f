import { Fault } from "#protocol/faults.ts";
import type { MessageClass } from "#protocol/kinds.ts";
import { measureOf } from "#protocol/kinds.ts";
import type { Command, Order, Passing } from "#protocol/messages.ts";
import type { Chance, Clock, Disk } from "#protocol/ports.ts";
import type { Device, Territory } from "#protocol/territory.ts";
import type { Instant } from "#protocol/units.ts";
import type { Behaviour } from "./behaviour.ts";
import type { Behaviours } from "./behaviours.ts";
import { BEHAVIOURS } from "./behaviours.ts";
import type { CorrectedClock } from "./corrected-clock.ts";
import { correctedClock } from "./corrected-clock.ts";
import type { Gate, Verifier } from "./gate.ts";
import { openGate } from "./gate.ts";
import type { Hardware } from "./hardware/hardware.ts";
import type { Link } from "./link.ts";
import { createLink } from "./link.ts";
import { DeviceMemory } from "./memory.ts";
import type { Outbox } from "./outbox.ts";
import { openOutbox } from "./outbox.ts";
import type { Attached } from "./reporter.ts";
import { Reporter } from "./reporter.ts";
import { pointsOf } from "./sampling.ts";
import type { Uplink } from "./uplink.ts";

export interface AgentOptions {
  readonly territory: Territory;
  readonly station: string;
  readonly hardware: Hardware;
  readonly uplink: Uplink;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly verifier: Verifier;
  readonly password: string;
  readonly version: string;
  /** What kinds do by themselves; all that we know unless given. */
  readonly behaviours?: Behaviours;
  /** Most bytes of the outbox on disk. */
  readonly outbox_B?: number;
}

export interface Agent {
  /** Begins: recovers what is on disk, settles its outputs, connects. Raises Fault STATION_UNKNOWN. */
  start(): void;
  /** Ends in order: what was read is written, and the broker is told. */
  stop(): void;
  /** The power goes: nothing more is written or said. */
  cut(): void;
  /** The time that the station goes by: its own, or what the server told it when its own was far off. */
  now(): Instant;
  behaviour(device: string): Behaviour | undefined;
  stats(): AgentStats;
}

export interface AgentStats {
  readonly up: boolean;
  readonly waiting: number;
  readonly dropped: Readonly<Record<MessageClass, number>>;
  readonly diskFailing: boolean;
  readonly unreadable: number;
}

/**
 * The agent of one station: samples its devices by the reporting rules of their kinds, lets them behave by themselves,
 * hands what it reads to the outbox, and brings what it is told through the gate to the device.
 */
export function createAgent(options: AgentOptions): Agent {
  return new StationAgent(options);
}

/** What exists while the station runs. */
interface Running {
  readonly attached: ReadonlyMap<string, Attached>;
  readonly memory: DeviceMemory;
  readonly outbox: Outbox;
  readonly gate: Gate;
  readonly link: Link;
  readonly reporter: Reporter;
}

class StationAgent implements Agent {
  private readonly options: AgentOptions;
  private readonly clock: CorrectedClock;
  private running: Running | undefined;
  private toldDropped = 0;

  constructor(options: AgentOptions) {
    this.options = options;
    this.clock = correctedClock(options.clock);
  }

  start(): void {
    const { territory, station, hardware, uplink, disk, chance, verifier, password, version } = this.options;
    const { clock } = this;
    const devices = territory.byStation.get(station);
    if (devices === undefined) throw new Fault("STATION_UNKNOWN", { station });
    const { outbox_B } = this.options;
    const classOf = (device: string, measure: string): MessageClass => classIn(territory, device, measure);
    const outbox = openOutbox({ disk, clock, chance, classOf, ...(outbox_B !== undefined && { limit_B: outbox_B }) });
    const gate = openGate({ territory, station, disk, clock, verifier });
    const streets = [...new Set(devices.flatMap(({ street }) => (street === undefined ? [] : [street])))];
    const link = createLink({
      territory: territory.id,
      station,
      streets,
      password,
      version,
      uplink,
      outbox,
      clock,
      ownClock: this.options.clock,
      chance,
      onServerTime: (at, sentAt) => this.serverTime(at, sentAt),
      onCommand: (command) => this.command(command),
      onPassing: (passing) => this.passing(passing),
    });
    const memory = new DeviceMemory(disk);
    const attached = new Map(devices.map((device) => [device.id, this.attach(device, memory)]));
    const onFlushed = (): void => this.flushed();
    const reporter = new Reporter({ station, attached, hardware, clock, outbox, onFlushed });
    // What the behaviours set first is in the first report, which says everything once.
    for (const { behaviour } of attached.values()) behaviour?.start();
    this.running = { attached, memory, outbox, gate, link, reporter };
    hardware.watch((device, measure, at) => this.sensed(device, measure, at));
    reporter.start();
    link.start();
  }

  private attach(device: Device, memory: DeviceMemory): Attached {
    const { territory, hardware } = this.options;
    const { clock } = this;
    const behaviours = this.options.behaviours ?? BEHAVIOURS;
    const behaviour = behaviours[device.kind]?.({
      device,
      territory,
      hardware,
      clock,
      memory: { load: () => memory.load(device.id), save: (text) => memory.save(device.id, text) },
      report: (measure) => this.running?.reporter.reported(device.id, measure),
      shout: (passing) => device.street !== undefined && this.running?.link.shout(device.street, passing),
    });
    return { device, points: pointsOf(device, behaviour), behaviour };
  }

  stop(): void {
    this.halt(({ memory, outbox, link }) => {
      memory.saveRest();
      outbox.flush();
      link.stop();
    });
  }

  cut(): void {
    this.halt(({ link }) => link.cut());
  }

  private halt(last: (running: Running) => void): void {
    const { running } = this;
    if (running === undefined) return;
    this.running = undefined;
    for (const { behaviour } of running.attached.values()) behaviour?.stop();
    running.reporter.stop();
    last(running);
    this.options.hardware.close();
  }

  now(): Instant {
    return this.clock.now();
  }

  behaviour(device: string): Behaviour | undefined {
    return this.running?.attached.get(device)?.behaviour;
  }

  stats(): AgentStats {
    const { outbox, link } = this.running ?? {};
    return {
      up: link?.up ?? false,
      waiting: outbox?.waiting ?? 0,
      dropped: { ...(outbox?.dropped ?? { sample: 0, state: 0, event: 0 }) },
      diskFailing: outbox?.diskFailing ?? false,
      unreadable: link?.unreadable ?? 0,
    };
  }

  private flushed(): void {
    const { memory, outbox, link } = this.running ?? {};
    memory?.saveRest();
    link?.send();
    const { sample, state, event } = outbox?.dropped ?? { sample: 0, state: 0, event: 0 };
    if (sample + state + event === this.toldDropped) return;
    this.toldDropped = sample + state + event;
    link?.tellStatus();
  }

  private sensed(device: string, measure: string, ownAt: Instant): void {
    if (this.running === undefined) return;
    const at = this.clock.corrected(ownAt);
    for (const { behaviour } of this.running.attached.values()) behaviour?.sensed(device, measure, at);
    this.running?.reporter.moved(device, measure, at);
  }

  private serverTime(at: number, sentAt: number): void {
    if (!this.clock.told(at, sentAt)) return;
    // The status carries the board's own time, so that someone comes to look at it.
    this.running?.link.tellStatus();
    for (const { behaviour } of this.running?.attached.values() ?? []) behaviour?.clockSet?.();
  }

  private passing(passing: Passing): void {
    for (const { behaviour } of this.running?.attached.values() ?? []) behaviour?.heard(passing);
  }

  private command(command: Command): void {
    const { gate, link } = this.running ?? {};
    try {
      const answer = gate?.pass(command, (device, order) => this.obey(device, order));
      if (answer !== undefined) link?.answer(answer);
    } catch (fault) {
      // The sequence cannot be kept, so nothing was done; the server asks again.
      if (!(fault instanceof Fault)) throw fault;
    }
  }

  private obey(device: Device, order: Order): string | undefined {
    const behaviour = this.behaviour(device.id);
    return behaviour === undefined ? "this station does not know how" : behaviour.obey(order);
  }
}

function classIn(territory: Territory, device: string, measure: string): MessageClass {
  const kind = territory.devices.get(device)?.kind;
  return (kind === undefined ? undefined : measureOf(kind, measure)?.class) ?? "sample";
}
