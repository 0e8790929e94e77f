import type { Language } from "#protocol/faults.ts";
import type { Verb } from "./verb.ts";
import { replay, show, verify } from "./decisions.ts";
import { docs } from "./docs.ts";
import { rehearse } from "./rehearse.ts";
import { simulate, stations } from "./simulate.ts";
import { start } from "./start.ts";

/** Every verb, in the order in which `npx vigie --help` lists them. */
export const VERBS: readonly Verb[] = [start, simulate, stations, rehearse, show, replay, verify, docs];

export function overview(language: Language): string {
  const width = Math.max(...VERBS.map(({ name }) => name.length));
  const lines = VERBS.map((verb) => `  ${verb.name.padEnd(width)}  ${language === "fr" ? verb.fr : verb.en}`);
  const [title, each] =
    language === "fr"
      ? [
          "Vigie fait fonctionner l’éclairage, la collecte des déchets et les feux d’une ville.",
          "Chaque verbe a son aide : npx vigie <verbe> --help",
        ]
      : [
          "Vigie runs a town’s street lighting, waste collection and traffic signals.",
          "Each verb has its help: npx vigie <verb> --help",
        ];
  return [title, "", ...lines, "", each].join("\n");
}
