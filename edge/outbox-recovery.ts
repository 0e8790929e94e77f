import type { Reading } from "#protocol/messages.ts";
import type { Chance, Clock, Disk } from "#protocol/ports.ts";
import type { Segment } from "./outbox-files.ts";
import { FOLDER } from "./outbox-files.ts";
import type { SegmentText } from "./outbox-segment.ts";
import { readSegment, readingsOf } from "./outbox-segment.ts";

export interface Recovered {
  readonly epoch: string;
  readonly segments: Segment[];
  readonly next: number;
  readonly dropped: readonly number[];
  /** Readings of an epoch that was being left when the power went: they are to be numbered again. */
  readonly displaced: Reading[];
}

/**
 * What the disk still knows after a restart. Readings that a receipt had covered may come back (segments go as a whole);
 * the server knows their numbers and says where to go on. Without files a new epoch begins.
 */
export function recover(disk: Disk, clock: Clock, chance: Chance): Recovered {
  const segments: Segment[] = [];
  const texts: SegmentText[] = [];
  for (const name of disk.list(FOLDER)) {
    const bytes = disk.read(name);
    const text = bytes === undefined ? undefined : readSegment(bytes);
    if (bytes === undefined || text === undefined) {
      // Not even its head was synced, so nothing of it was ever published.
      disk.remove(name);
      continue;
    }
    texts.push(text);
    segments.push({ name, bytes: bytes.length, blocks: text.blocks, shed: 0, closed: text.torn_B > 0 });
  }
  const newest = texts.at(-1);
  if (newest === undefined) return { epoch: newEpoch(clock, chance), segments, next: 1, dropped: [], displaced: [] };
  const { epoch } = newest.head;
  const displaced: Reading[] = [];
  let next = 1;
  for (const [index, { head, blocks, torn_B }] of texts.entries()) {
    if (head.epoch === epoch) {
      // A rotten sector may hide numbers that the server has seen; a reading takes more than a byte, so this skips them.
      next = Math.max(next, head.next, (blocks.at(-1)?.last ?? 0) + 1 + torn_B, head.next + torn_B);
    } else {
      for (const block of blocks) displaced.push(...readingsOf(block).map(({ reading }) => reading));
      Object.assign(segments[index] as Segment, { blocks: [], closed: true });
    }
  }
  const dropped = [0, 1, 2].map((index) => Math.max(...texts.map(({ head }) => head.dropped[index] ?? 0)));
  return { epoch, segments, next, dropped, displaced };
}

/** The time and some luck: two stations, or two lives of one, do not meet even with a wrong clock or a weak chance. */
export function newEpoch(clock: Clock, chance: Chance): string {
  const luck = Math.floor(chance.next() * 36 ** 6).toString(36);
  return `${clock.now().toString(36)}-${luck}`;
}
