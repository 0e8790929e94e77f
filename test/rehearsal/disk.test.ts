import fc from "fast-check";
import { expect, test } from "vitest";
import { seededChance } from "#protocol/chance.ts";
import { virtualDisk } from "#rehearsal/disk.ts";

test("after a crash a file is what was synced, and perhaps a torn piece of what came later", () => {
  const piece = fc.uint8Array({ minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 10 }),
      fc.array(piece, { maxLength: 10 }),
      fc.nat(),
      (safe, lost, seed) => {
        const disk = virtualDisk();
        for (const bytes of safe) disk.append("log", bytes);
        disk.sync("log");
        for (const bytes of lost) disk.append("log", bytes);
        disk.crash(seededChance(seed));
        const all = Buffer.concat([...safe, ...lost]);
        const found = Buffer.from(disk.read("log") ?? []);
        expect(found.length).toBeGreaterThanOrEqual(Buffer.concat(safe).length);
        expect(found).toEqual(all.subarray(0, found.length));
      },
    ),
  );
});

test("a full disk refuses and leaves the file as it was", () => {
  const disk = virtualDisk();
  disk.replace("state", Uint8Array.of(1));
  disk.full = true;
  expect(() => disk.append("state", Uint8Array.of(2))).toThrow("The disk is full while writing state");
  expect(() => disk.replace("state", Uint8Array.of(3))).toThrow("The disk is full");
  expect([...(disk.read("state") ?? [])]).toEqual([1]);
});
