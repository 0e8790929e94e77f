import { GREEN_ENDS, SIGNAL_MODES } from "#protocol/kinds.ts";
import type { OrderOf, Reading } from "#protocol/messages.ts";
import type { Junction, Territory } from "#protocol/territory.ts";
import type { Instant } from "#protocol/units.ts";
import type { Registry } from "../registry.ts";
import type { AggregateRow, Store } from "../store/store.ts";
import type { Book } from "./booking.ts";
import { growthIn, QUARTER, QUARTER_MS, quarterOf, quartersOf } from "./growth.ts";
import { type OwnPoint, point } from "./point.ts";

/** What a junction has shown since the last sum. */
interface Showing {
  greens: number;
  at: Instant;
  /** Since when each group has been green or red. */
  readonly since: Map<string, Instant>;
  readonly redBefore_s: Map<string, number>;
}

/** What a junction has said of itself, in its own order and by its own time: late or not makes no difference. */
interface Followed {
  /** The quarter of an hour of the first reading that was taken. */
  readonly since: Instant;
  /** How its last green ended, from an instant on. */
  ended: { readonly at: Instant; readonly how: (typeof GREEN_ENDS)[number] } | undefined;
  /** When it became adaptive or ceased to be, oldest first. */
  readonly modes: { readonly at: Instant; readonly adaptive: boolean }[];
}

/** Changes of mode that are kept: a day of one a minute. */
const MOST_MODES = 1440;

export interface TrafficParts {
  readonly territory: Territory;
  readonly registry: Registry;
  readonly store: Pick<Store, "aggregate">;
}

/** Counters of a cabinet, which are summed up under their own names. */
const COUNTED = ["split_failures", "arrivals_green", "arrivals_red"] as const;
/** What the sums of a junction are made of, of its cabinet and of the loops at its stop lines. */
const OF_CABINET: readonly string[] = ["queue", "longest_wait_s", "mode", ...COUNTED];
const OF_LOOPS = "vehicles";

/**
 * Follows what junctions report: a point for each green that has ended, and the sums of a quarter of an hour, after the
 * performance measures of the Purdue and Utah schools (Day et al. 2014), as far as signals and loops alone allow.
 */
