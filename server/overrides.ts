import { Fault } from "#protocol/faults.ts";
import type { OrderOf } from "#protocol/messages.ts";
import type { Cancel, Clock } from "#protocol/ports.ts";
import type { Territory } from "#protocol/territory.ts";
import type { Instant } from "#protocol/units.ts";
import { DAY, seconds } from "#protocol/units.ts";
import type { Dispatch, Intent } from "./dispatch.ts";
import type { Groups } from "./groups.ts";
import type { Journal } from "./journal.ts";
import type { Row, State } from "./state.ts";

export type ScopeKind = "device" | "group" | "street" | "zone";
export interface Scope {
  readonly kind: ScopeKind;
  readonly id: string;
}

/** What a hand can hold: a lamp at a level, a junction in a mode. */
export type OverrideOrder =
  | { readonly action: "lamp-override"; readonly level: number }
  | { readonly action: "signal-override"; readonly mode: OrderOf<"signal-override">["mode"] };

export interface OverrideRequest {
  readonly author: string;
  readonly reason: string;
  readonly scope: Scope;
  readonly order: OverrideOrder;
  readonly until: Instant;
}

export interface Override extends OverrideRequest {
  readonly id: number;
  readonly devices: readonly string[];
  readonly from: Instant;
  readonly state: "active" | "released" | "expired";
  readonly endedAt?: Instant;
  readonly endedBy?: string;
}

export interface Overrides {
  start(): void;
  stop(): void;
  /** Takes hold at once. Raises Fault PAYLOAD_INVALID, NOT_FOUND (no such device, group, street, zone), TOO_MANY. */
  create(request: OverrideRequest): Override;
  /** Gives back before the time. Raises Fault NOT_FOUND, CONFLICT (already over). */
  release(id: number, author: string): Override;
  get(id: number): Override | undefined;
  /** Newest first. */
  list(filter: { readonly active?: boolean }, limit: number, before?: number): Override[];
  active(): Override[];
  /** The one that holds this device: the newest of those that cover it. */
  holding(device: string): Override | undefined;
  /** The devices that an override of this scope and order would hold. Raises the faults of `create`. */
  covered(scope: Scope, action: OverrideOrder["action"]): string[];
  subscribe(listener: (override: Override) => void): () => void;
}

/** A disk that took nothing is tried again after this. */
const DISK_RETRY_S = 5;

export const OVERRIDE_LIMITS = { reason: 300, duration_d: 7, active: 500 } as const;
/** How long a station may stay away and still be told that its override is over. */
const RELEASE_EXPIRES_MS = DAY;

export interface OverridesOptions {
  readonly state: State;
  readonly territory: Territory;
  readonly groups: Groups;
  readonly journal: Journal;
  readonly dispatch: Dispatch;
  readonly clock: Clock;
}

