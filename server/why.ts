import type { Alternative, Evidence } from "#control/decision.ts";
import { stepAt } from "#control/lighting/steps.ts";
import { nightAt } from "#control/lighting/sun.ts";
import type { RoundPlan } from "#control/waste/rounds.ts";
import { Fault } from "#protocol/faults.ts";
import { LAMP_RULES, SIGNAL_MODES } from "#protocol/kinds.ts";
import type { OrderOf } from "#protocol/messages.ts";
import type { Territory } from "#protocol/territory.ts";
import type { Clock } from "#protocol/ports.ts";
import type { Instant } from "#protocol/units.ts";
import type { Journal, JournalEntry } from "./journal.ts";
import type { Override, Overrides } from "./overrides.ts";
import type { Latest, Registry, Twin } from "./registry.ts";

/** Everything behind a device's value now, without words: the words are in the console's dictionary. */
export interface Explanation {
  readonly device: string;
  readonly at: Instant;
  /** The measure that says most about the device, and its newest value. */
  readonly measure?: string;
  readonly latest?: Latest;
  /** The rule that settles the value now; its sentence is `rule.{because}`. */
  readonly because?: string;
  readonly evidence: Evidence;
  readonly alternatives: readonly Alternative<unknown>[];
  readonly validUntil?: Instant;
  /** The journal entry of the decision behind it, and what it decided. */
  readonly entry?: number;
  readonly value?: unknown;
  readonly override?: Override;
  /** What the machine would do if the hand let go. */
  readonly machine?: { readonly because: string; readonly value: unknown };
}

export interface WhyParts {
  readonly territory: Territory;
  readonly registry: Registry;
  readonly journal: Journal;
  readonly overrides: Overrides;
  readonly clock: Clock;
}

/** Explains a device: what it does, by which rule, on what evidence, what else there was, and until when. Raises Fault NOT_FOUND. */
export function explain(parts: WhyParts, device: string): Explanation {
  const twin = parts.registry.twin(device);
  if (twin === undefined) throw new Fault("NOT_FOUND", { thing: "device", id: device });
  const base = { device, at: parts.clock.now(), evidence: {}, alternatives: [] };
  const { kind } = twin.device;
  if (kind === "lamp") return { ...base, ...headline(twin, "level"), ...lamp(parts, twin) };
  if (kind === "signal") return { ...base, ...headline(twin, "longest_wait_s"), ...signal(parts, twin) };
  if (kind === "container") return { ...base, ...headline(twin, "fill"), ...container(parts, twin) };
  if (kind === "vehicle") return { ...base, ...headline(twin, "stop"), ...behind(entryBehind(parts, twin)) };
  // Sensors decide nothing.
  return { ...base, ...headline(twin, [...twin.values.keys()][0]) };
}

type Part = Partial<Omit<Explanation, "device" | "at">>;

function headline(twin: Twin, measure: string | undefined): Part {
  const latest = measure === undefined ? undefined : twin.values.get(measure);
  return { ...(measure !== undefined && { measure }), ...(latest !== undefined && { latest: { ...latest } }) };
}

function lamp(parts: WhyParts, twin: Twin): Part {
  const { registry, overrides, clock } = parts;
  const now = clock.now();
  const entry = entryBehind(parts, twin);
  const [lon, lat] = twin.device.position;
  const night = nightAt(now, lat, lon);
  const plan = programmeNow(twin, now);
  const rule = LAMP_RULES[twin.values.get("rule")?.value ?? -1];
  const override = overrides.holding(twin.device.id);
  const sensor = (parts.territory.byStation.get(twin.device.station) ?? []).find((each) => each.kind === "presence");
  const evidence: Evidence = {
    ...entry?.decision.evidence,
    dark: night.dark,
    night_changes_at: night.until,
    idle_level: plan?.step.idle ?? null,
    active_level: plan?.step.active ?? null,
    hold_s: plan?.programme.hold_s ?? null,
    floor: plan?.programme.floor ?? null,
    power_W: twin.values.get("power_W")?.value ?? null,
    last_counted_at: sensor === undefined ? null : (registry.latest(sensor.id, "passes")?.at ?? null),
  };
  const machine = machineOf(night.dark, plan);
  const until = lampUntil(override, twin.values.get("rule"), night.until, plan, now);
  const { validUntil: _programmeEnds, ...decided } = behind(entry);
  return {
    ...decided,
    ...(rule !== undefined && { because: rule }),
    evidence,
    ...(until !== undefined && { validUntil: until }),
    ...(override !== undefined && { override, machine }),
  };
}

