import type { Cancel, Clock } from "#protocol/ports.ts";
import type { Device } from "#protocol/territory.ts";
import type { Instant, Seconds } from "#protocol/units.ts";
import { seconds } from "#protocol/units.ts";
import type { Behaviour } from "./behaviour.ts";
import type { Hardware } from "./hardware/hardware.ts";
import type { Outbox } from "./outbox.ts";
import type { Cadence, Point } from "./sampling.ts";
import { cadencesOf, movedBeyond, nextDue, phaseOf } from "./sampling.ts";

export interface Attached {
  readonly device: Device;
  readonly points: readonly Point[];
  readonly behaviour: Behaviour | undefined;
}

export interface ReporterOptions {
  readonly station: string;
  readonly attached: ReadonlyMap<string, Attached>;
  readonly hardware: Hardware;
  readonly clock: Clock;
  readonly outbox: Outbox;
  /** What was read is in the outbox and on disk. */
  onFlushed(): void;
}

/** A lamp has faded and its driver has settled by then. */
const SETTLE = seconds(5);
/** What a full disk did not take is offered again after this long, whether or not there is news. */
const RETRY = seconds(30);

const NONE: readonly Point[] = [];

/** Reads the devices of a station by the reporting rules of their kinds. Idle, it costs one timer. */
export class Reporter {
  private readonly options: ReporterOptions;
  private readonly phase_ms: number;
  private readonly cadences: Cadence[];
  /** Of each device the points that may move. Loops count many vehicles a minute, and none of them is news by itself. */
  private readonly moving: ReadonlyMap<string, readonly Point[]>;
  private settling: Attached[] = [];
  private cancelTick: Cancel | undefined;
  private cancelFlush: Cancel | undefined;
  private flushAt = 0;
  private cancelSettled: Cancel | undefined;
  private cancelRetry: Cancel | undefined;

  constructor(options: ReporterOptions) {
    this.options = options;
    this.phase_ms = phaseOf(options.station);
    const devices = [...options.attached.values()];
    this.cadences = cadencesOf(devices);
    this.moving = new Map(devices.map(({ device, points }) => [device.id, points.filter(({ moves }) => moves)]));
  }

  /** Reports everything once, then by the rules. */
  start(): void {
    const now = this.options.clock.now();
    for (const attached of this.options.attached.values()) {
      for (const point of attached.points) this.note(point, now);
      if (attached.behaviour !== undefined) this.settleLater(attached);
    }
    this.flush();
    this.schedule();
  }

  /** Ends all timers; what was read and not yet written is lost unless `flush` is called. */
  stop(): void {
    this.cancelTick?.();
    this.cancelFlush?.();
    this.cancelSettled?.();
    this.cancelRetry?.();
    this.cancelFlush = undefined;
    this.cancelRetry = undefined;
    this.cancelSettled = undefined;
  }

  flush(): void {
    const { outbox, clock } = this.options;
    this.cancelFlush?.();
    this.cancelFlush = undefined;
    outbox.flush();
    this.options.onFlushed();
    if (!outbox.diskFailing) return;
    this.cancelRetry ??= clock.after(RETRY, () => {
      this.cancelRetry = undefined;
      this.flush();
    });
  }

  /** An input moved by itself. */
  moved(device: string, measure: string, at: Instant): void {
    for (const point of this.moving.get(device) ?? NONE) {
      if (point.measure === measure && this.noteIfMoved(point, at)) this.flushWithin(point.gather);
    }
  }

  /** A behaviour says that a measure moved; the others of its device follow when the driver has settled. */
  reported(device: string, measure: string): void {
    this.moved(device, measure, this.options.clock.now());
    const attached = this.options.attached.get(device);
    if (attached !== undefined) this.settleLater(attached);
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
    this.flush();
    this.schedule();
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
    for (const { device } of settling) {
      for (const point of this.moving.get(device.id) ?? NONE) {
        if (this.noteIfMoved(point, now)) this.flushWithin(point.gather);
      }
    }
  }

  private flushWithin(gather: Seconds): void {
    const { clock } = this.options;
    const at = clock.now() + gather * 1000;
    if (this.cancelFlush !== undefined && this.flushAt <= at) return;
    this.cancelFlush?.();
    this.flushAt = at;
    this.cancelFlush = clock.after(gather, () => this.flush());
  }

  private note(point: Point, at: Instant): void {
    const value = this.read(point);
    if (value !== undefined) this.record(point, value, at);
  }

  private noteIfMoved(point: Point, at: Instant): boolean {
    const value = this.read(point);
    if (value === undefined || !movedBeyond(point, value)) return false;
    this.record(point, value, at);
    return true;
  }

  private read(point: Point): number | undefined {
    return point.behaviour?.read(point.measure) ?? this.options.hardware.read(point.device, point.measure);
  }

  private record(point: Point, value: number, at: Instant): void {
    point.last = value;
    this.options.outbox.append({ device: point.device, measure: point.measure, at, value });
  }
}
