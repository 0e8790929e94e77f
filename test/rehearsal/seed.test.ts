import { expect, test } from "vitest";
import { seededChance } from "#protocol/chance.ts";
import { misfortune } from "#rehearsal/misfortune.ts";
import { evening, HAMLET } from "./hamlet.ts";

test("the same seed gives the same journal to the last hash, and another seed another", async () => {
  const [first, again, other] = [await evening(), await evening(), await evening({ seed: 2 })];
  expect(first.result.journal_sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(again.result).toEqual({ ...first.result, wall_s: again.result.wall_s });
  expect(other.result.journal_sha256).not.toBe(first.result.journal_sha256);
});

test("with faults too the same seed gives the same story, event by event", async () => {
  const tell = async (): Promise<{ lines: string[]; journal: string }> => {
    const lines: string[] = [];
    const faults = misfortune(HAMLET, seededChance("a bad evening"), 3, 12);
    const { result } = await evening({ faults, trace: (line) => lines.push(JSON.stringify(line)) });
    return { lines, journal: result.journal_sha256 };
  };
  const [first, again] = [await tell(), await tell()];
  expect(again.journal).toBe(first.journal);
  expect(again.lines).toEqual(first.lines);
  expect(first.lines.length).toBeGreaterThan(500);
});
