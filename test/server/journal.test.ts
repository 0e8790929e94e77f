import { expect, test } from "vitest";
import type { Decision } from "#control/decision.ts";
import { instant } from "#protocol/units.ts";
import type { Decide, JournalDraft } from "#server/journal.ts";
import { openJournal } from "#server/journal.ts";
import { openState } from "#server/state.ts";

/** A decision that can be done in one's head: twice what goes in. */
const twice = (inputs: unknown): Decision<number> => ({
  value: 2 * (inputs as { n: number }).n,
  because: "twice",
  evidence: { n: (inputs as { n: number }).n },
  alternatives: [],
  validUntil: instant(1000),
});
const decide: Decide = (name, inputs) => (name === "double" ? twice(inputs) : undefined);
const long = Array.from({ length: 400 }, (_, index) => index);

function draft(n: number, more: Partial<JournalDraft> = {}): JournalDraft {
  const inputs = { n, table: long };
  return {
    at: instant(n),
    name: "double",
    subject: "R1",
    inputs,
    decision: twice(inputs),
    mode: "general",
    acted: true,
    ...more,
  };
}

function filled(entries = 5) {
  const state = openState(":memory:", "village");
  const journal = openJournal(state, decide);
  for (let n = 1; n <= entries; n++) journal.append(draft(n));
  return { state, journal };
}

test("an entry comes back as it was written", () => {
  const { journal } = filled();
  expect(journal.show(3)).toMatchObject({ id: 3, ...draft(3) });
});

test("the same entries give the same head, another entry another", () => {
  expect(filled().journal.head()).toBe(filled().journal.head());
  expect(filled(4).journal.head()).not.toBe(filled().journal.head());
});

test("long inputs that repeat are stored once", () => {
  const { state } = filled();
  expect(state.all("SELECT hash FROM documents")).toHaveLength(1);
});

test("an untouched chain is whole", () => {
  const { journal } = filled();
  expect(journal.verify()).toEqual({ entries: 5, head: journal.head() });
});

test("the newest entries can be checked alone, and what is broken before them is not seen then", () => {
  const { state, journal } = filled();
  state.run("UPDATE journal SET at = 99 WHERE id = 2");
  expect(journal.verify(2)).toEqual({ entries: 2, head: journal.head() });
  expect(() => journal.verify(4)).toThrow(/entry 2/);
});

const tampering: [string, string][] = [
  ["a changed decision", "UPDATE journal SET decision = replace(decision, '6', '7') WHERE id = 3"],
  ["a changed time", "UPDATE journal SET at = 99 WHERE id = 3"],
  ["a changed author", "UPDATE journal SET author = 'nobody' WHERE id = 3"],
  ["a decision said to have been acted on", "UPDATE journal SET acted = 0 WHERE id = 3"],
  ["a changed input", 'UPDATE journal SET inputs = replace(inputs, \'"n":{"is":3}\', \'"n":{"is":4}\') WHERE id = 3'],
  ["a missing entry", "DELETE FROM journal WHERE id = 3"],
  ["a hash made to fit", "UPDATE journal SET hash = 'ff' WHERE id = 3"],
];
for (const [what, sql] of tampering) {
  test(`${what} breaks the chain at that entry`, () => {
    const { state, journal } = filled();
    state.run(sql);
    expect(() => journal.verify()).toThrow(/broken at entry 3:/);
  });
}

test("a changed table of inputs breaks the chain at the first entry that rests on it", () => {
  const { state, journal } = filled();
  state.run("UPDATE documents SET text = '[1]'");
  expect(() => journal.verify()).toThrow(/broken at entry 1: a part of its inputs/);
});

test("a decision computed again is the same, bit for bit", () => {
  const { journal } = filled();
  expect(journal.replay(2)).toEqual({ id: 2, hash: journal.show(2).hash });
});

test("a function that has changed its mind is found by replay, with the place where they part", () => {
  const { state } = filled();
  const altered: Decide = (_, inputs) => ({ ...twice(inputs), value: 5 });
  expect(() => openJournal(state, altered).replay(2)).toThrow(/Decision 2 .* recorded .*"value":4.*now .*"value":5/);
});

test("a person's act is not computed again", () => {
  const { journal } = filled();
  journal.append(draft(6, { name: "override.create", mode: "hand", author: "ana" }));
  expect(() => journal.replay(6)).toThrow(/act of a person/);
});

test("an entry that does not exist is said so", () => {
  expect(() => filled().journal.show(77)).toThrow("There is no decision 77.");
});

test("pages walk from the newest to the oldest without a gap", () => {
  const { journal } = filled(10);
  const ids: number[] = [];
  for (let before: number | undefined; ;) {
    const page = journal.list({}, 3, before);
    if (page.length === 0) break;
    ids.push(...page.map(({ id }) => id));
    before = ids.at(-1);
  }
  expect(ids).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
});

test("entries are found by name, subject, rule, mode and time", () => {
  const { journal } = filled(3);
  journal.append(draft(4, { subject: "R2", mode: "shadow", acted: false }));
  journal.append(draft(5, { name: "override.create", mode: "hand" }));
  const ids = (filter: Parameters<typeof journal.list>[0]) => journal.list(filter, 10).map(({ id }) => id);
  expect(ids({ name: "override.create" })).toEqual([5]);
  expect(ids({ subject: "R2" })).toEqual([4]);
  expect(ids({ mode: "shadow" })).toEqual([4]);
  expect(ids({ rule: "twice", subject: "R1" })).toEqual([5, 3, 2, 1]);
  expect(ids({ from: instant(2), to: instant(4) })).toEqual([3, 2]);
  expect(journal.latest("double", "R1")?.id).toBe(3);
});

test("a transaction that fails takes its entries back, and the chain goes on without a gap", () => {
  const { state, journal } = filled(2);
  expect(() =>
    state.transaction(() => {
      journal.append(draft(3));
      throw new Error("the power goes");
    }),
  ).toThrow("the power goes");
  journal.append(draft(3));
  expect(journal.verify().entries).toBe(3);
});
