import type { Measure, MessageClass } from "#protocol/kinds.ts";
import { KINDS, measureOf } from "#protocol/kinds.ts";
import type { Device } from "#protocol/territory.ts";
import type { Seconds } from "#protocol/units.ts";
import { seconds } from "#protocol/units.ts";
import type { Behaviour } from "./behaviour.ts";

/** One measure of one device of this station, and what was last reported of it. */
export interface Point {
  readonly device: string;
  readonly behaviour: Behaviour | undefined;
  readonly measure: string;
  /** How far the value moves before it is reported at once; 0: at any change. */
  readonly change: number;
  /** Whether any move at all can reach `change`: a counter with a huge one is only ever reported by time. */
  readonly moves: boolean;
  /** Moves of so long travel together. */
  readonly gather: Seconds;
  /** 0 for events, 1 for states, 2 for samples. */
  readonly rank: number;
  last: number;
}

/** Points that are due together. */
export interface Cadence {
  readonly every_ms: number;
  readonly points: readonly Point[];
  /** True: reported whatever they read; false: only what moved beyond its dead band. */
  readonly always: boolean;
  next: number;
}

/** What moves is collected for this long, so that a passage makes one batch and not five. */
const GATHER = seconds(1);
/** How often inputs that nobody watches are compared with their dead band. */
const POLL_MS = 300_000;
/** All periods divide into this or are multiples of it, so that a station's reports fall together. */
const PHASE_MS = 900_000;

const RANKS: readonly MessageClass[] = ["event", "state", "sample"];

/** The points of one device, in the order of the kinds table. */
export function pointsOf({ kind, id }: Device, behaviour: Behaviour | undefined): Point[] {
  return Object.keys(KINDS[kind].measures).map((measure) => {
    const { max, report, class: matters } = measureOf(kind, measure) as Measure;
    // No counter grows by a tenth of a billion between two reports.
    const moves = report.change < Math.min(max, 1e8);
    const rank = RANKS.indexOf(matters);
    const gather = report.gather_s ?? GATHER;
    return { device: id, behaviour, measure, change: report.change, moves, gather, rank, last: Number.NaN };
  });
}

/** Groups points by their reporting period, and adds the poll of those that may move unwatched. */
export function cadencesOf(devices: readonly { device: Device; points: readonly Point[] }[]): Cadence[] {
  const byPeriod = new Map<number, Point[]>();
  for (const { device, points } of devices) {
    for (const point of points) {
      const every_ms = (measureOf(device.kind, point.measure) as Measure).report.every_s * 1000;
      const group = byPeriod.get(every_ms);
      if (group === undefined) byPeriod.set(every_ms, [point]);
      else group.push(point);
    }
  }
  const cadences: Cadence[] = [...byPeriod].map(([every_ms, points]) => ({
    every_ms,
    // What is dropped first when the outbox is full stands together, so that what is left keeps following numbers.
    points: points.sort((a, b) => a.rank - b.rank),
    always: true,
    next: 0,
  }));
  const moving = devices.flatMap(({ points }) => points.filter((point) => point.moves));
  if (moving.length > 0) cadences.push({ every_ms: POLL_MS, points: moving, always: false, next: 0 });
  return cadences;
}

/** Whether `value` is to be reported now. */
export function movedBeyond(point: Point, value: number): boolean {
  return point.change === 0 ? value !== point.last : !(Math.abs(value - point.last) <= point.change);
}

/** A station's own offset within the quarter of an hour, so that a town does not report all at the same second. */
export function phaseOf(station: string): number {
  // FNV-1a, 32 bits.
  let hash = 0x811c9dc5;
  for (let index = 0; index < station.length; index++) hash = Math.imul(hash ^ station.charCodeAt(index), 0x01000193);
  return (hash >>> 0) % PHASE_MS;
}

/** The next moment after `now` at which a cadence with this phase is due. */
export function nextDue(now: number, every_ms: number, phase_ms: number): number {
  const offset = phase_ms % every_ms;
  return Math.floor((now - offset) / every_ms) * every_ms + offset + every_ms;
}
