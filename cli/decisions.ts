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

export function list({ settings, words, terminal }: Call<"data" | "limit" | "json">): number {
  const [subject, second] = words;
  if (second !== undefined) throw invalid("SUBJECT", words.join(" "), "one street, junction or depot");
  const lines = withJournal(settings.data, (journal, timeZone) => {
    const entries = journal.list(subject === undefined ? {} : { subject }, settings.limit);
    return settings.json ? [JSON.stringify(entries)] : entries.map((entry) => lineOf(entry, timeZone));
  });
  for (const line of lines) terminal.out(line);
  return 0;
}

/** One decision in one line: its number, when, what about whom, the rule that decided, and whether it was acted on. */
function lineOf({ id, at, name, subject, decision, mode, acted }: JournalEntry, timeZone: string): string {
  // Swedish writes dates as ISO 8601 does.
  const when = new Date(at).toLocaleString("sv-SE", { timeZone });
  return `${String(id).padStart(6)}  ${when}  ${name} ${subject}: ${decision.because} (${mode}${acted ? "" : ", not acted on"})`;
}

const invalid = (option: string, found: string, expected: string): Fault =>
  new Fault("OPTION_INVALID", { option, found, expected, place: "the command line" });

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
