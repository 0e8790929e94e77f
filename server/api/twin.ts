import type { DeviceKind } from "#protocol/kinds.ts";
import { KINDS, measureOf } from "#protocol/kinds.ts";
import type { Instant } from "#protocol/units.ts";
import { between } from "#protocol/units.ts";
import type { CommandState as KeptCommand, Latest, Registry, Twin as KeptTwin } from "../registry.ts";
import type { Override as KeptOverride } from "../overrides.ts";
import type { RunningServer } from "./context.ts";
import type { CommandState, Device, LatestValue, Override, Twin } from "./resources.ts";

/** The one measure that says most about a device of this kind. */
export const HEADLINE: Readonly<Record<DeviceKind, string>> = {
  lamp: "level",
  presence: "passes",
  photocell: "illuminance_lx",
  meter: "power_W",
  container: "fill",
  vehicle: "stop",
  loop: "vehicles",
  camera: "vehicles",
  signal: "longest_wait_s",
  button: "waiting",
  weather: "temperature_C",
};

/** A device as the list shows it, at the time `now`. */
export function deviceOf(parts: RunningServer, twin: KeptTwin, now: Instant): Device {
  const { device } = twin;
  const station = parts.registry.station(device.station);
  const measure = HEADLINE[device.kind];
  const latest = twin.values.get(measure);
  return {
    id: device.id,
    kind: device.kind,
    service: KINDS[device.kind].service,
    station: device.station,
    street: device.street ?? null,
    zone: device.zone ?? null,
    junction: device.junction ?? null,
    position: device.position,
    online: station?.online ?? false,
    lastSeen: station?.lastSeen ?? null,
    measure,
    latest: latest === undefined ? null : latestOf(device.kind, measure, latest, now),
    overridden: isHeld(parts.registry, device.id),
  };
}

/** Everything known of a device. */
export function twinOf(parts: RunningServer, twin: KeptTwin, now: Instant): Twin {
  const { device, values, machine, hand } = twin;
  const desired = parts.registry.desired(device.id);
  const holding = parts.overrides.holding(device.id);
  const station = parts.registry.station(device.station);
  const reported: Record<string, LatestValue> = {};
  for (const [measure, latest] of values) reported[measure] = latestOf(device.kind, measure, latest, now);
  return {
    ...deviceOf(parts, twin, now),
    reported,
    desired: desired === undefined ? null : { ...commandOf(desired), by: desired.by },
    machine: machine === undefined ? null : commandOf(machine),
    hand: hand === undefined ? null : commandOf(hand),
    override: holding === undefined ? null : overrideOf(holding),
    accepts: [...KINDS[device.kind].accepts],
    stationClockError_s: station?.clockError_s ?? null,
    stationWaiting: station?.waiting ?? null,
  };
}

/** A newest value with its age; a value older than twice its reporting time is stale. */
export function latestOf(kind: DeviceKind, name: string, latest: Latest, now: Instant): LatestValue {
  const measure = measureOf(kind, name);
  const age_s = Math.max(0, between(latest.at, now));
  return {
    value: latest.value,
    unit: measure?.unit ?? "1",
    name: measure?.names?.[latest.value] ?? null,
    at: latest.at,
    receivedAt: latest.receivedAt,
    age_s,
    stale: measure !== undefined && age_s > 2 * measure.report.every_s,
  };
}

function commandOf(command: KeptCommand): CommandState {
  return {
    order: command.order,
    progress: command.progress,
    since: command.since,
    expiresAt: command.expiresAt,
    decision: command.entry === undefined ? null : String(command.entry),
    answeredAt: command.answeredAt ?? null,
    because: command.because ?? null,
  };
}

export function overrideOf(override: KeptOverride): Override {
  const { id, author, reason, scope, order, from, until, state, devices, endedAt, endedBy } = override;
  return {
    id: String(id),
    author,
    reason,
    scope: { ...scope },
    order,
    from,
    until,
    state,
    devices: [...devices],
    endedAt: endedAt ?? null,
    endedBy: endedBy ?? null,
  };
}

/** Whether a person's hand is on the device now. */
export const isHeld = (registry: Registry, device: string): boolean => registry.desired(device)?.by === "hand";
