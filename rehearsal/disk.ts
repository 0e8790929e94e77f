import { Fault } from "#protocol/faults.ts";
import type { Chance, Disk } from "#protocol/ports.ts";

/** A disk in memory that can fill up, and that forgets what was not synced when the power goes. */
export interface VirtualDisk extends Disk {
  full: boolean;
  /** The power goes: what was appended since the last sync is lost, but for a torn piece of it, as on a real disk. */
  crash(chance: Chance): void;
  bytes(): number;
}

interface File {
  chunks: Uint8Array[];
  length: number;
  /** How many bytes at the front are safe. */
  synced: number;
}

export function virtualDisk(): VirtualDisk {
  const files = new Map<string, File>();
  const disk: VirtualDisk = {
    full: false,
    read(name) {
      const file = files.get(name);
      return file && whole(file);
    },
    replace(name, bytes) {
      if (disk.full) throw new Fault("DISK_FULL", { file: name });
      files.set(name, { chunks: [bytes.slice()], length: bytes.length, synced: bytes.length });
    },
    append(name, bytes) {
      if (disk.full) throw new Fault("DISK_FULL", { file: name });
      let file = files.get(name);
      if (file === undefined) files.set(name, (file = { chunks: [], length: 0, synced: 0 }));
      file.chunks.push(bytes.slice());
      file.length += bytes.length;
    },
    sync(name) {
      const file = files.get(name);
      if (file !== undefined) file.synced = file.length;
    },
    remove: (name) => void files.delete(name),
    list: (prefix) => [...files.keys()].filter((name) => name.startsWith(prefix)).sort(),
    crash(chance) {
      for (const [name, file] of files) {
        if (file.synced === file.length) continue;
        const kept = file.synced + Math.floor(chance.next() * (file.length - file.synced));
        if (kept === 0) files.delete(name);
        else files.set(name, { chunks: [whole(file).slice(0, kept)], length: kept, synced: kept });
      }
    },
    bytes: () => [...files.values()].reduce((sum, file) => sum + file.length, 0),
  };
  return disk;
}

function whole(file: File): Uint8Array {
  if (file.chunks.length === 1) return file.chunks[0] as Uint8Array;
  const bytes = new Uint8Array(file.length);
  let offset = 0;
  for (const chunk of file.chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  file.chunks = [bytes];
  return bytes;
}
