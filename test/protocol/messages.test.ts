import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeCbor } from "#protocol/cbor.ts";
import { Fault } from "#protocol/faults.ts";
import { command, encodeBatch, parseBatch, parseMessage, receipt, type Batch } from "#protocol/messages.ts";
import { instant } from "#protocol/units.ts";

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const batch: Batch = {
  epoch: "e1",
  after: 0,
  first: 1,
  readings: Array.from({ length: 20 }, (_, index) => ({
    device: `L00${index % 3}`,
    measure: index % 2 === 0 ? "power_W" : "level",
    at: instant(1_700_000_000_000 + index * 1000),
    value: index * 0.5,
  })),
};

test("twenty readings take less than 300 bytes as columns, and are read back as they were", () => {
  const payload = encodeBatch(batch);
  expect(payload.length).toBeLessThan(300);
  expect(parseBatch(payload)).toEqual(batch);
});

test("any batch survives the way there and back", () => {
  const reading = fc.record({
    device: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,10}$/),
    measure: fc.constantFrom("level", "power_W", "fill"),
    at: fc.integer({ min: 0, max: 4e12 }).map(instant),
    value: fc.double({ noNaN: true, noDefaultInfinity: true }).filter((each) => !Object.is(each, -0)),
  });
  fc.assert(
    fc.property(
      fc.array(reading, { minLength: 1, maxLength: 50 }),
      fc.nat(),
      fc.integer({ min: 1, max: 1e9 }),
      (readings, after, first) => {
        const given = { epoch: "x", after, first, readings };
        expect(parseBatch(encodeBatch(given))).toEqual(given);
      },
    ),
  );
});

test("a batch may also be plain JSON", () => {
  expect(parseBatch(bytes(batch))).toEqual(batch);
});

const wrong: [string, Uint8Array, string, RegExp][] = [
  ["that is neither JSON nor CBOR", Uint8Array.of(0xff, 1, 2), "PAYLOAD_UNREADABLE", /at byte/],
  ["that is broken JSON", new TextEncoder().encode('{"epoch": '), "PAYLOAD_UNREADABLE", /JSON/],
  [
    "with a field missing",
    bytes({ epoch: "e", after: 0, readings: batch.readings }),
    "PAYLOAD_INVALID",
    /At first: found nothing/,
  ],
  ["with a field of the wrong type", bytes({ ...batch, after: "zero" }), "PAYLOAD_INVALID", /At after: found "zero"/],
  ["with a field too many", bytes({ ...batch, extra: 1 }), "PAYLOAD_INVALID", /At extra/],
  ["without readings", bytes({ ...batch, readings: [] }), "PAYLOAD_INVALID", /at least 1/],
  ["of one megabyte", new Uint8Array(1_000_000), "PAYLOAD_TOO_LARGE", /1000000 bytes/],
  ["that is a CBOR list", encodeCbor([1, 2]), "PAYLOAD_INVALID", /expected a map/],
  [
    "with columns of different lengths",
    encodeCbor({ e: "e", a: 0, n: 1, D: ["L1"], M: ["level"], d: [0, 0], m: [0], t: [0], v: [1] }),
    "PAYLOAD_INVALID",
    /several lengths/,
  ],
  [
    "with an index that names nothing",
    encodeCbor({ e: "e", a: 0, n: 1, D: ["L1"], M: ["level"], d: [5], m: [0], t: [0], v: [1] }),
    "PAYLOAD_INVALID",
    /d\[0\]/,
  ],
];
for (const [what, payload, code, says] of wrong) {
  test(`a payload ${what} is refused and says why`, () => {
    const refused = (): unknown => parseBatch(payload);
    expect(refused).toThrow(Fault);
    expect(refused).toThrow(says);
    expect(refused).toThrow(expect.objectContaining({ code }));
  });
}

test("a command with an order that does not exist is refused with the list of those that do", () => {
  const given = {
    id: "c1",
    station: "S1",
    device: "L1",
    sequence: 1,
    issuedAt: 0,
    expiresAt: 10,
    order: { action: "explode" },
    signature: "x",
  };
  expect(() => parseMessage(command, bytes(given))).toThrow(
    /At order.action: found "explode", expected one of programme/,
  );
});

test("a receipt below zero is refused", () => {
  expect(() => parseMessage(receipt, bytes({ epoch: "e", upTo: -1 }))).toThrow(/At upTo/);
});
