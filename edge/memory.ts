import { Fault } from "#protocol/faults.ts";
import type { Disk } from "#protocol/ports.ts";
import type { Shape } from "#protocol/shape.ts";

/** What the devices of a station keep over a restart, one small file each. */
export class DeviceMemory {
  private readonly disk: Disk;
  private readonly unsaved = new Map<string, string>();

  constructor(disk: Disk) {
    this.disk = disk;
  }

  /** Undefined when nothing was kept, or the disk does not give it back: the device then does what is safe. */
  load(device: string): string | undefined {
    try {
      const bytes = this.disk.read(fileOf(device));
      return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault;
      return undefined;
    }
  }

  save(device: string, text: string): void {
    this.unsaved.set(device, text);
    this.saveRest();
  }

  /** A full disk must not stop a lamp: what could not be kept is tried again from time to time. */
  saveRest(): void {
    try {
      for (const [device, text] of this.unsaved) {
        this.disk.replace(fileOf(device), new TextEncoder().encode(text));
        this.unsaved.delete(device);
      }
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault;
    }
  }
}

const fileOf = (device: string): string => `device/${device}`;

/** What a device once kept, or undefined when there is nothing or it is unreadable: better forgetful than dark. */
export function recalled<T>(shape: Shape<T>, text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  try {
    return shape.parse(JSON.parse(text), "");
  } catch (problem) {
    if (problem instanceof SyntaxError || problem instanceof Fault) return undefined;
    throw problem;
  }
}
