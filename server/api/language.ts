import type { Language } from "#protocol/faults.ts";
import { Fault } from "#protocol/faults.ts";

/** The language of an answer: what the request prefers of English and French, English when it prefers neither. */
export function languageOf(acceptLanguage: string | undefined): Language {
  let best: { language: Language; weight: number } = { language: "en", weight: 0 };
  for (const part of (acceptLanguage ?? "").slice(0, 200).split(",")) {
    const [tag = "", ...parameters] = part.trim().toLowerCase().split(";");
    const language = tag.split("-")[0];
    if (language !== "fr" && language !== "en") continue;
    const given = parameters.map((each) => /^\s*q=([\d.]+)$/.exec(each)?.[1]).find((each) => each !== undefined);
    const weight = given === undefined ? 1 : Number(given);
    if (weight > best.weight) best = { language, weight };
  }
  return best.language;
}

/** The sentence of a fault, with the words among its facts in that language too. */
export function sentenceOf(fault: Fault, language: Language): string {
  if (language === "en") return fault.in("en");
  const facts: Record<string, string | number | boolean> = { ...fault.facts };
  for (const [name, fact] of Object.entries(facts)) {
    if (typeof fact === "string") facts[name] = french(fact);
  }
  return capital(new Fault(fault.code, facts).in("fr"));
}

function french(words: string): string {
  const whole = WORDS[words];
  if (whole !== undefined) return whole;
  for (const [pattern, replacement] of PHRASES) if (pattern.test(words)) return words.replace(pattern, replacement);
  return words;
}

const capital = (sentence: string): string => sentence.slice(0, 1).toUpperCase() + sentence.slice(1);

/** Words that stand in facts as they are in the code, as the API says them in French. */
const WORDS: Readonly<Record<string, string>> = {
  address: "l’adresse",
  alarm: "l’alarme",
  "API key": "la clé d’API",
  account: "le compte",
  container: "le conteneur",
  decision: "la décision",
  device: "l’appareil",
  junction: "le carrefour",
  override: "la dérogation",
  policy: "la règle de conduite",
  round: "la tournée",
  station: "la station",
  street: "la rue",
  zone: "la zone",
  requests: "requêtes",
  "event streams": "flux d’événements",
  "failed sign-ins": "connexions échouées",
  preparing: "en préparation",
  viewer: "lecteur",
  operator: "opérateur",
  administrator: "administrateur",
  nothing: "rien",
  "a cursor of this list": "un curseur de cette liste",
  "an object": "un objet",
  "a list": "une liste",
  "a text": "un texte",
  "a number": "un nombre",
  "a whole number": "un nombre entier",
  "true or false": "vrai ou faux",
  "no such field": "aucun champ de ce nom",
  "a text of the form asked for": "un texte de la forme demandée",
  "at least one field": "au moins un champ",
  "an instant after from": "un instant après from",
  open: "ouverte",
  acknowledged: "prise en compte",
  "in-progress": "en cours",
  resolved: "résolue",
  closed: "close",
  released: "levée",
  expired: "expirée",
  "computed again": "recalculée",
  "an act of a person": "l’acte d’une personne",
};

const PHRASES: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  [/^one of (.*)$/s, "l’un de $1"],
  [/^at least (.*) characters$/, "au moins $1 caractères"],
  [/^at most (.*) characters$/, "au plus $1 caractères"],
  [/^at most (.*) entries$/, "au plus $1 entrées"],
  [/^at least (.*) entries$/, "au moins $1 entrées"],
  [/^at least (.*)$/, "au moins $1"],
  [/^at most (.*)$/, "au plus $1"],
];
