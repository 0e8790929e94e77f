import type { Street } from "#protocol/territory.ts";
import type { XY } from "../geometry.ts";
import { along, angleBetween, bearing, distance, lengthOf } from "../geometry.ts";
import type { Leg } from "../junction-plan.ts";
import type { BuiltStreet } from "./furnish.ts";
import { LIGHTING } from "./furnish.ts";
import type { Plan } from "./plan.ts";

/** Signals stand no nearer to each other. */
const APART_m = 95;
const WEIGHT: Partial<Record<Street["highway"], number>> = { primary: 9, secondary: 6, tertiary: 4, residential: 1 };
/** Two streets that leave a crossing within this angle cannot both have a stop line. */
const NARROWEST_deg = 25;

/** The places of the busiest crossings: gates of the boulevard first, then where most traffic meets, kept apart. */
export function crossings(streets: readonly BuiltStreet[], plan: Plan, wished: number): XY[] {
  const chosen: XY[] = [];
  const take = (at: XY): void => {
    if (chosen.length < wished && chosen.every((other) => distance(other, at) >= APART_m)) chosen.push(at);
  };
  const at = new Map<string, { place: XY; weight: number; legs: number }>();
  for (const { line, highway, lit } of streets) {
    for (const [index, place] of line.entries()) {
      const node = at.get(key(place)) ?? { place, weight: 0, legs: 0 };
      const legs = index === 0 || index === line.length - 1 ? 1 : 2;
      node.legs += legs;
      node.weight += legs * (lit ? (WEIGHT[highway] ?? 0) : 0);
      at.set(key(place), node);
    }
  }
  const busiest = [...at.values()]
    .filter(({ legs, weight }) => legs >= 3 && weight >= 6)
    .sort((a, b) => b.weight - a.weight);
  for (const gate of plan.gates) take(gate);
  for (const { place } of busiest) take(place);
  return chosen;
}

/** The arms of a crossing, as drawn. */
export function legsAt(place: XY, streets: readonly BuiltStreet[], oneWays: ReadonlySet<number>): Leg[] {
  const ends = new Set(nodes(streets).keys());
  const wanted = key(place);
  const legs: Leg[] = [];
  for (const [order, { id, line, highway, lit }] of streets.entries()) {
    const oneWay = oneWays.has(order);
    for (const [index, vertex] of line.entries()) {
      if (key(vertex) !== wanted) continue;
      for (const forward of [true, false]) {
        const arm = forward ? line.slice(index) : line.slice(0, index + 1).toReversed();
        if (arm.length < 2) continue;
        const next = arm.findIndex((point, step) => step > 0 && ends.has(key(point)));
        legs.push({
          street: id,
          bearing_deg: bearing(place, along(arm, 22).at),
          lanes: 1,
          length_m: lengthOf(next > 0 ? arm.slice(0, next + 1) : arm),
          inbound: !oneWay || !forward,
          outbound: !oneWay || forward,
          major: highway === "secondary",
          speed_kmh: lit ? (LIGHTING[highway]?.speed_kmh ?? 50) : 50,
        });
      }
    }
  }
  const apart: Leg[] = [];
  for (const leg of legs.sort((a, b) => Number(b.major) - Number(a.major))) {
    if (apart.every((other) => angleBetween(other.bearing_deg, leg.bearing_deg) >= NARROWEST_deg)) apart.push(leg);
  }
  return apart;
}

/** Points where streets meet or end. */
function nodes(streets: readonly BuiltStreet[]): Map<string, number> {
  const seen = new Map<string, number>();
  for (const { line } of streets) for (const point of line) seen.set(key(point), (seen.get(key(point)) ?? 0) + 1);
  for (const [name, times] of seen) if (times < 2) seen.delete(name);
  return seen;
}

const key = ([x, y]: XY): string => `${x.toFixed(3)} ${y.toFixed(3)}`;
