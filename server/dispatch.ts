import { canonical } from "#protocol/canonical.ts";
import { Fault } from "#protocol/faults.ts";
import type { Applied, Command, Order, Unsigned } from "#protocol/messages.ts";
import { encodeMessage } from "#protocol/messages.ts";
import type { Cancel, Clock } from "#protocol/ports.ts";
import type { Territory } from "#protocol/territory.ts";
import { down } from "#protocol/topics.ts";
import type { Instant } from "#protocol/units.ts";
import { seconds } from "#protocol/units.ts";
import type { CommandProgress, CommandState, Lane, Registry } from "./registry.ts";
import type { State } from "./state.ts";

/** Signs what is sent down; the stations hold the public key. */
export interface Signer {
  /** The signature over the UTF-8 text, in base64url. */
  sign(text: string): string;
}

export interface Intent {
  readonly device: string;
  readonly lane: Lane;
  readonly order: Order;
  readonly expiresAt: Instant;
  /** The journal entry of the decision behind it. */
  readonly entry?: number;
}

/**
 * Brings orders to devices: one intent for each device and lane, on disk before it is sent, repeated until the device
 * answers or the order expires. A newer intent of the same lane takes the place of the older; the hand goes first.
 */
export interface Dispatch {
  start(): void;
  /** Writes down what was answered, and rests. */
  stop(): void;
  /** Rests as a crash does: what was answered and not written down is asked again at the next start. */
  kill(): void;
  /** Takes these in one transaction and sends at once what can be sent. */
  send(intents: readonly Intent[]): void;
  /** The lane of this device is over without a command: its order has ended by itself. */
  end(device: string, lane: Lane): void;
  applied(station: string, answer: Applied): void;
  stats(): DispatchStats;
}

export interface DispatchStats {
  readonly waiting: number;
  readonly sent: number;
  readonly repeated: number;
  readonly applied: number;
  readonly refused: number;
  readonly expired: number;
}

export interface DispatchOptions {
  readonly state: State;
  readonly territory: Territory;
  readonly clock: Clock;
  readonly signer: Signer;
  readonly registry: Registry;
  publish(topic: string, payload: Uint8Array): void;
}

/** Waiting times between repeats: doubled from the first to the last. */
const REPEAT = { first_s: 1, last_s: 30 };
/** Commands sent in one turn; the rest follows after a pause, so that ten thousand lamps do not hold up a reading. */
const TURN = { commands: 200, pause_s: 0.05 };
/** Answers are written down together, so that a town that answers at once costs one write; a lost one is asked again. */
const GATHER_S = 0.25;
/** A refused order is tried again under a new sequence before it counts as refused. */
const RETRY = { times: 2, pause_s: 10 };
/** A disk that took nothing is tried again after this. */
const DISK_RETRY_S = 5;
/** An answer to one of the last commands of an intent settles it. */
const IDS_KEPT = 8;

interface Pending {
  readonly device: string;
  readonly station: string;
  readonly lane: Lane;
  readonly order: Order;
  readonly since: Instant;
  readonly expiresAt: Instant;
  readonly entry: number | undefined;
  /** Sequences under which it was sent; the last is the one in flight. */
  sequences: number[];
  /** The very command in flight, so that a repeat is the same bytes. */
  payload: Uint8Array | undefined;
  attempts: number;
  refusals: number;
  dueAt: number;
}

