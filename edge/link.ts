import { Fault } from "#protocol/faults.ts";
import type { Applied, Command, Passing } from "#protocol/messages.ts";
import { command, encodeMessage, parseMessage, passing, receipt } from "#protocol/messages.ts";
import type { Cancel, Chance, Clock } from "#protocol/ports.ts";
import { allDown, down, streetTopic, up } from "#protocol/topics.ts";
import { seconds } from "#protocol/units.ts";
import type { Outbox, Publishable } from "./outbox.ts";
import type { Session, Uplink } from "./uplink.ts";

export interface LinkOptions {
  readonly territory: string;
  readonly station: string;
  /** The streets that its devices stand on. */
  readonly streets: readonly string[];
  readonly password: string;
  readonly version: string;
  readonly uplink: Uplink;
  readonly outbox: Outbox;
  /** The clock that the station goes by. */
  readonly clock: Clock;
  /** The board's own, of which the status tells the server. */
  readonly ownClock: Clock;
  readonly chance: Chance;
  onCommand(command: Command): void;
  onPassing(passing: Passing): void;
  /** The server's clock showed `at` when it answered what was sent at `sentAt` by ours. */
  onServerTime(at: number, sentAt: number): void;
}

/** The session with the broker: it comes back by itself, sends the oldest batch until the server has it, and answers. */
export interface Link {
  readonly up: boolean;
  /** Messages from below that no parser understood. */
  readonly unreadable: number;
  start(): void;
  stop(): void;
  /** Ends without a word, as when the power goes; the broker speaks the last will. */
  cut(): void;
  /** Something new is in the outbox. */
  send(): void;
  answer(applied: Applied): void;
  /** A word to the neighbours on a street; lost when the broker is away. */
  shout(street: string, passing: Passing): void;
  /** Says how the station is: waiting, dropped. */
  tellStatus(): void;
}

const KEEP_ALIVE_S = 60;
/** From the first failed attempt to the longest pause, with up to half of it taken off by chance. */
const BACK_OFF_S = { first: 1, longest: 60 };
/** A batch without a receipt for this long is sent again. */
const RESEND_AFTER = seconds(20);
/** Answers that wait for their PUBACK; the server repeats its commands, so that a lost answer is asked for again. */
const MAX_ANSWERS = 100;
/** So many waiting readings are a backlog. */
const BACKLOG = 50;

export function createLink(options: LinkOptions): Link {
  return new MqttLink(options);
}

class MqttLink implements Link {
  up = false;
  unreadable = 0;

  private readonly options: LinkOptions;
  private readonly topics: { readings: string; applied: string; status: string; command: string; receipt: string };
  private session: Session | undefined;
  private running = false;
  private attempts = 0;
  private failures = 0;
  private cancelConnect: Cancel | undefined;
  private cancelResend: Cancel | undefined;
  private toldWaiting = 0;
  private inFlight: Publishable | undefined;
  private sentAt = 0;
  /** The mark for which the batch in flight was already replaced, so that late receipts do not make us repeat ourselves. */
  private answeredMark = -1;
  private readonly answers = new Map<string, Applied>();

  constructor(options: LinkOptions) {
    this.options = options;
    const { territory, station } = options;
    this.topics = {
      readings: up(territory, station, "readings"),
      applied: up(territory, station, "applied"),
      status: up(territory, station, "status"),
      command: down(territory, station, "command"),
      receipt: down(territory, station, "receipt"),
    };
  }

  start(): void {
    this.running = true;
    this.connect();
  }

  stop(): void {
    if (this.up) this.session?.publish(this.topics.status, this.status(false), { retain: true });
    this.leave()?.close();
  }

  cut(): void {
    this.leave()?.drop();
  }

  private leave(): Session | undefined {
    this.running = false;
    this.cancelConnect?.();
    this.cancelConnect = undefined;
    const { session } = this;
    this.lost();
    return session;
  }

  private connect(): void {
    const { station, password, uplink } = this.options;
    // Words of a session that was given up are not ours any more.
    const attempt = ++this.attempts;
    const current = (): boolean => attempt === this.attempts;
    this.session = uplink.connect({
      clientId: station,
      username: station,
      password,
      keepAlive_s: KEEP_ALIVE_S,
      will: { topic: this.topics.status, payload: this.status(false) },
      onUp: () => current() && this.came(),
      onDown: () => current() && this.went(),
      onMessage: (topic, payload) => current() && this.heard(topic, payload),
    });
  }

  private came(): void {
    const { territory, station, streets } = this.options;
    this.up = true;
    this.inFlight = undefined;
    this.session?.subscribe([allDown(territory, station), ...streets.map((street) => streetTopic(territory, street))]);
    this.tellStatus();
    for (const answer of this.answers.values()) this.publishAnswer(answer);
    this.send();
  }

