import type { SeededChance } from "#protocol/chance.ts";
import type { Cancel, Clock } from "#protocol/ports.ts";
import type { Button, Detector, Junction, SignalGroup } from "#protocol/territory.ts";
import type { Instant } from "#protocol/units.ts";
import { seconds } from "#protocol/units.ts";
import { Camera } from "./traffic-camera.ts";
import { Lane } from "./traffic-lane.ts";
import { Walkers } from "./traffic-walkers.ts";
import type { Waits } from "./waits.ts";

/**
 * The truth of one junction: who comes, who waits, who passes. It learns what the signals show through `greens`, and is
 * seen only through its detectors and buttons. Events come in order of time; between them nothing is computed.
 */
export interface JunctionTruth {
  readonly junction: Junction;
  /** Runs by itself on a clock until called off. */
  start(clock: Clock): Cancel;
  /** When something next happens by itself. */
  nextAt(): Instant;
  /** Lets everything happen up to and including `now`. */
  advanceTo(now: Instant): void;
  /** What the signals show from `now` on: bit i is group i; all vehicle groups amber and none green is flashing. */
  greens(greens: number, ambers: number, now: Instant): void;
  /** Someone rides across on a bicycle, come by an approach. It waits for no signal in this model. */
  cycled(approach: string): void;
  /**
   * What a detector or button reads now: `vehicles`, `occupancy` since last read, `occupied`, `calls`, `waiting`, and a
   * camera also `bicycles` and `pedestrians`.
   */
  read(device: string, measure: string, now: Instant): number | undefined;
  /** Calls `listener` when a vehicle is counted, a stop line becomes occupied or free, a button is pressed or served. */
  onDetector(listener: (device: string, measure: string, at: Instant) => void): void;
  /** What every movement has seen since the start. */
  movements(): readonly Movement[];
  /** How long the one who waits longest has waited, in s. */
  longestWait_s(now: Instant): number;
  /** Counters that go on over a restart of the simulation. */
  save(): TruthCounters;
  restore(counters: TruthCounters): void;
}

export interface Movement {
  readonly group: string;
  readonly kind: SignalGroup["kind"];
  readonly waits: Waits;
  readonly waiting: number;
}

export type TruthCounters = Readonly<Record<string, number>>;

export interface TruthOptions {
  readonly junction: Junction;
  /** All of the territory's detectors and buttons, or those of this junction. */
  readonly detectors: readonly Detector[];
  readonly buttons: readonly Button[];
  /** Vehicles or walkers an hour that come to a group; constant within an hour. */
  readonly rate: (group: SignalGroup, at: number) => number;
  readonly chance: SeededChance;
  readonly now: Instant;
}

/** Without an advance loop vehicles come into the model so far before the stop line. */
const APPROACH_M = 40;
const APPROACH_M_S = 11;
/** A car and a loop of 2 m at approach speed. */
const PASSAGE_MS = 600;

export function createJunctionTruth(options: TruthOptions): JunctionTruth {
  return new Truth(options);
}

interface Sensor {
  readonly id: string;
  readonly kind: "stop-line" | "advance" | "button";
  readonly group: number;
  count: number;
  occupied: boolean;
  occupiedSince: number;
  occupied_ms: number;
  readAt: number;
}

class Truth implements JunctionTruth {
  readonly junction: Junction;
  private readonly lanes: (Lane | undefined)[];
  private readonly walkers: (Walkers | undefined)[];
  private readonly sensors = new Map<string, Sensor>();
  private readonly cameras = new Map<string, Camera>();
  private readonly stopLines: Sensor[][];
  private readonly advances: Sensor[][];
  private readonly buttons: Sensor[][];
  private readonly vehicles: number;
  private readonly listeners: ((device: string, measure: string, at: Instant) => void)[] = [];
  private now: number;
  /** When something next happens by itself: worked out anew whenever something has happened. */
  private due: number;
  private wake: ((now: number) => void) | undefined;

