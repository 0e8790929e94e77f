import { type Instant, instant } from "#protocol/units.ts";
import { ROLLED_POLICIES } from "./influx-policies.ts";
import type { RolledPolicy } from "./influxql/rolled.ts";
import type { Store } from "./store.ts";
import type { Gone, Span, Sum, Sums, Tally } from "./sums.ts";
import { WEEK, weekOf } from "./weeks.ts";

export interface CopiedSums {
  /** Steps of both policies of which the source no longer has the readings. */
  readonly steps: number;
  readonly written: number;
  readonly differences: readonly string[];
}

/** Sums of the same numbers in another order differ in their last digits. */
const SUM_TOLERANCE = 1e-9;

/**
 * Copies what is summed up of readings that the source no longer has, a week after the other, and compares it in the end:
 * how many steps of each policy, the first, the last, and of how many readings. A week that is there is not written again.
 * All readings that the source has are there already.
 */
export async function copySums(from: Store, to: Store, progress: (share: number) => void): Promise<CopiedSums> {
  const gone = await from.sums?.gone();
  if (from.sums === undefined || gone === undefined) return { steps: 0, written: 0, differences: [] };
  const wanted = await talliesOf(from.sums, gone);
  const steps = wanted.reduce((sum, { tally }) => sum + tally.steps, 0);
  if (steps === 0) return { steps, written: 0, differences: [] };
  if (to.sums === undefined) return { steps, written: 0, differences: compare(wanted, undefined) };
  const until = await to.sums.leave(gone);
  const found: Week[] = [];
  let [seen, written] = [0, 0];
  for (const week of wanted) {
    const { policy, span, tally } = week;
    let has = await to.sums.tally(policy, span);
    if (!isSame(tally, has) && span.from < until) {
      const part = { from: span.from, to: instant(Math.min(span.to, until)) };
      written += await to.sums.take(
        policy,
        part,
        told(from.sums.read(policy, part), (some) => progress((seen + some) / steps)),
      );
      has = await to.sums.tally(policy, span);
    }
    if (has !== undefined) found.push({ ...week, tally: has });
    seen += tally.steps;
    progress(seen / steps);
  }
  return { steps, written, differences: compare(wanted, found) };
}

interface Week {
  readonly policy: RolledPolicy;
  readonly span: Span;
  readonly tally: Tally;
}

/** Every week that has something, the oldest first. */
async function talliesOf(sums: Sums, { first, whole }: Gone): Promise<Week[]> {
  const weeks: Week[] = [];
  for (let week = weekOf(first); week < whole; week += WEEK) {
    const span = { from: instant(week), to: instant(Math.min(week + WEEK, whole)) };
    for (const policy of ROLLED_POLICIES) {
      const tally = await sums.tally(policy, span);
      if (tally !== undefined) weeks.push({ policy, span, tally });
    }
  }
  return weeks;
}

async function* told(
  pieces: AsyncIterable<readonly Sum[]>,
  tell: (steps: number) => void,
): AsyncGenerator<readonly Sum[]> {
  let steps = 0;
  for await (const piece of pieces) {
    yield piece;
    steps += piece.length;
    tell(steps);
  }
}

/** Undefined for a store that keeps nothing summed up. */
function compare(wanted: readonly Week[], found: readonly Week[] | undefined): string[] {
  return ROLLED_POLICIES.flatMap((policy) => {
    const [whole, has] = [wanted, found ?? []].map((weeks) => together(weeks.filter((each) => each.policy === policy)));
    if (whole === undefined || isSame(whole, has)) return [];
    const copied =
      found === undefined
        ? "nothing, since this store keeps nothing summed up"
        : has === undefined
          ? "nothing"
          : inWords(has);
    return [`summed up by the ${policy}, of readings that are gone: ${inWords(whole)}; copied ${copied}`];
  });
}

function together(weeks: readonly Week[]): Tally | undefined {
  const [first, ...others] = weeks.map(({ tally }) => tally);
  if (first === undefined) return undefined;
  return others.reduce(
    (sum, each): Tally => ({
      steps: sum.steps + each.steps,
      count: sum.count + each.count,
      sum: sum.sum + each.sum,
      first: earlier(sum.first, each.first),
      last: earlier(each.last, sum.last) === each.last ? sum.last : each.last,
    }),
    first,
  );
}

const earlier = (a: Instant, b: Instant): Instant => (a < b ? a : b);

const isSame = (a: Tally, b: Tally | undefined): boolean =>
  b !== undefined &&
  a.steps === b.steps &&
  a.count === b.count &&
  a.first === b.first &&
  a.last === b.last &&
  Math.abs(a.sum - b.sum) <= SUM_TOLERANCE * Math.max(1, Math.abs(a.sum));

const inWords = ({ steps, count, first, last }: Tally): string =>
  `${steps} steps from ${new Date(first).toISOString()} to ${new Date(last).toISOString()} with ${count} readings`;