export function createTrafficFollower({ territory, registry, store }: TrafficParts): Book & {
  /** Takes readings as they are committed; the greens that ended with them. */
  take(readings: readonly Reading[]): OwnPoint[];
} {
  const junctions = new Map(territory.junctions.map((junction) => [junction.id, junction]));
  const showing = new Map<string, Showing>();
  const followed = new Map<string, Followed>();
  const atLine = territory.detectors.filter(({ place }) => place === "stop-line");
  const loops = Map.groupBy(atLine, ({ junction }) => junction);
  const junctionOf = new Map(atLine.map(({ id, junction }) => [id, junction]));

  const follow = (junction: string, at: Instant): Followed => {
    const mode = registry.latest(junction, "mode");
    const known: Followed = { since: quarterOf(at), ended: undefined, modes: [] };
    followed.set(junction, known);
    const ended = registry.latest(junction, "ended");
    if (ended !== undefined && ended.at <= at) noteEnd(known, ended);
    if (mode !== undefined && mode.at <= at) noteMode(known, mode);
    return known;
  };

  /** Greens that ended with this reading. */
  const greens = (junction: Junction, known: Followed, reading: Reading): OwnPoint[] => {
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
        points.push(greenPoint(junction, known, group.id, since, reading.at, before.redBefore_s.get(group.id)));
      }
    }
    before.greens = reading.value;
    before.at = reading.at;
    return points;
  };

  const greenPoint = (
    junction: Junction,
    { ended }: Followed,
    group: string,
    from: Instant,
    to: Instant,
    red_s: number | undefined,
  ): OwnPoint => {
    const order = registry.twin(junction.id)?.machine?.order;
    const frame = order?.action === "frame" ? order : undefined;
    const stages = new Set(junction.stages.filter((stage) => stage.groups.includes(group)).map(({ id }) => id));
    const target_s = frame?.stages
      .filter(({ stage }) => stages.has(stage))
      .reduce((sum, stage) => sum + stage.target_s, 0);
    return point(
      "phase",
      from,
      { device: junction.id, group, ...(ended !== undefined && { end: ended.how }) },
      {
        green_s: (to - from) / 1000,
        target_s,
        red_s,
        ...inCycle(frame, from, to),
      },
    );
  };

  return {
    take(readings) {
      const own = readings.filter(({ device }) => junctions.has(device));
      // How a green ended is of the instant at which it did.
      own.sort((a, b) => a.at - b.at || Number(b.measure === "ended") - Number(a.measure === "ended"));
      return own.flatMap((reading) => {
        const { device, measure, at } = reading;
        const junction = junctions.get(device) as Junction;
        const known = followed.get(device) ?? follow(device, at);
        if (measure === "ended") noteEnd(known, reading);
        if (measure === "greens") return greens(junction, known, reading);
        if (measure === "mode") noteMode(known, reading);
        return [];
      });
    },

    subjects: [...junctions.keys()],
    subjectOf({ device, measure }) {
      if (measure === OF_LOOPS) return junctionOf.get(device);
      return OF_CABINET.includes(measure) && junctions.has(device) ? device : undefined;
    },

    async sums(subjects, from, to) {
      const lines = subjects.flatMap((id) => (loops.get(id) ?? []).map((loop) => loop.id));
      const counted = await growthIn(store, "vehicles", lines, from, to);
      const grown: Record<string, Awaited<ReturnType<typeof growthIn>>> = {};
      for (const name of COUNTED) grown[name] = await growthIn(store, name, subjects, from, to);
      const queues = byQuarter(await quartersOf(store, "queue", subjects, from, to));
      const waits = byQuarter(await quartersOf(store, "longest_wait_s", subjects, from, to));
      const points: OwnPoint[] = [];
      for (let at = from; at < to; at = (at + QUARTER_MS) as Instant) {
        for (const id of subjects) {
          const queue = queues.get(`${id} ${at}`)?.mean;
          // A cabinet that said nothing is not a street without traffic.
          if (queue === undefined) continue;
          const known = followed.get(id);
          const isFollowed = known !== undefined && at >= known.since;
          const vehicles = (loops.get(id) ?? []).reduce((total, loop) => total + counted(loop.id, at), 0);
          points.push(
            point(
              "junction",
              at,
              { device: id },
              {
                vehicles,
                // Little 1961: the mean number that waits is the rate at which they come times how long each waits.
                delay_s: vehicles > 0 ? (queue * QUARTER) / vehicles : null,
                // What was before is not known anew, and stays as it was said.
                fallback_s: isFollowed ? fallback_s(known.modes, at) : null,
                longest_wait_s: waits.get(`${id} ${at}`)?.max,
                ...Object.fromEntries(COUNTED.map((name) => [name, grown[name]?.(id, at)])),
              },
            ),
          );
        }
      }
      return points;
    },
  };
}

const byQuarter = (rows: readonly AggregateRow[]): ReadonlyMap<string, AggregateRow> =>
  new Map(rows.map((row) => [`${row.device} ${row.at}`, row]));

function noteEnd(known: Followed, { at, value }: { readonly at: Instant; readonly value: number }): void {
  const how = GREEN_ENDS[value];
  if (how !== undefined && !(known.ended !== undefined && at < known.ended.at)) known.ended = { at, how };
}

function noteMode({ modes }: Followed, { at, value }: { readonly at: Instant; readonly value: number }): void {
  const adaptive = SIGNAL_MODES[value] === "adaptive";
  const last = modes.at(-1);
  if (last !== undefined && (last.adaptive === adaptive || at < last.at)) return;
  modes.push({ at, adaptive });
  if (modes.length > MOST_MODES) modes.shift();
}

/** For how long of the quarter of an hour from `quarter` on a junction was not adaptive; as if it was before its first word. */
function fallback_s(modes: Followed["modes"], quarter: Instant): number {
  let sum = 0;
  for (const [index, { at, adaptive }] of modes.entries()) {
    const until = modes[index + 1]?.at ?? Number.POSITIVE_INFINITY;
    if (!adaptive) sum += Math.max(0, Math.min(until, quarter + QUARTER_MS) - Math.max(at, quarter));
  }
  return sum / 1000;
}

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
