import fc from "fast-check";
import { expect, test } from "vitest";
import type { Cbor } from "#protocol/cbor.ts";
import { decodeCbor, encodeCbor } from "#protocol/cbor.ts";
import { Fault } from "#protocol/faults.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("numbers, text and lists are written as the examples of RFC 8949 appendix A", () => {
  const examples: [Cbor, string][] = [
    [0, "00"],
    [23, "17"],
    [24, "1818"],
    [1000, "1903e8"],
    [1_000_000, "1a000f4240"],
    [-1, "20"],
    [-1000, "3903e7"],
    [1.1, "fb3ff199999999999a"],
    [100000.5, "fa47c35040"],
    ["IETF", "6449455446"],
    [[1, [2, 3]], "8201820203"],
    [{ a: 1, b: [2, 3] }, "a26161016162820203"],
    [true, "f5"],
    [null, "f6"],
  ];
  for (const [value, expected] of examples) expect(hex(encodeCbor(value))).toBe(expected);
});

const value = fc.letrec<{ cbor: Cbor }>((tie) => ({
  cbor: fc.oneof(
    { depthSize: "small" },
    fc.double({ noNaN: true }).filter((each) => !Object.is(each, -0)),
    fc.integer(),
    fc.string(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("cbor"), { maxLength: 5 }),
    fc.dictionary(fc.string(), tie("cbor"), { maxKeys: 5 }),
  ),
})).cbor;

test("whatever is written is read back", () => {
  fc.assert(
    fc.property(value, (given) => {
      fc.pre(depth(given) <= 8);
      expect(JSON.stringify(decodeCbor(encodeCbor(given)))).toBe(JSON.stringify(given));
    }),
  );
});

function depth(cbor: Cbor): number {
  if (typeof cbor !== "object" || cbor === null) return 0;
  return 1 + Math.max(0, ...Object.values(cbor as Record<string, Cbor>).map(depth));
}

test("any bytes are either read or refused with the place, never worse", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        decodeCbor(bytes);
      } catch (problem) {
        expect(problem).toBeInstanceOf(Fault);
        expect((problem as Fault).message).toMatch(/at byte \d+/);
      }
    }),
    { numRuns: 2000 },
  );
});

test("a list that claims four thousand million elements is refused before it is allocated", () => {
  expect(() => decodeCbor(Uint8Array.of(0x9a, 0xff, 0xff, 0xff, 0xff))).toThrow("longer than the payload");
});
