import { Fault } from "#protocol/faults.ts";
import type { MessageClass } from "#protocol/kinds.ts";
import type { Reading } from "#protocol/messages.ts";
import { MAX_BATCH_READINGS, encodeBatch, parseBatch } from "#protocol/messages.ts";
import type { Chance, Clock, Disk } from "#protocol/ports.ts";
import type { Block } from "./outbox-segment.ts";
import {
  countOf,
  denseBlock,
  denseRuns,
  headRecord,
  readingsOf,
  record,
  segmentBytes,
  without,
} from "./outbox-segment.ts";
import type { Segment } from "./outbox-recovery.ts";
import { newEpoch, recover, segmentName } from "./outbox-recovery.ts";

/**
 * Store and forward: readings wait here, numbered and on disk, until the server says that it has committed them.
 * Only what is synced is published, and only a receipt removes it. When it is full it drops samples first, then states,
 * events last, the oldest first, and counts what it dropped.
 */
export interface Outbox {
  readonly epoch: string;
  /** Readings that no receipt covers yet, on disk or about to be. */
  readonly waiting: number;
  /** Readings dropped since the epoch began. */
  readonly dropped: Readonly<Record<MessageClass, number>>;
  /** True while the disk takes nothing: readings wait in memory, within a bound. */
  readonly diskFailing: boolean;
  /** Takes a reading; it is numbered and written by the next `flush`. */
  append(reading: Reading): void;
  /** Writes and syncs what was taken. Never raises a Fault: a disk that is full is counted and tried again next time. */
  flush(): void;
  /** The oldest readings to publish, or undefined when none is synced and waiting. */
  batch(): Publishable | undefined;
  /** The server has committed everything up to `upTo`. A receipt of another epoch is ignored. */
  receipt(epoch: string, upTo: number): void;
}

export interface Publishable {
  readonly payload: Uint8Array;
  readonly after: number;
  readonly first: number;
  readonly last: number;
}

export interface OutboxOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly chance: Chance;
  /** How much a reading matters when there is no more room. */
  readonly classOf: (device: string, measure: string) => MessageClass;
  /** Most bytes on disk. */
  readonly limit_B?: number;
}

/** About 200,000 readings: a year of a lamp, a week of a junction. */
const LIMIT_B = 4 * 1024 * 1024;
const SEGMENT_B = 32 * 1024;
/** Readings held in memory while the disk takes none; beyond, the least important and oldest go. */
const MAX_PENDING = 1000;
/** Leaves room for another batch within the largest payload. */
const MERGED_B = 48 * 1024;
const CLASSES: readonly MessageClass[] = ["sample", "state", "event"];

export function openOutbox(options: OutboxOptions): Outbox {
  return new DiskOutbox(options);
}

class DiskOutbox implements Outbox {
  epoch: string;
  readonly dropped: Record<MessageClass, number>;
  diskFailing = false;

  private readonly disk: Disk;
  private readonly clock: Clock;
  private readonly chance: Chance;
  private readonly classOf: OutboxOptions["classOf"];
  private readonly limit_B: number;
  private readonly segment_B: number;
  /** Oldest first; the last one is open. Never empty once something was written, so the numbers are never forgotten. */
  private segments: Segment[];
  private bytes = 0;
  private stored = 0;
  private pending: Reading[] = [];
  /** Number of the next reading to be written. */
  private next: number;
  /** The last number written that is not dropped: the `after` of the next block. */
  private last: number;
  /** What the server has, as far as we were told. */
  private mark: number;
  private synced: number;