export function createDispatch(options: DispatchOptions): Dispatch {
  const { state, territory, clock, signer, registry } = options;
  /** What has not been answered, by device and lane. */
  const pending = new Map<string, Partial<Record<Lane, Pending>>>();
  const sequences = new Map<string, number>();
  const totals = { sent: 0, repeated: 0, applied: 0, refused: 0, expired: 0 };
  let running = false;
  let cancel: Cancel | undefined;
  let cancelAt = Number.POSITIVE_INFINITY;
  let unsubscribe: (() => void) | undefined;
  let answered: (() => void)[] = [];
  let cancelFlush: Cancel | undefined;

  const write = (intent: Pending, progress: CommandProgress, answeredAt?: Instant, because?: string): void => {
    state.run(
      "INSERT OR REPLACE INTO intents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      intent.device,
      intent.lane,
      JSON.stringify(intent.order),
      intent.entry ?? null,
      intent.since,
      intent.expiresAt,
      progress,
      JSON.stringify(intent.sequences),
      answeredAt ?? null,
      because ?? null,
    );
  };

  const save = (intent: Pending, progress: CommandProgress): void => {
    write(intent, progress);
    registry.command(intent.device, intent.lane, stateOf(intent, progress));
  };

  /** All writes go through here: what was answered is written first, so that it never covers something newer. */
  const transaction = (work: () => void): void => {
    const before = answered;
    answered = [];
    cancelFlush?.();
    cancelFlush = undefined;
    try {
      state.transaction(() => {
        for (const each of before) each();
        work();
      });
    } catch (problem) {
      answered = [...before, ...answered];
      throw problem;
    }
  };

  const flush = (): void => {
    try {
      transaction(() => undefined);
    } catch (problem) {
      if (!(problem instanceof Fault)) throw problem;
      cancelFlush ??= clock.after(seconds(DISK_RETRY_S), flush);
    }
  };

  const forget = (intent: Pending): void => {
    const lanes = pending.get(intent.device);
    if (lanes?.[intent.lane] !== intent) return;
    delete lanes[intent.lane];
    if (lanes.machine === undefined && lanes.hand === undefined) pending.delete(intent.device);
  };

  /** A number that grows even when the state was lost and restored: not below the seconds of the clock. */
  const nextSequence = (device: string, now: number): number => {
    const next = Math.max((sequences.get(device) ?? 0) + 1, Math.floor(now / 1000));
    sequences.set(device, next);
    state.run("INSERT OR REPLACE INTO sequences VALUES (?, ?)", device, next);
    return next;
  };

  const issue = (intent: Pending, now: Instant): void => {
    const sequence = nextSequence(intent.device, now);
    intent.sequences = [...intent.sequences.slice(1 - IDS_KEPT), sequence];
    const unsigned: Unsigned = {
      id: commandId(intent.device, sequence),
      station: intent.station,
      device: intent.device,
      sequence,
      issuedAt: now,
      expiresAt: intent.expiresAt,
      order: intent.order,
    };
    const command: Command = { ...unsigned, signature: signer.sign(canonical(unsigned)) };
    intent.payload = encodeMessage(command);
    save(intent, "sent");
  };

  /** The one that is on its way to this device: a device takes commands in sequence, so never two at once. */
  const front = (device: string): Pending | undefined => {
    const lanes = pending.get(device);
    return lanes?.hand ?? lanes?.machine;
  };

  const turn = (): void => {
    cancel = undefined;
    cancelAt = Number.POSITIVE_INFINITY;
    const now = clock.now();
    const due: Pending[] = [];
    let next = Number.POSITIVE_INFINITY;
    let more = false;
    for (const device of pending.keys()) {
      const intent = front(device) as Pending;
      if (intent.expiresAt > now && registry.station(intent.station)?.online !== true) {
        // It waits for its station; only its expiry can come by itself.
        next = Math.min(next, intent.expiresAt);
      } else if (Math.min(intent.dueAt, intent.expiresAt) > now) next = Math.min(next, intent.dueAt, intent.expiresAt);
      else if (due.length < TURN.commands) due.push(intent);
      else more = true;
    }
    if (due.length > 0) {
      const sending: Pending[] = [];
      const fresh = due.filter(({ payload }) => payload === undefined);
      try {
        transaction(() => {
          for (const intent of due) {
            if (intent.expiresAt <= now) {
              totals.expired++;
              forget(intent);
              save(intent, "expired");
              continue;
            }
            if (intent.payload === undefined) issue(intent, now);
            sending.push(intent);
          }
        });
      } catch (problem) {
        if (!(problem instanceof Fault)) throw problem;
        // The disk takes nothing: what could not be written down is not sent, and is issued anew when it can be.
        for (const intent of fresh) intent.payload = undefined;
        wakeAt(now + DISK_RETRY_S * 1000);
        return;
      }
      // Only what is on disk is sent: after a crash the sequence goes on above every command a device may have seen.
      for (const intent of sending) {
        if (intent.attempts++ > 0) totals.repeated++;
        totals.sent++;
        intent.dueAt = now + 1000 * Math.min(REPEAT.first_s * 2 ** (intent.attempts - 1), REPEAT.last_s);
        next = Math.min(next, intent.dueAt);
        options.publish(down(territory.id, intent.station, "command"), intent.payload as Uint8Array);
      }
      // An expired hand may have hidden a plan that is due now.
      if (sending.length < due.length) next = now;
    }
    if (more) next = now + TURN.pause_s * 1000;
    wakeAt(next);
  };

  const wakeAt = (at: number): void => {
    if (!running || at >= cancelAt || at === Number.POSITIVE_INFINITY) return;
    cancel?.();
    cancelAt = at;
    cancel = clock.after(seconds(Math.max(0, at - clock.now()) / 1000), turn);
  };

  const settle = (intent: Pending, answer: Applied): void => {
    if (answer.outcome === "refused" && ++intent.refusals <= RETRY.times) {
      // Power that went in mid-act, a clock that was wrong, a sequence from before a restored state: worth another try.
      const { refusals } = intent;
      renew(intent);
      intent.refusals = refusals;
      intent.sequences = intent.sequences.filter((sequence) => sequence !== answer.sequence);
      intent.dueAt = clock.now() + RETRY.pause_s * 1000;
      wakeAt(intent.dueAt);
      return;
    }
    forget(intent);
    if (answer.outcome === "applied") totals.applied++;
    else totals.refused++;
    const { outcome, because } = answer;
    const at = answer.at as Instant;
    registry.command(intent.device, intent.lane, stateOf(intent, outcome, at, because));
    answered.push(() => write(intent, outcome, at, because));
    cancelFlush ??= clock.after(seconds(GATHER_S), flush);
    const waiting = front(intent.device);
    if (waiting !== undefined) {
      // Its sequence, if it had one, is behind what the device has just taken: it needs a new one.
      renew(waiting);
      wakeAt(clock.now());
    }
  };

  return {
    start() {
      running = true;
      for (const row of state.all("SELECT device, last FROM sequences")) {
        sequences.set(String(row["device"]), Number(row["last"]));
      }
      for (const row of state.all("SELECT * FROM intents ORDER BY device, lane")) {
        const device = territory.devices.get(String(row["device"]));
        if (device === undefined) continue;
        const intent: Pending = {
          device: device.id,
          station: device.station,
          lane: row["lane"] as Lane,
          order: JSON.parse(String(row["command"])) as Order,
          since: row["since"] as Instant,
          expiresAt: row["expires_at"] as Instant,
          entry: row["entry"] === null ? undefined : Number(row["entry"]),
          sequences: JSON.parse(String(row["ids"])) as number[],
          payload: undefined,
          attempts: 0,
          refusals: 0,
          dueAt: 0,
        };
        const progress = row["state"] as CommandProgress;
        const answeredAt = row["answered_at"] === null ? undefined : (row["answered_at"] as Instant);
        registry.command(
          device.id,
          intent.lane,
          stateOf(intent, progress, answeredAt, row["because"] === null ? undefined : String(row["because"])),
        );
        if (progress === "waiting" || progress === "sent") put(pending, intent);
      }
      unsubscribe = registry.subscribe((change) => {
        if (change.kind !== "station" || !change.station.online) return;
        let any = false;
        for (const device of territory.byStation.get(change.station.id) ?? []) {
          const intent = front(device.id);
          if (intent === undefined) continue;
          intent.dueAt = 0;
          intent.attempts = Math.min(intent.attempts, 1);
          any = true;
        }
        if (any) wakeAt(clock.now());
      });
      wakeAt(clock.now());
    },
    stop() {
      if (answered.length > 0) flush();
      rest();
    },
    kill: rest,
    send(intents) {
      const now = clock.now();
      const made = intents.map(({ device: id, lane, order, expiresAt, entry }): Pending => {
        const device = territory.devices.get(id);
        if (device === undefined) throw new RangeError(`no device ${id} to send to`);
        const { station } = device;
        return {
          device: id,
          station,
          lane,
          order,
          since: now,
          expiresAt,
          entry,
          sequences: [],
          payload: undefined,
          attempts: 0,
          refusals: 0,
          dueAt: 0,
        };
      });
      transaction(() => {
        for (const intent of made) write(intent, "waiting");
        state.afterCommit(() => {
          for (const intent of made) {
            put(pending, intent);
            // A hand goes before a plan that is on its way; the plan follows it under a new sequence.
            const plan = intent.lane === "hand" ? pending.get(intent.device)?.machine : undefined;
            if (plan !== undefined) renew(plan);
            registry.command(intent.device, intent.lane, stateOf(intent, "waiting"));
          }
          if (!running) return;
          // A hand is not kept waiting; plans go out with what else is decided at this time.
          if (made.some(({ lane }) => lane === "hand")) turnNow();
          else wakeAt(now + TURN.pause_s * 1000);
        });
      });
    },
    end(device, lane) {
      transaction(() => state.run("UPDATE intents SET state = 'ended' WHERE device = ? AND lane = ?", device, lane));
      state.afterCommit(() => {
        const intent = pending.get(device)?.[lane];
        if (intent !== undefined) forget(intent);
        const twin = registry.twin(device)?.[lane];
        if (twin !== undefined) registry.command(device, lane, { ...twin, progress: "ended" });
        if (front(device) !== undefined) wakeAt(clock.now());
      });
    },
    applied(station, answer) {
      // An answer after the stop could not be written down any more: it is asked for again at the next start.
      if (!running) return;
      const lanes = pending.get(answer.device);
      for (const intent of [lanes?.hand, lanes?.machine]) {
        if (intent !== undefined && intent.station === station && intent.sequences.includes(answer.sequence)) {
          settle(intent, answer);
          return;
        }
      }
    },
    stats() {
      let waiting = 0;
      for (const lanes of pending.values()) waiting += (lanes.hand ? 1 : 0) + (lanes.machine ? 1 : 0);
      return { waiting, ...totals };
    },
  };

  function rest(): void {
    running = false;
    cancel?.();
    cancel = undefined;
    cancelAt = Number.POSITIVE_INFINITY;
    cancelFlush?.();
    cancelFlush = undefined;
    answered = [];
    unsubscribe?.();
  }

  function turnNow(): void {
    cancel?.();
    turn();
  }
}

const commandId = (device: string, sequence: number): string => `${device.slice(0, 48)}.${sequence}`;

function put(pending: Map<string, Partial<Record<Lane, Pending>>>, intent: Pending): void {
  const lanes = pending.get(intent.device);
  if (lanes === undefined) pending.set(intent.device, { [intent.lane]: intent });
  else lanes[intent.lane] = intent;
}

function renew(intent: Pending): void {
  intent.payload = undefined;
  intent.attempts = 0;
  intent.dueAt = 0;
  intent.refusals = 0;
}

function stateOf(intent: Pending, progress: CommandProgress, answeredAt?: Instant, because?: string): CommandState {
  return {
    order: intent.order,
    progress,
    since: intent.since,
    expiresAt: intent.expiresAt,
    ...(intent.entry !== undefined && { entry: intent.entry }),
    ...(answeredAt !== undefined && { answeredAt }),
    ...(because !== undefined && { because }),
  };
}
