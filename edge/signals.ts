import { come, createArrivals, noteArrivals } from "#control/traffic/arrivals.ts";
import type { Input } from "#control/traffic/detection.ts";
import { call, count, createDetection, isBlind, judgeSilence, occupy } from "#control/traffic/detection.ts";
import { isFeasible, LONGEST_WAIT_S } from "#control/traffic/guard.ts";
import type { SignalMode } from "#control/traffic/junction.ts";
import { createJunction, stepJunction } from "#control/traffic/junction.ts";
import { longestWait_s } from "#control/traffic/measures.ts";
import type { Timing } from "#control/traffic/plan.ts";
import { longestRed_ms, timingOfFixedPlan, timingOfFrame } from "#control/traffic/plan.ts";
import { junctionTables } from "#control/traffic/tables.ts";
import { Fault } from "#protocol/faults.ts";
import { GREEN_ENDS, SIGNAL_MODES } from "#protocol/kinds.ts";
import type { Order, OrderOf } from "#protocol/messages.ts";
import { order as orderShape } from "#protocol/messages.ts";
import type { Cancel } from "#protocol/ports.ts";
import type { Instant } from "#protocol/units.ts";
import { seconds } from "#protocol/units.ts";
import type { Behaviour, BehaviourContext } from "./behaviour.ts";

/** The step of a junction. */
const STEP = seconds(1);
/** A timer may be so late in ms; what the clock gains beyond that was not waited for. */
const LATEST_MS = 250;
/** How often an input that has said nothing meanwhile is asked whether it still answers. */
const ASK_MS = 10_000;
/** Counted terminations are written down ahead by so many, so that the counter never falls back after a power cut. */
const RESERVE = 500;

/** What survives a restart of the cabinet. */
interface Kept {
  readonly frame?: OrderOf<"frame">;
  readonly override?: OrderOf<"signal-override">;
  /** The counter of terminations is below this. */
  readonly terminations: number;
  /** What these had counted when it was last written: after a power cut they go on from there. */
  readonly arrivals_green: number;
  readonly arrivals_red: number;
  readonly split_failures: number;
}

/**
 * A signalled junction on its own cabinet: it adapts inside its frame second by second, keeps its last frame until that
 * ends and then its fixed plan, and shows only what the guard lets through. With no server and no network it goes on.
 * Raises Fault DEVICE_UNKNOWN when the territory has no such junction.
 */
export function signalBehaviour(context: BehaviourContext): Behaviour {
  return new Signals(context);
}

const servedBy = ({ slots }: Timing): number => slots.reduce((mask, slot) => mask | slot.mask, 0) >>> 0;

class Signals implements Behaviour {
  private readonly context: BehaviourContext;
  private readonly tables;
  private readonly fixed: Timing;
  private readonly detection;
  private readonly arrivals;
  private readonly inputs = new Map<string, Input>();
  private readonly state;
  private readonly step: {
    detection: ReturnType<typeof createDetection>;
    mode: SignalMode;
    timing: Timing;
    wall: number;
  };
  private frame: OrderOf<"frame"> | undefined;
  private frameTiming: Timing | undefined;
  private override: OrderOf<"signal-override"> | undefined;
  private cancel: Cancel | undefined;
  /**
   * Steady time in ms. The guard's times must not depend on a clock that someone sets: from one step to the next it goes on
   * by the delay that was asked for and a timer's lateness, whatever the clock says.
   */
  private steady = 0;
  private wall: number;
  /** No loop says anything that can be believed. */
  private blind = false;
  private askedAt = Number.NEGATIVE_INFINITY;
  private terminationsBefore = 0;
  private failuresBefore = 0;
  private reserved = 0;
  private shownGreens = -1;
  private shownAmbers = -1;
  private shownMode: SignalMode | undefined;

  constructor(context: BehaviourContext) {
    this.context = context;
    const { territory, device } = context;
    const junction = territory.junctions.find((each) => each.id === device.id);
    if (junction === undefined) throw new Fault("DEVICE_UNKNOWN", { device: device.id, station: device.station });
    this.tables = junctionTables(junction);
    this.fixed = timingOfFixedPlan(this.tables, junction);
    const here = (each: { junction: string; station: string }): boolean =>
      each.junction === junction.id && each.station === device.station;
    const detectors = territory.detectors.filter(here);
    this.detection = createDetection(this.tables, junction, detectors, territory.buttons.filter(here), 0);
    this.arrivals = createArrivals(this.tables, junction, detectors, territory.streets);
    for (const input of this.detection.inputs) this.inputs.set(input.id, input);
    this.state = createJunction(this.tables, 0);
    this.wall = context.clock.now();
    this.step = { detection: this.detection, mode: "fixed", timing: this.fixed, wall: this.wall };
  }

