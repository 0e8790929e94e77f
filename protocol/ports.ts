import type { Instant, Seconds } from "./units.ts";

/**
 * What the world offers, as arguments: edge and server receive these and never reach for the system themselves, so that
 * the rehearsal runs the very same code on a virtual clock, chance and disk.
 */

export type Cancel = () => void;

export interface Clock {
  /** The time this party believes it is, UTC. */
  now(): Instant;
  /** Runs `action` once after `delay`; the returned function calls it off. */
  after(delay: Seconds, action: () => void): Cancel;
}

export interface Chance {
  /** A number in [0, 1). */
  next(): number;
}

/**
 * A flat directory of files. Names use `/` but no `..`.
 * Raises Fault DISK_FULL or DISK_FAILED; after a fault the file is as it was before the call.
 */
export interface Disk {
  read(name: string): Uint8Array | undefined;
  /** Replaces the whole file, atomically and durably: after the call either all of it survives a crash, or the old one. */
  replace(name: string, bytes: Uint8Array): void;
  /** Adds to the end; survives a crash only after `sync`. */
  append(name: string, bytes: Uint8Array): void;
  sync(name: string): void;
  remove(name: string): void;
  /** Names that start with `prefix`, sorted. */
  list(prefix: string): string[];
}

/** Repeats `action` every `period`, first after one period; a late turn does not make the next ones bunch up. */
export function every(clock: Clock, period: Seconds, action: () => void): Cancel {
  let cancel = clock.after(period, turn);
  function turn(): void {
    cancel = clock.after(period, turn);
    action();
  }
  return () => cancel();
}