  constructor(options: OutboxOptions) {
    this.disk = options.disk;
    this.clock = options.clock;
    this.chance = options.chance;
    this.classOf = options.classOf;
    this.limit_B = options.limit_B ?? LIMIT_B;
    this.segment_B = Math.min(SEGMENT_B, Math.floor(this.limit_B / 8));
    const found = recover(options.disk, options.clock, options.chance);
    this.epoch = found.epoch;
    this.segments = found.segments;
    this.next = found.next;
    const [sample, state, event] = found.dropped;
    this.dropped = { sample: sample ?? 0, state: state ?? 0, event: event ?? 0 };
    this.mark = found.segments.find((each) => each.blocks.length > 0)?.blocks[0]?.after ?? found.next - 1;
    this.last = found.segments.findLast((each) => each.blocks.length > 0)?.blocks.at(-1)?.last ?? this.mark;
    this.synced = found.next - 1;
    this.pending = found.displaced;
    for (const segment of found.segments) {
      this.bytes += segment.bytes;
      this.stored += countOf(segment.blocks);
    }
  }

  get waiting(): number {
    return this.stored + this.pending.length;
  }

  append(reading: Reading): void {
    this.pending.push(reading);
  }

  flush(): void {
    if (this.pending.length === 0 && this.synced === this.next - 1) return;
    try {
      while (this.pending.length > 0) this.write();
      this.sync();
      this.diskFailing = false;
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault;
      this.diskFailing = true;
      this.boundPending();
    }
  }

  private write(): void {
    const whole = this.pending.length <= MAX_BATCH_READINGS;
    const readings = whole ? this.pending : this.pending.slice(0, MAX_BATCH_READINGS);
    const block = denseBlock(this.epoch, this.last, this.next, readings);
    this.store(block, record(block.payload));
    this.pending = whole ? [] : this.pending.slice(MAX_BATCH_READINGS);
    this.next = block.last + 1;
    this.last = block.last;
    this.stored += readings.length;
    if (this.bytes > this.limit_B) this.shed();
  }

  private store(block: Block, bytes: Uint8Array): void {
    let open = this.segments.at(-1);
    if (open !== undefined && !open.closed && open.bytes + bytes.length <= this.segment_B) {
      this.disk.append(open.name, bytes);
    } else {
      // What is in the older segment must not be overtaken by what is in the newer one.
      if (open !== undefined && this.synced < this.next - 1) this.sync();
      const head = headRecord(this.head());
      const both = new Uint8Array(head.length + bytes.length);
      both.set(head);
      both.set(bytes, head.length);
      const name = segmentName(open);
      this.disk.append(name, both);
      open = { name, bytes: head.length, blocks: [], shed: 0, closed: false };
      this.segments.push(open);
      this.bytes += head.length;
    }
    open.blocks.push(block);
    open.bytes += bytes.length;
    this.bytes += bytes.length;
  }

  private head(): { epoch: string; next: number; dropped: number[] } {
    return { epoch: this.epoch, next: this.next, dropped: CLASSES.map((each) => this.dropped[each]) };
  }

  private sync(): void {
    const open = this.segments.at(-1);
    if (open === undefined || this.synced === this.next - 1) return;
    this.disk.sync(open.name);
    this.synced = this.next - 1;
    this.removeSpent();
  }

  /** The open segment stays, and with it the knowledge of the numbers. */
  private removeSpent(): void {
    while (this.segments.length > 1 && this.segments[0]?.blocks.length === 0 && this.synced === this.next - 1) {
      const [spent] = this.segments as [Segment];
      this.disk.remove(spent.name);
      this.segments.shift();
      this.bytes -= spent.bytes;
    }
  }

  batch(): Publishable | undefined {
    const blocks = this.oldestBlocks();
    const [oldest] = blocks;
    if (oldest === undefined) return undefined;
    const { last } = blocks.at(-1) as Block;
    // A receipt may end inside a block, when it went out together with others or was packed anew.
    const first = Math.max(oldest.first, this.mark + 1);
    const after = Math.min(this.mark, first - 1);
    if (blocks.length === 1 && oldest.first === first && oldest.after === after) return oldest;
    const readings = blocks.flatMap((block) => parseBatch(block.payload).readings).slice(first - oldest.first);
    return { payload: encodeBatch({ epoch: this.epoch, after, first, readings }), after, first, last };
  }

