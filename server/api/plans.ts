import type { RoundPlan } from "#control/waste/rounds.ts";
import type { Instant } from "#protocol/units.ts";
import { DAY } from "#protocol/units.ts";
import type { Journal, JournalEntry } from "../journal.ts";
import type { Offsets } from "../offsets.ts";

export type PlannedRound = RoundPlan["rounds"][number];

/** One depot's rounds for one day, as decided last. */
export interface DayPlan {
  /** Local date, like 2026-03-02. */
  readonly day: string;
  readonly depot: string;
  readonly at: Instant;
  readonly entry: number;
  readonly acted: boolean;
  readonly plan: RoundPlan;
}

/** The plans of the last days in memory; older ones are not shown. */
export interface Plans {
  /** Of each depot, the plan for this day. */
  of(day: string): DayPlan[];
  /** The newest plan of each depot. */
  newest(): DayPlan[];
  round(id: string): { readonly plan: DayPlan; readonly round: PlannedRound } | undefined;
  days(): string[];
}

const KEPT_DAYS = 31;
const PAGE = 20;

/** Reads the journal once and then listens to it: its entries carry whole travel tables, which nobody wants read again. */
export function createPlans(journal: Journal, offsets: Offsets, now: Instant): Plans {
  const plans = new Map<string, DayPlan>();

  const keep = ({ id, at, name, subject, acted, decision }: JournalEntry): void => {
    if (name !== "waste.rounds") return;
    const plan = decision.value as RoundPlan;
    const departure = Math.min(...plan.rounds.flatMap(({ stops }) => stops[0]?.eta ?? []));
    const day = offsets.day((Number.isFinite(departure) ? departure : at) as Instant);
    const known = plans.get(`${day} ${subject}`);
    if (known !== undefined && known.entry > id) return;
    plans.set(`${day} ${subject}`, { day, depot: subject, at, entry: id, acted, plan });
    const oldest = offsets.day((at - KEPT_DAYS * DAY) as Instant);
    for (const [key, each] of plans) if (each.day < oldest) plans.delete(key);
  };

  const from = (now - KEPT_DAYS * DAY) as Instant;
  for (let before: number | undefined; ;) {
    const entries = journal.list({ name: "waste.rounds", from }, PAGE, before);
    for (const entry of entries) keep(entry);
    before = entries.at(-1)?.id;
    if (entries.length < PAGE) break;
  }
  journal.subscribe(keep);

  const newest = (): DayPlan[] => {
    const byDepot = new Map<string, DayPlan>();
    for (const plan of plans.values()) {
      const known = byDepot.get(plan.depot);
      if (known === undefined || plan.day > known.day) byDepot.set(plan.depot, plan);
    }
    return [...byDepot.values()];
  };

  return {
    of: (day) => [...plans.values()].filter((plan) => plan.day === day),
    newest,
    round(id) {
      for (const plan of plans.values()) {
        const round = plan.plan.rounds.find((each) => each.id === id);
        if (round !== undefined) return { plan, round };
      }
      return undefined;
    },
    days: () => [...new Set([...plans.values()].map(({ day }) => day))].sort(),
  };
}
