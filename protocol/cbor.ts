import { Fault } from "./faults.ts";
import { decodeUtf8, encodeUtf8 } from "./utf8.ts";

/**
 * The part of CBOR (RFC 8949) that batches use: integers, floats, text, bytes, arrays, maps with text keys, true, false,
 * null. Definite lengths only. Own code because protocol imports nothing and this is the hot path of ingest.
 */
export type Cbor = number | string | boolean | null | Uint8Array | readonly Cbor[] | { readonly [key: string]: Cbor };

const MAX_DEPTH = 8;

/** Encodes a value; numbers take the shortest form that loses nothing. */
export function encodeCbor(value: Cbor): Uint8Array {
  scratch.length = 0;
  scratch.value(value);
  return scratch.bytes.slice(0, scratch.length);
}

class Writer {
  bytes = new Uint8Array(512);
  view = new DataView(this.bytes.buffer);
  length = 0;

  value(value: Cbor): void {
    if (typeof value === "number") return this.number(value);
    if (typeof value === "string") return this.text(value);
    if (value === false) return this.byte(0xf4);
    if (value === true) return this.byte(0xf5);
    if (value === null) return this.byte(0xf6);
    if (value instanceof Uint8Array) {
      this.head(2, value.length);
      return this.raw(value);
    }
    if (isArray(value)) {
      this.head(4, value.length);
      for (let index = 0; index < value.length; index++) this.value(value[index] as Cbor);
      return;
    }
    const keys = Object.keys(value);
    this.head(5, keys.length);
    for (const key of keys) {
      this.value(key);
      this.value(value[key] as Cbor);
    }
  }

  /** Names are short and ASCII, for which the platform's encoder takes ten times as long as this loop. */
  private text(value: string): void {
    this.head(3, value.length);
    this.reserve(value.length);
    const start = this.length;
    for (let index = 0; index < value.length; index++) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) {
        // The head stands before `start`, as long as the length of the text in UTF-16 made it.
        this.length = start - headSize(value.length);
        const encoded = encodeUtf8(value);
        this.head(3, encoded.length);
        return this.raw(encoded);
      }
      this.bytes[this.length++] = code;
    }
  }

  private number(value: number): void {
    if (Number.isInteger(value) && Math.abs(value) <= 0xffffffffffff && !Object.is(value, -0)) {
      if (value >= 0) this.head(0, value);
      else this.head(1, -1 - value);
      return;
    }
    const single = Math.fround(value) === value;
    this.reserve(9);
    this.bytes[this.length] = single ? 0xfa : 0xfb;
    if (single) this.view.setFloat32(this.length + 1, value);
    else this.view.setFloat64(this.length + 1, value);
    this.length += single ? 5 : 9;
  }

  private head(major: number, size: number): void {
    this.reserve(9);
    const top = major << 5;
    if (size < 24) this.bytes[this.length++] = top | size;
    else if (size < 0x100) {
      this.bytes[this.length++] = top | 24;
      this.bytes[this.length++] = size;
    } else if (size < 0x10000) {
      this.bytes[this.length++] = top | 25;
      this.view.setUint16(this.length, size);
      this.length += 2;
    } else if (size < 0x100000000) {
      this.bytes[this.length++] = top | 26;
      this.view.setUint32(this.length, size);
      this.length += 4;
    } else {
      this.bytes[this.length++] = top | 27;
      this.view.setUint32(this.length, Math.floor(size / 0x100000000));
      this.view.setUint32(this.length + 4, size % 0x100000000);
      this.length += 8;
    }
  }

  private byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  private raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more));
    grown.set(this.bytes);
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}

/** One buffer for all: nothing is encoded inside an encoding, and what is returned is a copy of the right size. */
const scratch = new Writer();

const headSize = (size: number): number => (size < 24 ? 1 : size < 0x100 ? 2 : size < 0x10000 ? 3 : 5);

const isArray = (value: Cbor): value is readonly Cbor[] => Array.isArray(value);

/** Decodes one value that fills `bytes` exactly. Raises Fault PAYLOAD_UNREADABLE with the offset of what is wrong. */
export function decodeCbor(bytes: Uint8Array): Cbor {
  const reader = new Reader(bytes);
  const value = reader.value(0);
  if (reader.offset !== bytes.length) reader.refuse("bytes after the end");
  return value;
}

