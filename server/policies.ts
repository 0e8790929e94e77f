import { PROGRAMME_POLICY } from "#control/lighting/programme.ts";
import { SELECTION_POLICY } from "#control/waste/selection.ts";
import { Fault } from "#protocol/faults.ts";
import type { Clock } from "#protocol/ports.ts";
import type { Territory } from "#protocol/territory.ts";
import type { Instant } from "#protocol/units.ts";
import type { Journal } from "./journal.ts";
import type { State } from "./state.ts";

export const POLICY_NAMES = ["lighting.programme", "traffic.frame", "waste.rounds"] as const;
export type PolicyName = (typeof POLICY_NAMES)[number];
/** Shadow decides and records; pilot acts on a group beside a control group; general acts everywhere. */
export type PolicyMode = "shadow" | "pilot" | "general";

/** Names of streets, junctions, depots or zones: where the policy acts, and what it is compared with. */
export interface Pilot {
  readonly acting: readonly string[];
  readonly control: readonly string[];
}

export interface Policy {
  readonly name: PolicyName;
  readonly mode: PolicyMode;
  readonly pilot: Pilot;
  readonly parameters: Readonly<Record<string, number>>;
  readonly changedAt: Instant;
  readonly changedBy: string;
}

export interface PolicyChange {
  readonly mode: PolicyMode;
  readonly pilot?: Pilot;
  readonly parameters?: Readonly<Record<string, number>>;
}

export interface Policies {
  get(name: PolicyName): Policy;
  list(): Policy[];
  /** Journalled. Raises Fault PAYLOAD_INVALID (unknown parameter or place, a place in both groups, an empty pilot). */
  change(name: PolicyName, change: PolicyChange, author: string): Policy;
  /** Whether a decision about this street, junction or depot reaches the street. */
  acts(name: PolicyName, subject: string): boolean;
  subscribe(listener: (policy: Policy) => void): () => void;
}

/** Each parameter with what it is unless somebody changed it, and its bounds; the unit ends the name. */
export const PARAMETERS: Readonly<
  Record<PolicyName, Readonly<Record<string, readonly [usual: number, min: number, max: number]>>>
> = {
  "lighting.programme": {
    /** Share of full output while nobody is near, and below which nothing falls at night. */
    idle: [PROGRAMME_POLICY.idle, 0.05, 1],
    floor: [PROGRAMME_POLICY.floor, 0.05, 1],
    hold_s: [PROGRAMME_POLICY.hold_s, 5, 600],
  },
  "traffic.frame": {
    every_min: [15, 5, 120],
    /** How much history the flows are counted over. */
    counted_min: [30, 5, 240],
  },
  "waste.rounds": {
    /** The local hour at which the day's rounds are made. */
    at_h: [5, 0, 23],
    /** What an overflow costs, in seconds of a crew's work. */
    overflow_s: [SELECTION_POLICY.overflow_s, 0, 86_400],
    /** The level from which a container is emptied without any sum, and below which never. */
    full: [SELECTION_POLICY.full, 0.3, 1.5],
    least: [SELECTION_POLICY.least, 0, 1],
    longest_d: [SELECTION_POLICY.longest_d, 1, 60],
  },
};

