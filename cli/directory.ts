import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "#protocol/faults.ts";

/** The form of everything below the data directory; it grows when an older version could no longer read what is there. */
export const FORMAT = 1;

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
  const lock = file("lock");
  const unwritable = (problem: unknown): Fault =>
    new Fault("DIRECTORY_UNWRITABLE", { directory: path, problem: reason(problem) });
  try {
    mkdirSync(path, { recursive: true, mode: 0o750 });
  } catch (problem) {
    throw unwritable(problem);
  }
  const found = readOr(file("format"), "");
  if (Number(found) > FORMAT) throw new Fault("DATA_NEWER", { directory: path, found: found.trim(), known: FORMAT });
  const holder = Number(readOr(lock, ""));
  if (holder > 0 && holder !== process.pid && alive(holder)) {
    throw new Fault("DATA_IN_USE", { directory: path, process: holder });
  }
  try {
    writeFileSync(lock, String(process.pid));
    writeFileSync(file("format"), `${FORMAT}\n`);
  } catch (problem) {
    throw unwritable(problem);
  }
  return { path, fresh: found === "", file, release: () => rmSync(lock, { force: true }) };
}

function readOr(name: string, otherwise: string): string {
  try {
    return readFileSync(name, "utf8");
  } catch {
    return otherwise;
  }
}

/** Whether a process of that number runs; one of another user answers EPERM and counts as running. */
function alive(process_id: number): boolean {
  try {
    process.kill(process_id, 0);
    return true;
  } catch (problem) {
    return (problem as NodeJS.ErrnoException).code === "EPERM";
  }
}

const reason = (problem: unknown): string => {
  const { code, message } = problem as NodeJS.ErrnoException;
  if (code === "EACCES" || code === "EPERM") return "permission denied";
  if (code === "EROFS") return "the file system is read-only";
  if (code === "ENOTDIR" || code === "EEXIST") return "it is a file, not a directory";
  if (code === "ENOSPC") return "the disk is full";
  return message;
};
