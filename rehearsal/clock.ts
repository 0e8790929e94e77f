import type { Cancel, Clock } from "#protocol/ports.ts";
import type { Instant, Seconds } from "#protocol/units.ts";

/**
 * Virtual time: a queue of what is due, in order of time and, at one time, in order of asking. Nothing waits for the wall
 * clock, so a night takes seconds; and the order depends on the seed alone, so two runs are the same run.
 */
export interface VirtualClock extends Clock {
  /**
   * The same time for a party that works with promises: after each of its turns the promises settle before time goes on.
   * The edge and the street are synchronous and use the clock itself, which is several times faster.
   */
  readonly settling: Clock;
  /** Lets promises that are under way settle after the present turn. */
  settle(): void;
  /** Time stands still until `work` has ended: for a real disk or database behind the rehearsal. */
  hold<T>(work: Promise<T>): Promise<T>;
  /** Goes on to `until`, running all that is due; `onTurn` is told now and then how far it is. */
  run(until: Instant, onTurn?: (now: Instant) => void): Promise<void>;
}

/** One turn, and the one that was asked for after it for the same time. */
interface Due {
  action: (() => void) | undefined;
  readonly settles: boolean;
  next: Due | undefined;
}

interface Moment {
  first: Due;
  last: Due;
}

/** So far ahead, in ms, a turn has its place in a ring by its time alone; a power of two. What is due later waits in a heap. */
const NEAR_MS = 65_536;
/** How many turns pass between two words to `onTurn`. */
const TURNS_PER_WORD = 4096;
/** How often promises are waited for between two turns of the event loop, in which progress is shown and Ctrl-C is heard. */
const CALMS_PER_BREATH = 256;

export function virtualClock(start: Instant): VirtualClock {
  /** What is due soon, by its time in ms since the start, modulo the ring; and one bit for each place that is taken. */
  const ring = Array.from<Moment | undefined>({ length: NEAR_MS });
  const taken = new Uint32Array(NEAR_MS / 32);
  /** The times at which something was due much later when it was asked for, as a heap, and what is due at each. */
  const times: number[] = [];
  const moments = new Map<number, Moment>();
  let now: number = start;
  let unsettled = false;
  const held = new Set<Promise<unknown>>();
  let released: (() => void) | undefined;

  const schedule = (delay: Seconds, action: () => void, settles: boolean): Cancel => {
    // Times are whole milliseconds, as everywhere; a delay of less still comes after what is already due now.
    const at = now - start + Math.max(0, Math.round(delay * 1000));
    const due: Due = { action, settles, next: undefined };
    const near = at - (now - start) < NEAR_MS;
    const moment = near ? ring[at & (NEAR_MS - 1)] : moments.get(at);
    if (moment !== undefined) {
      moment.last.next = due;
      moment.last = due;
    } else if (near) {
      const place = at & (NEAR_MS - 1);
      ring[place] = { first: due, last: due };
      taken[place >>> 5] = (taken[place >>> 5] as number) | (1 << (place & 31));
    } else {
      moments.set(at, { first: due, last: due });
      push(times, at);
    }
    return () => {
      due.action = undefined;
    };
  };
  const after = (delay: Seconds, action: () => void): Cancel => schedule(delay, action, false);

  /** The earliest time in the ring; infinite when it is empty. */
  const nearest = (): number => {
    const from = now - start;
    const place = from & (NEAR_MS - 1);
    let word = place >>> 5;
    let bits = (taken[word] as number) & (-1 << (place & 31));
    for (let step = 0; step <= taken.length; step++) {
      if (bits !== 0) {
        // The lowest bit that is set.
        const found = (word << 5) | (31 - Math.clz32(bits & -bits));
        return from + ((found - place) & (NEAR_MS - 1));
      }
      word = (word + 1) % taken.length;
      bits = taken[word] as number;
    }
    return Number.POSITIVE_INFINITY;
  };

  /** Takes the next turn at this time from the ring. */
  const nextNear = (at: number): Due => {
    const place = at & (NEAR_MS - 1);
    const moment = ring[place] as Moment;
    const { first } = moment;
    if (first.next !== undefined) moment.first = first.next;
    else {
      ring[place] = undefined;
      taken[place >>> 5] = (taken[place >>> 5] as number) & ~(1 << (place & 31));
    }
    return first;
  };

  /** Takes the next turn at this time from the heap, of which it is the earliest. */
  const nextFar = (at: number): Due => {
    const moment = moments.get(at) as Moment;
    const { first } = moment;
    if (first.next !== undefined) moment.first = first.next;
    else {
      moments.delete(at);
      pop(times);
    }
    return first;
  };

  let calms = 0;
  const calm = async (): Promise<void> => {
    unsettled = false;
    // The next tick comes when no promise has anything left to do; the event loop gets a turn now and then.
    const breathes = ++calms % CALMS_PER_BREATH === 0;
    await new Promise<void>((resolve) => (breathes ? setImmediate(resolve) : process.nextTick(resolve)));
    while (held.size > 0) {
      await new Promise<void>((resolve) => (released = resolve));
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  };

  return {
    now: () => now as Instant,
    after,
    settling: { now: () => now as Instant, after: (delay, action) => schedule(delay, action, true) },
    settle: () => {
      unsettled = true;
    },
    async hold(work) {
      held.add(work);
      unsettled = true;
      try {
        return await work;
      } finally {
        held.delete(work);
        if (held.size === 0) released?.();
      }
    },
    async run(until, onTurn) {
      let turns = 0;
      await calm();
      for (;;) {
        const near = nearest();
        const far = times[0] ?? Number.POSITIVE_INFINITY;
        const at = Math.min(near, far);
        if (start + at > until) break;
        // Of one time, what waits in the heap was asked for first.
        const due = far <= near ? nextFar(at) : nextNear(at);
        if (due.action === undefined) continue;
        now = start + at;
        due.action();
        if (due.settles || unsettled) await calm();
        if (onTurn !== undefined && ++turns % TURNS_PER_WORD === 0) onTurn(now as Instant);
      }
      now = Math.max(now, until);
      await calm();
    },
  };
}

/** A binary heap: the root is the earliest. */
function push(heap: number[], time: number): void {
  let index = heap.length;
  heap.push(time);
  while (index > 0) {
    const parent = (index - 1) >> 1;
    const above = heap[parent] as number;
    if (time >= above) break;
    heap[index] = above;
    index = parent;
  }
  heap[index] = time;
}

function pop(heap: number[]): void {
  const last = heap.pop() as number;
  const size = heap.length;
  if (size === 0) return;
  let index = 0;
  for (;;) {
    let child = 2 * index + 1;
    if (child >= size) break;
    if (child + 1 < size && (heap[child + 1] as number) < (heap[child] as number)) child++;
    const below = heap[child] as number;
    if (below >= last) break;
    heap[index] = below;
    index = child;
  }
  heap[index] = last;
}
