import { forecastFill } from "#control/waste/fill.ts";
import type { RoundPlan } from "#control/waste/rounds.ts";
import type { Territory } from "#protocol/territory.ts";
import type { Instant } from "#protocol/units.ts";
import { DAY, HOUR } from "#protocol/units.ts";
import type { JournalEntry } from "../journal.ts";
import type { Offsets } from "../offsets.ts";
import type { Registry } from "../registry.ts";
import { fillInput, fills } from "../services/waste.ts";
import type { Store } from "../store/store.ts";
import { type OwnPoint, point } from "./point.ts";

const HORIZON_H = 48;
/** Beyond this nobody plans, and no forecast is worth its line. */
const FURTHEST_D = 14;

export interface WasteParts {
  readonly territory: Territory;
  readonly registry: Registry;
  readonly store: Store;
  readonly offsets: Offsets;
}

/** With each decision on rounds: how each container is expected to fill, and what the decision makes of it. */
export async function outlookPoints(parts: WasteParts, entry: JournalEntry): Promise<OwnPoint[]> {
  const { territory, store, offsets } = parts;
  const plan = entry.decision.value as RoundPlan;
  const visited = new Map(
    plan.rounds.flatMap(({ stops }) => stops.map(({ site, because }) => [site, because ?? ""] as const)),
  );
  const skipped = new Map(plan.skipped.map(({ container, because }) => [container, because as string]));
  const around = offsets.over((entry.at - 28 * DAY) as Instant, (entry.at + 3 * DAY) as Instant);
  const hours = Array.from({ length: HORIZON_H }, (_, hour) => (Math.floor(entry.at / HOUR) + 1 + hour) * HOUR);
  const points: OwnPoint[] = [];
  for (const container of territory.containers) {
    const because = visited.get(container.id) ?? skipped.get(container.id);
    if (because === undefined) continue;
    const input = fillInput(await fills(store, container, entry.at), around);
    if (input === undefined) continue;
    const foreseen = forecastFill(input, hours);
    const tags = tagsOf(territory, container.id, container.stream);
    points.push(
      ...hours.map((at, index) =>
        point("forecast", at as Instant, tags, { q50: foreseen.q50[index], q90: foreseen.q90[index] }),
      ),
      point("outlook", entry.at, tags, {
        days_to_full: Math.min(FURTHEST_D, (foreseen.hoursTo(1) ?? FURTHEST_D * 24) / 24),
        visited: visited.has(container.id) ? 1 : 0,
        because,
      }),
    );
  }
  return points;
}

function tagsOf({ devices }: Territory, device: string, stream: string) {
  const { street, zone } = devices.get(device) ?? {};
  return { device, stream, street, zone };
}

/** A round that was sent out, and what its vehicle had behind it then. */
interface Under {
  readonly entry: JournalEntry;
  readonly round: RoundPlan["rounds"][number];
  readonly departure: Instant;
  readonly ends: Instant;
  readonly distance_km: number | undefined;
  readonly fullest_kg: number;
}

/** Follows the rounds that act until their last stop is served or their time is over. */
export function createRoundFollower({ registry }: Pick<WasteParts, "registry">) {
  const under = new Map<string, Under>();
  return {
    decided(entry: JournalEntry): void {
      if (!entry.acted) return;
      for (const round of (entry.decision.value as RoundPlan).rounds) {
        const departure = round.stops[0]?.eta as Instant | undefined;
        if (departure === undefined) continue;
        const ends = (departure + (round.duration_s + 4 * 3600) * 1000) as Instant;
        const distance_km = registry.value(round.vehicle, "distance_km");
        under.set(round.vehicle, { entry, round, departure, ends, distance_km, fullest_kg: 0 });
      }
    },
    /** The rounds that have ended by now; to be asked each minute. */
    ended(now: Instant): OwnPoint[] {
      const points: OwnPoint[] = [];
      for (const [vehicle, each] of under) {
        const { round, departure } = each;
        const load_kg = registry.value(vehicle, "load_kg") ?? 0;
        under.set(vehicle, { ...each, fullest_kg: Math.max(each.fullest_kg, load_kg) });
        const stop = now < departure ? 0 : (registry.value(vehicle, "stop") ?? 0);
        if (stop < round.stops.length && now < each.ends) continue;
        under.delete(vehicle);
        const containers = round.stops.filter(({ what }) => what === "container");
        const driven = registry.value(vehicle, "distance_km");
        points.push(
          point(
            "round",
            departure,
            { vehicle, depot: each.entry.subject },
            {
              round: round.id,
              distance_km: driven === undefined || each.distance_km === undefined ? null : driven - each.distance_km,
              weight_kg: each.fullest_kg,
              stops: containers.length,
              served: round.stops.slice(0, stop).filter(({ what }) => what === "container").length,
              duration_s: Math.min(now, each.ends) / 1000 - departure / 1000,
            },
          ),
        );
      }
      return points;
    },
  };
}
