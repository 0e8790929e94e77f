import type { Order, Passing } from "#protocol/messages.ts";
import type { Device, Territory } from "#protocol/territory.ts";
import type { Clock } from "#protocol/ports.ts";
import type { Instant } from "#protocol/units.ts";
import type { Hardware } from "./hardware/hardware.ts";

/** What a device does by itself, with or without a server: one for a lamp, one for a junction. */
export interface Behaviour {
  start(): void;
  stop(): void;
  /** A measure that the behaviour knows better than the wiring (`rule`, `stage`, `mode`…); undefined: ask the hardware. */
  read(measure: string): number | undefined;
  /** Takes an order that the gate has let through. Returns why it is refused, or undefined when it is applied. */
  obey(order: Order): string | undefined;
  /** An input of this station moved by itself. */
  sensed(device: string, measure: string, at: Instant): void;
  /** The clock that the station goes by was set. */
  clockSet?(): void;
  /** A neighbour on the street says that someone passes. */
  heard(passing: Passing): void;
}

export interface BehaviourContext {
  readonly device: Device;
  readonly territory: Territory;
  readonly hardware: Hardware;
  readonly clock: Clock;
  /** What must survive a restart of this device: its last programme, frame, override. Small; replaced as a whole. */
  readonly memory: { load(): string | undefined; save(text: string): void };
  /** Says that a measure moved, so that it is reported now and not at the next tick. */
  report(measure: string): void;
  /** Tells the neighbours on the street. */
  shout(passing: Passing): void;
}
