import type { Evidence } from "#control/decision.ts";
import { Fault } from "#protocol/faults.ts";
import type { Clock } from "#protocol/ports.ts";
import type { Instant } from "#protocol/units.ts";
import { DAY } from "#protocol/units.ts";
import type { AlarmKey, Severity } from "./alarm-kinds.ts";
import { ALARM_KINDS } from "./alarm-kinds.ts";
import type { Row, State } from "./state.ts";

export const ALARM_STATES = ["open", "acknowledged", "in-progress", "resolved", "closed"] as const;
export type AlarmState = (typeof ALARM_STATES)[number];

/** Where a person may take an alarm. Only a resolved one can be closed, and one that is not over opened again. */
export const TRANSITIONS: Readonly<Record<AlarmState, readonly AlarmState[]>> = {
  open: ["acknowledged", "in-progress", "resolved"],
  acknowledged: ["open", "in-progress", "resolved"],
  "in-progress": ["acknowledged", "resolved"],
  resolved: ["open", "closed"],
  closed: [],
};

export interface AlarmNote {
  readonly at: Instant;
  readonly author: string;
  readonly text: string;
}

export interface Alarm {
  readonly id: number;
  readonly key: AlarmKey;
  /** A device, station, feeder or part of the server. With the key it is the cause: one cause, one alarm. */
  readonly subject: string;
  readonly severity: Severity;
  readonly state: AlarmState;
  readonly owner?: string;
  readonly facts: Evidence;
  readonly devices: readonly string[];
  readonly notes: readonly AlarmNote[];
  /** How often the cause came. */
  readonly count: number;
  readonly raisedAt: Instant;
  readonly updatedAt: Instant;
  /** When the cause went; absent: it is still there. */
  readonly clearedAt?: Instant;
}

export interface Cause {
  readonly key: AlarmKey;
  readonly subject: string;
  readonly facts: Evidence;
  readonly devices?: readonly string[];
}

export interface AlarmAction {
  readonly state?: AlarmState;
  readonly note?: string;
  /** Null: nobody's. */
  readonly owner?: string | null;
}

export interface Alarms {
  /** The cause is there. A cause that has an alarm makes no second one; one that comes back opens its alarm again. */
  raise(cause: Cause): Alarm;
  /** The cause is gone: the alarm is resolved by itself. */
  clear(key: AlarmKey, subject: string): void;
  /** What a person does. Raises Fault NOT_FOUND, CONFLICT (no such way from its state), TOO_MANY (notes). */
  act(id: number, action: AlarmAction, author: string): Alarm;
  get(id: number): Alarm | undefined;
  /** Newest first. */
  list(states: readonly AlarmState[], limit: number, before?: number): Alarm[];
  /** Those that nobody has closed. */
  live(): Alarm[];
  /** Those whose cause is still there, whatever a person has made of them. */
  standing(): Alarm[];
  /** Closes what has been resolved for a week, and writes down what the disk did not take before. */
  tidy(): void;
  subscribe(listener: (alarm: Alarm) => void): () => void;
  stats(): Readonly<Record<AlarmState, number>>;
}

const MAX_NOTES = 200;
const MAX_NOTE_LENGTH = 1000;
const CLOSES_AFTER_MS = 7 * DAY;

