import { Fault } from "#protocol/faults.ts";
import type { Cancel, Clock } from "#protocol/ports.ts";
import type { Instant } from "#protocol/units.ts";
import { seconds } from "#protocol/units.ts";
import type { Alarms } from "./alarms.ts";
import type { Dispatch } from "./dispatch.ts";
import type { Journal, JournalEntry } from "./journal.ts";
import type { Policies } from "./policies.ts";
import type { Outcome, Service } from "./services/service.ts";
import type { State } from "./state.ts";

/** The town's slow thinking: at its own pace it makes what is due, writes it down with its reasons, and sends it out. */
export interface Loop {
  start(): void;
  stop(): Promise<void>;
  /** Makes the decisions of a service about these subjects (or all) anew, at the next turn. */
  renew(service: string, subjects?: readonly string[]): void;
  /** When the next decision about a subject is due. */
  dueAt(service: string, subject: string): Instant | undefined;
  stats(): LoopStats;
}

export interface LoopStats {
  readonly decisions: number;
  readonly acted: number;
  readonly failures: number;
  /** Decisions that are overdue now. */
  readonly waiting: number;
}

export interface LoopOptions {
  readonly services: readonly Service[];
  readonly state: State;
  readonly journal: Journal;
  readonly policies: Policies;
  readonly dispatch: Dispatch;
  readonly alarms: Alarms;
  readonly clock: Clock;
}

/** Decisions in one turn, and the pause until the next when more are due: a reading never waits for a whole town. */
const TURN = { decisions: 4, pause_s: 0.05 };
/** The loop looks at least so often, so that a clock that is set right is noticed. */
const LONGEST_SLEEP_S = 60;
/** A decision that failed is tried again after this. */
const RETRY_S = 60;

interface Due {
  readonly service: Service;
  readonly subject: string;
  at: Instant;
}

export function createLoop({ services, state, journal, policies, dispatch, alarms, clock }: LoopOptions): Loop {
  const due: Due[] = [];
  const totals = { decisions: 0, acted: 0, failures: 0 };
  let running = false;
  let cancel: Cancel | undefined;
  let turning: Promise<void> | undefined;
  let unsubscribe: (() => void) | undefined;

  const sleep = (): void => {
    if (!running || turning !== undefined) return;
    cancel?.();
    const now = clock.now();
    let next = now + LONGEST_SLEEP_S * 1000;
    for (const each of due) next = Math.min(next, each.at);
    cancel = clock.after(seconds(Math.max(0, next - now) / 1000), wake);
  };

  const wake = (): void => {
    cancel = undefined;
    turning = turn().finally(() => {
      turning = undefined;
      sleep();
    });
  };

  const turn = async (): Promise<void> => {
    const now = clock.now();
    const ready = due.filter((each) => each.at <= now);
    for (const each of ready.slice(0, TURN.decisions)) {
      if (!running) return;
      await make(each);
    }
    if (ready.length > TURN.decisions) await pause();
  };

  const pause = (): Promise<void> => new Promise((resolve) => void clock.after(seconds(TURN.pause_s), resolve));

  const make = async (each: Due): Promise<void> => {
    const { service, subject } = each;
    const now = clock.now();
    const before = each.at;
    const cause = { name: service.name, subject };
    try {
      const outcome = await service.decide(subject, now);
      if (!running) return;
      if (outcome !== undefined) act(service, subject, now, outcome);
      // A policy may have changed while the inputs were gathered: then it is due again already.
      if (each.at === before) each.at = service.dueAt(subject, now);
      alarms.clear("decision-failed", `${cause.name}:${subject}`);
    } catch (problem) {
      // A store that fails is the world's doing; anything else is a mistake in us, which must not stop the other decisions.
      totals.failures++;
      each.at = (now + RETRY_S * 1000) as Instant;
      const text = problem instanceof Fault ? problem.message : String(problem);
      alarms.raise({ key: "decision-failed", subject: `${cause.name}:${subject}`, facts: { ...cause, problem: text } });
    }
  };

  /** Written and handed to dispatch in one transaction: no order without its reason, no reason without its order. */
  const act = (service: Service, subject: string, now: Instant, outcome: Outcome): void => {
    const { mode } = policies.get(service.name);
    const acted = policies.acts(service.name, subject);
    state.transaction(() => {
      write(service, subject, now, outcome, mode, acted);
      if (!acted && outcome.otherwise !== undefined) write(service, subject, now, outcome.otherwise, mode, true);
    });
  };

  const write = (
    { name }: Service,
    subject: string,
    at: Instant,
    { inputs, decision, orders }: Outcome,
    mode: JournalEntry["mode"],
    acted: boolean,
  ): void => {
    const entry = journal.append({ at, name, subject, inputs, decision, mode, acted }).id;
    totals.decisions++;
    if (!acted) return;
    totals.acted++;
    dispatch.send(orders.map((order) => ({ ...order, lane: "machine", entry })));
  };

  const find = (service: string, subject: string): Due | undefined =>
    due.find((each) => each.service.name === service && each.subject === subject);

  const renew = (service: string, subjects?: readonly string[]): void => {
    const now = clock.now();
    for (const each of due) {
      if (each.service.name === service && (subjects === undefined || subjects.includes(each.subject))) each.at = now;
    }
    sleep();
  };

  return {
    start() {
      running = true;
      due.length = 0;
      for (const service of services) {
        for (const subject of service.subjects) {
          const last = journal.latest(service.name, subject)?.at;
          due.push({ service, subject, at: service.dueAt(subject, last) });
        }
      }
      unsubscribe = policies.subscribe((policy) => renew(policy.name));
      sleep();
    },
    async stop() {
      running = false;
      cancel?.();
      cancel = undefined;
      unsubscribe?.();
      await turning;
    },
    renew,
    dueAt: (service, subject) => find(service, subject)?.at,
    stats() {
      const now = clock.now();
      return { ...totals, waiting: due.filter((each) => each.at < now).length };
    },
  };
}
