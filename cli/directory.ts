import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Fault } from "#protocol/faults.ts";

/** The form of everything below the data directory; it grows when an older version could no longer read what is there. */
export const FORMAT = 1;

/** Where the page of the server that uses the directory is; there while it runs. */
export const ADDRESS = "address";

export interface DataDirectory {
  readonly path: string;
  /** Nothing was there before. */
  readonly fresh: boolean;
  file(name: string): string;
  release(): void;
}

/**
 * Takes the data directory for this process alone, making it where it is missing.
 * Raises Fault DIRECTORY_UNWRITABLE, DATA_NEWER, or DATA_IN_USE when another living process holds it.
 */
export function claimDirectory(path: string): DataDirectory {
  const file = (name: string): string => join(path, name);
  const holder = file("lock");
  const unwritable = (problem: unknown): Fault =>
    new Fault("DIRECTORY_UNWRITABLE", { directory: path, problem: reason(problem) });
  try {
    makeDirectory(resolve(path));
  } catch (problem) {
    throw unwritable(problem);
  }
  const found = readOr(file("format"), "");
  if (Number(found) > FORMAT) throw new Fault("DATA_NEWER", { directory: path, found: found.trim(), known: FORMAT });
  let unlock: (() => void) | undefined;
  try {
    unlock = lockFile(file("lock.sqlite"));
    if (unlock !== undefined) {
      writeFileSync(holder, String(process.pid));
      writeFileSync(file("format"), `${FORMAT}\n`);
    }
  } catch (problem) {
    unlock?.();
    throw unwritable(problem);
  }
  if (unlock === undefined) throw new Fault("DATA_IN_USE", { directory: path, process: readOr(holder, "?") });
  const release = (): void => {
    rmSync(holder, { force: true });
    unlock();
  };
  return { path, fresh: found === "", file, release };
}

/** Node's own `recursive` never returns below /proc, where the parent is there and yet nothing can be made in it. */
function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  makeDirectory(dirname(path));
  mkdirSync(path, { mode: 0o750 });
}

/** SQLITE_BUSY: somebody else holds the lock; SQLITE_FULL. */
const BUSY = 5;
const FULL = 13;

/**
 * Holds the operating system's lock on a file, through SQLite, which knows each system's own. It ends with the process
 * however that ends, where a process number in a file would outlive it, and name a stranger after a reboot or in a
 * container. Undefined when another process holds it. The file stays: who removes it could part two who believe to hold it.
 */
function lockFile(name: string): (() => void) | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(name, { timeout: 0 });
    database.exec("BEGIN EXCLUSIVE");
  } catch (problem) {
    database?.close();
    if (((problem as { errcode?: number }).errcode ?? 0) % 256 === BUSY) return undefined;
    // SQLite only says that it cannot open the file; the file system says why.
    openSync(name, "a");
    throw problem;
  }
  return () => database.close();
}

function readOr(name: string, otherwise: string): string {
  try {
    return readFileSync(name, "utf8");
  } catch {
    return otherwise;
  }
}

const reason = (problem: unknown): string => {
  const { code, message } = problem as NodeJS.ErrnoException;
  if (code === "EACCES" || code === "EPERM") return "permission denied";
  if (code === "EROFS") return "the file system is read-only";
  if (code === "ENOTDIR" || code === "EEXIST") return "it is a file, not a directory";
  if (code === "ENOSPC" || (problem as { errcode?: number }).errcode === FULL) return "the disk is full";
  if (code === "ENOENT") return "no directory can be made there";
  return message;
};
