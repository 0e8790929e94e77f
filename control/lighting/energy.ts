import type { Level, Watts } from "#protocol/units.ts";
import { level, watts } from "#protocol/units.ts";

/**
 * A lamp's power by level, for forecasts only: what was used is always counted by its meter. Points by rising level, the
 * share of rated power at each; straight between them. Off, a driver still draws its standby.
 */
export interface PowerCurve {
  readonly standby_W: number;
  readonly points: readonly { readonly level: number; readonly share: number }[];
}

/** Where nothing was measured yet: 0.5 W of standby (EU 2019/2020's limit) and a driver that wastes 5 % of rated power. */
export const UNMEASURED: PowerCurve = {
  standby_W: 0.5,
  points: [
    { level: 0, share: 0.05 },
    { level: 1, share: 1 },
  ],
};

/** Expected power at a level. */
export function powerAt(at: Level, rated: Watts, curve: PowerCurve = UNMEASURED): Watts {
  if (at <= 0) return watts(curve.standby_W);
  let before = curve.points[0];
  for (const point of curve.points) {
    if (point.level >= at) {
      const width = before === undefined ? 0 : point.level - before.level;
      const along = before === undefined || width === 0 ? 1 : (at - before.level) / width;
      const from = before?.share ?? point.share;
      return watts(rated * (from + along * (point.share - from)));
    }
    before = point;
  }
  return watts(rated * (before?.share ?? at));
}

/** No bin of measurements is used below this many, so that one reading in the middle of a fade teaches nothing. */
const LEAST_MEASURED = 3;

/**
 * The curve that a lamp's own measurements show: means in tenths of level, made to rise by pooling neighbours that do not
 * (Ayer et al. 1955), with the unmeasured curve kept where nothing was seen.
 */
export function learnedCurve(measured: readonly { level: number; power_W: number }[], rated: Watts): PowerCurve {
  const sums = Array.from({ length: 11 }, () => ({ level: 0, power: 0, count: 0 }));
  for (const { level: at, power_W } of measured) {
    const sum = sums[Math.round(level(at) * 10)];
    if (sum === undefined) continue;
    sum.level += level(at);
    sum.power += power_W;
    sum.count++;
  }
  const [off, ...lit] = sums;
  const seen = lit.filter((sum) => sum.count >= LEAST_MEASURED);
  if (seen.length < 2) return UNMEASURED;
  const points = rising(
    seen.map((sum) => ({ level: sum.level / sum.count, share: sum.power / sum.count / rated, weight: sum.count })),
  );
  const standby_W = off !== undefined && off.count >= LEAST_MEASURED ? off.power / off.count : UNMEASURED.standby_W;
  return { standby_W, points };
}

interface Weighted {
  readonly level: number;
  readonly share: number;
  readonly weight: number;
}

function rising(points: readonly Weighted[]): { level: number; share: number }[] {
  const pools: { share: number; weight: number; levels: number[] }[] = [];
  for (const point of points) {
    pools.push({ share: point.share, weight: point.weight, levels: [point.level] });
    for (;;) {
      const last = pools.at(-1);
      const before = pools.at(-2);
      if (last === undefined || before === undefined || before.share <= last.share) break;
      const weight = last.weight + before.weight;
      const share = (last.share * last.weight + before.share * before.weight) / weight;
      pools.splice(-2, 2, { share, weight, levels: [...before.levels, ...last.levels] });
    }
  }
  return pools.flatMap(({ share, levels }) => levels.map((at) => ({ level: at, share })));
}