interface PlanNow {
  readonly programme: OrderOf<"programme">;
  readonly step: { readonly idle: number; readonly active: number };
  readonly until: number;
}

function programmeNow(twin: Twin, now: Instant): PlanNow | undefined {
  const programme = twin.machine?.order;
  return programme?.action === "programme" ? { programme, ...stepAt(programme.steps, now) } : undefined;
}

function machineOf(dark: boolean, plan: PlanNow | undefined): { because: string; value: unknown } {
  if (!dark) return { because: "daylight", value: { level: 0 } };
  if (plan === undefined) return { because: "class-level", value: null };
  return { because: "programme", value: { idle: plan.step.idle, active: plan.step.active } };
}

/** Until when a lamp stays as it is; undefined while people keep passing, for only the lamp knows the last of them. */
function lampUntil(
  override: Override | undefined,
  reported: Latest | undefined,
  nightChanges: Instant,
  plan: PlanNow | undefined,
  now: Instant,
): Instant | undefined {
  if (override !== undefined) return override.until;
  const rule = LAMP_RULES[reported?.value ?? -1];
  if (rule === "daylight" || plan === undefined) return nightChanges;
  if (rule === "presence" && reported !== undefined) {
    const quiet = reported.at + plan.programme.hold_s * 1000;
    return quiet > now ? (quiet as Instant) : undefined;
  }
  return Math.min(nightChanges, plan.until) as Instant;
}

function signal(parts: WhyParts, twin: Twin): Part {
  const entry = entryBehind(parts, twin);
  const override = parts.overrides.holding(twin.device.id);
  const mode = SIGNAL_MODES[twin.values.get("mode")?.value ?? -1];
  const junction = parts.territory.junctions.find((each) => each.id === twin.device.id);
  const stage = junction?.stages[twin.values.get("stage")?.value ?? -1]?.id ?? null;
  const evidence: Evidence = {
    ...entry?.decision.evidence,
    mode: mode ?? null,
    stage,
    longest_wait_s: twin.values.get("longest_wait_s")?.value ?? null,
    queue: twin.values.get("queue")?.value ?? null,
    gap_outs: twin.values.get("terminations")?.value ?? null,
  };
  const framed = mode === "adaptive" || mode === "frame";
  const because =
    override !== undefined ? "override" : framed || mode === undefined ? entry?.decision.because : `signal-${mode}`;
  return {
    ...behind(entry),
    ...(because !== undefined && { because }),
    evidence,
    ...(override !== undefined && {
      override,
      validUntil: override.until,
      machine: { because: entry?.decision.because ?? "signal-fixed", value: twin.machine?.order ?? null },
    }),
  };
}

function container(parts: WhyParts, twin: Twin): Part {
  const { id } = twin.device;
  for (const depot of parts.territory.depots) {
    const entry = parts.journal.latest("waste.rounds", depot.id);
    if (entry === undefined) continue;
    const plan = entry.decision.value as RoundPlan;
    for (const round of plan.rounds) {
      const stop = round.stops.find((each) => each.site === id);
      if (stop === undefined) continue;
      const { eta, because, expectedFill_q50 = null, expectedFill_q90 = null } = stop;
      const evidence = {
        ...entry.decision.evidence,
        round: round.id,
        eta,
        q50: expectedFill_q50,
        q90: expectedFill_q90,
      };
      return { ...behind(entry), because: because ?? entry.decision.because, evidence, value: stop };
    }
    const skipped = plan.skipped.find((each) => each.container === id);
    if (skipped === undefined) continue;
    const { because, q50, q90, risk } = skipped;
    return { ...behind(entry), because, evidence: { ...entry.decision.evidence, q50, q90, risk }, value: skipped };
  }
  return {};
}

function entryBehind({ journal }: WhyParts, twin: Twin): JournalEntry | undefined {
  return twin.machine?.entry === undefined ? undefined : journal.show(twin.machine.entry);
}

function behind(entry: JournalEntry | undefined): Part {
  if (entry === undefined) return {};
  const { because, evidence, alternatives, validUntil, value } = entry.decision;
  return { entry: entry.id, because, evidence, alternatives, validUntil, value };
}
