import type { Reading } from "#protocol/messages.ts";
import { encodeBatch } from "#protocol/messages.ts";
import type { Instant } from "#protocol/units.ts";

/** Hand-packed MQTT 3.1.1 frames: a client library would be slower than the broker that it is to measure. */

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
};

function frame(first: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const header = [first];
  let rest = body.length;
  do {
    header.push(rest > 127 ? (rest & 127) | 128 : rest);
    rest >>= 7;
  } while (rest > 0);
  return Buffer.concat([Buffer.from(header), body]);
}

/** A clean session with user name and password. */
export const connectFrame = (client: string, password: string): Buffer =>
  frame(0x10, text("MQTT"), Buffer.from([4, 0xc2, 0, 60]), text(client), text(client), text(password));

export const subscribeFrame = (filter: string): Buffer =>
  frame(0x82, Buffer.from([0, 1]), text(filter), Buffer.from([0]));

/** The numbers of a station start here, so that every number takes the same five bytes in CBOR. */
export const FIRST_NUMBER = 100_001;
/** A reading's value tells its number: number / 2²⁴, exact in single precision. */
export const VALUE_SCALE = 2 ** 24;

const AFTER = 0x11223344;
const FIRST = 0x22334455;
const ID = 0x7a7b;
const START = 0x0155667788;

/**
 * A PUBLISH of a batch as the edge packs it, to be filled with numbers again and again: the encoder runs once, and then the
 * bytes of message id, `after`, `first`, time and values are changed where they lie.
 */
export class ReadingsTemplate {
  readonly bytes: Buffer;
  readonly perMessage: number;
  private readonly id: number;
  private readonly after: number;
  private readonly first: number;
  private readonly time: number;
  private readonly values: number[] = [];

  constructor(topic: string, device: string, epoch: string, perMessage: number) {
    const value = (index: number): number => (0x00abcd00 + index) / VALUE_SCALE;
    const readings = Array.from({ length: perMessage }, (_, index): Reading => ({
      device,
      measure: "level",
      at: (START + index * 1000) as Instant,
      value: value(index),
    }));
    const payload = Buffer.from(encodeBatch({ epoch, after: AFTER, first: FIRST, readings }));
    this.perMessage = perMessage;
    this.bytes = frame(0x32, text(topic), Buffer.from([ID >> 8, ID & 255]), payload);
    const find = (pattern: Buffer): number => {
      const place = this.bytes.indexOf(pattern);
      if (place < 0) throw new Error(`the encoder no longer writes ${pattern.toString("hex")}`);
      return place + 1;
    };
    this.id = this.bytes.length - payload.length - 2;
    this.after = find(Buffer.from([0x1a, 0x11, 0x22, 0x33, 0x44]));
    this.first = find(Buffer.from([0x1a, 0x22, 0x33, 0x44, 0x55]));
    this.time = find(Buffer.from([0x1b, 0, 0, 0, 1, 0x55, 0x66, 0x77, 0x88]));
    for (let index = 0; index < perMessage; index++) {
      const pattern = Buffer.alloc(5);
      pattern[0] = 0xfa;
      pattern.writeFloatBE(value(index), 1);
      this.values.push(find(pattern));
    }
  }

  /** Writes the frame for the readings from `first` on into `target`; returns where it ends. */
  write(target: Buffer, offset: number, id: number, after: number, first: number, now: number): number {
    this.bytes.copy(target, offset);
    target.writeUInt16BE(id, offset + this.id);
    target.writeUInt32BE(after, offset + this.after);
    target.writeUInt32BE(first, offset + this.first);
    target.writeUInt32BE(Math.floor(now / 2 ** 32), offset + this.time);
    target.writeUInt32BE(now % 2 ** 32, offset + this.time + 4);
    for (let index = 0; index < this.values.length; index++) {
      target.writeFloatBE((first + index) / VALUE_SCALE, offset + (this.values[index] as number));
    }
    return offset + this.bytes.length;
  }
}