  /** The oldest synced blocks whose numbers follow each other without a gap, as many as one batch takes. */
  private oldestBlocks(): Block[] {
    const blocks: Block[] = [];
    let bytes = 0;
    const oldest = this.segments.find((segment) => segment.blocks.length > 0);
    const [front] = oldest?.blocks ?? [];
    if (front?.sparse) oldest?.blocks.splice(0, 1, ...denseRuns(this.epoch, front));
    for (const segment of this.segments) {
      for (const block of segment.blocks) {
        const [first] = blocks;
        const previous = blocks.at(-1);
        if (block.last > this.synced || block.sparse) return blocks;
        if (first !== undefined && previous !== undefined) {
          if (block.first !== previous.last + 1 || block.last - first.first >= MAX_BATCH_READINGS) return blocks;
          if (bytes + block.payload.length > MERGED_B) return blocks;
        }
        blocks.push(block);
        bytes += block.payload.length;
      }
    }
    return blocks;
  }

  receipt(epoch: string, upTo: number): void {
    if (epoch !== this.epoch) return;
    if (upTo >= this.next) return this.startAnew();
    this.mark = upTo;
    for (const segment of this.segments) {
      const { blocks } = segment;
      let done = 0;
      while (done < blocks.length && (blocks[done] as Block).last <= upTo) done++;
      if (done > 0) this.stored -= countOf(blocks.splice(0, done));
      if (blocks.length > 0) break;
    }
    try {
      this.removeSpent();
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault;
      this.diskFailing = true;
    }
  }

  /**
   * The server knows numbers that we do not: our disk has lost some, and new readings would be taken for old ones. All
   * that waits is numbered again in a new epoch; at worst the server stores a reading twice, but loses none.
   */
  private startAnew(): void {
    this.epoch = newEpoch(this.clock, this.chance);
    const waiting = this.segments.flatMap(({ blocks }) => blocks.flatMap(readingsOf)).map(({ reading }) => reading);
    this.pending = [...waiting, ...this.pending];
    this.segments = this.segments.map((each) => ({ ...each, blocks: [], closed: true }));
    this.next = 1;
    this.last = 0;
    this.mark = 0;
    this.synced = 0;
    this.stored = 0;
    this.flush();
  }

  /** Makes room: samples from all closed segments first, then states, then events, the oldest first. */
  private shed(): void {
    for (const [depth, name] of CLASSES.entries()) {
      for (const segment of this.segments.slice(0, -1)) {
        if (this.bytes <= this.limit_B) return;
        if (segment.shed > depth) continue;
        const unwanted = ({ device, measure }: Reading): boolean => this.classOf(device, measure) === name;
        const kept = without(this.epoch, segment.blocks, unwanted);
        const gone = countOf(segment.blocks) - countOf(kept);
        if (gone > 0) this.rewrite(segment, kept);
        this.dropped[name] += gone;
        this.stored -= gone;
        segment.shed = depth + 1;
      }
    }
  }

  private rewrite(segment: Segment, blocks: Block[]): void {
    const bytes = blocks.length > 0 ? segmentBytes(this.head(), blocks) : undefined;
    if (bytes === undefined) this.disk.remove(segment.name);
    else this.disk.replace(segment.name, bytes);
    if (bytes === undefined) this.segments.splice(this.segments.indexOf(segment), 1);
    this.bytes += (bytes?.length ?? 0) - segment.bytes;
    segment.bytes = bytes?.length ?? 0;
    segment.blocks = blocks;
  }

  private boundPending(): void {
    for (const name of CLASSES) {
      let excess = this.pending.length - MAX_PENDING;
      if (excess <= 0) return;
      const before = this.pending.length;
      this.pending = this.pending.filter(
        ({ device, measure }) => excess <= 0 || this.classOf(device, measure) !== name || excess-- <= 0,
      );
      this.dropped[name] += before - this.pending.length;
    }
  }
}
