import type { XY } from "../geometry.ts";
import type { PlannedStreet } from "./plan.ts";

/**
 * Which of the planned one-way streets can stay so: from every place of the town one must be able to drive to every other.
 * Those that would shut someone in or out are opened both ways, starting with what the first place cannot reach.
 */
export function passableOneWays(streets: readonly PlannedStreet[]): Set<number> {
  const oneWay = new Set(streets.flatMap((street, index) => (street.oneWay ? [index] : [])));
  const driven = streets.map(({ highway }) => highway !== "pedestrian");
  for (let opened = true; opened;) {
    opened = false;
    const there = reached(streets, driven, oneWay, true);
    const back = reached(streets, driven, oneWay, false);
    for (const index of oneWay) {
      const shut = (streets[index] as PlannedStreet).line.some(
        (place) => !there.has(key(place)) || !back.has(key(place)),
      );
      if (!shut && driven[index] === true) continue;
      oneWay.delete(index);
      opened = true;
    }
  }
  return oneWay;
}

/** Places that can be driven to from the first one, or, backwards, from which it can be reached. */
function reached(
  streets: readonly PlannedStreet[],
  driven: readonly boolean[],
  oneWay: ReadonlySet<number>,
  forwards: boolean,
): Set<string> {
  const next = new Map<string, string[]>();
  const link = (from: XY, to: XY): void => {
    const list = next.get(key(from)) ?? [];
    list.push(key(to));
    next.set(key(from), list);
  };
  for (const [index, { line }] of streets.entries()) {
    if (driven[index] !== true) continue;
    for (let step = 1; step < line.length; step++) {
      const from = line[step - 1] as XY;
      const to = line[step] as XY;
      if (forwards || !oneWay.has(index)) link(from, to);
      if (!forwards || !oneWay.has(index)) link(to, from);
    }
  }
  const start = key((streets[0] as PlannedStreet).line[0] as XY);
  const seen = new Set([start]);
  for (const place of seen) for (const other of next.get(place) ?? []) seen.add(other);
  return seen;
}

const key = ([x, y]: XY): string => `${x.toFixed(3)} ${y.toFixed(3)}`;
