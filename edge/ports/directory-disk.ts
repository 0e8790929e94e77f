import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { Fault } from "#protocol/faults.ts";
import type { Disk } from "#protocol/ports.ts";

export interface DirectoryDiskOptions {
  /** False: nothing is synced, for a simulated town whose stations have nothing to lose. */
  readonly durable?: boolean;
}

/** Ends the name of a file that is being written; one that is left over from a crash is never read. */
const UNFINISHED = ".new";

/**
 * A directory as a Disk, made when it is missing. Files are opened for each act and closed after it, so that hundreds of
 * stations in one process hold no descriptors. Raises Fault DISK_FULL or DISK_FAILED.
 */
export function directoryDisk(directory: string, { durable = true }: DirectoryDiskOptions = {}): Disk {
  const path = (name: string): string => {
    if (name.split("/").some((part) => part === "" || part === ".."))
      throw new TypeError(`${name} is no name of a file`);
    return join(directory, name);
  };
  /** New files whose entry in their folder is not synced yet. */
  const fresh = new Set<string>();

  return {
    read(name) {
      return guarded(name, () => unlessMissing(() => new Uint8Array(readFileSync(path(name)))));
    },
    replace(name, bytes) {
      guarded(name, () => {
        const file = path(name);
        mkdirSync(dirname(file), { recursive: true });
        try {
          writing(file + UNFINISHED, "w", (descriptor) => {
            writeAll(descriptor, bytes);
            if (durable) fsyncSync(descriptor);
          });
        } catch (problem) {
          rmSync(file + UNFINISHED, { force: true });
          throw problem;
        }
        renameSync(file + UNFINISHED, file);
        if (durable) syncFolder(dirname(file));
      });
    },
    append(name, bytes) {
      guarded(name, () => {
        const file = path(name);
        mkdirSync(dirname(file), { recursive: true });
        writing(file, "a", (descriptor) => {
          const before = fstatSync(descriptor).size;
          if (before === 0) fresh.add(name);
          try {
            writeAll(descriptor, bytes);
          } catch (problem) {
            if (fstatSync(descriptor).size > before) ftruncateSync(descriptor, before);
            throw problem;
          }
        });
      });
    },
    sync(name) {
      if (!durable) return;
      guarded(name, () => {
        writing(path(name), "r+", fsyncSync);
        if (fresh.delete(name)) syncFolder(dirname(path(name)));
      });
    },
    remove(name) {
      guarded(name, () => rmSync(path(name), { force: true }));
    },
    list(prefix) {
      return guarded(prefix, () =>
        (unlessMissing(() => readdirSync(directory, { recursive: true, withFileTypes: true })) ?? [])
          .filter((entry) => entry.isFile() && !entry.name.endsWith(UNFINISHED))
          .map((entry) => relative(directory, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
          .filter((name) => name.startsWith(prefix))
          .sort(),
      );
    },
  };
}

function writing(file: string, flags: "a" | "w" | "r+", act: (descriptor: number) => void): void {
  const descriptor = openSync(file, flags, 0o600);
  try {
    act(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += writeSync(descriptor, bytes, written);
}

/** A new or renamed file survives a crash only when its folder is synced too; Windows has no such act. */
function syncFolder(folder: string): void {
  if (process.platform === "win32") return;
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function unlessMissing<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (problem) {
    if ((problem as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw problem;
  }
}

function guarded<T>(name: string, act: () => T): T {
  try {
    return act();
  } catch (problem) {
    const { code, message } = problem as NodeJS.ErrnoException;
    if (code === "ENOSPC" || code === "EDQUOT") throw new Fault("DISK_FULL", { file: name });
    if (code !== undefined) throw new Fault("DISK_FAILED", { file: name, problem: message });
    throw problem;
  }
}
