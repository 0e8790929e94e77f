import { Fault } from "#protocol/faults.ts";
import type { DeviceKind, MessageClass } from "#protocol/kinds.ts";
import { measureOf } from "#protocol/kinds.ts";
import type { Command, Order, Passing } from "#protocol/messages.ts";
import type { Cancel, Chance, Clock, Disk } from "#protocol/ports.ts";
import type { Device, Territory } from "#protocol/territory.ts";
import type { Instant } from "#protocol/units.ts";
import { seconds } from "#protocol/units.ts";
import type { Behaviour } from "./behaviour.ts";
import type { Behaviours } from "./behaviours.ts";
import { BEHAVIOURS } from "./behaviours.ts";
import type { Gate, Verifier } from "./gate.ts";
import { openGate } from "./gate.ts";
import type { Hardware } from "./hardware/hardware.ts";
import type { Link } from "./link.ts";
import { createLink } from "./link.ts";
import type { Outbox } from "./outbox.ts";
import { openOutbox } from "./outbox.ts";
import type { Cadence, Point } from "./sampling.ts";
import { cadencesOf, movedBeyond, nextDue, phaseOf, pointsOf } from "./sampling.ts";
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

/** What moves is collected for this long, so that a passage makes one batch and not five. */
const LINGER = seconds(1);
/** A lamp has faded and its driver has settled by then. */
const SETTLE = seconds(5);

interface Attached {
  readonly device: Device;
  readonly points: readonly Point[];
  readonly behaviour: Behaviour | undefined;
}

/**
 * The agent of one station: samples its devices by the reporting rules of their kinds, lets them behave by themselves,
 * and hands what it reads to the outbox. Idle, it costs one timer.
 */
export function createAgent(options: AgentOptions): Agent {
  return new StationAgent(options);
}

class StationAgent implements Agent {
  private readonly options: AgentOptions;
  private readonly phase_ms: number;
  private readonly attached = new Map<string, Attached>();
  private cadences: Cadence[] = [];
  private outbox: Outbox | undefined;
  private gate: Gate | undefined;
  private link: Link | undefined;
  private cancelTick: Cancel | undefined;
  private cancelFlush: Cancel | undefined;
  private cancelSettled: Cancel | undefined;
  private settling: Attached[] = [];
  private readonly unsaved = new Map<string, string>();
  private toldDropped = 0;
  private running = false;

  constructor(options: AgentOptions) {
    this.options = options;
    this.phase_ms = phaseOf(options.station);
  }

  start(): void {
    const { territory, station, hardware, uplink, disk, clock, chance, verifier, password, version } = this.options;
    const devices = territory.byStation.get(station);
    if (devices === undefined) throw new Fault("STATION_UNKNOWN", { station });
    const { outbox_B } = this.options;
    const classOf = (device: string, measure: string): MessageClass => classIn(territory, device, measure);
    const outbox = openOutbox({ disk, clock, chance, classOf, ...(outbox_B !== undefined && { limit_B: outbox_B }) });
    this.outbox = outbox;
    this.gate = openGate({ territory, station, disk, clock, verifier });
    const streets = [...new Set(devices.flatMap(({ street }) => (street === undefined ? [] : [street])))];
    this.link = createLink({
      territory: territory.id,
      station,
      streets,
      password,
      version,
      uplink,
      outbox,
      clock,
      chance,
      onCommand: (command) => this.command(command),
      onPassing: (passing) => this.passing(passing),
    });
    for (const device of devices) this.attach(device);
    this.cadences = cadencesOf([...this.attached.values()]);
    for (const { behaviour } of this.attached.values()) behaviour?.start();
    // What the behaviours set just now is in the first report, which says everything once.
    this.running = true;
    hardware.watch((device, measure, at) => this.sensed(device, measure, at));
    this.reportAll();
    this.link.start();
    this.schedule();
  }

  private attach(device: Device): void {
    const behaviours: Partial<Record<DeviceKind, Behaviours[DeviceKind]>> = this.options.behaviours ?? BEHAVIOURS;
    const { territory, hardware, clock } = this.options;
    const behaviour = behaviours[device.kind]?.({
      device,
      territory,
      hardware,
      clock,
      memory: this.memory(`device/${device.id}`),
      report: (measure) => this.reported(device.id, measure),
      shout: (passing) => device.street !== undefined && this.link?.shout(device.street, passing),
    });
    this.attached.set(device.id, { device, points: pointsOf(device, behaviour), behaviour });
  }

  /** A full disk must not stop a lamp: what cannot be kept now is kept later. */
  private memory(file: string): { load(): string | undefined; save(text: string): void } {
    const { disk } = this.options;
    return {
      load: () => {
        const bytes = disk.read(file);
        return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
      },
      save: (text) => {
        this.unsaved.set(file, text);
        this.saveRest();
      },
    };
  }

  private saveRest(): void {
    try {
      for (const [file, text] of this.unsaved) {
        this.options.disk.replace(file, new TextEncoder().encode(text));
        this.unsaved.delete(file);
      }
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault;
    }
  }

  stop(): void {
    if (!this.running) return;
    for (const { behaviour } of this.attached.values()) behaviour?.stop();
    this.cancelTimers();
    this.saveRest();
    this.outbox?.flush();
    this.link?.stop();
    this.options.hardware.close();
  }

