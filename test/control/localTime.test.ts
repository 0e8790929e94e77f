import { expect, test } from "vitest";
import { hourOfWeek, localMidnight, nextLocalHour, offsetAt } from "#control/localTime.ts";

const winter = Date.UTC(2026, 9, 25, 1);
const paris = [
  { from: Date.UTC(2026, 2, 29, 1), offset_s: 7200 },
  { from: winter, offset_s: 3600 },
];

test("Tuesday 24 November 2026, 21:30 in Paris is hour 45 of the week: 24 of Monday and 21", () => {
  expect(hourOfWeek(Date.UTC(2026, 10, 24, 20, 30), paris)).toBe(45);
});

test("the hour from 2 to 3 comes twice on the night the clocks go back", () => {
  const hours = [-2, -1, 0, 1].map((hour) => hourOfWeek(winter + hour * 3_600_000, paris) % 24);
  expect(hours).toEqual([1, 2, 2, 3]);
  expect(offsetAt(winter - 1, paris)).toBe(7_200_000);
});

test("the next local hour after 13:10 in India, at five and a half hours, is 14:00 there", () => {
  const india = [{ from: 0, offset_s: 19_800 }];
  expect(nextLocalHour(Date.UTC(2026, 0, 1, 7, 40), india)).toBe(Date.UTC(2026, 0, 1, 8, 30));
});

test("midnight before the day the clocks go back is 22:00 UTC, the one after it 23:00 UTC", () => {
  expect(localMidnight(Date.UTC(2026, 9, 25, 12), paris)).toBe(Date.UTC(2026, 9, 24, 22));
  expect(localMidnight(Date.UTC(2026, 9, 26, 12), paris)).toBe(Date.UTC(2026, 9, 25, 23));
});
