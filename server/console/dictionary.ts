import { ACTS } from "./words/acts.ts";
import { FACTS } from "./words/facts.ts";
import { PAGE } from "./words/page.ts";
import { RULES } from "./words/rules.ts";
import { VIEWS } from "./words/views.ts";

/**
 * Every word that a person reads, in both languages: a sentence missing in one does not compile. `{name}` is filled from
 * the facts; `one|other` chooses by the fact `n`, as the language counts.
 */
export interface Wording {
  readonly en: string;
  readonly fr: string;
}

export const DICTIONARY = { ...PAGE, ...VIEWS, ...RULES, ...FACTS, ...ACTS } as const satisfies Record<string, Wording>;
export type Word = keyof typeof DICTIONARY;
export type Language = "en" | "fr";
export type Facts = Readonly<Record<string, string | number>>;

const PLURAL = { en: new Intl.PluralRules("en"), fr: new Intl.PluralRules("fr") };

/** The sentence of a word in a language, filled from the facts. */
export function sentence(word: Word, language: Language, facts: Facts = {}): string {
  return fill(DICTIONARY[word][language], language, facts);
}

/** Whether the dictionary has this word: for names that come from the server, such as rules. */
export function isWord(name: string): name is Word {
  return Object.hasOwn(DICTIONARY, name);
}

/** Fills a text with facts; a fact that is missing shows as “?” and never as nothing. */
export function fill(text: string, language: Language, facts: Facts): string {
  const forms = text.split("|");
  const count = Number(facts["n"]);
  const form = forms.length > 1 && PLURAL[language].select(count) !== "one" ? forms[1] : forms[0];
  return (form as string).replaceAll(/\{(\w+)\}/g, (_, name: string) => String(facts[name] ?? "?"));
}
