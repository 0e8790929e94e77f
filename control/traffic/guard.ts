import type { JunctionTables } from "./tables.ts";

/**
 * The guard: between whatever wants greens and the lamps, and nothing can go around it. It knows the junction's tables and
 * what it has shown itself, nothing else, and holds for any wants whatever:
 * - conflicting groups are never green together, and intergreens and pedestrians' clearances are kept in full;
 * - a green lasts its minimum, and its maximum once someone waits against it;
 * - every group is green at least once in 120 s, whether or not a detector says that someone waits there: a detector that
 *   is stuck must not keep anyone waiting;
 * - wants that make no sense, or time that runs backwards, put the junction to flashing amber.
 */
export interface Guard {
  readonly tables: JunctionTables;
  /** What is shown: one bit per group. Flashing is all vehicle groups amber and nothing green. */
  greens: number;
  ambers: number;
  flashing: boolean;
  /** The group that must be served before anything else, or -1; and the stage by which it is served, or -1. */
  forced: number;
  forcedStage: number;
  /** Steady time in ms of each group's last start and end of green, and of the last step. */
  readonly startedAt: Float64Array;
  readonly endedAt: Float64Array;
  /** Since when someone waits against a group's green; -1 while nobody does. */
  readonly contestedAt: Float64Array;
  steppedAt: number;
  flashingSince: number;
  /** The longest that serving every stage once can take, with one more green begun just before. */
  readonly round_ms: number;
  readonly margin_ms: number;
}

/** Nobody waits longer at red. */
export const LONGEST_WAIT_S = 120;
/** Wanted in place of a mask: end every green in order, then flash. */
export const FLASHING = -1;
/** Steps come at least this often; waits are judged so much early. */
const STEP_MS = 1000;
const SHORTEST_FLASH_MS = 5000;

/** A guard that begins at all red, as if every green had just ended: what was shown before is not known. */
export function createGuard(tables: JunctionTables, now: number): Guard {
  const services = tables.stages.map((stage) => stage.entry_ms + stage.min_ms);
  const margin_ms = Math.max(0, ...services) + STEP_MS;
  return {
    tables,
    greens: 0,
    ambers: 0,
    flashing: false,
    forced: -1,
    forcedStage: -1,
    startedAt: new Float64Array(tables.size),
    endedAt: new Float64Array(tables.size).fill(now),
    contestedAt: new Float64Array(tables.size).fill(-1),
    steppedAt: now,
    flashingSince: 0,
    round_ms: services.reduce((sum, each) => sum + each + STEP_MS, 0) + margin_ms,
    margin_ms,
  };
}

/** Whether the tables leave room for serving everyone within the longest wait, whatever is wanted. */
export const isFeasible = (guard: Guard): boolean =>
  guard.round_ms <= LONGEST_WAIT_S * 1000 &&
  guard.tables.stages.reduce((mask, stage) => mask | stage.mask, 0) >>> 0 === guard.tables.all;

/**
 * One step: `wanted` are the groups that should be green (or FLASHING), `demand` those where someone is known to wait,
 * `now` a steady time in ms. Afterwards `greens`, `ambers` and `flashing` are what to show. Steps come every second, or
 * sooner; fewer are enough while nothing is wanted otherwise.
 */
export function stepGuard(guard: Guard, wanted: number, demand: number, now: number): void {
  const { tables } = guard;
  const sane = wanted === FLASHING || (Number.isInteger(wanted) && wanted >= 0 && wanted <= tables.all);
  // The largest mask is not always `all` when bits are missing below it, so the bits are looked at too.
  if (!sane || (wanted !== FLASHING && (wanted & ~tables.all) !== 0) || !(now >= guard.steppedAt)) {
    flash(guard, now);
    return;
  }
  guard.steppedAt = now;
  if (guard.flashing) {
    if (wanted === FLASHING || now - guard.flashingSince < SHORTEST_FLASH_MS) return;
    guard.flashing = false;
    guard.ambers = 0;
    guard.endedAt.fill(now);
  }
  if (guard.ambers !== 0) endAmbers(guard, now);
  if (wanted === FLASHING) {
    guard.forced = -1;
    if (guard.greens !== 0) close(guard, 0, now);
    else if (guard.ambers === 0) flash(guard, now);
    return;
  }
  const overdone = overdue(guard, demand, now);
  const target = ((force(guard, demand, overdone, now) ? forcedMask(guard) : wanted) & ~overdone) >>> 0;
  if ((guard.greens & ~target) !== 0) close(guard, target, now);
  if ((target & ~guard.greens & ~guard.ambers) !== 0) open(guard, target, now);
}

/** Flashing amber at once: the state that is safe whatever came before, since everyone then gives way. */
function flash(guard: Guard, now: number): void {
  guard.flashing = true;
  guard.flashingSince = Number.isFinite(now) ? now : guard.steppedAt;
  if (now < guard.steppedAt) guard.steppedAt = now;
  guard.greens = 0;
  guard.ambers = guard.tables.vehicles;
  guard.forced = -1;
}

function endAmbers(guard: Guard, now: number): void {
  const { tables } = guard;
  for (let i = 0; i < tables.size; i++) {
    if ((guard.ambers >>> i) & 1 && now - (guard.endedAt[i] as number) >= (tables.clearance_ms[i] as number)) {
      guard.ambers = (guard.ambers & ~(1 << i)) >>> 0;
    }
  }
}