export function openAlarms(state: State, clock: Clock): Alarms {
  /** By cause: the alarm that a cause belongs to. */
  const byCause = new Map<string, Alarm>();
  const listeners = new Set<(alarm: Alarm) => void>();
  for (const row of state.all("SELECT * FROM alarms WHERE state <> 'closed' OR cleared_at IS NULL ORDER BY id")) {
    const alarm = alarmOf(row);
    byCause.set(causeOf(alarm), alarm);
  }
  let last = Number(state.get("SELECT coalesce(max(id), 0) AS id FROM alarms")?.["id"]);

  /** Raised or cleared while the disk took nothing: kept here, and written at the next tidying. */
  const unwritten = new Map<number, Alarm>();

  const keepByItself = (alarm: Alarm): Alarm => {
    try {
      return keep(alarm);
    } catch (problem) {
      if (!(problem instanceof Fault)) throw problem;
      unwritten.set(alarm.id, alarm);
      return remember(alarm);
    }
  };
  const keep = (alarm: Alarm): Alarm => {
    write(state, alarm);
    unwritten.delete(alarm.id);
    return remember(alarm);
  };
  const remember = (alarm: Alarm): Alarm => {
    if (alarm.state === "closed" && alarm.clearedAt !== undefined) byCause.delete(causeOf(alarm));
    else byCause.set(causeOf(alarm), alarm);
    for (const listener of listeners) listener(alarm);
    return alarm;
  };
  const find = (id: number): Alarm | undefined => {
    const row = state.get("SELECT * FROM alarms WHERE id = ?", id);
    return row && alarmOf(row);
  };

  return {
    raise({ key, subject, facts, devices = [] }) {
      const now = clock.now();
      const before = byCause.get(`${key}:${subject}`);
      if (before === undefined) {
        const { severity } = ALARM_KINDS[key];
        last++;
        return keepByItself({
          id: last,
          key,
          subject,
          severity,
          state: "open",
          facts,
          devices,
          notes: [],
          count: 1,
          raisedAt: now,
          updatedAt: now,
        });
      }
      if (before.clearedAt === undefined) {
        // Still there: a person may have resolved it meanwhile, and that stays. Only who is struck is news.
        return devices.length === before.devices.length
          ? before
          : keepByItself({ ...before, facts, devices, updatedAt: now });
      }
      const { clearedAt: _, ...rest } = before;
      return keepByItself({ ...rest, state: "open", facts, devices, count: before.count + 1, updatedAt: now });
    },
    clear(key, subject) {
      const alarm = byCause.get(`${key}:${subject}`);
      if (alarm === undefined || alarm.clearedAt !== undefined) return;
      const now = clock.now();
      const state = alarm.state === "closed" ? "closed" : "resolved";
      keepByItself({ ...alarm, state, clearedAt: now, updatedAt: now });
    },
    act(id, action, author) {
      const alarm = find(id);
      if (alarm === undefined) throw new Fault("NOT_FOUND", { thing: "alarm", id });
      const to = action.state ?? alarm.state;
      if (to !== alarm.state && !TRANSITIONS[alarm.state].includes(to)) {
        throw new Fault("CONFLICT", { thing: "alarm", id, action: to, state: alarm.state });
      }
      if (alarm.state === "closed")
        throw new Fault("CONFLICT", { thing: "alarm", id, action: "changed", state: "closed" });
      const notes = action.note === undefined ? alarm.notes : noted(alarm, action.note, author, clock.now());
      // Taking an alarm in hand makes it one's own, unless somebody is named.
      const takes = action.state === "acknowledged" || action.state === "in-progress";
      const owner = action.owner === null ? undefined : (action.owner ?? alarm.owner ?? (takes ? author : undefined));
      const { owner: _, ...rest } = alarm;
      return keep({ ...rest, ...(owner !== undefined && { owner }), state: to, notes, updatedAt: clock.now() });
    },
    get: find,
    list(states, limit, before = Number.MAX_SAFE_INTEGER) {
      const marks = states.map(() => "?").join(", ");
      return state
        .all(
          `SELECT * FROM alarms WHERE state IN (${marks}) AND id < ? ORDER BY id DESC LIMIT ?`,
          ...states,
          before,
          limit,
        )
        .map(alarmOf);
    },
    live: () => [...byCause.values()].filter((alarm) => alarm.state !== "closed"),
    standing: () => [...byCause.values()].filter((alarm) => alarm.clearedAt === undefined),
    tidy() {
      const now = clock.now();
      for (const alarm of unwritten.values()) keepByItself(alarm);
      for (const alarm of byCause.values()) {
        if (alarm.state !== "resolved" || alarm.clearedAt === undefined) continue;
        if (now - alarm.updatedAt >= CLOSES_AFTER_MS) keepByItself({ ...alarm, state: "closed", updatedAt: now });
      }
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stats() {
      const counts = { open: 0, acknowledged: 0, "in-progress": 0, resolved: 0, closed: 0 };
      for (const row of state.all("SELECT state, count(*) AS n FROM alarms GROUP BY state")) {
        counts[row["state"] as AlarmState] = Number(row["n"]);
      }
      return counts;
    },
  };
}

const causeOf = (alarm: Alarm): string => `${alarm.key}:${alarm.subject}`;

function noted(alarm: Alarm, text: string, author: string, at: Instant): readonly AlarmNote[] {
  const length = text.trim().length;
  if (length === 0 || length > MAX_NOTE_LENGTH) {
    throw new Fault("PAYLOAD_INVALID", {
      path: "note",
      found: `${length} characters`,
      expected: `1 to ${MAX_NOTE_LENGTH} characters`,
    });
  }
  if (alarm.notes.length >= MAX_NOTES)
    throw new Fault("TOO_MANY", { thing: "notes", limit: MAX_NOTES, retry_s: DAY / 1000 });
  return [...alarm.notes, { at, author, text: text.trim() }];
}

function write(state: State, alarm: Alarm): void {
  state.run(
    "INSERT OR REPLACE INTO alarms VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    alarm.id,
    alarm.key,
    alarm.subject,
    alarm.severity,
    alarm.state,
    alarm.owner ?? null,
    JSON.stringify(alarm.facts),
    JSON.stringify(alarm.devices),
    JSON.stringify(alarm.notes),
    alarm.count,
    alarm.raisedAt,
    alarm.updatedAt,
    alarm.clearedAt ?? null,
  );
}

function alarmOf(row: Row): Alarm {
  return {
    id: Number(row["id"]),
    key: row["key"] as AlarmKey,
    subject: String(row["subject"]),
    severity: row["severity"] as Severity,
    state: row["state"] as AlarmState,
    ...(row["owner"] !== null && { owner: String(row["owner"]) }),
    facts: JSON.parse(String(row["facts"])) as Evidence,
    devices: JSON.parse(String(row["devices"])) as string[],
    notes: JSON.parse(String(row["notes"])) as AlarmNote[],
    count: Number(row["count"]),
    raisedAt: row["raised_at"] as Instant,
    updatedAt: row["updated_at"] as Instant,
    ...(row["cleared_at"] !== null && { clearedAt: row["cleared_at"] as Instant }),
  };
}