  cut(): void {
    if (!this.running) return;
    for (const { behaviour } of this.attached.values()) behaviour?.stop();
    this.cancelTimers();
    this.link?.cut();
    this.options.hardware.close();
  }

  private cancelTimers(): void {
    this.running = false;
    this.cancelTick?.();
    this.cancelFlush?.();
    this.cancelSettled?.();
    this.cancelFlush = undefined;
    this.cancelSettled = undefined;
  }

  behaviour(device: string): Behaviour | undefined {
    return this.attached.get(device)?.behaviour;
  }

  stats(): AgentStats {
    const dropped = this.outbox?.dropped ?? { sample: 0, state: 0, event: 0 };
    return {
      up: this.link?.up ?? false,
      waiting: this.outbox?.waiting ?? 0,
      dropped: { ...dropped },
      diskFailing: this.outbox?.diskFailing ?? false,
      unreadable: this.link?.unreadable ?? 0,
    };
  }

  private schedule(): void {
    const now = this.options.clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const cadence of this.cadences) {
      // A clock that was set back must not silence the station until it has caught up.
      if (cadence.next <= now || cadence.next > now + cadence.every_ms) {
        cadence.next = nextDue(now, cadence.every_ms, this.phase_ms);
      }
      if (cadence.next < next) next = cadence.next;
    }
    if (next < Number.POSITIVE_INFINITY) {
      this.cancelTick = this.options.clock.after(seconds((next - now) / 1000), () => this.tick());
    }
  }

  private tick(): void {
    const now = this.options.clock.now();
    for (const cadence of this.cadences) {
      if (cadence.next > now) continue;
      for (const point of cadence.points) {
        if (cadence.always) this.note(point, now);
        else this.noteIfMoved(point, now);
      }
    }
    if (this.unsaved.size > 0) this.saveRest();
    this.flush();
    this.schedule();
  }

  private reportAll(): void {
    const now = this.options.clock.now();
    for (const attached of this.attached.values()) {
      for (const point of attached.points) this.note(point, now);
      if (attached.behaviour !== undefined) this.settleLater(attached);
    }
    this.outbox?.flush();
  }

  private flush(): void {
    this.outbox?.flush();
    this.link?.send();
    const { sample, state, event } = this.outbox?.dropped ?? { sample: 0, state: 0, event: 0 };
    const dropped = sample + state + event;
    if (dropped !== this.toldDropped) {
      this.toldDropped = dropped;
      this.link?.tellStatus();
    }
  }

  private read(point: Point): number | undefined {
    return point.behaviour?.read(point.measure) ?? this.options.hardware.read(point.device, point.measure);
  }

  private note(point: Point, at: Instant): void {
    const value = this.read(point);
    if (value !== undefined) this.record(point, value, at);
  }

  private noteIfMoved(point: Point, at: Instant): void {
    const value = this.read(point);
    if (value !== undefined && movedBeyond(point, value)) this.record(point, value, at);
  }

  private record(point: Point, value: number, at: Instant): void {
    point.last = value;
    this.outbox?.append({ device: point.device, measure: point.measure, at, value });
  }

  /** An input moved by itself. */
  private sensed(device: string, measure: string, at: Instant): void {
    if (!this.running) return;
    for (const { behaviour } of this.attached.values()) behaviour?.sensed(device, measure, at);
    const point = this.attached.get(device)?.points.find((each) => each.measure === measure);
    if (point === undefined || !point.moves) return;
    this.noteIfMoved(point, at);
    this.flushSoon();
  }

  /** A behaviour says that a measure moved; the others of its device follow when the driver has settled. */
  private reported(device: string, measure: string): void {
    const attached = this.attached.get(device);
    const point = attached?.points.find((each) => each.measure === measure);
    if (!this.running || attached === undefined || point === undefined) return;
    this.noteIfMoved(point, this.options.clock.now());
    this.flushSoon();
    this.settleLater(attached);
  }

  private settleLater(attached: Attached): void {
    if (!this.settling.includes(attached)) this.settling.push(attached);
    this.cancelSettled ??= this.options.clock.after(SETTLE, () => this.settled());
  }

  private settled(): void {
    this.cancelSettled = undefined;
    const { settling } = this;
    this.settling = [];
    const now = this.options.clock.now();
    for (const { points } of settling) {
      for (const point of points) if (point.moves) this.noteIfMoved(point, now);
    }
    this.flushSoon();
  }

  private flushSoon(): void {
    this.cancelFlush ??= this.options.clock.after(LINGER, () => {
      this.cancelFlush = undefined;
      this.flush();
    });
  }

  private passing(passing: Passing): void {
    for (const { behaviour } of this.attached.values()) behaviour?.heard(passing);
  }

  private command(command: Command): void {
    try {
      const answer = this.gate?.pass(command, (device, order) => this.obey(device, order));
      if (answer !== undefined) this.link?.answer(answer);
    } catch (fault) {
      // The sequence cannot be kept, so nothing was done; the server asks again.
      if (!(fault instanceof Fault)) throw fault;
    }
  }

  private obey(device: Device, order: Order): string | undefined {
    const behaviour = this.attached.get(device.id)?.behaviour;
    return behaviour === undefined ? "this station does not know how" : behaviour.obey(order);
  }
}

function classIn(territory: Territory, device: string, measure: string): MessageClass {
  const kind = territory.devices.get(device)?.kind;
  return (kind === undefined ? undefined : measureOf(kind, measure)?.class) ?? "sample";
}
