import type { Cbor } from "./cbor.ts";
import { decodeCbor, encodeCbor } from "./cbor.ts";
import { Fault } from "./faults.ts";
import type { Shaped } from "./shape.ts";
import { boolean, identifier, integer, list, number, object, oneOf, optional, text, variant } from "./shape.ts";
import type { Instant } from "./units.ts";
import { decodeUtf8, encodeUtf8 } from "./utf8.ts";

/** What edge and server say to each other. A border calls a parser here once; inside, the types are trusted. */

/** No payload is larger; what is larger is refused before it is parsed. */
export const MAX_PAYLOAD_BYTES = 65_536;
/** No batch holds more readings. */
export const MAX_BATCH_READINGS = 500;

export interface Reading {
  readonly device: string;
  readonly measure: string;
  readonly at: Instant;
  readonly value: number;
}

/**
 * Readings in the order of their numbers. A station numbers its readings 1, 2, 3… within an `epoch` (a new one only when
 * its outbox was lost). `after` is the number before the first of this batch that the outbox still knows: the server
 * takes a batch only when it has everything up to `after`, so that reordering never turns into loss. The reading at
 * `index` has the number `first + index`.
 */
export interface Batch {
  readonly epoch: string;
  readonly after: number;
  readonly first: number;
  readonly readings: readonly Reading[];
}

/** Columnar CBOR: names once, then device and measure indexes, time deltas in ms and values side by side. */
export function encodeBatch(batch: Batch): Uint8Array {
  const devices: string[] = [];
  const measures: string[] = [];
  const deviceIndex: number[] = [];
  const measureIndex: number[] = [];
  const deltas: number[] = [];
  let previous = 0;
  for (const reading of batch.readings) {
    deviceIndex.push(indexIn(devices, reading.device));
    measureIndex.push(indexIn(measures, reading.measure));
    deltas.push(reading.at - previous);
    previous = reading.at;
  }
  return encodeCbor({
    e: batch.epoch,
    a: batch.after,
    n: batch.first,
    D: devices,
    M: measures,
    d: deviceIndex,
    m: measureIndex,
    t: deltas,
    v: batch.readings.map((reading) => reading.value),
  });
}

function indexIn(names: string[], name: string): number {
  const index = names.indexOf(name);
  return index >= 0 ? index : names.push(name) - 1;
}

const jsonReading = object({ device: identifier, measure: identifier, at: integer(0), value: number() });
const jsonBatch = object({
  epoch: text(32),
  after: integer(0),
  first: integer(1),
  readings: list(jsonReading, MAX_BATCH_READINGS, 1),
});

/**
 * Reads a batch from CBOR or JSON (told apart by the first byte). The form is checked here; whether the device exists
 * and the value is in range is the server's to check, reading by reading.
 * Raises Fault PAYLOAD_TOO_LARGE, PAYLOAD_UNREADABLE or PAYLOAD_INVALID.
 */
export function parseBatch(payload: Uint8Array): Batch {
  refuseLarge(payload);
  if (isJson(payload)) return fromJson(parseJson(payload));
  const map = decodeCbor(payload);
  if (typeof map !== "object" || map === null || Array.isArray(map) || map instanceof Uint8Array) {
    throw new Fault("PAYLOAD_INVALID", { path: "(whole)", found: typeof map, expected: "a map" });
  }
  return fromColumns(map as Readonly<Record<string, Cbor>>);
}

const isJson = (payload: Uint8Array): boolean => payload[0] === 0x7b;

/** As in CBOR, a value that is no number becomes NaN: the server quarantines that one reading and keeps its neighbours. */
function fromJson(value: unknown): Batch {
  const { readings } = value as { readings?: unknown };
  const values = Array.isArray(readings)
    ? readings.map((each: unknown) => (each as { value?: unknown } | null)?.value)
    : [];
  const isNumber = (each: unknown): boolean => typeof each === "number";
  if (values.every(isNumber)) return jsonBatch.parse(value, "") as unknown as Batch;
  const filled = (readings as unknown[]).map((each, index) =>
    typeof each === "object" && each !== null && !isNumber(values[index]) ? { ...each, value: 0 } : each,
  );
  const batch = jsonBatch.parse({ ...(value as object), readings: filled }, "") as unknown as Batch;
  return {
    ...batch,
    readings: batch.readings.map((each, index) => (isNumber(values[index]) ? each : { ...each, value: Number.NaN })),
  };
}

