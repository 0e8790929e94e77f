import { SIGNAL_MODES } from "#protocol/kinds.ts";
import type { OrderOf, Reading } from "#protocol/messages.ts";
import type { Junction, Territory } from "#protocol/territory.ts";
import type { Instant } from "#protocol/units.ts";
import type { Registry } from "../registry.ts";
import { growthOf } from "./growth.ts";
import { type OwnPoint, point } from "./point.ts";

/** A green this near to its longest has reached it. */
const NEAR_s = 0.6;

/** What a junction has shown since the last sum. */
interface Showing {
  greens: number;
  at: Instant;
  /** Since when each group has been green or red. */
  readonly since: Map<string, Instant>;
  readonly redBefore_s: Map<string, number>;
}
interface Sum {
  queue_s: number;
  queue: number;
  queueAt: Instant | undefined;
  fallback_s: number;
  adaptive: boolean;
  modeAt: Instant | undefined;
  longestWait_s: number;
  splitFailures: number;
}

export interface TrafficParts {
  readonly territory: Territory;
  readonly registry: Registry;
}

/**
 * Follows what junctions report: a point for each green that has ended, and the sums of a quarter of an hour, after the
 * performance measures of the Purdue and Utah schools (Day et al. 2014), as far as signals and loops alone allow.
 */
export function createTrafficFollower({ territory, registry }: TrafficParts) {
  const junctions = new Map(territory.junctions.map((junction) => [junction.id, junction]));
  const showing = new Map<string, Showing>();
  const sums = new Map<string, Sum>();
  const grown = growthOf(registry);
  const loops = Map.groupBy(
    territory.detectors.filter(({ place }) => place === "stop-line"),
    ({ junction }) => junction,
  );

  const sumOf = (junction: string): Sum => {
    let sum = sums.get(junction);
    if (sum === undefined) sums.set(junction, (sum = emptySum()));
    return sum;
  };

  /** Greens that ended with this reading. */
  const greens = (junction: Junction, reading: Reading): OwnPoint[] => {
    const { id, groups } = junction;
    const before = showing.get(id);
    if (before === undefined) {
      const since = new Map(groups.map((group) => [group.id, reading.at]));
      showing.set(id, { greens: reading.value, at: reading.at, since, redBefore_s: new Map() });
      return [];
    }
    // What an outbox delivers late is in order of its own; what is older than the last is not taken up again.
    if (reading.at < before.at) return [];
    const points: OwnPoint[] = [];
    for (const [index, group] of groups.entries()) {
      const [was, is] = [bit(before.greens, index), bit(reading.value, index)];
      if (was === is) continue;
      const since = before.since.get(group.id) ?? reading.at;
      const lasted_s = (reading.at - since) / 1000;
      before.since.set(group.id, reading.at);
      if (is) before.redBefore_s.set(group.id, lasted_s);
      else if (group.kind === "vehicle" && since < reading.at) {
        points.push(greenPoint(junction, group.id, since, reading.at, before.redBefore_s.get(group.id)));
      }
    }
    before.greens = reading.value;
    before.at = reading.at;
    return points;
  };

  const greenPoint = (junction: Junction, group: string, from: Instant, to: Instant, red_s: number | undefined) => {
    const order = registry.twin(junction.id)?.machine?.order;
    const frame = order?.action === "frame" ? order : undefined;
    const stages = new Set(junction.stages.filter((stage) => stage.groups.includes(group)).map(({ id }) => id));
    const span = (name: "target_s" | "max_s"): number | undefined =>
      frame?.stages.filter(({ stage }) => stages.has(stage)).reduce((sum, stage) => sum + stage[name], 0);
    const [green_s, target_s, max_s] = [(to - from) / 1000, span("target_s"), span("max_s")];
    const queue = registry.value(junction.id, "queue") ?? 0;
    const isMax = max_s !== undefined && max_s > 0 && green_s >= max_s - NEAR_s;
    if (isMax && queue > 0) sumOf(junction.id).splitFailures++;
    const isFixed = SIGNAL_MODES[registry.value(junction.id, "mode") ?? 0] !== "adaptive";
    return point(
      "phase",
      from,
      { device: junction.id, group, end: isFixed ? "force-off" : isMax ? "max-out" : "gap-out" },
      {
        green_s,
        target_s,
        red_s,
        ...inCycle(frame, from, to),
      },
    );
  };

  const measure = (junction: string, { measure, at, value }: Reading): void => {
    const sum = sumOf(junction);
    if (measure === "queue") {
      if (sum.queueAt !== undefined && at > sum.queueAt) sum.queue_s += (sum.queue * (at - sum.queueAt)) / 1000;
      [sum.queue, sum.queueAt] = [value, at];
    } else if (measure === "longest_wait_s") {
      sum.longestWait_s = Math.max(sum.longestWait_s, value);
    } else if (measure === "mode") {
      closeMode(sum, at);
      sum.adaptive = SIGNAL_MODES[value] === "adaptive";
    }
  };

  return {
    /** Takes readings as they are committed; the greens that ended with them. */
    take(readings: readonly Reading[]): OwnPoint[] {
      return readings.flatMap((reading) => {
        const junction = junctions.get(reading.device);
        if (junction === undefined) return [];
        if (reading.measure === "greens") return greens(junction, reading);
        measure(junction.id, reading);
        return [];
      });
    },
    /** Sums up [from, to) and begins anew. */
    sums(from: Instant, to: Instant): OwnPoint[] {
      return territory.junctions.flatMap(({ id }) => {
        const vehicles = (loops.get(id) ?? []).reduce((total, loop) => total + grown(loop.id, "vehicles"), 0);
        const sum = sums.get(id);
        if (sum === undefined) return [];
        closeMode(sum, to);
        // Little 1961: the mean number that waits is the rate at which they come times how long each waits.
        const delay_s = vehicles > 0 ? sum.queue_s / vehicles : null;
        sums.set(id, { ...emptySum(), queue: sum.queue, queueAt: sum.queueAt, adaptive: sum.adaptive, modeAt: to });
        return [
          point(
            "junction",
            from,
            { device: id },
            {
              vehicles,
              delay_s,
              longest_wait_s: sum.longestWait_s,
              fallback_s: sum.fallback_s,
              split_failures: sum.splitFailures,
            },
          ),
        ];
      });
    },
  };
}

function closeMode(sum: Sum, at: Instant): void {
  if (sum.modeAt !== undefined && !sum.adaptive && at > sum.modeAt) sum.fallback_s += (at - sum.modeAt) / 1000;
  sum.modeAt = at;
}

const emptySum = (): Sum => ({
  queue_s: 0,
  queue: 0,
  queueAt: undefined,
  fallback_s: 0,
  adaptive: true,
  modeAt: undefined,
  longestWait_s: 0,
  splitFailures: 0,
});

/** Where a green lies in the cycle of its frame. */
function inCycle(frame: OrderOf<"frame"> | undefined, from: Instant, to: Instant) {
  if (frame === undefined) return {};
  const within = (at: Instant): number => {
    const since = at / 1000 - frame.offset_s;
    return since - Math.floor(since / frame.cycle_s) * frame.cycle_s;
  };
  const begin_s = within(from);
  return { begin_s, end_s: begin_s + (to - from) / 1000 };
}

const bit = (mask: number, index: number): boolean => Math.floor(mask / 2 ** index) % 2 === 1;
