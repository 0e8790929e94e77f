import type { Chance } from "#protocol/ports.ts";
import { pick } from "#protocol/chance.ts";
import type { Draft } from "./draft.ts";

/** Stops taken out in a step on average, the longest string, and how often a string keeps a middle (same source). */
const MEAN_REMOVED = 10;
const LONGEST = 10;
const KEEPS_MIDDLE = 0.5;
const KEEPS_MORE = 0.01;

/**
 * Takes strings of neighbouring stops out of trips that lie near each other: slack induction by string removals
 * (Christiaens and Vanden Berghe 2020). `vehicleOf` says which shift holds a stop, -1 when none; `near` lists each stop's
 * neighbours, the nearest first and itself among them.
 */
export function ruin(draft: Draft, near: readonly Int32Array[], vehicleOf: Int32Array, chance: Chance): void {
  const stops = draft.problem.stops.length;
  let trips = 0;
  for (const shift of draft.shifts) trips += shift.trips.length;
  if (trips === 0) return;
  const meanLength = (stops - draft.absent.length) / trips;
  const longest = Math.min(LONGEST, meanLength);
  const most = (4 * MEAN_REMOVED) / (1 + longest) - 1;
  const strings = Math.floor(chance.next() * most + 1);
  const ruined: { vehicle: number; trip: number }[] = [];
  for (const stop of near[pick(chance, stops)] as Int32Array) {
    if (ruined.length >= strings) break;
    const vehicle = vehicleOf[stop] as number;
    if (vehicle === -1) continue;
    const found = find(draft, vehicle, stop);
    if (found === undefined || ruined.some((each) => each.vehicle === vehicle && each.trip === found.trip)) continue;
    ruined.push({ vehicle, trip: found.trip });
    const length = 1 + pick(chance, Math.max(1, Math.floor(Math.min(found.length, longest))));
    removeString(draft, vehicle, found, length, chance);
  }
}

interface Found {
  readonly trip: number;
  readonly place: number;
  readonly length: number;
}

/** Where a stop stands; undefined when it was taken out in this step. */
function find(draft: Draft, vehicle: number, stop: number): Found | undefined {
  const trips = draft.shifts[vehicle]?.trips ?? [];
  for (let trip = 0; trip < trips.length; trip++) {
    const stops = trips[trip]?.stops ?? [];
    const place = stops.indexOf(stop);
    if (place !== -1) return { trip, place, length: stops.length };
  }
  return undefined;
}

function removeString(draft: Draft, vehicle: number, found: Found, length: number, chance: Chance): void {
  let kept = 0;
  if (length > 1 && length < found.length && chance.next() < KEEPS_MIDDLE) {
    kept = 1;
    while (length + kept < found.length && chance.next() < KEEPS_MORE) kept++;
  }
  const whole = length + kept;
  const earliest = Math.max(0, found.place - whole + 1);
  const latest = Math.min(found.place, found.length - whole);
  const from = earliest + pick(chance, latest - earliest + 1);
  // The kept middle lies anywhere strictly inside the string.
  const keptFrom = kept === 0 ? from : from + 1 + pick(chance, length - 1);
  draft.remove(vehicle, found.trip, from, whole, kept, keptFrom);
}