/**
 * Which numbers a batch takes that cannot be read otherwise: with them its station learns that it need not send it again.
 * undefined: not even that can be read.
 */
export function numbersOf(payload: Uint8Array): (Omit<Batch, "readings"> & { readonly count: number }) | undefined {
  try {
    refuseLarge(payload);
    const isText = isJson(payload);
    const map = (isText ? parseJson(payload) : decodeCbor(payload)) as Readonly<Record<string, unknown>>;
    const [e, a, n, list] = isText
      ? [map["epoch"], map["after"], map["first"], map["readings"]]
      : [map["e"], map["a"], map["n"], map["d"]];
    if (!Array.isArray(list) || list.length === 0 || list.length > MAX_BATCH_READINGS) return undefined;
    return {
      epoch: epochText.parse(e, "epoch"),
      after: mark.parse(a, "after"),
      first: readingNumber.parse(n, "first"),
      count: list.length,
    };
  } catch (problem) {
    if (problem instanceof Fault || problem instanceof TypeError) return undefined;
    throw problem;
  }
}

const epochText = text(32);
const mark = integer(0);
const readingNumber = integer(1);
const names = list(identifier, MAX_BATCH_READINGS);

function fromColumns(map: Readonly<Record<string, Cbor>>): Batch {
  const epoch = epochText.parse(map["e"], "e");
  const after = mark.parse(map["a"], "a");
  const first = readingNumber.parse(map["n"], "n");
  const devices = names.parse(map["D"], "D");
  const measures = names.parse(map["M"], "M");
  const d = column(map, "d");
  const m = column(map, "m");
  const t = column(map, "t");
  const v = column(map, "v");
  if (d.length === 0 || d.length > MAX_BATCH_READINGS) {
    throw new Fault("PAYLOAD_INVALID", {
      path: "d",
      found: `${d.length} readings`,
      expected: `1 to ${MAX_BATCH_READINGS}`,
    });
  }
  if (m.length !== d.length || t.length !== d.length || v.length !== d.length) {
    throw new Fault("PAYLOAD_INVALID", {
      path: "d m t v",
      found: "columns of several lengths",
      expected: "one length",
    });
  }
  const readings: Reading[] = [];
  let at = 0;
  for (let index = 0; index < d.length; index++) {
    const device = devices[d[index] as number];
    const measure = measures[m[index] as number];
    const delta = t[index];
    const value = v[index];
    if (device === undefined || measure === undefined) {
      throw new Fault("PAYLOAD_INVALID", {
        path: `d[${index}]`,
        found: "an index without a name",
        expected: "a name in D and M",
      });
    }
    if (typeof delta !== "number" || !Number.isFinite(delta)) {
      throw new Fault("PAYLOAD_INVALID", { path: `t[${index}]`, found: typeof delta, expected: "a time" });
    }
    at += delta;
    // A value that is no number is kept as NaN: the server quarantines that one reading and keeps its neighbours.
    readings.push({ device, measure, at: at as Instant, value: typeof value === "number" ? value : Number.NaN });
  }
  return { epoch, after, first, readings };
}

function column(map: Readonly<Record<string, Cbor>>, name: string): readonly Cbor[] {
  const found = map[name];
  if (!Array.isArray(found)) {
    throw new Fault("PAYLOAD_INVALID", { path: name, found: typeof found, expected: "a list" });
  }
  return found as readonly Cbor[];
}

/** "Committed up to n": only this empties an outbox. */
export const receipt = object({
  epoch: text(32),
  upTo: integer(0),
  /** The server's clock when it spoke, by which a station finds that its own is wrong. */
  at: optional(integer(0)),
});
export type Receipt = Shaped<typeof receipt>;

