import fc from "fast-check";
import { expect, test } from "vitest";
import { every } from "#protocol/ports.ts";
import { instant, seconds } from "#protocol/units.ts";
import { virtualClock } from "#rehearsal/clock.ts";

test("what is due comes in the order of time, and at one time in the order of asking", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 100 }), async (delays) => {
      const clock = virtualClock(instant(0));
      const seen: [number, number][] = [];
      delays.forEach((delay, index) => clock.after(seconds(delay), () => seen.push([clock.now() / 1000, index])));
      await clock.run(instant(60_000));
      const expected = delays
        .map((delay, index): [number, number] => [delay, index])
        .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      expect(seen).toEqual(expected);
      expect(clock.now()).toBe(60_000);
    }),
  );
});

test("what is called off does not happen", async () => {
  const clock = virtualClock(instant(0));
  let happened = 0;
  const cancel = clock.after(seconds(1), () => happened++);
  clock.after(seconds(0.5), cancel);
  await clock.run(instant(2000));
  expect(happened).toBe(0);
});

test("promises settle before time goes on, and a held piece of real work stops time", async () => {
  const clock = virtualClock(instant(0));
  const seen: string[] = [];
  clock.settling.after(seconds(1), () => {
    void (async () => {
      await Promise.resolve();
      await Promise.resolve();
      seen.push(`settled at ${clock.now()}`);
      await clock.hold(new Promise((resolve) => setTimeout(resolve, 20)));
      seen.push(`written at ${clock.now()}`);
    })();
  });
  clock.after(seconds(1.001), () => seen.push(`next at ${clock.now()}`));
  await clock.run(instant(5000));
  expect(seen).toEqual(["settled at 1000", "written at 1000", "next at 1001"]);
});

test("every ten seconds in a day is 8,640 times", async () => {
  const clock = virtualClock(instant(0));
  let turns = 0;
  every(clock, seconds(10), () => turns++);
  await clock.run(instant(86_400_000));
  expect(turns).toBe(8640);
});