export function openOverrides(options: OverridesOptions): Overrides {
  const { state, territory, groups, journal, dispatch, clock } = options;
  const held = new Map<number, Override>();
  const listeners = new Set<(override: Override) => void>();
  let cancel: Cancel | undefined;
  let running = false;

  const holding = (device: string): Override | undefined => {
    let newest: Override | undefined;
    for (const override of held.values()) {
      if (override.devices.includes(device) && (newest === undefined || override.id > newest.id)) newest = override;
    }
    return newest;
  };

  const covered = (scope: Scope, action: OverrideOrder["action"]): string[] => {
    const kind = action === "lamp-override" ? "lamp" : "signal";
    const devices = inScope(territory, groups, scope).filter((id) => territory.devices.get(id)?.kind === kind);
    if (devices.length === 0) {
      const expected = `a ${scope.kind} with at least one ${kind === "lamp" ? "lamp" : "junction"}`;
      throw new Fault("PAYLOAD_INVALID", { path: "scope", found: scope.id, expected });
    }
    return devices;
  };

  const write = (name: string, override: Override, author: string): number => {
    const { id, scope, order, from, until, devices, reason } = override;
    return journal.append({
      at: clock.now(),
      name,
      subject: `${scope.kind}:${scope.id}`,
      inputs: { override: id, scope, reason, from, until, devices },
      decision: {
        value: order,
        because: name,
        evidence: { override: id, reason, devices: devices.length, from, until },
        alternatives: [],
        validUntil: until,
      },
      mode: "hand",
      acted: true,
      author,
    }).id;
  };

  const wake = (): void => {
    cancel?.();
    cancel = undefined;
    if (!running || held.size === 0) return;
    const next = Math.min(...[...held.values()].map((override) => override.until));
    cancel = clock.after(seconds(Math.max(0, next - clock.now()) / 1000), expire);
  };

  /** Ends an override; each of its devices goes to the next older one that still holds it, or back to the machine. */
  const end = (override: Override, as: "released" | "expired", by: string): Override => {
    const endedAt = clock.now();
    const ended: Override = { ...override, state: as, endedAt, endedBy: by };
    const mine = override.devices.filter((device) => holding(device)?.id === override.id);
    held.delete(override.id);
    try {
      state.transaction(() => {
        state.run(
          "UPDATE overrides SET state = ?, ended_at = ?, ended_by = ? WHERE id = ?",
          as,
          endedAt,
          by,
          override.id,
        );
        const entry = write(as === "released" ? "override.release" : "override.expire", ended, by);
        dispatch.send(mine.flatMap((device) => handOver(device, as, endedAt, entry)));
      });
    } catch (problem) {
      held.set(override.id, override);
      throw problem;
    }
    for (const listener of listeners) listener(ended);
    return ended;
  };

  /** What a device is told when its override is over: the next one that holds it, to let go, or nothing. */
  const handOver = (device: string, as: "released" | "expired", at: Instant, entry: number): Intent[] => {
    const next = holding(device);
    if (next !== undefined) return [intentOf(next, device, entry)];
    if (as === "released") {
      return [
        { device, lane: "hand", order: { action: "release" }, expiresAt: (at + RELEASE_EXPIRES_MS) as Instant, entry },
      ];
    }
    // At its expiry a device goes back by itself.
    dispatch.end(device, "hand");
    return [];
  };

  const expire = (): void => {
    const now = clock.now();
    try {
      for (const override of held.values()) if (override.until <= now) end(override, "expired", "vigie");
    } catch (problem) {
      if (!(problem instanceof Fault)) throw problem;
      // At its expiry the device has gone back by itself; that it has can be written down when the disk takes it.
      if (running) cancel = clock.after(seconds(DISK_RETRY_S), expire);
      return;
    }
    wake();
  };

  return {
    start() {
      running = true;
      for (const row of state.all("SELECT * FROM overrides WHERE state = 'active' ORDER BY id")) {
        const override = overrideOf(row);
        held.set(override.id, override);
      }
      expire();
    },
    stop() {
      running = false;
      cancel?.();
      cancel = undefined;
      held.clear();
    },
    create(request) {
      const now = clock.now();
      check(request, now);
      if (held.size >= OVERRIDE_LIMITS.active) {
        throw new Fault("TOO_MANY", { thing: "active overrides", limit: OVERRIDE_LIMITS.active, retry_s: 60 });
      }
      const devices = covered(request.scope, request.order.action);
      const override = state.transaction(() => {
        const id = Number(state.get("SELECT coalesce(max(id), 0) + 1 AS id FROM overrides")?.["id"]);
        const { author, reason, scope, order, until } = request;
        const made: Override = {
          id,
          author,
          reason: reason.trim(),
          scope,
          order,
          until,
          devices,
          from: now,
          state: "active",
        };
        state.run(
          "INSERT INTO overrides VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'active', NULL, NULL)",
          id,
          author,
          made.reason,
          scope.kind,
          scope.id,
          JSON.stringify(devices),
          JSON.stringify(order),
          now,
          until,
        );
        const entry = write("override.create", made, author);
        state.afterCommit(() => held.set(id, made));
        dispatch.send(devices.map((device) => intentOf(made, device, entry)));
        return made;
      });
      wake();
      for (const listener of listeners) listener(override);
      return override;
    },
    release(id, author) {
      const row = state.get("SELECT * FROM overrides WHERE id = ?", id);
      if (row === undefined) throw new Fault("NOT_FOUND", { thing: "override", id });
      const override = held.get(id);
      if (override === undefined) {
        throw new Fault("CONFLICT", { thing: "override", id, action: "released", state: String(row["state"]) });
      }
      const ended = end(override, "released", author);
      wake();
      return ended;
    },
    get(id) {
      const row = state.get("SELECT * FROM overrides WHERE id = ?", id);
      return row && overrideOf(row);
    },
    list({ active }, limit, before = Number.MAX_SAFE_INTEGER) {
      const where = active === undefined ? "" : `state ${active ? "=" : "<>"} 'active' AND`;
      return state
        .all(`SELECT * FROM overrides WHERE ${where} id < ? ORDER BY id DESC LIMIT ?`, before, limit)
        .map(overrideOf);
    },
    active: () => [...held.values()],
    holding,
    covered,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function intentOf(override: Override, device: string, entry: number): Intent {
  const order = { ...override.order, until: override.until };
  return { device, lane: "hand", order, expiresAt: override.until, entry };
}

const refuse = (path: string, found: string | number, expected: string): Fault =>
  new Fault("PAYLOAD_INVALID", { path, found, expected });

function check(request: OverrideRequest, now: Instant): void {
  const { author, reason, order, until } = request;
  if (author.trim() === "") throw refuse("author", "nothing", "who decides");
  const length = reason.trim().length;
  if (length === 0) throw refuse("reason", "nothing", "why, in a sentence");
  if (length > OVERRIDE_LIMITS.reason) {
    throw refuse("reason", `${length} characters`, `at most ${OVERRIDE_LIMITS.reason} characters`);
  }
  if (!Number.isSafeInteger(until) || until <= now) throw refuse("until", until, "a time to come");
  if (until > now + OVERRIDE_LIMITS.duration_d * DAY)
    throw refuse("until", until, `within ${OVERRIDE_LIMITS.duration_d} days`);
  if (order.action === "lamp-override" && !(order.level >= 0 && order.level <= 1)) {
    throw refuse("order.level", order.level, "a number from 0 to 1");
  }
}

function inScope(territory: Territory, groups: Groups, { kind, id }: Scope): readonly string[] {
  const missing = (): never => {
    throw new Fault("NOT_FOUND", { thing: kind, id });
  };
  if (kind === "device") return territory.devices.has(id) ? [id] : missing();
  if (kind === "group") return groups.get(id)?.devices ?? missing();
  const known = kind === "street" ? territory.streets : territory.zones;
  if (!known.some((place) => place.id === id)) return missing();
  const inside = [...territory.devices.values()].filter((device) => device[kind] === id);
  return inside.map((device) => device.id);
}

function overrideOf(row: Row): Override {
  return {
    id: Number(row["id"]),
    author: String(row["author"]),
    reason: String(row["reason"]),
    scope: { kind: row["scope_kind"] as ScopeKind, id: String(row["scope_id"]) },
    order: JSON.parse(String(row["command"])) as OverrideOrder,
    from: row["from_at"] as Instant,
    until: row["until_at"] as Instant,
    devices: JSON.parse(String(row["devices"])) as string[],
    state: row["state"] as Override["state"],
    ...(row["ended_at"] !== null && { endedAt: row["ended_at"] as Instant }),
    ...(row["ended_by"] !== null && { endedBy: String(row["ended_by"]) }),
  };
}
