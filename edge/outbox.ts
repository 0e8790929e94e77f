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
  epoch = "";
  readonly dropped: Record<MessageClass, number> = { sample: 0, state: 0, event: 0 };
  diskFailing = false;

  private readonly options: OutboxOptions;
  /** Undefined while the disk does not even say what it holds. */
  private files: SegmentFiles | undefined;
  private stored = 0;
  private pending: Reading[] = [];
  /** Number of the next reading to be written. */
  private next = 1;
  /** The number before `next` that was written. */
  private last = 0;
  /** All up to here survives a power cut, and may be published. */
  private synced = 0;
  /** What the server has, as far as we were told. */
  private mark = 0;

  constructor(options: OutboxOptions) {
    this.options = options;
    this.trying(() => this.open());
  }

  private open(): SegmentFiles {
    if (this.files !== undefined) return this.files;
    const { disk, clock, chance, limit_B } = this.options;
    const { epoch, segments, next, dropped, displaced } = recover(disk, clock, chance);
    this.epoch = epoch;
    this.next = next;
    for (const [index, name] of CLASSES.entries()) this.dropped[name] += dropped[index] ?? 0;
    const blocks = segments.flatMap((each) => each.blocks);
    this.mark = blocks[0]?.after ?? next - 1;
    this.last = blocks.at(-1)?.last ?? this.mark;
    this.synced = next - 1;
    this.stored = countOf(blocks);
    this.pending = [...displaced, ...this.pending];
    return (this.files = new SegmentFiles(disk, limit_B ?? LIMIT_B, segments));
  }

  /** The disk's failures do not stop the station: they are shown, and what failed is tried again at the next flush. */
  private trying(act: () => void): void {
    try {
      act();
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault;
      this.diskFailing = true;
      this.boundPending();
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
    this.trying(() => {
      const files = this.open();
      while (this.pending.length > 0) this.write(files);
      files.sync();
      this.synced = this.next - 1;
      this.diskFailing = false;
    });
  }

  private write(files: SegmentFiles): void {
    const whole = this.pending.length <= MAX_BATCH_READINGS;
    const readings = whole ? this.pending : this.pending.slice(0, MAX_BATCH_READINGS);
    const block = denseBlock(this.epoch, this.last, this.next, readings);
    files.append(block, this.head());
    this.pending = whole ? [] : this.pending.slice(MAX_BATCH_READINGS);
    this.next = block.last + 1;
    this.last = block.last;
    this.stored += readings.length;
    files.shed(
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
    const segments = this.files?.segments ?? [];
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
    const { files } = this;
    if (epoch !== this.epoch || files === undefined) return;
    if (upTo >= this.next) return this.startAnew(files);
    this.mark = upTo;
    for (const { blocks } of files.segments) {
      let done = 0;
      while (done < blocks.length && (blocks[done] as Block).last <= upTo) done++;
      if (done > 0) this.stored -= countOf(blocks.splice(0, done));
      if (blocks.length > 0) break;
    }
    this.trying(() => files.removeSpent());
  }

  /**
   * The server knows numbers that we do not: our disk has lost some, and new readings would be taken for old ones. All
   * that waits is numbered again in a new epoch; at worst the server stores a reading twice, but loses none.
   */
  private startAnew(files: SegmentFiles): void {
    this.epoch = newEpoch(this.options.clock, this.options.chance);
    const waiting = files.segments.flatMap(({ blocks }) => blocks.flatMap(readingsOf));
    this.pending = [...waiting.map(({ reading }) => reading), ...this.pending];
    for (const segment of files.segments) Object.assign(segment, { blocks: [], closed: true });
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
