import type { PlannedRound, PlannedStop, RoundVehicle, RoundsInput } from "../rounds.ts";
import type { Choice } from "../selection.ts";
import type { Shift } from "./solution.ts";
import type { TravelTable } from "./travel.ts";

/** Writes the sheet of one vehicle's day: every stop with its time of arrival, the tips between trips, and the way home. */
export function roundOf(
  input: RoundsInput,
  travel: TravelTable,
  visited: readonly Choice[],
  shift: Shift,
  vehicleIndex: number,
): PlannedRound {
  const vehicle = input.vehicles[vehicleIndex] as RoundVehicle;
  const trips = shift.trips.map((trip) => trip.map((stop) => visited[stop] as Choice));
  const stops: PlannedStop[] = [{ site: input.depot, what: "depot", eta: vehicle.shiftStart }];
  let elapsed_s = 0;
  let driving_s = 0;
  const arrive = (after_s: number, stop: Omit<PlannedStop, "eta">, service_s: number): void => {
    elapsed_s += after_s;
    driving_s += after_s;
    stops.push({ ...stop, eta: vehicle.shiftStart + elapsed_s * 1000 });
    elapsed_s += service_s;
  };
  let onward_s: number | undefined;
  trips.forEach((trip, index) => {
    trip.forEach((choice, place) => {
      const after_s = onward_s ?? travel.driving(trip[place - 1]?.candidate, choice.candidate);
      onward_s = undefined;
      arrive(after_s, containerStop(choice), choice.candidate.service_s);
    });
    const last = trip.at(-1) as Choice;
    const tip = travel.tip(last.candidate, trips[index + 1]?.[0]?.candidate);
    arrive(tip.to_s, { site: tip.site, what: tip.what }, tip.service_s);
    onward_s = tip.on_s;
  });
  if (stops.at(-1)?.what !== "depot") arrive(onward_s ?? 0, { site: input.depot, what: "depot" }, 0);
  return {
    id: `${input.plan}-${vehicle.id}`,
    vehicle: vehicle.id,
    stops,
    duration_s: elapsed_s,
    driving_s,
    load_L: Math.round(trips.flat().reduce((sum, { candidate }) => sum + candidate.q50 * candidate.volume_L, 0)),
  };
}

function containerStop({ candidate, because }: Choice): Omit<PlannedStop, "eta"> {
  return {
    site: candidate.container,
    what: "container",
    expectedFill_q50: candidate.q50,
    expectedFill_q90: candidate.q90,
    because,
  };
}