/**
 * Names come again and again, and to make a string of bytes takes longer than all the rest: the latest are kept, each in
 * the one place that its bytes point to, so that the table never grows, whatever is sent.
 */
const KNOWN = 4096;
const LONGEST_KNOWN = 64;
const known: string[] = Array.from({ length: KNOWN }, () => "");

class Reader {
  readonly bytes: Uint8Array;
  private readonly view: DataView;
  offset = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  value(depth: number): Cbor {
    if (depth > MAX_DEPTH) this.refuse(`nested deeper than ${MAX_DEPTH}`);
    const first = this.take(1);
    const byte = this.bytes[first] as number;
    const major = byte >> 5;
    const low = byte & 31;
    if (major === 7) return this.simple(low);
    const size = this.size(low);
    if (major === 0) return size;
    if (major === 1) return -1 - size;
    if (major === 2) return this.bytes.subarray(this.take(size), this.offset);
    if (major === 3) return this.text(size);
    if (major === 4) {
      // Every element takes at least one byte, so a length beyond the rest is a lie that must not allocate.
      if (size > this.bytes.length - this.offset) this.refuse("an array longer than the payload");
      const array: Cbor[] = [];
      for (let index = 0; index < size; index++) array.push(this.value(depth + 1));
      return array;
    }
    if (major === 5) {
      if (size * 2 > this.bytes.length - this.offset) this.refuse("a map longer than the payload");
      const map: Record<string, Cbor> = Object.create(null) as Record<string, Cbor>;
      for (let index = 0; index < size; index++) {
        const key = this.value(depth + 1);
        if (typeof key !== "string") this.refuse("a map key that is no text");
        map[key] = this.value(depth + 1);
      }
      return map;
    }
    return this.refuse("a tag");
  }

  private simple(low: number): Cbor {
    if (low === 20) return false;
    if (low === 21) return true;
    if (low === 22) return null;
    if (low === 26) return this.view.getFloat32(this.take(4));
    if (low === 27) return this.view.getFloat64(this.take(8));
    return this.refuse("a simple value that is not used here");
  }

  private size(low: number): number {
    if (low < 24) return low;
    if (low === 24) return this.view.getUint8(this.take(1));
    if (low === 25) return this.view.getUint16(this.take(2));
    if (low === 26) return this.view.getUint32(this.take(4));
    if (low === 27) {
      const at = this.take(8);
      const size = this.view.getUint32(at) * 0x100000000 + this.view.getUint32(at + 4);
      return Number.isSafeInteger(size) ? size : this.refuse("an integer beyond 2^53");
    }
    return this.refuse("an indefinite length");
  }

  private text(size: number): string {
    const at = this.take(size);
    if (size > LONGEST_KNOWN) return this.decoded(at);
    // FNV-1a, for a place in the table.
    let hash = 0x811c9dc5;
    for (let index = at; index < this.offset; index++) {
      const code = this.bytes[index] as number;
      if (code > 0x7f) return this.decoded(at);
      hash = Math.imul(hash ^ code, 0x01000193);
    }
    const place = (hash ^ (hash >>> 15)) & (KNOWN - 1);
    const text = known[place] as string;
    return this.says(text, at, size) ? text : (known[place] = this.decoded(at));
  }

  private says(text: string, at: number, size: number): boolean {
    if (text.length !== size) return false;
    for (let index = 0; index < size; index++) if (text.charCodeAt(index) !== this.bytes[at + index]) return false;
    return true;
  }

  private decoded(at: number): string {
    try {
      return decodeUtf8(this.bytes.subarray(at, this.offset));
    } catch {
      return this.refuse("text that is not UTF-8");
    }
  }

  private take(size: number): number {
    const at = this.offset;
    if (at + size > this.bytes.length) this.refuse("the end too early");
    this.offset += size;
    return at;
  }

  refuse(problem: string): never {
    throw new Fault("PAYLOAD_UNREADABLE", { problem: `${problem} at byte ${this.offset}` });
  }
}
