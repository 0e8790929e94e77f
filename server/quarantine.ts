import type { FaultCode } from "#protocol/faults.ts";
import { Fault } from "#protocol/faults.ts";
import type { Reading } from "#protocol/messages.ts";
import type { Instant } from "#protocol/units.ts";

/** One thing that was said and could not be believed, with the reason. */
export interface Quarantined {
  readonly at: Instant;
  readonly station: string;
  readonly code: FaultCode;
  /** The reason as a fault, for its sentence in either language. */
  readonly fault: Fault;
  /** The reason in English. */
  readonly reason: string;
  /** The beginning of what was said, at most 512 bytes. */
  readonly payload: Uint8Array;
  /** The one reading of a batch that is not believed; undefined when nothing of the payload could be. */
  readonly reading?: Reading;
}

/** What is wrong is kept apart and shown, the newest first; older entries give way, their count stays. */
export interface Quarantine {
  put(entry: Quarantined): void;
  entries(): readonly Quarantined[];
  /** How many by code since the start. */
  counts(): Readonly<Partial<Record<FaultCode, number>>>;
  readonly total: number;
}

const ENTRIES = 1000;
export const PAYLOAD_KEPT_BYTES = 512;

export function createQuarantine(most = ENTRIES): Quarantine {
  const ring: Quarantined[] = [];
  const counts: Partial<Record<FaultCode, number>> = {};
  let total = 0;
  return {
    put(entry) {
      ring[total % most] = entry;
      total++;
      counts[entry.code] = (counts[entry.code] ?? 0) + 1;
    },
    entries: () => [...ring.slice(0, total % most).toReversed(), ...ring.slice(total % most).toReversed()],
    counts: () => ({ ...counts }),
    get total() {
      return total;
    },
  };
}
