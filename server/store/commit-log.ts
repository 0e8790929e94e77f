import type { Cbor } from "#protocol/cbor.ts";
import { decodeCbor, encodeCbor } from "#protocol/cbor.ts";
import { Fault } from "#protocol/faults.ts";
import type { Reading } from "#protocol/messages.ts";
import { encodeBatch, MAX_BATCH_READINGS, parseBatch } from "#protocol/messages.ts";
import type { Disk } from "#protocol/ports.ts";
import type { Instant } from "#protocol/units.ts";
import type { Contribution, Mark } from "./store.ts";
import { upToOf } from "./store.ts";

/**
 * An append-only log of commits, in segments: each record is its length, its CRC-32 and its body, and a commit is safe
 * when its record is synced. A segment begins with all marks, so that old ones can be dropped whole.
 */
export interface CommitLog {
  /** Writes one commit and syncs it; raises the disk's Fault. `marks` is asked when a new segment begins. */
  append(contributions: readonly Contribution[], marks: () => readonly Mark[]): void;
  /** Drops the segments that hold nothing from `before` on. */
  prune(before: Instant): void;
  bytes(): number;
}

interface Segment {
  readonly name: string;
  bytes: number;
  newest: number;
}

const PREFIX = "readings-";
const SEGMENT_BYTES = 8_388_608;
const HEAD_BYTES = 8;

/**
 * Opens the log and reads it from the beginning. A torn record at the very end is a commit that never was, and is cut off;
 * anywhere else it is damage. Raises Fault DISK_FAILED.
 */
export function openCommitLog(
  disk: Disk,
  onCommit: (contributions: readonly Contribution[]) => void,
  onMarks: (marks: readonly Mark[]) => void,
): CommitLog {
  const names = disk.list(PREFIX);
  const segments = names.map((name, index) => readSegment(disk, name, index === names.length - 1, onCommit, onMarks));

  const begin = (marks: readonly Mark[]): Segment => {
    const last = segments.at(-1)?.name.slice(PREFIX.length, -".log".length) ?? "0";
    const segment = { name: `${PREFIX}${String(Number(last) + 1).padStart(8, "0")}.log`, bytes: 0, newest: 0 };
    const head = record(encodeCbor({ marks: marks.map(({ station, epoch, upTo }) => [station, epoch, upTo]) }));
    disk.replace(segment.name, head);
    segment.bytes = head.length;
    segments.push(segment);
    return segment;
  };

  return {
    append(contributions, marks) {
      let segment = segments.at(-1);
      if (segment === undefined || segment.bytes > SEGMENT_BYTES) segment = begin(marks());
      const bytes = record(encodeCbor({ commit: contributions.flatMap(encodeContribution) }));
      disk.append(segment.name, bytes);
      segment.bytes += bytes.length;
      for (const each of contributions) segment.newest = Math.max(segment.newest, newestOf(each.readings));
      disk.sync(segment.name);
    },
    prune(before) {
      while (segments.length > 1 && (segments[0] as Segment).newest < before) {
        disk.remove((segments.shift() as Segment).name);
      }
    },
    bytes: () => segments.reduce((sum, segment) => sum + segment.bytes, 0),
  };
}

function encodeContribution(contribution: Contribution): Cbor[] {
  const { station, epoch, first, readings, payload } = contribution;
  if (payload !== undefined) return [[station, epoch, upToOf(contribution), payload]];
  const parts: Cbor[] = [];
  for (let at = 0; at < readings.length; at += MAX_BATCH_READINGS) {
    const some = readings.slice(at, at + MAX_BATCH_READINGS);
    const batch = encodeBatch({ epoch, after: 0, first: first + at, readings: some });
    parts.push([station, epoch, first + at + some.length - 1, batch]);
  }
  // What counts as received beyond the last reading has no batch of its own.
  if (readings.length === 0 || upToOf(contribution) > first + readings.length - 1)
    parts.push([station, epoch, upToOf(contribution), null]);
  return parts;
}

function decodeContribution(part: Cbor): Contribution {
  const [station, epoch, upTo, batch] = part as [string, string, number, Uint8Array | null];
  if (batch === null) return { station, epoch, first: upTo + 1, readings: [], upTo };
  const { first, readings } = parseBatch(batch);
  return { station, epoch, first, readings, upTo };
}

function readSegment(
  disk: Disk,
  name: string,
  isLast: boolean,
  onCommit: (contributions: readonly Contribution[]) => void,
  onMarks: (marks: readonly Mark[]) => void,
): Segment {
  const bytes = disk.read(name) ?? new Uint8Array();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 0;
  let newest = 0;
  for (;;) {
    const start = offset + HEAD_BYTES;
    const end = start <= bytes.length ? start + view.getUint32(offset) : Number.POSITIVE_INFINITY;
    if (end > bytes.length || crc32(bytes.subarray(start, end)) !== view.getUint32(offset + 4)) break;
    const { marks, commit } = decodeCbor(bytes.subarray(start, end)) as { marks?: readonly Cbor[]; commit?: Cbor[] };
    if (marks !== undefined) {
      onMarks((marks as [string, string, number][]).map(([station, epoch, upTo]) => ({ station, epoch, upTo })));
    }
    if (commit !== undefined) {
      const contributions = commit.map(decodeContribution);
      for (const each of contributions) newest = Math.max(newest, newestOf(each.readings));
      onCommit(contributions);
    }
    offset = end;
  }
  if (offset < bytes.length) {
    if (!isLast) throw new Fault("DISK_FAILED", { file: name, problem: `damaged at byte ${offset}` });
    disk.replace(name, bytes.slice(0, offset));
  }
  return { name, bytes: offset, newest };
}

function newestOf(readings: readonly Reading[]): number {
  let newest = 0;
  for (const { at } of readings) if (at > newest) newest = at;
  return newest;
}

function record(body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, body.length);
  view.setUint32(4, crc32(body));
  bytes.set(body, HEAD_BYTES);
  return bytes;
}

/** CRC-32 as in IEEE 802.3, by table. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let index = 0; index < bytes.length; index++) {
    crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ (bytes[index] as number)) & 0xff] as number);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value >>> 0;
});
