import { Fault } from "#protocol/faults.ts";
import type { Cancel, Clock } from "#protocol/ports.ts";
import { seconds } from "#protocol/units.ts";
import type { Histogram } from "./histogram.ts";
import { createHistogram } from "./histogram.ts";
import type { Contribution, Store } from "./store/store.ts";

/**
 * Many messages, one commit: what arrives while a commit is under way gathers in the next group, so that the disk is
 * synced a few hundred times a second at most, whatever the load. One commit is under way at a time.
 */
export interface GroupCommit {
  /**
   * Finds out from the store what it has. A store that does not answer yet is failing from the start, and is asked again as
   * after a commit that failed; its other faults are raised.
   */
  start(): Promise<void>;
  /** Why a message of this size cannot be taken now: TOO_MANY or the store's own; undefined when it can. */
  refuses(readings: number, bytes: number): Fault | undefined;
  /** Adds to the group that gathers; the promise is the group's. Ask `refuses` first. */
  add(contributions: readonly Contribution[], readings: number, bytes: number): Promise<void>;
  /** Resolves when everything gathered so far is committed. */
  whenCommitted(): Promise<void>;
  stop(): Promise<void>;
  stats(): {
    readonly commits: number;
    readonly waiting: number;
    readonly commit_ms: { readonly p50: number; readonly p99: number };
    readonly acknowledge_ms: { readonly p50: number; readonly p99: number };
    readonly failing?: { readonly since: number; readonly problem: string; readonly fault: Fault };
  };
}

export interface GroupLimits {
  /** How long the first of a group waits for others. */
  readonly linger_ms: number;
  /** A group of this many readings does not linger. */
  readonly group: number;
  /** Readings and bytes that may wait; beyond it a message is refused, and its station sends it again. */
  readonly waiting: number;
  readonly waitingBytes: number;
}

export const GROUP_LIMITS: GroupLimits = {
  linger_ms: 2,
  group: 2000,
  waiting: 200_000,
  waitingBytes: 33_554_432,
};

/** After a failed commit the store is left alone for this long, doubling up to the second. */
const BACK_OFF_S = 1;
const LONGEST_BACK_OFF_S = 30;

interface GroupCommitOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly limits?: Partial<GroupLimits>;
  /** Called in the order of commits, before the group's promise resolves. */
  committed(contributions: readonly Contribution[]): void;
  /** A commit failed: neither its group nor the one that gathered meanwhile is taken. */
  failed(): void;
  /** At the start, and when a commit failed and the time to rest is over: find out from the store what it has. */
  recover(): Promise<void>;
}

interface Group {
  readonly contributions: Contribution[];
  readings: number;
  bytes: number;
  readonly since: number;
  readonly done: PromiseWithResolvers<void>;
}

interface Failing {
  readonly since: number;
  backOff_s: number;
  fault: Fault;
  /** Whether it is still to say what it has; until then nothing is taken. */
  recovering: boolean;
  /** Nothing was refused yet: it is well again as soon as it answers, and not only when it has committed. */
  readonly fromStart: boolean;
}

