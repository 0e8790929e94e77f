import { decodeCbor, encodeCbor } from "#protocol/cbor.ts";
import { Fault } from "#protocol/faults.ts";
import type { Reading } from "#protocol/messages.ts";
import { MAX_BATCH_READINGS, encodeBatch, parseBatch } from "#protocol/messages.ts";
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
  readonly count: number;
  /** The `after` inside `payload`. */
  readonly after: number;
  readonly payload: Uint8Array;
  /** True: numbers are missing between its first and its last, and `payload` is not ready to publish. */
  readonly sparse: boolean;
}

export interface Numbered {
  readonly number: number;
  readonly reading: Reading;
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

/** A block of consecutive readings, its payload ready to publish. */
export function denseBlock(epoch: string, after: number, first: number, readings: readonly Reading[]): Block {
  const payload = encodeBatch({ epoch, after, first, readings });
  const count = readings.length;
  return { first, last: first + count - 1, count, after, payload, sparse: false };
}

/** A block of readings between which others were dropped: the batch, and beside it the steps from number to number. */
function sparseBlock(epoch: string, numbered: readonly Numbered[]): Block {
  const [first, last] = [numbered[0] as Numbered, numbered.at(-1) as Numbered];
  const readings = numbered.map(({ reading }) => reading);
  const steps = numbered.map(({ number }, index) => number - (numbered[index - 1]?.number ?? first.number));
  const payload = encodeCbor({
    B: encodeBatch({ epoch, after: first.number - 1, first: first.number, readings }),
    N: steps,
  });
  return {
    first: first.number,
    last: last.number,
    count: numbered.length,
    after: first.number - 1,
    payload,
    sparse: true,
  };
}

/** The readings of a block with their numbers. */
export function readingsOf(block: Block): Numbered[] {
  if (!block.sparse) {
    return parseBatch(block.payload).readings.map((reading, index) => ({ number: block.first + index, reading }));
  }
  const { B, N } = decodeCbor(block.payload) as unknown as { B: Uint8Array; N: readonly number[] };
  let number = block.first;
  return parseBatch(B).readings.map((reading, index) => ({ number: (number += N[index] as number), reading }));
}

/** A sparse block as the dense ones that can be published. */
export function denseRuns(epoch: string, block: Block): Block[] {
  const runs: Block[] = [];
  let run: Numbered[] = [];
  const end = (): void => {
    const first = run[0]?.number;
    const readings = run.map(({ reading }) => reading);
    if (first !== undefined) runs.push(denseBlock(epoch, first - 1, first, readings));
    run = [];
  };
  for (const numbered of readingsOf(block)) {
    if (run.length > 0 && numbered.number !== (run.at(-1) as Numbered).number + 1) end();
    run.push(numbered);
  }
  end();
  return runs;
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
      const block = parseBlock(payload.slice());
      if (block === undefined) break;
      blocks.push(block);
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

/** A sparse block is a map of two, a batch one of nine. */
const SPARSE = 0xa2;

/** Undefined when the record is whole but none that this version writes. */
function parseBlock(payload: Uint8Array): Block | undefined {
  try {
    return blockFrom(payload);
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    return undefined;
  }
}

function blockFrom(payload: Uint8Array): Block {
  if (payload[0] !== SPARSE) {
    const { after, first, readings } = parseBatch(payload);
    const count = readings.length;
    return { first, last: first + count - 1, count, after, payload, sparse: false };
  }
  const { B, N } = decodeCbor(payload) as unknown as { B: Uint8Array; N: readonly number[] };
  const { first } = parseBatch(B);
  const last = N.reduce((number, step) => number + step, first);
  return { first, last, count: N.length, after: first - 1, payload, sparse: true };
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

/** The blocks without the readings that `unwanted` names, packed anew; the same blocks when there is none. */
export function without(epoch: string, blocks: readonly Block[], unwanted: (reading: Reading) => boolean): Block[] {
  const all = blocks.flatMap(readingsOf);
  const kept = all.filter(({ reading }) => !unwanted(reading));
  if (kept.length === all.length) return [...blocks];
  const packed: Block[] = [];
  for (let start = 0; start < kept.length; start += MAX_BATCH_READINGS) {
    packed.push(sparseBlock(epoch, kept.slice(start, start + MAX_BATCH_READINGS)));
  }
  return packed;
}

export const countOf = (blocks: readonly Block[]): number => blocks.reduce((sum, block) => sum + block.count, 0);