  constructor(options: TruthOptions) {
    const { junction, chance, rate } = options;
    this.junction = junction;
    this.now = options.now;
    const detectors = options.detectors.filter((each) => each.junction === junction.id);
    this.lanes = junction.groups.map((group) => {
      if (group.kind !== "vehicle") return undefined;
      const advance = detectors.find((each) => each.group === group.id && each.place === "advance");
      return new Lane({
        saturation_veh_h: group.saturation_veh_h,
        travel_ms: ((advance?.distance_m ?? APPROACH_M) / APPROACH_M_S) * 1000,
        rate: (at) => rate(group, at),
        chance: chance.branch(group.id),
        now: options.now,
      });
    });
    this.walkers = junction.groups.map((group) =>
      group.kind === "pedestrian"
        ? new Walkers((at) => rate(group, at), chance.branch(group.id), options.now)
        : undefined,
    );
    this.vehicles =
      junction.groups.reduce((mask, { kind }, i) => (kind === "vehicle" ? mask | (1 << i) : mask), 0) >>> 0;
    const index = new Map(junction.groups.map((group, i) => [group.id, i]));
    const sense = (id: string, kind: Sensor["kind"], group: string): Sensor => {
      const sensor: Sensor = {
        id,
        kind,
        group: index.get(group) as number,
        count: 0,
        occupied: false,
        occupiedSince: 0,
        occupied_ms: 0,
        readAt: options.now,
      };
      this.sensors.set(id, sensor);
      return sensor;
    };
    for (const each of detectors) if (each.kind === "camera") this.cameras.set(each.id, new Camera(each, junction));
    const placed = detectors.map((each) => sense(each.id, each.place, each.group));
    const pressed = options.buttons
      .filter((each) => each.junction === junction.id)
      .map((each) => sense(each.id, "button", each.group));
    const at = (sensors: Sensor[], kind: Sensor["kind"]): Sensor[][] =>
      junction.groups.map((_, i) => sensors.filter((each) => each.group === i && each.kind === kind));
    this.stopLines = at(placed, "stop-line");
    this.advances = at(placed, "advance");
    this.buttons = at(pressed, "button");
    this.due = this.earliest();
  }

  start(clock: Clock): Cancel {
    let cancel: Cancel | undefined;
    let dueAt = -1;
    const schedule = (now: number): void => {
      const next = this.nextAt();
      if (next === dueAt) return;
      cancel?.();
      dueAt = next;
      if (next === Number.POSITIVE_INFINITY) return;
      cancel = clock.after(seconds((next - now) / 1000), turn);
    };
    const turn = (): void => {
      dueAt = -1;
      const now = clock.now();
      this.advanceTo(now);
      schedule(now);
    };
    this.wake = schedule;
    schedule(clock.now());
    return () => {
      this.wake = undefined;
      cancel?.();
    };
  }

  nextAt(): Instant {
    return this.due as Instant;
  }

