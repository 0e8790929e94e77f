import type { Junction, SignalGroup } from "#protocol/territory.ts";
import { localHours } from "./local-hours.ts";

/** How much comes to a junction in a mean weekday, all approaches and all crossings together. */
export interface TrafficDay {
  readonly vehicles: number;
  readonly walkers: number;
}

/**
 * Shares of a weekday and of a weekend day by local hour, in thousandths. An assumption, not a count: two rush hours with
 * the evening the broader, quiet nights, a weekend without a morning rush.
 */
const WEEKDAY = [7, 4, 3, 3, 5, 14, 38, 72, 78, 58, 52, 54, 58, 56, 56, 62, 74, 82, 72, 52, 38, 28, 20, 14];
const WEEKEND = [13, 9, 6, 5, 5, 8, 14, 24, 38, 56, 70, 78, 76, 70, 69, 71, 75, 75, 67, 53, 40, 33, 26, 19];
/** A weekend day has so much of a weekday's traffic. */
const WEEKEND_SHARE = 0.72;
/** In the morning so much more comes from one side than in the mean, in the evening from the other. */
const TIDE = 0.3;
/** People on foot are out later than the rush and hardly at night. */
const WALKING = [4, 2, 1, 1, 2, 6, 20, 58, 82, 56, 56, 64, 82, 78, 66, 66, 80, 86, 72, 48, 30, 20, 13, 7];

/**
 * The vehicles and walkers an hour that come to each group of a junction: approaches share the day in proportion to their
 * green in the fixed plan, which was once made for the traffic there is, and lean to one side morning and evening.
 */
export function trafficRate(
  junction: Junction,
  day: TrafficDay,
  timeZone: string,
): (group: SignalGroup, at: number) => number {
  const hours = localHours(timeZone);
  const vehicles = junction.groups.filter(({ kind }) => kind === "vehicle");
  const crossings = junction.groups.length - vehicles.length;
  const green = (group: SignalGroup): number => {
    const stages = new Set(junction.stages.filter((stage) => stage.groups.includes(group.id)).map(({ id }) => id));
    return junction.fixedPlan.stages.reduce((sum, { stage, green_s }) => sum + (stages.has(stage) ? green_s : 0), 0);
  };
  const total = vehicles.reduce((sum, group) => sum + green(group), 0);
  const shares = new Map(vehicles.map((group) => [group.id, total > 0 ? green(group) / total : 1 / vehicles.length]));
  // Approaches with like traffic lean to opposite sides, so that the day's sum stays.
  const byTraffic = [...vehicles].sort((a, b) => green(b) - green(a));
  const sides = new Map(byTraffic.map((group, index) => [group.id, index % 2 === 0 ? 1 : -1]));
  return (group, at) => {
    const hourOfWeek = hours.hourOfWeek(at);
    const hour = hourOfWeek % 24;
    const weekend = hourOfWeek >= 120;
    if (group.kind === "pedestrian") return (day.walkers / crossings) * ((WALKING[hour] as number) / 1000);
    const share = ((weekend ? WEEKEND : WEEKDAY)[hour] as number) / 1000;
    const tide = weekend ? 0 : hour >= 6 && hour < 10 ? TIDE : hour >= 16 && hour < 20 ? -TIDE : 0;
    const leaning = 1 + tide * (sides.get(group.id) as number);
    return day.vehicles * (weekend ? WEEKEND_SHARE : 1) * share * (shares.get(group.id) as number) * leaning;
  };
}
