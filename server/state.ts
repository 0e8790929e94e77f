import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from "node:sqlite";
import { Fault } from "#protocol/faults.ts";

/**
 * What the server must remember beside the readings: journal, overrides, policies, alarms, commands, accounts.
 * One SQLite file, every commit on disk before the call returns (WAL, synchronous FULL).
 */
export interface State {
  run(sql: string, ...values: SQLInputValue[]): void;
  get(sql: string, ...values: SQLInputValue[]): Row | undefined;
  all(sql: string, ...values: SQLInputValue[]): Row[];
  /** All of `work` is kept, or nothing of it. Inside another transaction it joins that one. */
  transaction<T>(work: () => T): T;
  /** Runs `action` when the transaction under way is on disk, at once when there is none, never when it fails. */
  afterCommit(action: () => void): void;
  /** Why nothing can be written, from a write that failed until one that did not. */
  readonly failing: string | undefined;
  close(): void;
}
export type Row = Record<string, SQLOutputValue>;

/** SQLite's result codes (sqlite.org/rescode.html) for what the disk does to us; all others are mistakes of ours. */
const FULL = 13;
const DISK: ReadonlySet<number> = new Set([5, 6, 8, 10, 11, FULL, 14, 26]);

/** Each entry takes the database one version further; an entry that was released is never changed. */
const MIGRATIONS = [
  `CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
   CREATE TABLE documents(hash TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE journal(
     id INTEGER PRIMARY KEY, at INTEGER NOT NULL, name TEXT NOT NULL, subject TEXT NOT NULL, because TEXT NOT NULL,
     mode TEXT NOT NULL, acted INTEGER NOT NULL, author TEXT, inputs TEXT NOT NULL, decision TEXT NOT NULL,
     previous TEXT NOT NULL, hash TEXT NOT NULL) STRICT;
   CREATE INDEX journal_by_subject ON journal(subject, name, id);
   CREATE INDEX journal_by_name ON journal(name, id);
   CREATE TABLE alarms(
     id INTEGER PRIMARY KEY, key TEXT NOT NULL, subject TEXT NOT NULL, severity TEXT NOT NULL, state TEXT NOT NULL,
     owner TEXT, facts TEXT NOT NULL, devices TEXT NOT NULL, notes TEXT NOT NULL, count INTEGER NOT NULL,
     raised_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, cleared_at INTEGER) STRICT;
   CREATE INDEX alarms_by_state ON alarms(state, id);
   CREATE TABLE overrides(
     id INTEGER PRIMARY KEY, author TEXT NOT NULL, reason TEXT NOT NULL, scope_kind TEXT NOT NULL, scope_id TEXT NOT NULL,
     devices TEXT NOT NULL, command TEXT NOT NULL, from_at INTEGER NOT NULL, until_at INTEGER NOT NULL,
     state TEXT NOT NULL, ended_at INTEGER, ended_by TEXT) STRICT;
   CREATE INDEX overrides_by_state ON overrides(state, id);
   CREATE TABLE policies(
     name TEXT PRIMARY KEY, mode TEXT NOT NULL, pilot TEXT NOT NULL, parameters TEXT NOT NULL,
     changed_at INTEGER NOT NULL, changed_by TEXT NOT NULL) STRICT;
   CREATE TABLE device_groups(id TEXT PRIMARY KEY, name TEXT NOT NULL, devices TEXT NOT NULL) STRICT;
   CREATE TABLE intents(
     device TEXT NOT NULL, lane TEXT NOT NULL, command TEXT NOT NULL, entry INTEGER, since INTEGER NOT NULL,
     expires_at INTEGER NOT NULL, state TEXT NOT NULL, ids TEXT NOT NULL, answered_at INTEGER, because TEXT,
     PRIMARY KEY(device, lane)) STRICT, WITHOUT ROWID;
   CREATE TABLE sequences(device TEXT PRIMARY KEY, last INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE accounts(
     name TEXT PRIMARY KEY, role TEXT NOT NULL, salt BLOB NOT NULL, hash BLOB NOT NULL, created_at INTEGER NOT NULL) STRICT;
   CREATE TABLE sessions(
     hash TEXT PRIMARY KEY, account TEXT NOT NULL, role TEXT NOT NULL, created_at INTEGER NOT NULL,
     expires_at INTEGER NOT NULL) STRICT;
   CREATE TABLE api_keys(
     id INTEGER PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, hash TEXT NOT NULL UNIQUE,
     created_at INTEGER NOT NULL, created_by TEXT NOT NULL) STRICT;
   CREATE TABLE links(hash TEXT PRIMARY KEY, account TEXT NOT NULL, role TEXT NOT NULL, expires_at INTEGER NOT NULL) STRICT;`,
] as const;

