import type { Agent } from "#edge/agent.ts";
import { createAgent } from "#edge/agent.ts";
import type { Behaviours } from "#edge/behaviours.ts";
import type { Verifier } from "#edge/gate.ts";
import type { Uplink } from "#edge/uplink.ts";
import type { VehicleBehaviour } from "#edge/vehicle.ts";
import { seededChance } from "#protocol/chance.ts";
import type { Cancel, Clock, Disk } from "#protocol/ports.ts";
import { every } from "#protocol/ports.ts";
import type { Territory } from "#protocol/territory.ts";
import type { Instant } from "#protocol/units.ts";
import { HOUR, seconds } from "#protocol/units.ts";
import { stationClock } from "./clock.ts";
import { exponential, pick, uniform } from "./draws.ts";
import type { ScheduledFault } from "./faults.ts";
import { inTheStreet } from "./faults.ts";
import type { Wiring } from "./hardware.ts";
import { simulatedHardware } from "./hardware.ts";
import type { Violation } from "./junction-watch.ts";
import type { Traveller } from "./street-network.ts";
import type { World } from "./world.ts";
import { createWorld } from "./world.ts";

export interface TownOptions {
  readonly territory: Territory;
  readonly seed: number;
  /** The true time of the street. Stations get it through a clock of their own that a fault can set wrong. */
  readonly clock: Clock;
  readonly uplink: Uplink;
  readonly diskFor: (station: string) => Disk;
  readonly verifier: Verifier;
  readonly passwordFor: (station: string) => string;
  readonly observer?: TownObserver;
  readonly faults?: readonly ScheduledFault[];
  /** More or fewer trips than usual; 1 unless given. */
  readonly crowd?: number;
  readonly version?: string;
  /** What kinds of device do by themselves, where it is not the usual: a rehearsal puts a witness before each. */
  readonly behaviours?: Behaviours;
}

/** Told what really happens in the street, as it happens: for the trace and for what must always hold. */
export interface TownObserver {
  levelChanged?(change: LevelChange): void;
  /** Someone passes a pole; `sensed` is false when the sensor missed it. */
  passage?(at: Instant, presence: string, traveller: Traveller, sensed: boolean): void;
  /** Bit i is group i. */
  greens?(at: Instant, junction: string, greens: number, ambers: number): void;
  violation?(junction: string, violation: Violation): void;
  collection?(at: Instant, container: string, vehicle: string, fill: number): void;
  overflow?(at: Instant, container: string): void;
  fault?(at: Instant, fault: ScheduledFault, begins: boolean): void;
}

/**
 * A lamp goes from what it takes at `at` to `level` and `power_W`, evenly within `fade_s`, and stays there until its next
 * change; one that fails goes to 0 and its standby power at once.
 */
export interface LevelChange {
  readonly at: Instant;
  readonly lamp: string;
  readonly level: number;
  readonly power_W: number;
  readonly from_W: number;
  readonly fade_s: number;
}

export interface Town {
  start(): void;
  /** Ends in order: agents write what they hold and say goodbye. */
  stop(): void;
  /** The power of one station goes, or of all; `boot` brings back what its disk kept. */
  cut(station?: string): void;
  boot(station?: string): void;
  agent(station: string): Agent | undefined;
  /** The time that a station believes it is, or its clock while it has no power. Raises RangeError for an unknown one. */
  timeAt(station: string): Instant;
  readonly world: World;
  /** Fill levels, counters and positions, to go on from later. */
  save(): string;
  /** Takes up what `save` gave, before `start`. */
  restore(text: string): void;
  figures(): TownFigures;
}

export interface TownFigures {
  readonly energy_kWh: number;
  readonly power_W: number;
  readonly lit: number;
  readonly trips: Readonly<Record<Traveller, number>>;
  readonly passages: number;
  readonly sensed: number;
  readonly falseAlarms: number;
  readonly collections: number;
  readonly overflows: number;
  readonly violations: number;
  readonly stationsUp: number;
}

/** How far a clock is ahead unless the fault says. */
const USUALLY_WRONG_S = 3600;
/** A lamp's mean time to its end, and how long it takes until someone comes with a ladder. */
const LAMP_LIFE_H = 60_000;
const REPAIR_H = { least: 6, most: 48 };

