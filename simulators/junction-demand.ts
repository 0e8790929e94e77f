import type { Junction, SignalGroup, Street } from "#protocol/territory.ts";
import type { LocalHours } from "./local-hours.ts";
import { FOOTFALL } from "./rates/people.ts";

/** Vehicles a mean day on one approach by the kind of its street, and walkers a mean day over one zebra. */
const VEHICLES_A_DAY: Partial<Record<Street["highway"], number>> = {
  primary: 4200,
  secondary: 2900,
  tertiary: 1700,
  living_street: 450,
};
const OTHER_STREET = 800;
const WALKERS_A_DAY = 260;

/** Road traffic: half of it commutes like the people of a station, half has the day of a street of houses and offices. */
const WEEK = FOOTFALL.station.map((share, hour) => 0.35 * share + 0.65 * (FOOTFALL.housing[hour] as number));

/** How many come to each group of a junction in an hour; a junction of more arms is not a busier town, so each gets less. */
export function junctionDemand(
  junction: Junction,
  streets: ReadonlyMap<string, Street>,
  hours: LocalHours,
): (group: SignalGroup, at: number) => number {
  const streetOf = new Map(junction.approaches.map(({ id, street }) => [id, streets.get(street)?.highway]));
  const share = Math.min(1, 4 / Math.max(1, junction.approaches.length));
  return (group, at) => {
    const ofWeek = hours.hourOfWeek(at);
    if (group.kind === "pedestrian") return (WALKERS_A_DAY * 7 * (FOOTFALL.housing[ofWeek] as number)) / 1e5;
    const highway = group.approach === undefined ? undefined : streetOf.get(group.approach);
    const perDay = (highway === undefined ? undefined : VEHICLES_A_DAY[highway]) ?? OTHER_STREET;
    return (perDay * share * 7 * (WEEK[ofWeek] as number)) / 1e5;
  };
}
