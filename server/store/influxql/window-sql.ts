import { ahead, type Windows } from "./window.ts";

/** From `at` on (nanoseconds) the zone's clock is `ahead` of UTC. */
export interface ClockChange {
  readonly at: bigint;
  readonly ahead: bigint;
}

const DAY_NS = 86_400_000_000_000n;
/** More days than these are looked at only from the end: a change is then missed that nobody has readings of. */
const MOST_DAYS = 40_000n;

/** Every change of a zone's clock in a span, after how far it was ahead at its start. */
export function changesOf(zone: string, from: bigint, to: bigint): readonly ClockChange[] {
  const start = to - from > MOST_DAYS * DAY_NS ? to - MOST_DAYS * DAY_NS : from;
  const changes: ClockChange[] = [{ at: start, ahead: ahead(start, zone) }];
  for (let day = start; day < to; day += DAY_NS) {
    let low = day;
    let high = day + DAY_NS;
    const after = ahead(high, zone);
    if (after === ahead(low, zone)) continue;
    while (high - low > 1_000_000_000n) {
      const middle = low + (high - low) / 2n;
      if (ahead(middle, zone) === after) high = middle;
      else low = middle;
    }
    changes.push({ at: high - (high % 1_000_000_000n), ahead: after });
  }
  return changes;
}

/** SQL for the start of the window in which time `t` lies, as `windowOf` has it; both in units of `unit_ns`, which divides
 * `every` and `offset`. */
export function windowSql(t: string, windows: Windows, unit_ns: bigint, changes: readonly ClockChange[]): string {
  const { every, offset } = windows;
  const [e, o] = [every / unit_ns, offset / unit_ns];
  const at = o === 0n ? t : `(${t} - ${o})`;
  const start = (zone: string): string => {
    const shifted = zone === "0" ? at : `(${at} + ${zone})`;
    return `(${t} - ((${shifted} % ${e}) + ${e}) % ${e})`;
  };
  const [first] = changes;
  if (first === undefined) return start("0");
  const zone = (moment: string): string => {
    if (changes.length === 1) return String(first.ahead / unit_ns);
    const cases = changes.slice(1).map(({ at: until }, index) => {
      const before = changes[index] as ClockChange;
      return `WHEN ${moment} < ${until / unit_ns} THEN ${before.ahead / unit_ns}`;
    });
    return `(CASE ${cases.join(" ")} ELSE ${(changes.at(-1) as ClockChange).ahead / unit_ns} END)`;
  };
  if (changes.length === 1) return start(zone(at));
  const before = zone(at);
  const begun = start(before);
  const change = `(${before} - ${zone(begun)})`;
  return `(${begun} + CASE WHEN abs(${change}) < ${e} THEN ${change} ELSE 0 END)`;
}

/** The changes of the clock in a span, as far as windows need them; undefined: the span has no bounds to find them by. */
function changesIn({ start, end, every, zone }: Windows): readonly ClockChange[] | undefined {
  if (zone === undefined) return [];
  if (start < -(2n ** 62n) || end > 2n ** 62n) return undefined;
  return changesOf(zone, start - 2n * every, end + 2n * every);
}

/** SQL for the start of a window where all windows are of equal length; undefined: the clock changes, or it is not known. */
export function evenWindowSql(t: string, windows: Windows, unit_ns: bigint): string | undefined {
  if (windows.every === 0n) return "0";
  const changes = changesIn(windows);
  return changes === undefined || changes.length > 1 ? undefined : windowSql(t, windows, unit_ns, changes);
}

/**
 * The same over rows of which `t` is the time, for windows of any length: what stands behind FROM then, and the start of the
 * window. Undefined: the clock changes and windows begin at an offset from it, or it is not known.
 */
export function windowsSql(
  rows: string,
  windows: Windows,
  unit_ns: bigint,
): { rows: string; window: string; isEven: boolean } | undefined {
  const even = evenWindowSql("t", windows, unit_ns);
  if (even !== undefined) return { rows, window: even, isEven: true };
  const changes = changesIn(windows);
  if (changes === undefined || windows.offset !== 0n) return undefined;
  const start = (t: string): string => windowSql(t, windows, unit_ns, changes);
  // About a change of the clock the start of a window may lie in the window before: InfluxDB looks twice.
  return { rows: `SELECT *, ${start("t")} AS begun FROM (${rows})`, window: start("begun"), isEven: false };
}
