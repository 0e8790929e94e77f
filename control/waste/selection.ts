import type { Candidate } from "./fill.ts";

/** Why a container is visited today, or not; each has a sentence in the console's dictionary. */
export const VISIT_RULES = [
  "full",
  "overflow-risk",
  "too-long",
  "on-the-way",
  "room-left",
  "no-time",
  "no-vehicle",
] as const;
export type VisitRule = (typeof VISIT_RULES)[number];

export interface SelectionPolicy {
  /** What an overflow costs, in seconds of a crew's work: cleaning, complaints. */
  readonly overflow_s: number;
  /** A container at this level is emptied without any sum. */
  readonly full: number;
  /** None waits longer, however empty: smell and vermin. */
  readonly longest_d: number;
  /** Not worth the lid being lifted below this level, even on the way. */
  readonly least: number;
}

export const SELECTION_POLICY: SelectionPolicy = { overflow_s: 3600, full: 0.9, longest_d: 14, least: 0.3 };

export interface Choice {
  readonly candidate: Candidate;
  readonly visit: boolean;
  readonly because: VisitRule;
  /** What not coming is expected to cost, and what coming costs, in seconds. */
  readonly risk_s: number;
  readonly visit_s: number;
  /** What a visit is worth: the risk it takes away, and the share of a later visit that it saves. */
  readonly worth_s: number;
}

/**
 * Which containers to visit today: the risk that one overflows before the next possible visit, times what an overflow
 * costs, against the detour and the service of a visit. First those that ask for it by themselves (a share of a lone trip is
 * their cost), then those that lie on the way of these. `travel_s[from][to]` has the depot at 0 and candidate i at i + 1.
 */
export function selection(
  candidates: readonly Candidate[],
  travel_s: readonly (readonly number[])[],
  policy: SelectionPolicy,
): Choice[] {
  const alone = candidates.map((each, index) =>
    firstLook(each, nearestPair(travel_s, index, allOf(candidates)), policy),
  );
  const chosen = alone.flatMap((choice, index) => (choice.visit ? [index] : []));
  // Nothing lies on the way of a vehicle that stays at home.
  if (chosen.length === 0) return alone;
  return alone.map((choice, index) =>
    choice.visit ? choice : onTheWay(choice, nearestPair(travel_s, index, chosen), policy),
  );
}

function firstLook(candidate: Candidate, detour_s: number, policy: SelectionPolicy): Choice {
  const risk_s = Math.round(candidate.risk * policy.overflow_s);
  const visit_s = Math.round(detour_s + candidate.service_s);
  const worth_s = risk_s + Math.round(candidate.q50 * visit_s);
  const sums = { candidate, risk_s, visit_s, worth_s };
  if (candidate.q50 >= policy.full) return { ...sums, visit: true, because: "full" };
  if (candidate.sinceEmptied_d !== null && candidate.sinceEmptied_d >= policy.longest_d) {
    return { ...sums, visit: true, because: "too-long" };
  }
  if (risk_s >= visit_s && candidate.q50 >= policy.least) return { ...sums, visit: true, because: "overflow-risk" };
  return { ...sums, visit: false, because: "room-left" };
}

/** With the others settled the detour is known better: a visit on the way saves a later one, by the share that it is full. */
function onTheWay(choice: Choice, detour_s: number, policy: SelectionPolicy): Choice {
  const visit_s = Math.round(detour_s + choice.candidate.service_s);
  if (choice.candidate.q50 < policy.least || choice.worth_s < visit_s) return choice;
  return { ...choice, visit: true, because: "on-the-way", visit_s };
}

const allOf = (candidates: readonly Candidate[]): number[] => candidates.map((_, index) => index);

/** The least detour to a candidate from between two others (or the depot): the two nearest stand for the whole round. */
function nearestPair(travel_s: readonly (readonly number[])[], index: number, others: readonly number[]): number {
  const place = index + 1;
  const time = (from: number, to: number): number => travel_s[from]?.[to] ?? 0;
  let [first, second] = [0, 0];
  for (const other of others) {
    if (other === index) continue;
    const near = other + 1;
    if (time(near, place) < time(first, place)) [first, second] = [near, first];
    else if (time(near, place) < time(second, place)) second = near;
  }
  return Math.max(0, time(first, place) + time(place, second) - time(first, second));
}