  start(): void {
    this.remember();
    this.wall = this.context.clock.now();
    this.cancel = this.context.clock.after(STEP, () => this.turn());
    this.show();
  }

  stop(): void {
    this.cancel?.();
    this.save(this.terminations);
  }

  read(measure: string): number | undefined {
    const { state } = this;
    switch (measure) {
      case "stage":
        return state.changing || state.guard.flashing ? -1 : state.stage;
      case "greens":
        return state.guard.greens;
      case "longest_wait_s":
        return Math.round(longestWait_s(state.measures, this.steady));
      case "queue":
        return this.detection.queue.reduce((sum, each) => sum + each, 0);
      case "mode":
        return SIGNAL_MODES.indexOf(state.mode);
      case "ended":
        return GREEN_ENDS.indexOf(state.measures.ended);
      case "terminations":
        return this.terminations;
      case "arrivals_green":
        return Math.round(this.arrivals.green);
      case "arrivals_red":
        return Math.round(this.arrivals.red);
      case "split_failures":
        return this.failuresBefore + state.measures.splitFailures;
      default:
        return undefined;
    }
  }

  obey(given: Order): string | undefined {
    const now = this.context.clock.now();
    if (given.action === "release") this.override = undefined;
    else if (given.action === "signal-override") {
      if (given.until <= now) return "the override has already ended";
      if (given.mode === "frame" && !this.hasFrame(now)) return "there is no frame that is still valid";
      this.override = given;
    } else if (given.action === "frame") {
      const problem = this.take(given, now);
      if (problem !== undefined) return problem;
    } else return `a junction does not know ${given.action}`;
    this.save(this.reserved);
    return undefined;
  }

  /** Records; what follows from it is decided at the next step. */
  sensed(device: string, measure: string): void {
    const input = this.inputs.get(device);
    if (input === undefined) return;
    const value = this.context.hardware.read(device, measure);
    if (value !== undefined) this.hear(input, measure, value);
  }

  heard(): void {}

  private hear(input: Input, measure: string, value: number): void {
    const now = this.steady + this.sinceWake(this.context.clock.now());
    if (measure === "vehicles") come(this.arrivals, input.id, count(this.detection, input, value, now), now);
    else if (measure === "occupied" && input.kind === "stop-line") occupy(this.detection, input, value > 0, now);
    else if (measure === "waiting") call(this.detection, input, value > 0, now);
  }

  private sinceWake(wall: number): number {
    return Math.min(Math.max(0, wall - this.wall), STEP * 1000);
  }

  private turn(): void {
    const { clock } = this.context;
    this.cancel = clock.after(STEP, () => this.turn());
    const wall = clock.now();
    this.steady += STEP * 1000 + Math.min(Math.max(0, wall - this.wall - STEP * 1000), LATEST_MS);
    this.wall = wall;
    if (this.steady - this.askedAt >= ASK_MS) this.ask();
    this.choose();
    stepJunction(this.state, this.step, this.steady);
    noteArrivals(this.arrivals, this.state.guard, this.detection, this.steady);
    this.show();
  }

  /** Which mode and timing hold now: the override's, else the frame, else the fixed plan. */
  private choose(): void {
    const now = this.wall as Instant;
    // Kept beyond its end: a clock that ran ahead and is set right must not have ended it for good.
    const holds = this.override !== undefined && this.override.until > now;
    const mode = holds ? (this.override as OrderOf<"signal-override">).mode : "adaptive";
    // A frame is made from counts and adapted by loops: where none can be believed, the fixed plan was made for that.
    const framed = (mode === "adaptive" || mode === "frame") && this.hasFrame(now) && !this.blind;
    this.step.mode = framed || mode === "flash" ? mode : "fixed";
    this.step.timing = framed ? (this.frameTiming as Timing) : this.fixed;
    this.step.wall = now;
  }

  private hasFrame(now: Instant): boolean {
    return this.frame !== undefined && this.frame.until > now;
  }

