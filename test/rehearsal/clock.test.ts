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

test("what is asked for on the way, soon or minutes ahead, takes its place by its time and then by its asking", async () => {
  const delay = fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 65_000, max: 66_000 }), fc.nat(300_000));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ first: delay, later: fc.array(delay, { maxLength: 3 }) }), { maxLength: 40 }),
      async (asked) => {
        const clock = virtualClock(instant(5));
        const seen: [number, number][] = [];
        const expected: [number, number][] = [];
        let order = 0;
        const ask = (ms: number, later: readonly number[]): void => {
          const own: [number, number] = [clock.now() + ms, order++];
          expected.push(own);
          clock.after(seconds(ms / 1000), () => {
            seen.push([clock.now(), own[1]]);
            for (const each of later) ask(each, []);
          });
        };
        for (const { first, later } of asked) ask(first, later);
        for (const until of [70_000, 70_001, 700_000]) await clock.run(instant(until));
        expect(seen).toEqual(expected.sort((a, b) => a[0] - b[0] || a[1] - b[1]));
      },
    ),
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
