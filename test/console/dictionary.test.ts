import { describe, expect, test } from "vitest";
import { PROGRAMME_REFUSALS, PROGRAMME_RULES } from "#control/lighting/programme.ts";
import { VISIT_RULES } from "#control/waste/selection.ts";
import { KINDS, LAMP_RULES, SIGNAL_MODES } from "#protocol/kinds.ts";
import { LIGHTING_CLASSES, STREAMS } from "#protocol/territory.ts";
import { DICTIONARY, fill, isWord, sentence } from "#server/console/dictionary.ts";

const names = (text: string): string[] =>
  [...new Set([...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string))].sort();

describe("the dictionary", () => {
  test("says the same facts in both languages", () => {
    const different = Object.entries(DICTIONARY).filter(([, { en, fr }]) => names(en).join() !== names(fr).join());
    expect(different.map(([word]) => word)).toEqual([]);
  });

  test("has a sentence for every rule by which control decides, and a word for it in a row", () => {
    const frames = ["frame-kept", "frame-webster", "frame-minimum", "frame-saturated", "frame-uncounted"];
    const rules = [
      ...LAMP_RULES,
      ...PROGRAMME_RULES,
      ...VISIT_RULES,
      ...frames,
      "risk-against-visit",
      "nothing-to-collect",
    ];
    expect(rules.filter((rule) => !isWord(`rule.${rule}`) || !isWord(`short.${rule}`))).toEqual([]);
    expect(PROGRAMME_REFUSALS.filter((refused) => !isWord(`refused.${refused}`))).toEqual([]);
  });

  test("names every kind of device, measure, mode and stream", () => {
    const kinds = Object.keys(KINDS).map((kind) => `kind.${kind}`);
    const measures = Object.values(KINDS).flatMap((kind) => Object.keys(kind.measures)).map((name) => `measure.${name}`); // prettier-ignore
    const wanted = [
      ...kinds,
      ...measures,
      ...SIGNAL_MODES.map((mode) => `mode.${mode}`),
      ...STREAMS.map((stream) => `stream.${stream}`),
    ];
    expect(wanted.filter((word) => !isWord(word))).toEqual([]);
    expect(LIGHTING_CLASSES.length).toBeGreaterThan(0);
  });

  test("counts as each language does: nothing is plural in English and singular in French", () => {
    expect(sentence("now.wanted", "en", { n: 1 })).toBe("1 thing needs a person");
    expect(sentence("now.wanted", "en", { n: 0 })).toBe("0 things need a person");
    expect(sentence("now.wanted", "fr", { n: 0 })).toBe("0 chose demande quelqu’un");
    expect(sentence("now.wanted", "fr", { n: 2 })).toBe("2 choses demandent quelqu’un");
  });

  test("shows a missing fact as a question mark, never as nothing", () => {
    expect(fill("Lamp {lamp} in {street}", "en", { lamp: "L1" })).toBe("Lamp L1 in ?");
  });
});
