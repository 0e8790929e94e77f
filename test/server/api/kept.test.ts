import { expect, test } from "vitest";
import { later, seconds } from "#protocol/units.ts";
import { virtualClock } from "#rehearsal/clock.ts";
import { keptFor } from "#server/api/kept.ts";
import { MONDAY } from "../village.ts";

/** Work that counts how often it was done, and fails while it is told to. */
function work() {
  const done = {
    times: 0,
    fails: false,
    do(): Promise<number> {
      done.times++;
      return done.fails ? Promise.reject(new Error("no answer")) : Promise.resolve(done.times);
    },
  };
  return done;
}

test("all who ask within a minute get one answer; after it the work is done again", async () => {
  const clock = virtualClock(MONDAY);
  const counted = work();
  const kept = keptFor(clock, seconds(60), () => counted.do());
  expect(await Promise.all([kept.get(), kept.get()])).toEqual([1, 1]);
  await clock.run(later(MONDAY, seconds(61)));
  expect(await kept.get()).toBe(2);
});

test("a failure is thrown and asked again at once; where the last will do, the last good answer stands in for it", async () => {
  for (const failed of ["throw", "orLast"] as const) {
    const clock = virtualClock(MONDAY);
    const counted = work();
    const kept = keptFor(clock, seconds(60), () => counted.do(), failed);
    expect(await kept.get()).toBe(1);
    await clock.run(later(MONDAY, seconds(61)));
    counted.fails = true;
    if (failed === "throw") await expect(kept.get()).rejects.toThrow("no answer");
    else expect(await kept.get()).toBe(1);
    counted.fails = false;
    expect(await kept.get()).toBe(3);
  }
});
