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
  /** Grows by doubling, so that an append is a copy into place. */
  bytes: Uint8Array;
  length: number;
  /** How many bytes at the front are safe. */
  synced: number;
}

/** Room of a new file that is appended to. */
const ROOM_B = 256;

export function virtualDisk(): VirtualDisk {
  const files = new Map<string, File>();
  const disk: VirtualDisk = {
    full: false,
    read(name) {
      const file = files.get(name);
      return file?.bytes.slice(0, file.length);
    },
    replace(name, bytes) {
      if (disk.full) throw new Fault("DISK_FULL", { file: name });
      files.set(name, { bytes: bytes.slice(), length: bytes.length, synced: bytes.length });
    },
    append(name, bytes) {
      if (disk.full) throw new Fault("DISK_FULL", { file: name });
      let file = files.get(name);
      if (file === undefined) files.set(name, (file = { bytes: new Uint8Array(ROOM_B), length: 0, synced: 0 }));
      const length = file.length + bytes.length;
      if (length > file.bytes.length) file.bytes = grown(file.bytes, Math.max(length, 2 * file.bytes.length));
      file.bytes.set(bytes, file.length);
      file.length = length;
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
        else files.set(name, { bytes: file.bytes.slice(0, kept), length: kept, synced: kept });
      }
    },
    bytes: () => [...files.values()].reduce((sum, file) => sum + file.length, 0),
  };
  return disk;
}

function grown(bytes: Uint8Array, room: number): Uint8Array {
  const more = new Uint8Array(room);
  more.set(bytes);
  return more;
}