/** Ends the greens that are not in `target` and have had their minimum. */
function close(guard: Guard, target: number, now: number): void {
  const { tables } = guard;
  for (let i = 0; i < tables.size; i++) {
    if (((guard.greens >>> i) & 1) === 0 || (target >>> i) & 1) continue;
    if (now - (guard.startedAt[i] as number) < (tables.min_ms[i] as number)) continue;
    guard.greens = (guard.greens & ~(1 << i)) >>> 0;
    guard.ambers = (guard.ambers | (1 << i)) >>> 0;
    guard.endedAt[i] = now;
  }
}

/** Starts the greens of `target` against which nothing conflicting is green, amber or within its intergreen. */
function open(guard: Guard, target: number, now: number): void {
  const { tables } = guard;
  const { size } = tables;
  for (let i = 0; i < size; i++) {
    if (((target >>> i) & 1) === 0 || ((guard.greens | guard.ambers) >>> i) & 1) continue;
    if (((tables.conflicts[i] as number) & (guard.greens | guard.ambers)) !== 0) continue;
    if (!isClear(guard, i, now)) continue;
    guard.greens = (guard.greens | (1 << i)) >>> 0;
    guard.startedAt[i] = now;
  }
}

function isClear(guard: Guard, to: number, now: number): boolean {
  const { size, intergreen_ms } = guard.tables;
  for (let from = 0; from < size; from++) {
    const s = intergreen_ms[from * size + to] as number;
    if (s === 0) continue;
    if ((guard.greens >>> from) & 1 || now - (guard.endedAt[from] as number) < s) return false;
  }
  return true;
}

/** Whether a group must be served now; settles which, and by which stage. */
function force(guard: Guard, demand: number, overdone: number, now: number): boolean {
  if (guard.forced >= 0 && ((guard.greens >>> guard.forced) & 1) === 0) return true;
  guard.forced = -1;
  const { size } = guard.tables;
  let oldest = -1;
  for (let i = 0; i < size; i++) {
    if ((guard.greens >>> i) & 1) continue;
    if (oldest < 0 || (guard.endedAt[i] as number) < (guard.endedAt[oldest] as number)) oldest = i;
  }
  if (oldest < 0) return false;
  // Only when serving everyone once might not fit any more is it worth working out whether it does.
  const slack = (guard.endedAt[oldest] as number) + LONGEST_WAIT_S * 1000 - now;
  if (slack <= guard.round_ms + guard.margin_ms && isLate(guard, now)) choose(guard, oldest);
  else if (overdone !== 0) choose(guard, longestRed(guard, against(guard, overdone, demand)));
  return guard.forced >= 0;
}

/**
 * Whether serving all that is red, the longest waiting first, would come too late for someone if it began after one more
 * green: earliest deadline first over stages (Liu and Layland 1973), each with its longest way in and minimum green.
 */
function isLate(guard: Guard, now: number): boolean {
  const { tables } = guard;
  let free = now;
  for (let i = 0; i < tables.size; i++) {
    if ((guard.greens >>> i) & 1) free = Math.max(free, (guard.startedAt[i] as number) + (tables.min_ms[i] as number));
  }
  let left = (tables.all & ~guard.greens) >>> 0;
  while (left !== 0) {
    const next = longestRed(guard, left);
    const stage = tables.stages[stageFor(guard, next)];
    if (stage === undefined) {
      left = (left & ~(1 << next)) >>> 0;
      continue;
    }
    const starts = free + stage.entry_ms + STEP_MS;
    if (starts + guard.margin_ms > (guard.endedAt[next] as number) + LONGEST_WAIT_S * 1000) return true;
    free = starts + stage.min_ms;
    left = (left & ~stage.mask) >>> 0;
  }
  return false;
}

/** The greens that have had their maximum since someone waits against them. */
function overdue(guard: Guard, demand: number, now: number): number {
  const { tables, contestedAt } = guard;
  let mask = 0;
  for (let i = 0; i < tables.size; i++) {
    const against = (guard.greens >>> i) & 1 ? ((tables.conflicts[i] as number) & demand & ~guard.greens) >>> 0 : 0;
    if (against === 0) contestedAt[i] = -1;
    else if (contestedAt[i] === -1) contestedAt[i] = now;
    else if (now - Math.max(guard.startedAt[i] as number, contestedAt[i] as number) >= (tables.max_ms[i] as number)) {
      mask |= 1 << i;
    }
  }
  return mask >>> 0;
}

/** The groups in demand that conflict with one of `greens`. */
function against(guard: Guard, greens: number, demand: number): number {
  let mask = 0;
  for (let i = 0; i < guard.tables.size; i++) {
    if ((greens >>> i) & 1) mask |= (guard.tables.conflicts[i] as number) & demand & ~guard.greens;
  }
  return mask >>> 0;
}

function choose(guard: Guard, group: number): void {
  guard.forced = group;
  guard.forcedStage = stageFor(guard, group);
}

function longestRed(guard: Guard, among: number): number {
  let longest = -1;
  for (let i = 0; i < guard.tables.size; i++) {
    if (((among >>> i) & 1) === 0) continue;
    if (longest < 0 || (guard.endedAt[i] as number) < (guard.endedAt[longest] as number)) longest = i;
  }
  return longest;
}

/** The first stage with the group in it; -1 when no stage has it. */
function stageFor(guard: Guard, group: number): number {
  const { stages } = guard.tables;
  for (let index = 0; index < stages.length; index++) {
    if (((stages[index]?.mask as number) >>> group) & 1) return index;
  }
  return -1;
}

const forcedMask = (guard: Guard): number => guard.tables.stages[guard.forcedStage]?.mask ?? (1 << guard.forced) >>> 0;
