import { canonical } from "#protocol/canonical.ts";
import type { FaultCode, Facts } from "#protocol/faults.ts";
import { Fault } from "#protocol/faults.ts";
import { KINDS } from "#protocol/kinds.ts";
import type { Applied, Command, Order } from "#protocol/messages.ts";
import type { Clock, Disk } from "#protocol/ports.ts";
import { integer, list, object, oneOf, optional, text } from "#protocol/shape.ts";
import type { Shaped } from "#protocol/shape.ts";
import type { Device, Territory } from "#protocol/territory.ts";
import { DAY } from "#protocol/units.ts";

/** Whether `signature` is the server's, over `text`. */
export interface Verifier {
  verify(text: string, signature: string): boolean;
}

export interface GateOptions {
  readonly territory: Territory;
  readonly station: string;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly verifier: Verifier;
}

/** No override may outlive a week: a forgotten one must end by itself. */
const MAX_OVERRIDE_MS = 7 * DAY;
const FILE = "gate";
const NOTHING = new TextEncoder().encode("{}");

const passed = object({
  command: text(64),
  sequence: integer(1),
  /** `begun` on disk means that the power went between the decision to act and the deed. */
  outcome: oneOf("begun", "applied", "refused"),
  because: optional(text(300)),
});
type Passed = Shaped<typeof passed>;
/**
 * Commands of a device that a repetition is still answered for: a programme and an override may be under way at once,
 * each with its repetitions.
 */
const REMEMBERED = 4;
const remembered = list(passed, REMEMBERED);

export type Gate = ReturnType<typeof openGate>;

/**
 * The last check of a command on its way to a device: signature, station and device, expiry by the station's own clock,
 * sequence, what the kind accepts, limits. The sequence is on disk before the device moves, so that no command is acted
 * on twice, not even when the power goes in between.
 */
export function openGate({ territory, station, disk, clock, verifier }: GateOptions) {
  const passages = load(disk);

  function save(): void {
    disk.replace(FILE, new TextEncoder().encode(JSON.stringify(Object.fromEntries(passages))));
  }

  /**
   * Lets `command` through to `act`, which returns why the device refuses or undefined when it has obeyed. Returns the
   * answer for the server: for a command that was already through, the same answer as then. Undefined when there is
   * nothing to say: it is not for this station. Raises Fault DISK_FULL or DISK_FAILED when the sequence cannot be kept;
   * nothing was done then, and the server will ask again.
   */
  function pass(command: Command, act: (device: Device, order: Order) => string | undefined): Applied | undefined {
    if (command.station !== station) return undefined;
    const answer = (outcome: "applied" | "refused", because?: string): Applied => ({
      command: command.id,
      device: command.device,
      sequence: command.sequence,
      at: clock.now(),
      outcome,
      ...(because !== undefined && { because: because.slice(0, 300) }),
    });
    const refuse = (code: FaultCode, facts: Facts): Applied =>
      answer("refused", new Fault(code, { command: command.id, device: command.device, ...facts }).message);

    const { signature, ...unsigned } = command;
    if (!verifier.verify(canonical(unsigned), signature)) return refuse("COMMAND_FORGED", {});
    const device = territory.devices.get(command.device);
    if (device === undefined || device.station !== station) return refuse("DEVICE_UNKNOWN", { station });

    const known = passages.get(device.id) ?? [];
    const before = known.find(({ command: id, sequence }) => id === command.id && sequence === command.sequence);
    if (before?.outcome === "begun") {
      return refuse("COMMAND_REFUSED", {
        action: command.order.action,
        problem: "the power went while it was being done",
      });
    }
    if (before !== undefined) return answer(before.outcome, before.because);
    const last = known.at(-1)?.sequence ?? 0;
    if (command.sequence <= last) return refuse("COMMAND_REPEATED", { sequence: command.sequence, last });
    const late_ms = clock.now() - command.expiresAt;
    if (late_ms >= 0) return refuse("COMMAND_EXPIRED", { late_s: Math.round(late_ms / 1000) });
    const problem = limitBroken(device, command.order, territory, clock.now());
    if (problem !== undefined) return refuse("COMMAND_REFUSED", { action: command.order.action, problem });

    const begun: Passed = { command: command.id, sequence: command.sequence, outcome: "begun" };
    keep(device.id, [...known.slice(1 - REMEMBERED), begun]);
    const refusal = act(device, command.order);
    const sentence = refusal === undefined ? undefined : refusalOf(command, refusal);
    const done: Passed = { ...begun, outcome: sentence === undefined ? "applied" : "refused" };
    if (sentence !== undefined) done.because = sentence;
    passages.set(device.id, [...known.slice(1 - REMEMBERED), done]);
    try {
      save();
    } catch (fault) {
      // The deed is done; at worst a repetition after a restart is answered as interrupted.
      if (!(fault instanceof Fault)) throw fault;
    }
    return answer(sentence === undefined ? "applied" : "refused", sentence);
  }

  /** On disk or not at all. */
  function keep(device: string, now: readonly Passed[]): void {
    const before = passages.get(device);
    passages.set(device, now);
    try {
      save();
    } catch (fault) {
      if (before === undefined) passages.delete(device);
      else passages.set(device, before);
      throw fault;
    }
  }

  return { pass };
}

