import type { XY } from "../geometry.ts";
import { angleBetween, bearing, distance } from "../geometry.ts";
import type { Leg } from "../junction-plan.ts";
import type { ImportedStreet } from "./streets.ts";
import { hasStopLine } from "./streets.ts";

/** Signals of one crossing stand within this distance of its middle; dual carriageways have one at each. */
const TOGETHER_m = 40;
/** Arms are told apart beyond this angle; nearer ones are the two carriageways of one street. */
const APART_deg = 28;
const MOST_ARMS = 5;
/** To the next crossing, where nothing says how far it is. */
const APPROACH_m = 120;

/** Groups signal nodes: each joins the nearest group whose middle is near enough, largest groups settle first. */
export function groupSignals(signals: readonly XY[]): XY[][] {
  let groups: XY[][] = signals.map((at) => [at]);
  for (;;) {
    let best: { a: number; b: number; off: number } | undefined;
    for (let a = 0; a < groups.length; a++) {
      for (let b = a + 1; b < groups.length; b++) {
        const off = distance(middle(groups[a] as XY[]), middle(groups[b] as XY[]));
        if (off <= TOGETHER_m && (best === undefined || off < best.off)) best = { a, b, off };
      }
    }
    if (best === undefined) return groups;
    const { a, b } = best;
    const joined = [...(groups[a] as XY[]), ...(groups[b] as XY[])];
    groups = groups.filter((_, index) => index !== a && index !== b);
    groups.push(joined);
  }
}

export function middle(points: readonly XY[]): XY {
  const sum = points.reduce<[number, number]>(([x, y], [px, py]) => [x + px, y + py], [0, 0]);
  return [sum[0] / points.length, sum[1] / points.length];
}

/**
 * The arms of a crossing: where streets with a stop line come through a circle around its signals. Two carriageways of
 * one street make one arm.
 */
export function armsOf(signals: readonly XY[], streets: readonly ImportedStreet[]): Leg[] {
  const centre = middle(signals);
  const reach = Math.max(...signals.map((at) => distance(centre, at))) + 16;
  const arms: Leg[] = [];
  for (const street of streets) {
    if (!hasStopLine(street)) continue;
    for (let index = 1; index < street.line.length; index++) {
      const from = street.line[index - 1] as XY;
      const to = street.line[index] as XY;
      const inFrom = distance(centre, from) <= reach;
      const inTo = distance(centre, to) <= reach;
      if (inFrom === inTo) continue;
      const outwards = inFrom;
      arms.push({
        street: street.id,
        bearing_deg: bearing(centre, outwards ? to : from),
        lanes: street.lanes,
        length_m: APPROACH_m,
        inbound: !street.oneWay || !outwards,
        outbound: !street.oneWay || outwards,
        major: ["primary", "secondary", "trunk", "motorway"].includes(street.highway),
        speed_kmh: street.speed_kmh,
      });
    }
  }
  return merged(arms);
}

function merged(arms: readonly Leg[]): Leg[] {
  const kept: Leg[] = [];
  // What brings traffic in gives the arm its street, so that a stop line is on the carriageway that has it.
  for (const arm of [...arms].sort((a, b) => rank(b) - rank(a))) {
    const same = kept.findIndex(({ bearing_deg }) => angleBetween(bearing_deg, arm.bearing_deg) < APART_deg);
    const other = kept[same];
    if (other === undefined) {
      if (kept.length < MOST_ARMS) kept.push(arm);
      continue;
    }
    kept[same] = {
      ...other,
      inbound: other.inbound || arm.inbound,
      outbound: other.outbound || arm.outbound,
      major: other.major || arm.major,
    };
  }
  return kept;
}

const rank = (arm: Leg): number => (arm.inbound ? 2 : 0) + (arm.major ? 1 : 0);
