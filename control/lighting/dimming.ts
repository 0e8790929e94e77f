import type { Alternative, Decision, Evidence } from "#control/decision.ts";
import type { LAMP_RULES } from "#protocol/kinds.ts";
import type { OrderOf } from "#protocol/messages.ts";
import type { Instant, Level, Seconds } from "#protocol/units.ts";
import { level } from "#protocol/units.ts";
import type { Night } from "./sun.ts";
import { stepAt } from "./steps.ts";

export type LampRule = (typeof LAMP_RULES)[number];

/** What a lamp knows when it settles its level, all of it on the pole. */
export interface LampState {
  readonly now: Instant;
  /** By its own sun (nightAt), asked again at `until`. */
  readonly night: Night;
  /** What full darkness asks for without any programme: the class's level. */
  readonly classLevel: Level;
  /** Never darker than this at night while there is no programme; a programme brings its own floor. */
  readonly floor: Level;
  readonly programme?: OrderOf<"programme">;
  readonly override?: { readonly level: number; readonly until: number };
  /** When someone was last seen here or by a neighbour within reach. */
  readonly lastPresence?: Instant;
}

/** How long a lamp stays active after a passage while it has no programme that says so. */
const HOLD: Seconds = 30 as Seconds;

const NOTHING: readonly Alternative<Level>[] = [];

/**
 * The level of a lamp now: guard over override over presence over programme over daylight over class level. `validUntil`
 * is the next moment at which the answer can change although nothing happens. The evidence names the level by which
 * each rule that had a say would have gone.
 */
export function dimming(lamp: LampState): Decision<Level> {
  const { now, night, programme, override } = lamp;
  const machine = machineLevel(lamp);
  const floor = night.dark ? level(Math.max(lamp.floor, programme?.floor ?? 0)) : level(0);
  let value = machine.value;
  let because: LampRule = machine.because;
  let validUntil: number = machine.until;
  let alternatives = NOTHING;
  if (override !== undefined && override.until > now) {
    alternatives = [{ value: value > floor ? value : floor, refused: "override" }];
    value = level(override.level);
    because = "override";
    validUntil = Math.min(validUntil, override.until);
  }
  if (value < floor) {
    alternatives = [...alternatives, { value, refused: "guard" }];
    value = floor;
    because = "guard";
  }
  return {
    value,
    because,
    evidence: evidenceOf(lamp, machine, floor),
    alternatives,
    validUntil: validUntil as Instant,
  };
}

function evidenceOf(lamp: LampState, machine: MachineLevel, floor: Level): Evidence {
  return {
    dark: lamp.night.dark,
    floor,
    machine_level: machine.value,
    machine_rule: machine.because,
    programme: lamp.programme !== undefined,
    last_presence: lamp.lastPresence ?? null,
    override_level: lamp.override?.level ?? null,
    override_until: lamp.override?.until ?? null,
  };
}

interface MachineLevel {
  readonly value: Level;
  readonly because: LampRule;
  readonly until: number;
}

/** What the lamp would do if nobody had overruled it. */
function machineLevel({ now, night, classLevel, programme, lastPresence }: LampState): MachineLevel {
  if (!night.dark) return { value: level(0), because: "daylight", until: night.until };
  if (programme === undefined) return { value: classLevel, because: "class-level", until: night.until };
  const { step, until } = stepAt(programme.steps, now);
  const change = Math.min(until, night.until);
  const away = lastPresence === undefined ? now : lastPresence + (programme.hold_s ?? HOLD) * 1000;
  if (step.active > step.idle && away > now) {
    return { value: level(step.active), because: "presence", until: Math.min(change, away) };
  }
  return { value: level(step.idle), because: "programme", until: change };
}
