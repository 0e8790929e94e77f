import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { Fault } from "#protocol/faults.ts";
import { directoryDisk } from "#edge/ports/directory-disk.ts";
import { virtualDisk } from "#rehearsal/disk.ts";

const directories: string[] = [];
const directory = (): string => {
  const made = mkdtempSync(join(tmpdir(), "vigie-disk-"));
  directories.push(made);
  return made;
};
afterEach(() => {
  for (const made of directories.splice(0)) rmSync(made, { recursive: true, force: true });
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("A directory is made when it is missing, and a file that was never written reads as nothing", () => {
  const disk = directoryDisk(join(directory(), "not", "yet"));
  expect(disk.list("")).toEqual([]);
  expect(disk.read("gate")).toBeUndefined();
  disk.replace("device/L1", bytes("one"));
  disk.append("outbox/000000001", bytes("two"));
  disk.append("outbox/000000001", bytes("three"));
  disk.sync("outbox/000000001");
  expect(disk.read("outbox/000000001")).toEqual(bytes("twothree"));
  expect(disk.list("outbox/")).toEqual(["outbox/000000001"]);
  expect(disk.list("")).toEqual(["device/L1", "outbox/000000001"]);
});

test("A replacement that a crash cut short leaves the old file, and the half one is never listed", () => {
  const made = directory();
  const disk = directoryDisk(made);
  disk.replace("gate", bytes("old"));
  writeFileSync(join(made, "gate.new"), "ha");
  expect(disk.read("gate")).toEqual(bytes("old"));
  expect(disk.list("")).toEqual(["gate"]);
  disk.replace("gate", bytes("new"));
  expect(readFileSync(join(made, "gate"), "utf8")).toBe("new");
});

test.skipIf(!existsSync("/dev/full"))("A full disk is the Fault DISK_FULL", () => {
  // Writing to /dev/full always fails with ENOSPC.
  expect(() => directoryDisk("/dev").append("full", bytes("x"))).toThrow(
    expect.objectContaining({ code: "DISK_FULL" }),
  );
});

test("Anything else that goes wrong is the Fault DISK_FAILED", () => {
  const made = directory();
  writeFileSync(join(made, "file"), "");
  expect(() => directoryDisk(join(made, "file")).append("outbox/1", bytes("x"))).toThrow(Fault);
  expect(() => directoryDisk(made).sync("missing")).toThrow(expect.objectContaining({ code: "DISK_FAILED" }));
});

test("A name that leads out of the directory is our own mistake, not the disk's", () => {
  expect(() => directoryDisk(directory()).read("../secret")).toThrow(TypeError);
});

test("A directory behaves as the disk of the rehearsal does", () => {
  const name = fc.constantFrom("gate", "outbox/1", "outbox/2", "device/L1");
  const content = fc.uint8Array({ maxLength: 300 });
  const act = fc.oneof(
    fc.record({ what: fc.constantFrom("append" as const, "replace" as const), name, content }),
    fc.record({ what: fc.constantFrom("remove" as const, "sync" as const), name }),
  );
  fc.assert(
    fc.property(fc.array(act, { maxLength: 30 }), (acts) => {
      const real = directoryDisk(directory(), { durable: false });
      const virtual = virtualDisk();
      for (const done of acts) {
        for (const disk of [real, virtual]) {
          if (done.what === "append") disk.append(done.name, done.content);
          else if (done.what === "replace") disk.replace(done.name, done.content);
          else if (done.what === "remove") disk.remove(done.name);
          else disk.sync(done.name);
        }
        expect(real.list("")).toEqual(virtual.list(""));
        expect(real.read(done.name)).toEqual(virtual.read(done.name));
      }
    }),
    { numRuns: 40 },
  );
});