/**
 * A town: every device of the territory runs the real agent, on hardware that is this world's. What happens in the world
 * depends on the seed and the time alone, device by device, so that one lamp more does not change the others' luck.
 */
export function createTown(options: TownOptions): Town {
  return new SimulatedTown(options);
}

class SimulatedTown implements Town {
  readonly world: World;
  private readonly options: TownOptions;
  private readonly wirings = new Map<string, Wiring>();
  private readonly wiringOf = new Map<string, Wiring>();
  private readonly clocks = new Map<string, Clock>();
  /** How far each of them is off now. */
  private readonly offs = new Map<string, { ms: number }>();
  /** Faults that hold a clock wrong now; of several the newest decides. */
  private readonly wrongClocks = new Map<string, ScheduledFault[]>();
  private readonly agents = new Map<string, Agent>();
  private readonly calledOff: Cancel[] = [];
  private falseAlarms = 0;

  constructor(options: TownOptions) {
    this.options = options;
    const { territory, seed, clock, observer, crowd } = options;
    this.world = createWorld({
      territory,
      seed,
      now: clock.now(),
      ...(crowd !== undefined && { crowd }),
      observer: observer ?? {},
      moved: (device, measure) => this.moved(device, measure),
    });
    for (const [station, devices] of territory.byStation) {
      const off = { ms: 0 };
      this.offs.set(station, off);
      const own = stationClock(clock, () => off.ms);
      const instruments = new Map(
        devices.flatMap(({ id }) => {
          const instrument = this.world.instruments.get(id);
          return instrument === undefined ? [] : [[id, instrument] as const];
        }),
      );
      this.clocks.set(station, own);
      const wiring = simulatedHardware(instruments, clock, own);
      this.wirings.set(station, wiring);
      for (const { id } of devices) this.wiringOf.set(id, wiring);
    }
  }

  private moved(device: string, measure: string): void {
    this.wiringOf.get(device)?.moved(device, measure);
  }

  start(): void {
    const { clock, territory, faults = [] } = this.options;
    this.calledOff.push(this.world.startTraffic(clock));
    this.boot();
    this.calledOff.push(
      this.world.startPeople(clock),
      every(clock, seconds(3600), () => this.world.advanceContainers(clock.now())),
    );
    for (const depot of territory.depots) for (const { id } of depot.vehicles) this.startCrew(id);
    this.falseAlarmsFrom(clock);
    this.lampFailuresFrom(clock);
    for (const fault of faults.filter(inTheStreet)) {
      this.calledOff.push(
        clock.after(seconds(fault.at_s), () => {
          this.strike(fault, true);
          this.calledOff.push(clock.after(seconds(fault.for_s), () => this.strike(fault, false)));
        }),
      );
    }
  }

  private startCrew(vehicle: string): void {
    const crew = this.world.crews.get(vehicle);
    const station = this.options.territory.devices.get(vehicle)?.station ?? "";
    if (crew === undefined) return;
    const sheet = (): ReturnType<VehicleBehaviour["round"]> => {
      const behaviour = this.agents.get(station)?.behaviour(vehicle);
      return behaviour !== undefined && "round" in behaviour ? (behaviour as VehicleBehaviour).round() : undefined;
    };
    this.calledOff.push(crew.start(this.options.clock, sheet));
  }

  boot(station?: string): void {
    const { territory, seed, uplink, diskFor, verifier, passwordFor, version = "simulated", behaviours } = this.options;
    for (const name of station === undefined ? territory.byStation.keys() : [station]) {
      const hardware = this.wirings.get(name);
      const clock = this.clocks.get(name);
      if (hardware === undefined || clock === undefined || this.agents.has(name)) continue;
      const agent = createAgent({
        territory,
        station: name,
        hardware,
        uplink,
        disk: diskFor(name),
        clock,
        chance: seededChance(seed).branch(`agent ${name} ${clock.now()}`),
        verifier,
        password: passwordFor(name),
        version,
        ...(behaviours && { behaviours }),
      });
      this.agents.set(name, agent);
      agent.start();
    }
  }