/**
 * Opens the state at `path` (":memory:" for one that lives as long as the process) for one territory.
 * Raises Fault DATA_NEWER (written by a later version), DATA_OTHER_TOWN (belongs to another territory).
 */
export function openState(path: string, territory: string): State {
  const database = new DatabaseSync(path);
  try {
    database.exec(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 2000",
    );
    migrate(database, path);
    const state = new SqliteState(database, path);
    claim(state, path, territory);
    return state;
  } catch (problem) {
    database.close();
    throw problem;
  }
}

function migrate(database: DatabaseSync, path: string): void {
  const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
  if (version > MIGRATIONS.length) {
    throw new Fault("DATA_NEWER", { directory: path, found: version, known: MIGRATIONS.length });
  }
  for (const [index, sql] of MIGRATIONS.entries()) {
    if (index < version) continue;
    database.exec(`BEGIN IMMEDIATE; ${sql} PRAGMA user_version = ${index + 1}; COMMIT`);
  }
}

function claim(state: State, path: string, territory: string): void {
  const found = state.get("SELECT value FROM meta WHERE key = 'territory'")?.["value"];
  if (found === undefined) state.run("INSERT INTO meta VALUES ('territory', ?)", territory);
  else if (found !== territory) {
    throw new Fault("DATA_OTHER_TOWN", { directory: path, found: String(found), wanted: territory });
  }
}

class SqliteState implements State {
  private readonly database: DatabaseSync;
  private readonly statements = new Map<string, StatementSync>();
  private readonly path: string;
  private waiting: (() => void)[] = [];
  failing: string | undefined;

  constructor(database: DatabaseSync, path: string) {
    this.database = database;
    this.path = path;
  }

  /** Raises Fault DISK_FULL or DISK_FAILED. */
  run(sql: string, ...values: SQLInputValue[]): void {
    const alone = !this.database.isTransaction;
    try {
      this.statement(sql).run(...values);
    } catch (problem) {
      throw this.failed(problem);
    }
    if (alone) this.failing = undefined;
  }

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.statement(sql).get(...values);
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.statement(sql).all(...values);
  }

  transaction<T>(work: () => T): T {
    if (this.database.isTransaction) return work();
    let result: T;
    try {
      this.database.exec("BEGIN IMMEDIATE");
      result = work();
      this.database.exec("COMMIT");
    } catch (problem) {
      this.waiting = [];
      if (this.database.isTransaction) this.database.exec("ROLLBACK");
      throw this.failed(problem);
    }
    this.failing = undefined;
    const actions = this.waiting;
    this.waiting = [];
    for (const action of actions) action();
    return result;
  }

  afterCommit(action: () => void): void {
    if (this.database.isTransaction) this.waiting.push(action);
    else action();
  }

  close(): void {
    this.statements.clear();
    this.database.close();
  }

  /** What the disk did, as a fault; anything else as it came. */
  private failed(problem: unknown): unknown {
    const { errcode, errstr } = problem as { errcode?: number; errstr?: string };
    if (errcode === undefined || !DISK.has(errcode & 0xff)) return problem;
    const file = this.path;
    const fault =
      (errcode & 0xff) === FULL
        ? new Fault("DISK_FULL", { file })
        : new Fault("DISK_FAILED", { file, problem: errstr ?? "" });
    this.failing = fault.message;
    return fault;
  }

  private statement(sql: string): StatementSync {
    let statement = this.statements.get(sql);
    if (statement === undefined) this.statements.set(sql, (statement = this.database.prepare(sql)));
    return statement;
  }
}
