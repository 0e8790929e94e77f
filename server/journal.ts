import { createHash } from "node:crypto";
import type { SQLInputValue } from "node:sqlite";
import type { Decision } from "#control/decision.ts";
import { canonical } from "#protocol/canonical.ts";
import { Fault } from "#protocol/faults.ts";
import type { Instant } from "#protocol/units.ts";
import type { Row, State } from "./state.ts";

/** How a decision came to act or not: by a policy's mode, or by a person's hand. */
export type EntryMode = "shadow" | "pilot" | "general" | "hand";

/** What is written down about a decision, so that it can be computed again. Plain JSON throughout. */
export interface JournalDraft {
  readonly at: Instant;
  /** A function of control (`lighting.programme`), or a person's act (`override.create`, `policy.change`…). */
  readonly name: string;
  /** The street, junction, depot, override or policy it is about. */
  readonly subject: string;
  readonly inputs: unknown;
  readonly decision: Decision<unknown>;
  readonly mode: EntryMode;
  readonly acted: boolean;
  readonly author?: string;
}

export interface JournalEntry extends JournalDraft {
  readonly id: number;
  readonly previous: string;
  readonly hash: string;
}

export interface JournalFilter {
  readonly name?: string;
  readonly subject?: string;
  /** The rule that decided: `because`. */
  readonly rule?: string;
  readonly mode?: EntryMode;
  readonly from?: Instant;
  /** Exclusive. */
  readonly to?: Instant;
}

/** Computes a named decision from plain inputs; undefined when no function of control has this name. */
export type Decide = (name: string, inputs: unknown) => Decision<unknown> | undefined;

export interface Journal {
  append(draft: JournalDraft): JournalEntry;
  /** Raises Fault NOT_FOUND. */
  show(id: number): JournalEntry;
  /** Newest first, entries before `before` (an id), at most `limit`. */
  list(filter: JournalFilter, limit: number, before?: number): JournalEntry[];
  latest(name: string, subject: string): JournalEntry | undefined;
  /** Computes an entry again. Raises Fault REPLAY_DIFFERS, NOT_FOUND, or CONFLICT for a person's act. */
  replay(id: number): { readonly id: number; readonly hash: string };
  /**
   * Walks the chain, the whole of it or its newest entries. Raises Fault JOURNAL_BROKEN at the first entry that does not
   * follow from the one before.
   */
  verify(newest?: number): { readonly entries: number; readonly head: string };
  /** The hash of the newest entry; 64 zeros when there is none. */
  head(): string;
  count(): number;
  subscribe(listener: (entry: JournalEntry) => void): () => void;
}

const BEGINNING = "0".repeat(64);
/** A field of the inputs whose text is longer is stored once by its hash, however many entries carry it. */
const STORED_ONCE_FROM = 512;

