import { expect, test } from "vitest";
import { pick, seededChance } from "#protocol/chance.ts";

function draw(seed: number): number[] {
  const chance = seededChance(seed);
  return Array.from({ length: 100 }, () => chance.next());
}

test("the same seed gives the same numbers, another seed others", () => {
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
});

test("over 100,000 numbers the mean is a half and each tenth gets a tenth", () => {
  const chance = seededChance(1);
  const tenths = Array.from({ length: 10 }, () => 0);
  for (let draw = 0; draw < 100_000; draw++) {
    const place = pick(chance, 10);
    tenths[place] = (tenths[place] ?? 0) + 1;
  }
  // The standard deviation of such a count is 95; five of them.
  for (const count of tenths) expect(Math.abs(count - 10_000)).toBeLessThan(475);
});
