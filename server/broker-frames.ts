/** The few shapes of MQTT 3.1.1 frames that the readings' path handles itself (OASIS MQTT 3.1.1, chapters 2 and 3). */

export const CONNECT = 1;
export const PUBLISH = 3;
export const PINGREQ = 12;

export const PINGRESP = Buffer.from([0xd0, 0]);

/** Where a frame lies in a buffer: its first byte, its body, and the first byte after it. */
export interface Frame {
  readonly type: number;
  readonly start: number;
  readonly body: number;
  readonly end: number;
}

/**
 * The frame that starts at `start`, as far as its header says; its end may lie beyond what is here. Undefined while the header
 * is incomplete, "broken" when its length is none.
 */
export function frameAt(bytes: Buffer, start: number): Frame | "broken" | undefined {
  let length = 0;
  for (let index = 0; index < 4; index++) {
    const byte = bytes[start + 1 + index];
    if (byte === undefined) return undefined;
    length += (byte & 0x7f) << (7 * index);
    if (byte < 0x80) {
      const body = start + 2 + index;
      return { type: (bytes[start] as number) >> 4, start, body, end: body + length };
    }
  }
  return "broken";
}

export interface Published {
  readonly qos: number;
  readonly retain: boolean;
  readonly topic: string;
  /** 0 at QoS 0. */
  readonly id: number;
  /** A view of the frame, good until the next one is read. */
  readonly payload: Buffer;
}

/** Reads a whole PUBLISH; undefined when it is malformed. */
export function readPublish(bytes: Buffer, frame: Frame): Published | undefined {
  const flags = bytes[frame.start] as number;
  const qos = (flags >> 1) & 3;
  if (frame.end - frame.body < 2) return undefined;
  const topicEnd = frame.body + 2 + bytes.readUInt16BE(frame.body);
  const payloadStart = topicEnd + (qos > 0 ? 2 : 0);
  if (payloadStart > frame.end || qos === 3) return undefined;
  return {
    qos,
    retain: (flags & 1) === 1,
    topic: bytes.toString("utf8", frame.body + 2, topicEnd),
    id: qos > 0 ? bytes.readUInt16BE(topicEnd) : 0,
    payload: bytes.subarray(payloadStart, frame.end),
  };
}

/** A PUBLISH at QoS 0. */
export function packPublish(topic: string, payload: Uint8Array): Buffer {
  const topicLength = Buffer.byteLength(topic);
  const header = packHeader(PUBLISH << 4, 2 + topicLength + payload.length);
  const frame = Buffer.allocUnsafe(header.length + 2 + topicLength + payload.length);
  header.copy(frame);
  frame.writeUInt16BE(topicLength, header.length);
  frame.write(topic, header.length + 2);
  frame.set(payload, header.length + 2 + topicLength);
  return frame;
}

function packHeader(first: number, length: number): Buffer {
  const bytes = [first];
  let rest = length;
  do {
    const low = rest & 0x7f;
    rest >>= 7;
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return Buffer.from(bytes);
}

/** Writes PUBACKs for these message ids, one after the other, from `offset` on. */
export function packAcknowledgements(target: Buffer, offset: number, ids: readonly number[]): number {
  let at = offset;
  for (const id of ids) {
    target.writeUInt32BE(0x40020000 + id, at);
    at += 4;
  }
  return at;
}

/**
 * Reads the keep-alive from a CONNECT, and changes it so that the broker behind neither watches it nor keeps a session:
 * keep-alive 0, clean session. Returns seconds; undefined when it is malformed.
 */
export function takeKeepAlive(bytes: Buffer, frame: Frame): number | undefined {
  if (frame.end - frame.body < 10) return undefined;
  const flags = frame.body + 2 + bytes.readUInt16BE(frame.body) + 1;
  if (flags + 3 > frame.end) return undefined;
  bytes[flags] = (bytes[flags] as number) | 0x02;
  const keepAlive_s = bytes.readUInt16BE(flags + 1);
  bytes.writeUInt16BE(0, flags + 1);
  return keepAlive_s;
}
