import { cell, useCell } from "./cell.ts";
import type { Facts, Language, Word } from "./dictionary.ts";
import { isWord, sentence } from "./dictionary.ts";

/** The language of the page: asked for in the address, else chosen before on this browser, else the browser's own. */
const KEPT = "vigie.language";

export const language = cell<Language>(firstLanguage());

function firstLanguage(): Language {
  const asked = new URLSearchParams(location.search).get("lang") ?? kept();
  if (asked === "fr" || asked === "en") return asked;
  return navigator.language.toLowerCase().startsWith("fr") ? "fr" : "en";
}

function kept(): string | null {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    // Storage may be switched off; the browser's own language then holds.
    return null;
  }
}

/** Speaks a language from now on, on this page. */
export function speak(chosen: Language): void {
  document.documentElement.lang = chosen;
  language.set(chosen);
}

/** Speaks it here from now on: a choice that somebody made. */
export function choose(chosen: Language): void {
  try {
    localStorage.setItem(KEPT, chosen);
  } catch {
    // Chosen for this page only.
  }
  speak(chosen);
}

/** The sentence of a word in the page's language. */
export const say = (word: Word, facts?: Facts): string => sentence(word, language.get(), facts);

/** The sentence of a name that the server gave, or `otherwise` where the dictionary does not know it. */
export function sayNamed(prefix: string, name: string, facts: Facts = {}, otherwise = name): string {
  const word = `${prefix}.${name}`;
  return isWord(word) ? sentence(word, language.get(), facts) : otherwise;
}

/** Draws the component again when the language changes. */
export const useLanguage = (): Language => useCell(language);
