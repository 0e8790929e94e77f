import type { MessageClass } from "#protocol/kinds.ts";
import type { Reading } from "#protocol/messages.ts";
import type { Disk } from "#protocol/ports.ts";
import type { Block, SegmentHead } from "./outbox-segment.ts";
import { countOf, headRecord, record, segmentBytes, without } from "./outbox-segment.ts";

/** A segment as the outbox holds it: its blocks that no receipt covers yet, and its bytes on disk. */
export interface Segment {
  readonly name: string;
  bytes: number;
  blocks: Block[];
  /** How many classes of message were already dropped from it. */
  shed: number;
  /** Nothing more is appended: its end is torn, or its epoch is over. */
  closed: boolean;
}

export const FOLDER = "outbox/";
const SEGMENT_B = 32 * 1024;
/** In the order in which they are dropped. */
export const CLASSES: readonly MessageClass[] = ["sample", "state", "event"];

/** The segments of an outbox, the oldest first, and their files. All acts may raise Fault DISK_FULL or DISK_FAILED. */
export class SegmentFiles {
  /** The last one is open. Never empty once something was written, so that the numbers are never forgotten. */
  segments: Segment[];
  bytes: number;

  private readonly disk: Disk;
  private readonly limit_B: number;
  private readonly segment_B: number;
  private dirty = false;

  constructor(disk: Disk, limit_B: number, segments: Segment[]) {
    this.disk = disk;
    this.limit_B = limit_B;
    this.segment_B = Math.min(SEGMENT_B, Math.floor(limit_B / 8));
    this.segments = segments;
    this.bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  /** Writes a block at the end; `head` is for the new segment that it may begin. */
  append(block: Block, head: SegmentHead): void {
    let bytes = record(block.payload);
    let open = this.segments.at(-1);
    if (open === undefined || open.closed || open.bytes + bytes.length > this.segment_B) {
      // What is in the older segment must not be overtaken by what is in the newer one.
      this.sync();
      bytes = joined(headRecord(head), bytes);
      const name = segmentName(open);
      this.disk.append(name, bytes);
      open = { name, bytes: 0, blocks: [], shed: 0, closed: false };
      this.segments.push(open);
    } else {
      this.disk.append(open.name, bytes);
    }
    this.dirty = true;
    open.blocks.push(block);
    open.bytes += bytes.length;
    this.bytes += bytes.length;
  }

  /** After this, all that was appended survives a power cut. */
  sync(): void {
    const open = this.segments.at(-1);
    if (open === undefined || !this.dirty) return;
    this.disk.sync(open.name);
    this.dirty = false;
    this.removeSpent();
  }

  /** Removes what no longer holds anything that waits. The open segment stays, and with it the knowledge of the numbers. */
  removeSpent(): void {
    while (this.segments.length > 1 && this.segments[0]?.blocks.length === 0 && !this.dirty) {
      const [spent] = this.segments as [Segment];
      this.disk.remove(spent.name);
      this.segments.shift();
      this.bytes -= spent.bytes;
    }
  }

  /**
   * Makes room when there is none: samples go from all closed segments first, then states, then events, the oldest first.
   * Tells `dropped` how many of which class are gone.
   */
  shed(
    head: () => SegmentHead,
    classOf: (device: string, measure: string) => MessageClass,
    dropped: (name: MessageClass, count: number) => void,
  ): void {
    for (const [depth, name] of CLASSES.entries()) {
      const unwanted = ({ device, measure }: Reading): boolean => classOf(device, measure) === name;
      for (const segment of this.segments.slice(0, -1)) {
        if (this.bytes <= this.limit_B) return;
        if (segment.shed > depth) continue;
        const kept = without(head().epoch, segment.blocks, unwanted);
        const gone = countOf(segment.blocks) - countOf(kept);
        if (gone > 0) this.rewrite(segment, kept, head());
        dropped(name, gone);
        segment.shed = depth + 1;
      }
    }
  }

  private rewrite(segment: Segment, blocks: Block[], head: SegmentHead): void {
    const bytes = blocks.length > 0 ? segmentBytes(head, blocks) : undefined;
    if (bytes === undefined) this.disk.remove(segment.name);
    else this.disk.replace(segment.name, bytes);
    if (bytes === undefined) this.segments.splice(this.segments.indexOf(segment), 1);
    this.bytes += (bytes?.length ?? 0) - segment.bytes;
    segment.bytes = bytes?.length ?? 0;
    segment.blocks = blocks;
  }
}

/** The name of the segment after `previous`; names sort in the order of their making. */
function segmentName(previous: Segment | undefined): string {
  const number = previous === undefined ? 1 : Number(previous.name.slice(FOLDER.length)) + 1;
  return FOLDER + String(number).padStart(9, "0");
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