/** Retained; the last will says offline. */
export const status = object({
  online: boolean,
  since: integer(0),
  version: text(32),
  /** Readings waiting in the outbox, and readings dropped since the epoch began. */
  waiting: optional(integer(0)),
  dropped: optional(integer(0)),
  /** The station's clock when it spoke, for the server to compare. */
  clock: optional(integer(0)),
});
export type Status = Shaped<typeof status>;

const share = number(0, 1);

/** What a device can be told. Levels are shares of rated flux, times are ms since 1970 UTC, durations seconds. */
export const order = variant("action", {
  /** A lamp's levels from each `at` on until the next: `idle` when nobody is near, `active` when someone is. */
  programme: object({
    steps: list(object({ at: integer(0), idle: share, active: share }), 100, 1),
    /** After the last step, the same clock times are repeated day by day until a new programme comes. */
    floor: share,
    hold_s: number(1, 3600),
  }),
  "lamp-override": object({ level: share, until: integer(0) }),
  "signal-override": object({ mode: oneOf("frame", "fixed", "flash"), until: integer(0) }),
  /** Ends an override before its time. */
  release: object({}),
  /** A junction's frame: it adapts each stage's green within [min_s, max_s]; `target_s` is its fair share. */
  frame: object({
    cycle_s: number(10, 300),
    offset_s: number(0, 300),
    stages: list(
      object({ stage: identifier, min_s: number(0, 300), target_s: number(0, 300), max_s: number(0, 300) }),
      32,
      1,
    ),
    until: integer(0),
  }),
  round: object({
    round: identifier,
    stops: list(
      object({ site: identifier, what: oneOf("container", "tipping-site", "depot"), eta: integer(0) }),
      500,
      0,
    ),
  }),
});
export type Order = Shaped<typeof order>;
export type OrderOf<Action extends Order["action"]> = Extract<Order, { action: Action }>;

/** A command: an order with a name, a place in the sequence, an expiry, and the server's signature over the rest. */
export const command = object({
  id: identifier,
  station: identifier,
  device: identifier,
  sequence: integer(1),
  issuedAt: integer(0),
  expiresAt: integer(0),
  order,
  signature: text(128),
});
export type Command = Shaped<typeof command>;
/** What is signed: the canonical text of everything but the signature. */
export type Unsigned = Omit<Command, "signature">;

/** A station's answer to a command. */
export const applied = object({
  command: identifier,
  device: identifier,
  sequence: integer(1),
  at: integer(0),
  outcome: oneOf("applied", "refused"),
  because: optional(text(300)),
});
export type Applied = Shaped<typeof applied>;

/** What neighbours on a street tell each other: someone is at this pole. No identity, no direction, gone in a minute. */
export const passing = object({ station: identifier, at: integer(0), lon: number(-180, 180), lat: number(-90, 90) });
export type Passing = Shaped<typeof passing>;

export const MESSAGES = { receipt, status, order, command, applied, passing, batch: jsonBatch } as const;

/** Parses a JSON payload with one of the shapes above. Raises Fault PAYLOAD_TOO_LARGE, PAYLOAD_UNREADABLE, PAYLOAD_INVALID. */
export function parseMessage<T>(shape: { parse(value: unknown, path: string): T }, payload: Uint8Array): T {
  refuseLarge(payload);
  return shape.parse(parseJson(payload), "");
}

export function encodeMessage(message: Receipt | Status | Command | Applied | Passing): Uint8Array {
  return encodeUtf8(JSON.stringify(message));
}

function refuseLarge(payload: Uint8Array): void {
  if (payload.length > MAX_PAYLOAD_BYTES) {
    throw new Fault("PAYLOAD_TOO_LARGE", { size: payload.length, limit: MAX_PAYLOAD_BYTES });
  }
}

function parseJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(decodeUtf8(payload));
  } catch (problem) {
    throw new Fault("PAYLOAD_UNREADABLE", { problem: (problem as Error).message });
  }
}
