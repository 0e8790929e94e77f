import { join } from "node:path";
import { Fault } from "#protocol/faults.ts";
import { FILES } from "#server/main.ts";
import { openJournal, type Journal } from "#server/journal.ts";
import { decideByName } from "#server/server.ts";
import { openState } from "#server/state.ts";
import { existsSync } from "node:fs";
import { townAt } from "./territory.ts";
import { verb } from "./verb.ts";

/** Opens the journal of a data directory; a server may run beside it. Raises Fault FILE_MISSING where there is none. */
function withJournal<T>(directory: string, use: (journal: Journal) => T): T {
  const file = join(directory, FILES.state);
  if (!existsSync(file)) throw new Fault("FILE_MISSING", { file });
  const { territory } = townAt(undefined, join(directory, "territory.geojson"), 1);
  const state = openState(file, territory.id);
  try {
    return use(openJournal(state, decideByName));
  } finally {
    state.close();
  }
}

function idOf(words: readonly string[]): number {
  const id = Number(words[0]);
  if (!Number.isSafeInteger(id) || id < 1) {
    throw new Fault("OPTION_INVALID", {
      option: "ID",
      found: words[0] ?? "missing",
      expected: "the number of a decision",
      place: "the command line",
    });
  }
  return id;
}

export const show = verb({
  name: "decisions show",
  words: "ID",
  en: "shows a decision: value, rule, evidence, alternatives, until when",
  fr: "montre une décision : valeur, règle, faits, autres choix, jusqu’à quand",
  settings: ["data"],
  run({ settings, words, terminal }) {
    const id = idOf(words);
    terminal.out(withJournal(settings.data, (journal) => JSON.stringify(journal.show(id), undefined, 2)));
    return Promise.resolve(0);
  },
});

export const replay = verb({
  name: "decisions replay",
  words: "ID",
  en: "computes a decision again from its recorded inputs, bit for bit",
  fr: "recalcule une décision depuis ses entrées enregistrées, au bit près",
  settings: ["data"],
  run({ settings, words, terminal }) {
    const id = idOf(words);
    withJournal(settings.data, (journal) => journal.replay(id));
    terminal.out(
      terminal.language === "fr"
        ? `La décision ${id}, recalculée, est la même au bit près.`
        : `Decision ${id}, computed again, is the same bit for bit.`,
    );
    return Promise.resolve(0);
  },
});

export const verify = verb({
  name: "decisions verify",
  en: "checks the chain of the decision journal from its first entry",
  fr: "vérifie la chaîne du journal des décisions depuis sa première entrée",
  settings: ["data"],
  run({ settings, terminal }) {
    const { entries, head } = withJournal(settings.data, (journal) => journal.verify());
    terminal.out(
      terminal.language === "fr"
        ? `${entries} entrées, chaîne intacte, tête ${head}`
        : `${entries} entries, the chain is whole, head ${head}`,
    );
    return Promise.resolve(0);
  },
});
