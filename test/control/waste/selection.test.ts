import { describe, expect, test } from "vitest";
import * as fc from "fast-check";
import type { Candidate } from "#control/waste/fill.ts";
import { SELECTION_POLICY, selection } from "#control/waste/selection.ts";

const bin = (change: Partial<Candidate> = {}): Candidate => ({
  container: "C1",
  stream: "residual",
  volume_L: 1000,
  service_s: 60,
  now: 0.4,
  q50: 0.5,
  q90: 0.6,
  risk: 0,
  sinceEmptied_d: 2,
  ...change,
});

/** All `away_s` from each other and from the depot. */
const even = (count: number, away_s: number): number[][] =>
  Array.from({ length: count + 1 }, (_, from) =>
    Array.from({ length: count + 1 }, (_, to) => (from === to ? 0 : away_s)),
  );

const one = (candidate: Candidate, away_s = 600) => selection([candidate], even(1, away_s), SELECTION_POLICY)[0];

describe("a container alone, ten minutes away", () => {
  test("that is full is visited without any sum", () => {
    expect(one(bin({ q50: 0.95 }))).toMatchObject({ visit: true, because: "full" });
  });

  test("half full without risk is left: its visit costs 600 + 600 + 60 s and takes no risk away", () => {
    expect(one(bin())).toMatchObject({ visit: false, because: "room-left", risk_s: 0, visit_s: 1260 });
  });

  test("at a risk of 0.4 is visited, for 0.4 × 3,600 s is more than 1,260 s", () => {
    expect(one(bin({ risk: 0.4 }))).toMatchObject({ visit: true, because: "overflow-risk", risk_s: 1440 });
  });

  test("at a risk of 0.3 is not, for 1,080 s is less", () => {
    expect(one(bin({ risk: 0.3 }))).toMatchObject({ visit: false, risk_s: 1080 });
  });

  test("not emptied for two weeks is visited, however empty", () => {
    expect(one(bin({ q50: 0.05, sinceEmptied_d: 14 }))).toMatchObject({ visit: true, because: "too-long" });
  });

  test("nearly empty is not visited, whatever its risk is said to be", () => {
    expect(one(bin({ q50: 0.1, risk: 1 }))?.visit).toBe(false);
  });
});

test("half full, ten seconds from a full one, is taken on the way at a small risk, and left at none or a quarter full", () => {
  const near = [
    [0, 600, 600],
    [600, 0, 10],
    [600, 10, 0],
  ];
  const full = bin({ container: "full", q50: 1 });
  // Alone it would cost 10 + 600 - 600 + 60 = 70 s: half of it is worth less than 70 s, with a risk of 0.02 it is worth more.
  const choose = (change: Partial<Candidate>) => selection([full, bin(change)], near, SELECTION_POLICY)[1];
  expect(choose({ q50: 0.5 })).toMatchObject({ visit: false });
  expect(choose({ q50: 0.5, risk: 0.01 })).toMatchObject({ visit: true, because: "on-the-way" });
  expect(choose({ q50: 0.25, risk: 0.01 })).toMatchObject({ visit: false, because: "room-left" });
});

test("more risk, or a fuller container, never turns a visit into none", () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(share, share, share, share, fc.integer({ min: 0, max: 3000 }), (a, b, c, d, away) => {
      const less = one(bin({ q50: Math.min(a, b), risk: Math.min(c, d) }), away);
      const more = one(bin({ q50: Math.max(a, b), risk: Math.max(c, d) }), away);
      if (less?.visit === true) expect(more?.visit).toBe(true);
    }),
  );
});