  private went(): void {
    this.lost();
    if (!this.running) return;
    const pause = Math.min(BACK_OFF_S.longest, BACK_OFF_S.first * 2 ** this.failures);
    this.failures = Math.min(this.failures + 1, 10);
    // Hundreds of stations lose a broker at the same moment and must not come back at the same moment.
    const delay = seconds(pause * (0.5 + 0.5 * this.options.chance.next()));
    this.cancelConnect = this.options.clock.after(delay, () => this.connect());
  }

  private lost(): void {
    this.up = false;
    this.attempts++;
    this.session = undefined;
    this.inFlight = undefined;
    this.cancelResend?.();
    this.cancelResend = undefined;
  }

  tellStatus(): void {
    this.toldWaiting = this.options.outbox.waiting;
    if (this.up) this.session?.publish(this.topics.status, this.status(true), { retain: true });
  }

  private status(online: boolean): Uint8Array {
    const { outbox, version, ownClock } = this.options;
    const { sample, state, event } = outbox.dropped;
    const now = ownClock.now();
    return encodeMessage({
      online,
      since: now,
      version,
      ...(online && { waiting: outbox.waiting, dropped: sample + state + event, clock: now }),
    });
  }

  send(): void {
    if (!this.up || this.inFlight !== undefined) return;
    const batch = this.options.outbox.batch();
    if (batch === undefined) return;
    this.inFlight = batch;
    this.sentAt = this.options.clock.now();
    this.session?.publish(this.topics.readings, batch.payload, {}, () => (this.failures = 0));
    this.cancelResend ??= this.options.clock.after(RESEND_AFTER, () => this.resend());
  }

  /** One timer while something is in flight, however many batches pass meanwhile. */
  private resend(): void {
    this.cancelResend = undefined;
    if (this.inFlight === undefined) return;
    const wait_ms = RESEND_AFTER * 1000 - (this.options.clock.now() - this.sentAt);
    if (wait_ms > 0 && wait_ms <= RESEND_AFTER * 1000) {
      this.cancelResend = this.options.clock.after(seconds(wait_ms / 1000), () => this.resend());
      return;
    }
    this.inFlight = undefined;
    this.send();
  }

  private heard(topic: string, payload: Uint8Array): void {
    try {
      if (topic === this.topics.receipt) this.receipted(payload);
      else if (topic === this.topics.command) this.options.onCommand(parseMessage(command, payload));
      else this.options.onPassing(parsePassing(payload));
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault;
      this.unreadable++;
    }
  }

  private receipted(payload: Uint8Array): void {
    const { epoch, upTo, at } = parseMessage(receipt, payload);
    const { outbox } = this.options;
    outbox.receipt(epoch, upTo);
    // A backlog that was told of is gone: nobody should go on worrying about it.
    if (this.toldWaiting >= BACKLOG && outbox.waiting < BACKLOG) this.tellStatus();
    const sent = this.inFlight;
    if (sent === undefined) return this.send();
    if (at !== undefined) this.options.onServerTime(at, this.sentAt);
    if (upTo >= sent.last || epoch !== outbox.epoch) {
      this.inFlight = undefined;
      this.answeredMark = -1;
      this.send();
    } else if (upTo < sent.after && upTo !== this.answeredMark) {
      // The server lacks something before this batch: go back to where it stands.
      this.answeredMark = upTo;
      this.inFlight = undefined;
      this.send();
    }
  }

  answer(applied: Applied): void {
    this.answers.set(applied.command, applied);
    const [oldest] = this.answers.keys();
    if (this.answers.size > MAX_ANSWERS && oldest !== undefined) this.answers.delete(oldest);
    this.publishAnswer(applied);
  }

  private publishAnswer(applied: Applied): void {
    if (!this.up) return;
    this.session?.publish(this.topics.applied, encodeMessage(applied), {}, () => {
      if (this.answers.get(applied.command) === applied) this.answers.delete(applied.command);
    });
  }

  shout(street: string, passing: Passing): void {
    if (this.up) this.session?.shout(streetTopic(this.options.territory, street), encodeMessage(passing));
  }
}

/**
 * In the rehearsal one payload reaches every lamp of a street in one process; it is parsed once. Payloads are never
 * changed after they are sent.
 */
const parsed = new WeakMap<Uint8Array, Passing>();

function parsePassing(payload: Uint8Array): Passing {
  let message = parsed.get(payload);
  if (message === undefined) {
    message = parseMessage(passing, payload);
    parsed.set(payload, message);
  }
  return message;
}