/** The append-only journal: each entry's hash covers the one before it, so that no entry can be changed unseen. */
export function openJournal(state: State, decide: Decide): Journal {
  const listeners = new Set<(entry: JournalEntry) => void>();
  /** Asked of the disk each time: a transaction that failed took its entries back with it. */
  const newest = (): { id: number; hash: string } => {
    const row = state.get("SELECT id, hash FROM journal ORDER BY id DESC LIMIT 1");
    return { id: Number(row?.["id"] ?? 0), hash: String(row?.["hash"] ?? BEGINNING) };
  };

  const show = (id: number): JournalEntry => {
    const row = state.get("SELECT * FROM journal WHERE id = ?", id);
    if (row === undefined) throw new Fault("NOT_FOUND", { thing: "decision", id });
    return entryOf(state, row);
  };

  return {
    append(draft) {
      return state.transaction(() => {
        const { id: last, hash: previous } = newest();
        const id = last + 1;
        const inputs = fold(state, draft.inputs);
        const decision = canonical(draft.decision);
        const hash = hashOf(id, draft, inputs, decision, previous);
        state.run(
          "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
          id,
          draft.at,
          draft.name,
          draft.subject,
          draft.decision.because,
          draft.mode,
          draft.acted ? 1 : 0,
          draft.author ?? null,
          inputs,
          decision,
          previous,
          hash,
        );
        const entry = { ...draft, id, previous, hash };
        state.afterCommit(() => {
          for (const listener of listeners) listener(entry);
        });
        return entry;
      });
    },
    show,
    list(filter, limit, before) {
      const { where, values } = conditions(filter, before);
      const rows = state.all(`SELECT * FROM journal ${where} ORDER BY id DESC LIMIT ?`, ...values, limit);
      return rows.map((row) => entryOf(state, row));
    },
    latest(name, subject) {
      const row = state.get(
        "SELECT * FROM journal WHERE subject = ? AND name = ? ORDER BY id DESC LIMIT 1",
        subject,
        name,
      );
      return row && entryOf(state, row);
    },
    replay(id) {
      const entry = show(id);
      const again = decide(entry.name, entry.inputs);
      if (again === undefined) {
        throw new Fault("CONFLICT", { thing: "decision", id, action: "computed again", state: "an act of a person" });
      }
      const recorded = canonical(entry.decision);
      const now = canonical(again);
      if (recorded !== now) throw new Fault("REPLAY_DIFFERS", { id, ...difference(recorded, now) });
      return { id, hash: entry.hash };
    },
    verify: (entries) => verify(state, entries === undefined ? 1 : Math.max(1, newest().id - entries + 1)),
    head: () => newest().hash,
    count: () => newest().id,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function verify(state: State, first: number): { entries: number; head: string } {
  let expected = first;
  let previous = BEGINNING;
  if (first > 1) previous = String(state.get("SELECT hash FROM journal WHERE id = ?", first - 1)?.["hash"] ?? "");
  const broken = (problem: string) => new Fault("JOURNAL_BROKEN", { entry: expected, problem });
  // Read in pages: a journal of years does not fit into memory at once.
  for (;;) {
    const rows = state.all("SELECT * FROM journal WHERE id >= ? ORDER BY id LIMIT 500", expected);
    if (rows.length === 0) return { entries: expected - first, head: previous };
    for (const row of rows) {
      if (row["id"] !== expected) throw broken("it is missing");
      if (row["previous"] !== previous) throw broken("it does not follow from the entry before");
      const inputs = String(row["inputs"]);
      const draft = draftOf(row);
      const decision = String(row["decision"]);
      if (row["hash"] !== hashOf(expected, draft, inputs, decision, previous))
        throw broken("its hash differs from its content");
      for (const hash of documentsIn(inputs)) {
        const text = state.get("SELECT text FROM documents WHERE hash = ?", hash)?.["text"];
        if (typeof text !== "string" || sha256(text) !== hash)
          throw broken("a part of its inputs is missing or changed");
      }
      previous = row["hash"];
      expected++;
    }
  }
}

function hashOf(
  id: number,
  draft: Omit<JournalDraft, "inputs" | "decision">,
  inputs: string,
  decision: string,
  previous: string,
): string {
  const { at, name, subject, mode, acted, author } = draft;
  return sha256(canonical({ id, at, name, subject, mode, acted, author, inputs, decision, previous }));
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** The canonical text of the inputs, in which long fields are replaced by the hash under which they are stored. */
function fold(state: State, inputs: unknown): string {
  if (typeof inputs !== "object" || inputs === null || Array.isArray(inputs)) return canonical({ whole: inputs });
  const folded: { [field: string]: unknown } = {};
  for (const [field, value] of Object.entries(inputs)) {
    if (value === undefined) continue;
    const text = canonical(value);
    if (text.length < STORED_ONCE_FROM) {
      folded[field] = { is: value };
      continue;
    }
    const hash = sha256(text);
    state.run("INSERT OR IGNORE INTO documents VALUES (?, ?)", hash, text);
    folded[field] = { document: hash };
  }
  return canonical({ fields: folded });
}

type Folded = { readonly whole: unknown } | { readonly fields: Readonly<Record<string, FoldedField>> };
type FoldedField = { readonly is: unknown } | { readonly document: string };

function unfold(state: State, text: string): unknown {
  const folded = JSON.parse(text) as Folded;
  if ("whole" in folded) return folded.whole;
  return Object.fromEntries(
    Object.entries(folded.fields).map(([field, value]) => {
      if ("is" in value) return [field, value.is];
      const row = state.get("SELECT text FROM documents WHERE hash = ?", value.document);
      return [field, row === undefined ? null : (JSON.parse(String(row["text"])) as unknown)];
    }),
  );
}

function documentsIn(text: string): string[] {
  const folded = JSON.parse(text) as Folded;
  if ("whole" in folded) return [];
  return Object.values(folded.fields).flatMap((field) => ("document" in field ? [field.document] : []));
}

function draftOf(row: Row): Omit<JournalDraft, "inputs" | "decision"> {
  return {
    at: row["at"] as Instant,
    name: String(row["name"]),
    subject: String(row["subject"]),
    mode: row["mode"] as EntryMode,
    acted: row["acted"] === 1,
    ...(row["author"] !== null && { author: String(row["author"]) }),
  };
}

function entryOf(state: State, row: Row): JournalEntry {
  return {
    ...draftOf(row),
    id: Number(row["id"]),
    inputs: unfold(state, String(row["inputs"])),
    decision: JSON.parse(String(row["decision"])) as Decision<unknown>,
    previous: String(row["previous"]),
    hash: String(row["hash"]),
  };
}

function conditions(filter: JournalFilter, before: number | undefined): { where: string; values: SQLInputValue[] } {
  const clauses: [string, SQLInputValue | undefined][] = [
    ["name = ?", filter.name],
    ["subject = ?", filter.subject],
    ["because = ?", filter.rule],
    ["mode = ?", filter.mode],
    ["at >= ?", filter.from],
    ["at < ?", filter.to],
    ["id < ?", before],
  ];
  const asked = clauses.filter((clause): clause is [string, SQLInputValue] => clause[1] !== undefined);
  const where = asked.length === 0 ? "" : `WHERE ${asked.map(([sql]) => sql).join(" AND ")}`;
  return { where, values: asked.map(([, value]) => value) };
}

/** The first place where two texts part, with a little of each. */
function difference(recorded: string, now: string): { recorded: string; now: string } {
  let at = 0;
  while (at < recorded.length && recorded[at] === now[at]) at++;
  const from = Math.max(0, at - 20);
  return { recorded: recorded.slice(from, at + 40), now: now.slice(from, at + 40) };
}
