import fc from "fast-check";
import { expect, test } from "vitest";
import { mistakeIn } from "#cli/json-place.ts";

test("the line and the column of the first mistake", () => {
  expect(mistakeIn('{\n  "port": 1,\n  "data": x\n}')).toEqual({ line: 3, column: 11 });
  expect(mistakeIn('{"port": 1,}')).toEqual({ line: 1, column: 12 });
  expect(mistakeIn("{\n")).toEqual({ line: 2, column: 1 });
  expect(mistakeIn("")).toEqual({ line: 1, column: 1 });
});

test("what Node's parser takes has no mistake, and what it refuses has one", () => {
  const broken = fc
    .tuple(fc.json(), fc.nat(), fc.constantFrom("", '"', ",", "}", "]", ":", "\\", "-", "0", "e", "\n", "\u007f", "😀"))
    .map(([text, seed, put]) => {
      const at = seed % (text.length + 1);
      return text.slice(0, at) + put + text.slice(at + (seed % 2));
    });
  fc.assert(
    fc.property(fc.oneof(fc.json(), broken), (text) => {
      let good = true;
      try {
        JSON.parse(text);
      } catch {
        good = false;
      }
      expect(mistakeIn(text) === undefined).toBe(good);
    }),
    { numRuns: 2000 },
  );
});
