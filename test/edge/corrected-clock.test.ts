import { expect, test } from "vitest";
import { correctedClock } from "#edge/corrected-clock.ts";
import { instant } from "#protocol/units.ts";
import { virtualClock } from "#rehearsal/clock.ts";
import { stationClock } from "#simulators/clock.ts";

const NOON = Date.UTC(2026, 5, 21, 12);

function board(off_ms: number) {
  const world = virtualClock(instant(NOON));
  let error = off_ms;
  return { world, clock: correctedClock(stationClock(world, () => error)), set: (off: number) => void (error = off) };
}

test("a clock that is an hour off is put right by an answer that came at once, and says that it moved", () => {
  const { clock } = board(3_600_000);
  expect(clock.told(NOON, clock.now() - 80)).toBe(true);
  expect(clock.now()).toBe(NOON);
  expect(clock.corrected(instant(NOON + 3_600_000))).toBe(NOON);
  expect(clock.told(NOON, clock.now() - 80)).toBe(false);
});

test("a clock that is half a minute off is left: that much is the line's doing", () => {
  const { clock } = board(-30_000);
  expect(clock.told(NOON, clock.now())).toBe(false);
  expect(clock.now()).toBe(NOON - 30_000);
});

test("an answer that took longer than ten seconds is not believed, nor one from before the clock was set", () => {
  const { clock } = board(-3_600_000);
  expect(clock.told(NOON, clock.now() - 10_001)).toBe(false);
  expect(clock.told(NOON, clock.now() + 1)).toBe(false);
  expect(clock.now()).toBe(NOON - 3_600_000);
});

test("when someone sets the board's clock right the correction goes", () => {
  const { clock, set } = board(3_600_000);
  clock.told(NOON, clock.now());
  set(0);
  expect(clock.now()).toBe(NOON - 3_600_000);
  expect(clock.told(NOON, clock.now())).toBe(true);
  expect(clock.now()).toBe(NOON);
});