  private take(frame: OrderOf<"frame">, now: Instant): string | undefined {
    if (frame.until <= now) return "the frame has already ended";
    for (const { stage, min_s, target_s, max_s } of frame.stages) {
      if (min_s > target_s || target_s > max_s) return `stage ${stage} has its target outside its range`;
    }
    const timing = timingOfFrame(this.tables, frame);
    if (timing === undefined) return "it names a stage that this junction does not have";
    if ((servedBy(this.fixed) & ~servedBy(timing)) !== 0) return "it leaves out a group that the fixed plan serves";
    // The guard would cut it to minimum greens, which empty no queue. Where the junction itself has no room, it must do that.
    const red_s = longestRed_ms(this.tables, timing) / 1000;
    if (red_s > LONGEST_WAIT_S && isFeasible(this.state.guard)) return `it leaves someone at red for ${red_s} s`;
    this.frame = frame;
    this.frameTiming = timing;
    return undefined;
  }

  /** Asks the inputs, so that one that does not answer is noticed, and one that moved unseen is caught up with. */
  private ask(): void {
    this.askedAt = this.steady;
    const { hardware } = this.context;
    for (const input of this.detection.inputs) {
      if (this.steady - input.heardAt < ASK_MS) continue;
      if (input.kind === "button") {
        const waiting = hardware.read(input.id, "waiting");
        if (waiting !== undefined) this.hear(input, "waiting", waiting);
        continue;
      }
      const vehicles = hardware.read(input.id, "vehicles");
      if (vehicles !== undefined) this.hear(input, "vehicles", vehicles);
      if (input.kind === "advance") continue;
      const occupied = hardware.read(input.id, "occupied");
      const known = (this.detection.occupied >>> input.group) & 1;
      if (occupied !== undefined && occupied !== known) this.hear(input, "occupied", occupied);
    }
    judgeSilence(this.detection, this.steady);
    this.blind = isBlind(this.detection, this.steady);
  }

  /** Ambers are written first: in between a group may then seem green a moment longer, but never dark. */
  private show(): void {
    const { guard, mode, changing } = this.state;
    const { hardware, device } = this.context;
    if (guard.ambers !== this.shownAmbers) {
      this.shownAmbers = guard.ambers;
      hardware.write(device.id, "ambers", guard.ambers);
    }
    if (guard.greens !== this.shownGreens) {
      this.shownGreens = guard.greens;
      hardware.write(device.id, "greens", guard.greens);
      this.context.report("greens");
      if (!changing) this.context.report("stage");
    }
    if (mode !== this.shownMode) {
      this.shownMode = mode;
      this.context.report("mode");
    }
    if (this.terminations >= this.reserved) this.save(this.terminations + RESERVE);
  }

  private get terminations(): number {
    return this.terminationsBefore + this.state.measures.gapOuts;
  }

  private save(reserved: number): void {
    this.reserved = reserved;
    const kept: Kept = {
      ...(this.frame !== undefined && { frame: this.frame }),
      ...(this.override !== undefined && { override: this.override }),
      terminations: reserved,
      arrivals_green: Math.round(this.arrivals.green),
      arrivals_red: Math.round(this.arrivals.red),
      split_failures: this.failuresBefore + this.state.measures.splitFailures,
    };
    this.context.memory.save(JSON.stringify(kept));
  }

  /** What is no longer readable or no longer fits this junction is left behind: the fixed plan always works. */
  private remember(): void {
    const text = this.context.memory.load();
    if (text === undefined) return;
    try {
      const kept = JSON.parse(text) as Partial<Record<keyof Kept, unknown>>;
      if (Number.isSafeInteger(kept.terminations)) this.terminationsBefore = kept.terminations as number;
      this.reserved = this.terminationsBefore;
      if (Number.isSafeInteger(kept.arrivals_green)) this.arrivals.green = kept.arrivals_green as number;
      if (Number.isSafeInteger(kept.arrivals_red)) this.arrivals.red = kept.arrivals_red as number;
      if (Number.isSafeInteger(kept.split_failures)) this.failuresBefore = kept.split_failures as number;
      for (const each of [kept.frame, kept.override]) {
        if (each !== undefined) this.obey(orderShape.parse(each, ""));
      }
    } catch (problem) {
      if (!(problem instanceof Fault) && !(problem instanceof SyntaxError)) throw problem;
    }
  }
}
