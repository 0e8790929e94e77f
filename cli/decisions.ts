import { join } from "node:path";
import { Fault } from "#protocol/faults.ts";
import { FILES } from "#server/main.ts";
import { openJournal, type Journal, type JournalEntry } from "#server/journal.ts";
import { decideByName } from "#server/server.ts";
import { openState } from "#server/state.ts";
import { existsSync } from "node:fs";
import { townAt } from "./territory.ts";
import type { Call } from "./verb.ts";

/** Opens the journal of a data directory; a server may run beside it. Raises Fault FILE_MISSING where there is none. */
function withJournal<T>(directory: string, use: (journal: Journal, timeZone: string) => T): T {
  const file = join(directory, FILES.state);
  if (!existsSync(file)) throw new Fault("FILE_MISSING", { file });
  const { territory } = townAt(undefined, join(directory, "territory.geojson"), 1);
  const state = openState(file, territory.id);
  try {
    return use(openJournal(state, decideByName), territory.timeZone);
  } finally {
    state.close();
  }
}

function idOf(words: readonly string[]): number {
  const id = Number(words[0]);
  if (!Number.isSafeInteger(id) || id < 1) {
    throw invalid("ID", words[0] ?? "missing", "the number of a decision");
  }
  return id;
}

export function show({ settings, words, terminal }: Call<"data">): number {
  const id = idOf(words);
  terminal.out(withJournal(settings.data, (journal) => JSON.stringify(journal.show(id), undefined, 2)));
  return 0;
}

export function replay({ settings, words, terminal }: Call<"data">): number {
  const id = idOf(words);
  withJournal(settings.data, (journal) => journal.replay(id));
  terminal.out(
    terminal.language === "fr"
      ? `La décision ${id}, recalculée, est la même au bit près.`
      : `Decision ${id}, computed again, is the same bit for bit.`,
  );
  return 0;
}

export function verify({ settings, terminal }: Call<"data">): number {
  const { entries, head } = withJournal(settings.data, (journal) => journal.verify());
  terminal.out(
    terminal.language === "fr"
      ? `${entries} entrées, chaîne intacte, tête ${head}`
      : `${entries} entries, the chain is whole, head ${head}`,
  );
  return 0;
}
