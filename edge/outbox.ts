import { Fault } from "#protocol/faults.ts";
import type { MessageClass } from "#protocol/kinds.ts";
import type { Reading } from "#protocol/messages.ts";
import { MAX_BATCH_READINGS, encodeBatch, parseBatch } from "#protocol/messages.ts";
import type { Chance, Clock, Disk } from "#protocol/ports.ts";
import { CLASSES, SegmentFiles } from "./outbox-files.ts";
import { newEpoch, recover } from "./outbox-recovery.ts";
import type { Block, SegmentHead } from "./outbox-segment.ts";
import { countOf, denseBlock, denseRuns, readingsOf } from "./outbox-segment.ts";

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
/** Readings held in memory while the disk takes none; beyond, the least important and oldest go. */
const MAX_PENDING = 1000;
/** Leaves room for another batch within the largest payload. */
const MERGED_B = 48 * 1024;

export function openOutbox(options: OutboxOptions): Outbox {
  return new DiskOutbox(options);
}

class DiskOutbox implements Outbox {
  epoch: string;
  readonly dropped: Record<MessageClass, number>;
  diskFailing = false;

  private readonly options: OutboxOptions;
  private readonly files: SegmentFiles;
  private stored: number;
  private pending: Reading[];
  /** Number of the next reading to be written. */
  private next: number;
  /** The number before `next` that was written. */
  private last: number;
  /** All up to here survives a power cut, and may be published. */
  private synced: number;
  /** What the server has, as far as we were told. */
  private mark: number;

  constructor(options: OutboxOptions) {
    this.options = options;
    const { epoch, segments, next, dropped, displaced } = recover(options.disk, options.clock, options.chance);
    this.epoch = epoch;
    this.files = new SegmentFiles(options.disk, options.limit_B ?? LIMIT_B, segments);
    this.next = next;
    const [sample, state, event] = dropped;
    this.dropped = { sample: sample ?? 0, state: state ?? 0, event: event ?? 0 };
    const blocks = segments.flatMap((each) => each.blocks);
    this.mark = blocks[0]?.after ?? next - 1;
    this.last = blocks.at(-1)?.last ?? this.mark;
    this.synced = next - 1;
    this.stored = countOf(blocks);
    this.pending = displaced;
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
      this.files.sync();
      this.synced = this.next - 1;
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
    this.files.append(block, this.head());
    this.pending = whole ? [] : this.pending.slice(MAX_BATCH_READINGS);
    this.next = block.last + 1;
    this.last = block.last;
    this.stored += readings.length;
    this.files.shed(
      () => this.head(),
      this.options.classOf,
      (name, count) => {
        this.dropped[name] += count;
        this.stored -= count;
      },
    );
  }

  private head(): SegmentHead {
    return { epoch: this.epoch, next: this.next, dropped: CLASSES.map((each) => this.dropped[each]) };
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
    const { segments } = this.files;
    const oldest = segments.find((segment) => segment.blocks.length > 0);
    const [front] = oldest?.blocks ?? [];
    if (front?.sparse) oldest?.blocks.splice(0, 1, ...denseRuns(this.epoch, front));
    const blocks: Block[] = [];
    let bytes = 0;
    for (const segment of segments) {
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
    for (const { blocks } of this.files.segments) {
      let done = 0;
      while (done < blocks.length && (blocks[done] as Block).last <= upTo) done++;
      if (done > 0) this.stored -= countOf(blocks.splice(0, done));
      if (blocks.length > 0) break;
    }
    try {
      this.files.removeSpent();
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
    this.epoch = newEpoch(this.options.clock, this.options.chance);
    const waiting = this.files.segments.flatMap(({ blocks }) => blocks.flatMap(readingsOf));
    this.pending = [...waiting.map(({ reading }) => reading), ...this.pending];
    for (const segment of this.files.segments) Object.assign(segment, { blocks: [], closed: true });
    this.next = 1;
    this.last = 0;
    this.mark = 0;
    this.synced = 0;
    this.stored = 0;
    this.flush();
  }

  private boundPending(): void {
    for (const name of CLASSES) {
      let excess = this.pending.length - MAX_PENDING;
      if (excess <= 0) return;
      const before = this.pending.length;
      this.pending = this.pending.filter(
        ({ device, measure }) => excess <= 0 || this.options.classOf(device, measure) !== name || excess-- <= 0,
      );
      this.dropped[name] += before - this.pending.length;
    }
  }
}
