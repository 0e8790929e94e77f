import { expect, test } from "vitest";
import { Fault, FAULTS } from "#protocol/faults.ts";

test("a fault is one line in both languages, whatever a stranger put into its facts", () => {
  const fault = new Fault("FILE_MISSING", { file: "a\u001b[2Jb\r\nc\u2028d" });
  expect(fault.message).toBe("There is no file a [2Jb c d. Check the path.");
  expect(fault.in("fr")).toContain("a [2Jb c d");
});

test("both languages of a fault name the same facts", () => {
  const names = (text: string): string[] =>
    [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string).toSorted();
  for (const [code, { en, fr }] of Object.entries(FAULTS)) expect(names(fr), code).toEqual(names(en));
});
