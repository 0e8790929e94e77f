import { frame } from "#control/traffic/frame.ts";
import type { OrderOf } from "#protocol/messages.ts";
import type { Junction, Territory } from "#protocol/territory.ts";
import { parseTerritory } from "#protocol/territory.ts";
import type { Instant } from "#protocol/units.ts";
import { DAY, HOUR, instant } from "#protocol/units.ts";
import { virtualClock } from "#rehearsal/clock.ts";
import { generateTown } from "#simulators/generate.ts";
import type { JunctionAlone } from "#simulators/junction-alone.ts";
import { junctionAlone } from "#simulators/junction-alone.ts";
import { trafficRate } from "#simulators/traffic-day.ts";
import type { Waits } from "#simulators/waits.ts";
import { addWaits, createWaits, meanWait_s, waitedOver, waitQuantile_s } from "#simulators/waits.ts";
import type { Row } from "./row.ts";

/**
 * A weekday at the signalled junctions of generated towns, over seeds: each policy meets the same vehicles and walkers, and
 * sees them only through loops and buttons. Baselines: the territory's fixed plan; Webster's plan for the mean of the
 * day's true flows (the best that one fixed plan can know); and Webster anew each quarter hour without adapting inside.
 */
export async function run(): Promise<Row[]> {
  const results: Record<Policy, Outcome[]> = { fixed: [], tuned: [], frame: [], adaptive: [] };
  for (const seed of SEEDS) {
    const territory = parseTerritory(generateTown({ seed }));
    for (const policy of POLICIES) {
      const outcomes = [];
      for (const junction of territory.junctions) outcomes.push(await weekday(territory, junction, policy, seed));
      results[policy].push(together(outcomes));
    }
  }
  const saved = results.adaptive.map(
    ({ vehicles }, i) => 100 * (1 - meanWait_s(vehicles) / meanWait_s((results.fixed[i] as Outcome).vehicles)),
  );
  const adaptive = together(results.adaptive);
  const perDay = results.adaptive.map(({ cpu_ms, days }) => cpu_ms / days);
  return [
    ...POLICIES.map((policy) =>
      row(
        `mean delay of vehicles, ${NAMES[policy]}`,
        results[policy].map(({ vehicles }) => meanWait_s(vehicles)),
        "s",
      ),
    ),
    { ...row("delay saved by adaptive against the fixed plan", saved, "%"), better: "more" },
    ...POLICIES.map((policy) =>
      row(
        `mean wait of walkers, ${NAMES[policy]}`,
        results[policy].map(({ walkers }) => meanWait_s(walkers)),
        "s",
      ),
    ),
    row(
      "95 % of vehicles wait at most, adaptive",
      results.adaptive.map(({ vehicles }) => waitQuantile_s(vehicles, 0.95)),
      "s",
    ),
    row(
      "95 % of walkers wait at most, adaptive",
      results.adaptive.map(({ walkers }) => waitQuantile_s(walkers, 0.95)),
      "s",
    ),
    {
      ...row(
        "longest wait of anyone, adaptive",
        results.adaptive.map(({ vehicles, walkers }) => Math.max(vehicles.worst_s, walkers.worst_s)),
        "s",
      ),
      must: 120,
    },
    {
      what: "people who waited over 120 s, adaptive",
      value: waitedOver(adaptive.vehicles, 120) + waitedOver(adaptive.walkers, 120),
      unit: "",
      must: 0,
      better: "less",
    },
    {
      what: "conflicting greens, short intergreens or short greens",
      value: POLICIES.reduce((sum, policy) => sum + together(results[policy]).violations, 0),
      unit: "",
      must: 0,
      better: "less",
    },
    row(
      "vehicles a day and junction",
      results.adaptive.map(({ vehicles, days }) => vehicles.served / days),
      "",
    ),
    row("processor time of a junction's day, street and cabinet", perDay, "ms"),
  ];
}

type Policy = "fixed" | "tuned" | "frame" | "adaptive";
const POLICIES: readonly Policy[] = ["fixed", "tuned", "frame", "adaptive"];
const NAMES: Record<Policy, string> = {
  fixed: "fixed plan",
  tuned: "fixed plan tuned to the day",
  frame: "Webster each quarter hour",
  adaptive: "adaptive inside it",
};
const SEEDS = [1, 2, 3, 4, 5];
/** A Tuesday. */
const START = instant(Date.UTC(2026, 2, 3));
const QUARTER = 900_000;
/** A busy small-town junction. */
const TRAFFIC = { vehicles: 9000, walkers: 1500 };