  cut(station?: string): void {
    for (const [name, agent] of this.agents) {
      if (station !== undefined && name !== station) continue;
      agent.cut();
      this.agents.delete(name);
      for (const { id } of this.options.territory.byStation.get(name) ?? []) {
        this.world.powerGone(id, this.options.clock.now());
      }
    }
  }

  stop(): void {
    for (const cancel of this.calledOff.splice(0).toReversed()) cancel();
    for (const agent of this.agents.values()) agent.stop();
    this.agents.clear();
  }

  agent(station: string): Agent | undefined {
    return this.agents.get(station);
  }

  timeAt(station: string): Instant {
    const clock = this.clocks.get(station);
    if (clock === undefined) throw new RangeError(`no station ${station}`);
    return this.agents.get(station)?.now() ?? clock.now();
  }

  private falseAlarmsFrom(clock: Clock): void {
    for (const sensor of this.world.presences) {
      let cancel: Cancel = () => undefined;
      const wait = (): void => {
        cancel = clock.after(seconds(sensor.nextFalse() / 1000), () => {
          if (sensor.trigger(clock.now())) {
            this.falseAlarms++;
            this.moved(sensor.id, "passes");
          }
          wait();
        });
      };
      wait();
      this.calledOff.push(() => cancel());
    }
  }

  private lampFailuresFrom(clock: Clock): void {
    const lamps = [...this.world.lamps.values()];
    if (lamps.length === 0) return;
    const chance = seededChance(this.options.seed).branch(`lamp failures ${clock.now()}`);
    let cancel: Cancel = () => undefined;
    const wait = (): void => {
      cancel = clock.after(seconds(exponential(chance, lamps.length / LAMP_LIFE_H) * 3600), () => {
        this.failLamp(pick(chance, lamps).id, uniform(chance, REPAIR_H.least, REPAIR_H.most) * HOUR);
        wait();
      });
    };
    wait();
    this.calledOff.push(() => cancel());
  }

  private failLamp(id: string, for_ms: number): void {
    const { clock, observer } = this.options;
    const lamp = this.world.lamps.get(id);
    if (lamp === undefined) return;
    lamp.fail(clock.now(), clock.now() + for_ms);
    const tell = (): void => {
      observer?.levelChanged?.({ at: clock.now(), lamp: id, ...lamp.course(clock.now()) });
      this.moved(id, "failed");
    };
    tell();
    const mended = clock.after(seconds(for_ms / 1000), tell);
    this.calledOff.push(mended);
  }

  private strike(fault: ScheduledFault, begins: boolean): void {
    const { clock, territory, observer } = this.options;
    observer?.fault?.(clock.now(), fault, begins);
    const { kind, target } = fault;
    if (kind === "clock-wrong") {
      const stations = target === undefined ? territory.byStation.keys() : [target];
      for (const station of stations) {
        const wrong = (this.wrongClocks.get(station) ?? []).filter((each) => each !== fault);
        if (begins) wrong.push(fault);
        this.wrongClocks.set(station, wrong);
        const newest = wrong.at(-1);
        const off = this.offs.get(station);
        if (off !== undefined) off.ms = newest === undefined ? 0 : (newest.amount ?? USUALLY_WRONG_S) * 1000;
      }
    } else if (kind === "lamp-failed") {
      if (!begins) return;
      for (const lamp of target === undefined ? this.world.lamps.keys() : [target])
        this.failLamp(lamp, fault.for_s * 1000);
    } else {
      for (const { id, station, kind: what } of territory.devices.values()) {
        if (target === undefined ? !SENSORS.has(what) : target !== id) continue;
        this.wirings.get(station)?.ail(id, kind === "sensor-stuck" ? "stuck" : "silent", begins);
      }
    }
  }

  save(): string {
    return JSON.stringify(this.world.save(this.options.clock.now()));
  }

  restore(text: string): void {
    this.world.restore(JSON.parse(text));
  }

  figures(): TownFigures {
    const now = this.options.clock.now();
    let stationsUp = 0;
    for (const agent of this.agents.values()) if (agent.stats().up) stationsUp++;
    return { ...this.world.figures(now), falseAlarms: this.falseAlarms, stationsUp };
  }
}

/** What a fault of all sensors strikes. */
const SENSORS: ReadonlySet<string> = new Set(["presence", "photocell", "container", "loop", "camera", "button"]);
