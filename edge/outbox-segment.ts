import { decodeCbor, encodeCbor } from "#protocol/cbor.ts";
import type { Reading } from "#protocol/messages.ts";
import { encodeBatch, parseBatch } from "#protocol/messages.ts";
import { crc32 } from "./crc32.ts";

/**
 * The form of an outbox on disk: segments, files that only grow and are removed whole. A segment is a sequence of records
 * (length, CRC-32, payload). The first payload is the segment's head; every other is a batch exactly as it is published,
 * so that what goes on the wire is encoded once.
 */
export interface Block {
  /** Number of its first and of its last reading. */
  readonly first: number;
  readonly last: number;
  /** The `after` inside `payload`. */
  readonly after: number;
  readonly payload: Uint8Array;
}

export interface SegmentHead {
  readonly epoch: string;
  /** Numbers go on at least from here: what was dropped behind a segment is never numbered again. */
  readonly next: number;
  /** Readings dropped since the epoch began: samples, states, events. */
  readonly dropped: readonly number[];
}

export interface SegmentText {
  readonly head: SegmentHead;
  readonly blocks: Block[];
  /** Bytes at the end that are no whole record: a write that a crash cut short, or a rotten sector. */
  readonly torn_B: number;
}

const RECORD_HEAD_B = 8;
/** A record is one payload of MQTT; a longer length is a torn one. */
const MAX_RECORD_B = 65_536;

/** A record of `payload`; the returned bytes hold the payload from byte 8 on. */
export function record(payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(RECORD_HEAD_B + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, payload.length);
  view.setUint32(4, crc32(payload));
  bytes.set(payload, RECORD_HEAD_B);
  return bytes;
}

/** The block of consecutive readings numbered from `first`, and its record. */
export function blockOf(epoch: string, after: number, first: number, readings: readonly Reading[]): [Block, Uint8Array] {
  const bytes = record(encodeBatch({ epoch, after, first, readings }));
  return [{ first, last: first + readings.length - 1, after, payload: bytes.subarray(RECORD_HEAD_B) }, bytes];
}

export function headRecord(head: SegmentHead): Uint8Array {
  return record(encodeCbor({ e: head.epoch, n: head.next, x: head.dropped }));
}

/** Reads a segment as far as it is whole; undefined when not even its head is. */
export function readSegment(bytes: Uint8Array): SegmentText | undefined {
  let head: SegmentHead | undefined;
  const blocks: Block[] = [];
  let offset = 0;
  for (;;) {
    const payload = payloadAt(bytes, offset);
    if (payload === undefined) break;
    if (head === undefined) {
      head = parseHead(payload);
    } else {
      const { after, first, readings } = parseBatch(payload);
      blocks.push({ first, last: first + readings.length - 1, after, payload: payload.slice() });
    }
    offset += RECORD_HEAD_B + payload.length;
  }
  return head === undefined ? undefined : { head, blocks, torn_B: bytes.length - offset };
}

function payloadAt(bytes: Uint8Array, offset: number): Uint8Array | undefined {
  const start = offset + RECORD_HEAD_B;
  if (start > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, RECORD_HEAD_B);
  const length = view.getUint32(0);
  if (length > MAX_RECORD_B || start + length > bytes.length) return undefined;
  const payload = bytes.subarray(start, start + length);
  return crc32(payload) === view.getUint32(4) ? payload : undefined;
}

/** Its CRC was right, so this is what we wrote. */
function parseHead(payload: Uint8Array): SegmentHead {
  const { e, n, x } = decodeCbor(payload) as unknown as { e: string; n: number; x: readonly number[] };
  return { epoch: e, next: n, dropped: x };
}

/** A whole segment, for a file that is written anew. */
export function segmentBytes(head: SegmentHead, blocks: readonly Block[]): Uint8Array {
  const records = [headRecord(head), ...blocks.map((block) => record(block.payload))];
  const bytes = new Uint8Array(records.reduce((sum, each) => sum + each.length, 0));
  let offset = 0;
  for (const each of records) {
    bytes.set(each, offset);
    offset += each.length;
  }
  return bytes;
}

/** The blocks without the readings that `unwanted` names, split where numbers are now missing. */
export function without(
  blocks: readonly Block[],
  unwanted: (reading: Reading) => boolean,
): { blocks: Block[]; dropped: number } {
  const kept: Block[] = [];
  let dropped = 0;
  for (const block of blocks) {
    const { epoch, readings } = parseBatch(block.payload);
    const gone = readings.filter(unwanted).length;
    dropped += gone;
    if (gone === 0) kept.push(block);
    if (gone === 0 || gone === readings.length) continue;
    let run: Reading[] = [];
    for (const [index, reading] of readings.entries()) {
      if (!unwanted(reading)) run.push(reading);
      if (run.length > 0 && (unwanted(reading) || index === readings.length - 1)) {
        const end = block.first + index - (unwanted(reading) ? 1 : 0);
        const first = end - run.length + 1;
        kept.push(blockOf(epoch, first - 1, first, run)[0]);
        run = [];
      }
    }
  }
  return { blocks: kept, dropped };
}
