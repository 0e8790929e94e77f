import { expect, test } from "vitest";
import { instant } from "#protocol/units.ts";
import { offsetsOf } from "#server/offsets.ts";

const at = (text: string) => instant(Date.parse(text));
const paris = offsetsOf("Europe/Paris");

test("in the night of 29 March 2026 Paris goes from +1 h to +2 h at 01:00 UTC", () => {
  expect(paris.over(at("2026-03-28T12:00Z"), at("2026-03-30T00:00Z"))).toEqual([
    { from: at("2026-03-28T12:00Z"), offset_s: 3600 },
    { from: at("2026-03-29T01:00Z"), offset_s: 7200 },
  ]);
});

test("in the night of 25 October 2026 it goes back at 01:00 UTC", () => {
  expect(paris.over(at("2026-10-24T11:17Z"), at("2026-10-26T00:00Z"))).toEqual([
    { from: at("2026-10-24T11:17Z"), offset_s: 7200 },
    { from: at("2026-10-25T01:00Z"), offset_s: 3600 },
  ]);
});

test("the next noon is found over both changes", () => {
  expect(paris.nextAt(at("2026-03-28T11:00Z"), 12)).toBe(at("2026-03-29T10:00Z"));
  expect(paris.nextAt(at("2026-10-24T10:00Z"), 12)).toBe(at("2026-10-25T11:00Z"));
});

test("an hour that the change leaves out is met by the first one after it", () => {
  // 02:00 does not exist on 29 March; the clocks show 03:00 at 01:00 UTC.
  expect(paris.nextAt(at("2026-03-29T00:30Z"), 2)).toBe(at("2026-03-29T01:00Z"));
});

test("a zone half an hour off has its hours at the half hours of UTC", () => {
  expect(offsetsOf("Asia/Kolkata").nextAt(at("2026-01-10T00:00Z"), 5)).toBe(at("2026-01-10T23:30Z"));
});

test("a day is the local one", () => {
  expect(paris.day(at("2026-01-10T23:30Z"))).toBe("2026-01-11");
});