interface Outcome {
  readonly vehicles: Waits;
  readonly walkers: Waits;
  readonly violations: number;
  readonly cpu_ms: number;
  readonly days: number;
}

async function weekday(territory: Territory, junction: Junction, policy: Policy, seed: number): Promise<Outcome> {
  const clock = virtualClock(START);
  const rate = trafficRate(junction, TRAFFIC, territory.timeZone);
  const began = process.cpuUsage();
  const alone = junctionAlone({ territory, junction: junction.id, rate, seed, clock });
  alone.start();
  const counts = countsOf(alone, territory);
  let current: OrderOf<"frame"> | null = null;
  for (let at = START; at < START + DAY; at = instant(at + QUARTER)) {
    if (policy === "tuned" && at === START)
      current = decide(junction, meanFlows(junction, rate), null, instant(START + 2 * DAY));
    if (policy === "frame" || policy === "adaptive")
      current = decide(junction, counts(at), current, instant(at + 4 * QUARTER));
    if (current !== null) alone.behaviour.obey(current);
    if (current !== null && policy !== "adaptive")
      alone.behaviour.obey({ action: "signal-override", mode: "frame", until: current.until });
    await clock.run(instant(at + QUARTER));
  }
  alone.stop();
  const used = process.cpuUsage(began);
  const vehicles = createWaits();
  const walkers = createWaits();
  for (const { kind, waits } of alone.truth.movements()) addWaits(kind === "vehicle" ? vehicles : walkers, waits);
  return { vehicles, walkers, violations: alone.violations.length, cpu_ms: (used.user + used.system) / 1000, days: 1 };
}

function decide(
  junction: Junction,
  counted: Counted,
  current: OrderOf<"frame"> | null,
  until: Instant,
): OrderOf<"frame"> {
  return frame({ junction, ...counted, current, until }).value;
}

interface Counted {
  readonly flows: Record<string, number>;
  readonly calls: Record<string, number>;
}

/** What was counted at the stop lines and buttons since the last half hour, as the server would. */
function countsOf(alone: JunctionAlone, territory: Territory): (at: Instant) => Counted {
  const { junction } = alone.truth;
  const history: { at: Instant; totals: Map<string, number> }[] = [];
  const inputs = [
    ...territory.detectors
      .filter((each) => each.junction === junction.id && each.place === "stop-line")
      .map((each) => ({ ...each, measure: "vehicles" })),
    ...territory.buttons.filter((each) => each.junction === junction.id).map((each) => ({ ...each, measure: "calls" })),
  ];
  return (at) => {
    const totals = new Map(inputs.map(({ id, measure }) => [id, alone.truth.read(id, measure, at) ?? 0]));
    history.push({ at, totals });
    const past = history.length > 2 ? history[history.length - 3] : history[0];
    const flows: Record<string, number> = {};
    const calls: Record<string, number> = {};
    for (const { id, group, measure } of inputs) {
      const since = at - (past?.at ?? at);
      const perHour = since > 0 ? (((totals.get(id) ?? 0) - (past?.totals.get(id) ?? 0)) * HOUR) / since : 0;
      const into = measure === "vehicles" ? flows : calls;
      into[group] = (into[group] ?? 0) + perHour;
    }
    return { flows, calls };
  };
}

/** The mean of the true flows from 7 to 19 h. */
function meanFlows(junction: Junction, rate: ReturnType<typeof trafficRate>): Counted {
  const mean = (group: Junction["groups"][number]): number => {
    let sum = 0;
    for (let hour = 7; hour < 19; hour++) sum += rate(group, START + hour * HOUR);
    return sum / 12;
  };
  const of = (kind: string) =>
    Object.fromEntries(junction.groups.filter((group) => group.kind === kind).map((group) => [group.id, mean(group)]));
  return { flows: of("vehicle"), calls: of("pedestrian") };
}

function together(outcomes: readonly Outcome[]): Outcome {
  const vehicles = createWaits();
  const walkers = createWaits();
  for (const each of outcomes) {
    addWaits(vehicles, each.vehicles);
    addWaits(walkers, each.walkers);
  }
  const sum = (of: (outcome: Outcome) => number): number => outcomes.reduce((total, each) => total + of(each), 0);
  return {
    vehicles,
    walkers,
    violations: sum((each) => each.violations),
    cpu_ms: sum((each) => each.cpu_ms),
    days: sum((each) => each.days),
  };
}

function row(what: string, values: readonly number[], unit: string): Row {
  const value = values.reduce((sum, each) => sum + each, 0) / values.length;
  return { what, value, unit, better: "less", spread: [Math.min(...values), Math.max(...values)] };
}