  private earliest(): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.lanes.length; i++) earliest = Math.min(earliest, this.nextOf(i));
    return earliest;
  }

  /** When something next happens by itself to one group. */
  private nextOf(group: number): number {
    const lane = this.lanes[group];
    if (lane === undefined) return (this.walkers[group] as Walkers).arrivesAt;
    return Math.min(lane.entersAt, lane.reachesAt, lane.leavesAt);
  }

  advanceTo(now: Instant): void {
    while (this.due <= now) {
      const next = this.due;
      this.now = next;
      let following = Number.POSITIVE_INFINITY;
      for (let i = 0; i < this.lanes.length; i++) {
        let own = this.nextOf(i);
        if (own <= next) {
          this.happen(i, next);
          own = this.nextOf(i);
        }
        if (own < following) following = own;
      }
      this.due = following;
    }
    this.now = Math.max(this.now, now);
  }

  /** Lets everything happen to one group that is due. */
  private happen(group: number, now: number): void {
    const lane = this.lanes[group];
    if (lane === undefined) {
      this.press(group, (this.walkers[group] as Walkers).arrive(now), now);
      return;
    }
    if (lane.leavesAt <= now) this.leave(group, lane, now);
    if (lane.reachesAt <= now) this.reach(group, lane, now);
    if (lane.entersAt <= now) this.enter(group, lane, now);
  }

  greens(greens: number, ambers: number, now: Instant): void {
    this.advanceTo(now);
    const flashing = greens === 0 && this.vehicles !== 0 && (ambers & this.vehicles) >>> 0 === this.vehicles;
    for (let i = 0; i < this.lanes.length; i++) {
      const green = ((greens >>> i) & 1) === 1;
      const amber = ((ambers >>> i) & 1) === 1;
      const aspect = flashing ? "flash" : green ? "green" : amber ? "amber" : "red";
      this.lanes[i]?.show(aspect, now);
      if (this.walkers[i]?.show(aspect, now) === true) this.serve(i, now);
    }
    this.due = this.earliest();
    this.wake?.(now);
  }

  private enter(group: number, lane: Lane, now: number): void {
    lane.enter(now);
    for (const sensor of this.advances[group] as Sensor[]) this.countOn(sensor, now);
  }

  private reach(group: number, lane: Lane, now: number): void {
    lane.reach(now);
    if (lane.leavesAt <= now) this.leave(group, lane, now);
    else this.occupy(group, true, now);
  }

  private leave(group: number, lane: Lane, now: number): void {
    lane.leave(now);
    for (const sensor of this.stopLines[group] as Sensor[]) this.countOn(sensor, now);
    if (lane.queue === 0) this.occupy(group, false, now);
  }

  private countOn(sensor: Sensor, now: number): void {
    sensor.count++;
    if (!sensor.occupied) sensor.occupied_ms += PASSAGE_MS;
    this.tell(sensor.id, "vehicles", now);
  }

  private occupy(group: number, on: boolean, now: number): void {
    for (const sensor of this.stopLines[group] as Sensor[]) {
      if (sensor.occupied === on) continue;
      sensor.occupied = on;
      if (on) sensor.occupiedSince = now;
      else sensor.occupied_ms += now - Math.max(sensor.occupiedSince, sensor.readAt);
      this.tell(sensor.id, "occupied", now);
    }
  }

  private press(group: number, drawn: number | undefined, now: number): void {
    if (drawn === undefined) return;
    const buttons = this.buttons[group] as Sensor[];
    const button = buttons[Math.floor(drawn * buttons.length)];
    if (button === undefined) return;
    button.count++;
    this.tell(button.id, "calls", now);
    if (button.occupied) return;
    button.occupied = true;
    this.tell(button.id, "waiting", now);
  }

  private serve(group: number, now: number): void {
    for (const button of this.buttons[group] as Sensor[]) {
      if (!button.occupied) continue;
      button.occupied = false;
      this.tell(button.id, "waiting", now);
    }
  }

  private tell(device: string, measure: string, at: number): void {
    for (const listener of this.listeners) listener(device, measure, at as Instant);
  }

  read(device: string, measure: string, now: Instant): number | undefined {
    const sensor = this.sensors.get(device);
    if (sensor === undefined) return undefined;
    if (measure === "vehicles" || measure === "calls") return sensor.count;
    if (measure === "occupied" || measure === "waiting") return sensor.occupied ? 1 : 0;
    if (measure === "occupancy") return this.occupancy(sensor, now);
    if (measure === "bicycles") return this.cameras.get(device)?.bicycles;
    if (measure === "pedestrians") return this.cameras.get(device)?.pedestrians(this.crossed);
    return undefined;
  }

  private readonly crossed = (group: number): number => this.walkers[group]?.crossed ?? 0;

  cycled(approach: string): void {
    for (const camera of this.cameras.values()) if (camera.approach === approach) camera.bicycles++;
  }

  private occupancy(sensor: Sensor, now: number): number {
    const present = sensor.occupied ? now - Math.max(sensor.occupiedSince, sensor.readAt) : 0;
    const share = (sensor.occupied_ms + present) / Math.max(1, now - sensor.readAt);
    sensor.occupied_ms = 0;
    sensor.readAt = now;
    return Math.min(1, share);
  }

  onDetector(listener: (device: string, measure: string, at: Instant) => void): void {
    this.listeners.push(listener);
  }

  movements(): Movement[] {
    return this.junction.groups.map((group, i) => {
      const { waits, queue } = this.lanes[i] ?? (this.walkers[i] as Walkers);
      return { group: group.id, kind: group.kind, waits, waiting: queue };
    });
  }

  longestWait_s(now: Instant): number {
    let since = now as number;
    for (let i = 0; i < this.lanes.length; i++) {
      since = Math.min(since, (this.lanes[i] ?? (this.walkers[i] as Walkers)).headSince);
    }
    return (now - since) / 1000;
  }

  save(): TruthCounters {
    const seen = [...this.cameras].flatMap(([id, camera]) => [
      [`${id} bicycles`, camera.bicycles] as const,
      [`${id} pedestrians`, camera.pedestrians(this.crossed)] as const,
    ]);
    return Object.fromEntries([...[...this.sensors].map(([id, { count }]) => [id, count] as const), ...seen]);
  }

  restore(counters: TruthCounters): void {
    for (const [id, sensor] of this.sensors) sensor.count = counters[id] ?? sensor.count;
    for (const [id, camera] of this.cameras) {
      camera.restore(counters[`${id} bicycles`] ?? 0, counters[`${id} pedestrians`] ?? 0);
    }
  }
}