export function createGroupCommit(options: GroupCommitOptions): GroupCommit {
  const { store, clock } = options;
  const limits = { ...GROUP_LIMITS, ...options.limits };
  const commitTimes: Histogram = createHistogram();
  const acknowledgeTimes: Histogram = createHistogram();
  let gathering: Group | undefined;
  let underWay: Group | undefined;
  let lingering: Cancel | undefined;
  let stopped = false;
  let failing: Failing | undefined;

  const open = (): Group => {
    const group: Group = {
      contributions: [],
      readings: 0,
      bytes: 0,
      since: clock.now(),
      done: Promise.withResolvers<void>(),
    };
    // Whoever waits for the group sees its rejection; a group that nobody waits for must not bring the process down.
    group.done.promise.catch(() => {});
    lingering = clock.after(seconds(limits.linger_ms / 1000), () => {
      lingering = undefined;
      commitNext();
    });
    return group;
  };

  /** Commits the group that gathers, unless it may still linger or a commit is under way. */
  const commitNext = (): void => {
    if (gathering === undefined || underWay !== undefined) return;
    if (lingering !== undefined && gathering.readings < limits.group && !stopped) return;
    lingering?.();
    lingering = undefined;
    underWay = gathering;
    gathering = undefined;
    void commit(underWay);
  };

  const commit = async (group: Group): Promise<void> => {
    const began = clock.now();
    try {
      await store.commit(group.contributions);
    } catch (problem) {
      fail(group, problem);
      return;
    }
    const now = clock.now();
    commitTimes.record(now - began);
    acknowledgeTimes.record(now - group.since);
    failing = undefined;
    underWay = undefined;
    options.committed(group.contributions);
    group.done.resolve();
    commitNext();
  };

  /** What gathers builds on the group that failed, so both are refused: their stations send them again. */
  const fail = (group: Group, problem: unknown): void => {
    const fault = faultOf(problem);
    rest(fault, false);
    lingering?.();
    lingering = undefined;
    const refused = [group, gathering];
    underWay = undefined;
    gathering = undefined;
    options.failed();
    for (const each of refused) each?.done.reject(fault);
  };

  const rest = (fault: Fault, fromStart: boolean): void => {
    const backOff_s = failing === undefined ? BACK_OFF_S : Math.min(failing.backOff_s * 2, LONGEST_BACK_OFF_S);
    failing = { since: failing?.since ?? clock.now(), backOff_s, fault, recovering: true, fromStart };
    if (!stopped) clock.after(seconds(backOff_s), () => void recover());
  };

  const recover = async (): Promise<void> => {
    const rests = failing;
    if (rests === undefined || stopped) return;
    try {
      await options.recover();
      rests.recovering = false;
      if (rests.fromStart) failing = undefined;
    } catch (problem) {
      rests.fault = faultOf(problem);
      rests.backOff_s = Math.min(rests.backOff_s * 2, LONGEST_BACK_OFF_S);
      clock.after(seconds(rests.backOff_s), () => void recover());
    }
  };

  return {
    async start() {
      try {
        await options.recover();
      } catch (problem) {
        if (!(problem instanceof Fault) || problem.code !== "STORE_UNREACHABLE") throw problem;
        rest(problem, true);
      }
    },
    refuses(readings, bytes) {
      if (failing?.recovering) return failing.fault;
      if (stopped) return new Fault("STORE_FAILED", { problem: "the server stops" });
      const waiting = (gathering?.readings ?? 0) + (underWay?.readings ?? 0) + readings;
      const waitingBytes = (gathering?.bytes ?? 0) + (underWay?.bytes ?? 0) + bytes;
      if (waiting <= limits.waiting && waitingBytes <= limits.waitingBytes) return undefined;
      return new Fault("TOO_MANY", { thing: "readings waiting", limit: limits.waiting, retry_s: 1 });
    },
    add(contributions, readings, bytes) {
      gathering ??= open();
      for (const each of contributions) gathering.contributions.push(each);
      gathering.readings += readings;
      gathering.bytes += bytes;
      const { promise } = gathering.done;
      if (gathering.readings >= limits.group) commitNext();
      return promise;
    },
    whenCommitted: () => (gathering ?? underWay)?.done.promise ?? Promise.resolve(),
    async stop() {
      stopped = true;
      commitNext();
      await (gathering ?? underWay)?.done.promise.catch(() => {});
    },
    stats: () => ({
      commits: commitTimes.count,
      waiting: (gathering?.readings ?? 0) + (underWay?.readings ?? 0),
      commit_ms: { p50: commitTimes.quantile(0.5), p99: commitTimes.quantile(0.99) },
      acknowledge_ms: { p50: acknowledgeTimes.quantile(0.5), p99: acknowledgeTimes.quantile(0.99) },
      ...(failing && { failing: { since: failing.since, problem: failing.fault.message, fault: failing.fault } }),
    }),
  };
}

const faultOf = (problem: unknown): Fault =>
  problem instanceof Fault ? problem : new Fault("STORE_FAILED", { problem: (problem as Error).message });