export function openPolicies(state: State, journal: Journal, territory: Territory, clock: Clock): Policies {
  const policies = new Map<PolicyName, Policy>();
  const listeners = new Set<(policy: Policy) => void>();
  const zones = zonesOf(territory);
  for (const name of POLICY_NAMES) policies.set(name, load(state, name));

  const get = (name: PolicyName): Policy => policies.get(name) as Policy;
  return {
    get,
    list: () => POLICY_NAMES.map(get),
    change(name, change, author) {
      const before = get(name);
      const pilot = change.pilot ?? before.pilot;
      const parameters = { ...before.parameters, ...change.parameters };
      checkParameters(name, parameters);
      checkPilot(pilot, change.mode, territory);
      const now = clock.now();
      const policy: Policy = { name, mode: change.mode, pilot, parameters, changedAt: now, changedBy: author };
      state.transaction(() => {
        state.run(
          "INSERT OR REPLACE INTO policies VALUES (?, ?, ?, ?, ?, ?)",
          name,
          policy.mode,
          JSON.stringify(pilot),
          JSON.stringify(parameters),
          now,
          author,
        );
        journal.append({
          at: now,
          name: "policy.change",
          subject: name,
          inputs: { before: { mode: before.mode, pilot: before.pilot, parameters: before.parameters } },
          decision: {
            value: { mode: policy.mode, pilot, parameters },
            because: "policy-change",
            evidence: { mode_before: before.mode, mode: policy.mode },
            alternatives: [],
            validUntil: now,
          },
          mode: "hand",
          acted: true,
          author,
        });
      });
      policies.set(name, policy);
      for (const listener of listeners) listener(policy);
      return policy;
    },
    acts(name, subject) {
      const { mode, pilot } = get(name);
      if (mode !== "pilot") return mode === "general";
      const zone = zones.get(subject);
      return (
        pilot.acting.includes(subject) ||
        (zone !== undefined && pilot.acting.includes(zone) && !pilot.control.includes(subject))
      );
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function load(state: State, name: PolicyName): Policy {
  const defaults = Object.fromEntries(Object.entries(PARAMETERS[name]).map(([key, [value]]) => [key, value]));
  const row = state.get("SELECT * FROM policies WHERE name = ?", name);
  if (row === undefined) {
    const pilot = { acting: [], control: [] };
    return { name, mode: "general", pilot, parameters: defaults, changedAt: 0 as Instant, changedBy: "vigie" };
  }
  return {
    name,
    mode: row["mode"] as PolicyMode,
    pilot: JSON.parse(String(row["pilot"])) as Pilot,
    parameters: { ...defaults, ...(JSON.parse(String(row["parameters"])) as Record<string, number>) },
    changedAt: row["changed_at"] as Instant,
    changedBy: String(row["changed_by"]),
  };
}

function zonesOf(territory: Territory): ReadonlyMap<string, string> {
  const zones = new Map<string, string>();
  for (const street of territory.streets) if (street.zone !== undefined) zones.set(street.id, street.zone);
  for (const junction of territory.junctions) {
    const zone = territory.devices.get(junction.id)?.zone;
    if (zone !== undefined) zones.set(junction.id, zone);
  }
  return zones;
}

function checkParameters(name: PolicyName, parameters: Readonly<Record<string, number>>): void {
  for (const [key, value] of Object.entries(parameters)) {
    const path = `parameters.${key}`;
    const bounds = Object.hasOwn(PARAMETERS[name], key) ? PARAMETERS[name][key] : undefined;
    if (bounds === undefined) {
      throw new Fault("PAYLOAD_INVALID", { path, found: value, expected: Object.keys(PARAMETERS[name]).join(", ") });
    }
    const [, min, max] = bounds;
    if (!(value >= min && value <= max)) {
      throw new Fault("PAYLOAD_INVALID", { path, found: value, expected: `a number from ${min} to ${max}` });
    }
  }
}

const refuse = (path: string, found: string, expected: string): Fault =>
  new Fault("PAYLOAD_INVALID", { path, found, expected });

function checkPilot(pilot: Pilot, mode: PolicyMode, territory: Territory): void {
  const known = new Set(
    [...territory.streets, ...territory.junctions, ...territory.depots, ...territory.zones].map((place) => place.id),
  );
  for (const group of ["acting", "control"] as const) {
    for (const place of pilot[group]) {
      if (!known.has(place))
        throw refuse(`pilot.${group}`, place, "a street, junction, depot or zone of this territory");
    }
  }
  const both = pilot.acting.find((place) => pilot.control.includes(place));
  if (both !== undefined) throw refuse("pilot.control", both, "a place that is not in the acting group");
  if (mode === "pilot" && pilot.acting.length === 0) throw refuse("pilot.acting", "nothing", "at least one place");
}