/** What an unreadable file knew is lost; what an old command could do then is bounded by its expiry. */
function load(disk: Disk): Map<string, readonly Passed[]> {
  const passages = new Map<string, readonly Passed[]>();
  try {
    const kept: unknown = JSON.parse(new TextDecoder().decode(disk.read(FILE) ?? NOTHING));
    for (const [device, value] of Object.entries(kept as object)) passages.set(device, remembered.parse(value, device));
  } catch (problem) {
    if (!(problem instanceof SyntaxError || problem instanceof Fault)) throw problem;
  }
  return passages;
}

function refusalOf({ device, order }: Command, problem: string): string {
  return new Fault("COMMAND_REFUSED", { device, action: order.action, problem }).message.slice(0, 300);
}

/** Why a device must not get this order, or undefined: what the shape of the message could not know. */
function limitBroken(device: Device, order: Order, territory: Territory, now: number): string | undefined {
  const accepts: readonly string[] = KINDS[device.kind].accepts;
  if (!accepts.includes(order.action)) return `a ${device.kind} accepts ${accepts.join(", ") || "no orders"}`;
  switch (order.action) {
    case "lamp-override":
    case "signal-override":
      if (order.until <= now) return "its end has passed";
      return order.until - now > MAX_OVERRIDE_MS ? "it would last longer than a week" : undefined;
    case "programme":
      return order.steps.some((step, index) => index > 0 && step.at <= (order.steps[index - 1]?.at ?? 0))
        ? "its steps are not in the order of time"
        : undefined;
    case "frame":
      return frameBroken(device, order, territory);
    case "round":
      return siteUnknown(order, territory);
    case "release":
      return undefined;
    default:
      return order satisfies never;
  }
}

function frameBroken(
  device: Device,
  frame: Extract<Order, { action: "frame" }>,
  territory: Territory,
): string | undefined {
  const junction = territory.junctions.find((each) => each.id === device.id);
  for (const { stage, min_s, target_s, max_s } of frame.stages) {
    if (junction?.stages.every((each) => each.id !== stage)) return `there is no stage ${stage}`;
    if (!(min_s <= target_s && target_s <= max_s)) return `stage ${stage} needs min_s ≤ target_s ≤ max_s`;
  }
  return undefined;
}

function siteUnknown(round: Extract<Order, { action: "round" }>, territory: Territory): string | undefined {
  const sites = new Set(
    [...territory.containers, ...territory.tippingSites, ...territory.depots].map((each) => each.id),
  );
  const missing = round.stops.find((stop) => !sites.has(stop.site));
  return missing === undefined ? undefined : `there is no site ${missing.site}`;
}
