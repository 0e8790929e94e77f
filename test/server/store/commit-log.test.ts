import * as fc from "fast-check";
import { expect, test } from "vitest";
import { instant } from "#protocol/units.ts";
import type { VirtualDisk } from "#rehearsal/disk.ts";
import { virtualDisk } from "#rehearsal/disk.ts";
import type { CommitLog } from "#server/store/commit-log.ts";
import { openCommitLog } from "#server/store/commit-log.ts";
import { memoryStore } from "#server/store/memory.ts";
import type { Contribution, Mark } from "#server/store/store.ts";

const FIRST = "readings-00000001.log";
const commit = (number: number): Contribution[] => [
  {
    station: "pole",
    epoch: "e1",
    first: number,
    readings: [{ device: "lamp", measure: "level", at: instant(1_780_000_000_000 + number), value: number / 100 }],
    upTo: number,
  },
];
const MARKS: Mark[] = [{ station: "old", epoch: "e0", upTo: 9 }];

function opened(disk: VirtualDisk): { log: CommitLog; commits: number[]; marks: Mark[] } {
  const commits: number[] = [];
  const marks: Mark[] = [];
  const log = openCommitLog(
    disk,
    (contributions) => commits.push(...contributions.map(({ first }) => first)),
    (given) => marks.push(...given),
  );
  return { log, commits, marks };
}

function written(count: number): { disk: VirtualDisk; ends: number[] } {
  const disk = virtualDisk();
  const { log } = opened(disk);
  const ends = Array.from({ length: count }, (_, index) => {
    log.append(commit(index + 1), () => MARKS);
    return log.bytes();
  });
  return { disk, ends };
}
const bytesOf = (disk: VirtualDisk, name = FIRST): Uint8Array => disk.read(name) as Uint8Array;

test("wherever its end is torn, every commit that was whole is there, none that was not, and it goes on", () => {
  const { disk: whole, ends } = written(5);
  const bytes = bytesOf(whole);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: bytes.length }), (length) => {
      const disk = virtualDisk();
      disk.replace(FIRST, bytes.slice(0, length));
      const { log, commits } = opened(disk);
      const expected = ends.filter((end) => end <= length).map((_, index) => index + 1);
      expect(commits).toEqual(expected);
      log.append(commit(99), () => MARKS);
      expect(opened(disk).commits).toEqual([...expected, 99]);
    }),
    { numRuns: 200 },
  );
});

test("a byte that has changed in the last record takes that record only", () => {
  const { disk, ends } = written(3);
  const bytes = bytesOf(disk);
  const at = (ends[1] as number) + 12;
  bytes[at] = (bytes[at] as number) ^ 0x10;
  disk.replace(FIRST, bytes);
  expect(opened(disk).commits).toEqual([1, 2]);
});

test("damage in a segment that is not the last is said with the place, not passed over", () => {
  const { disk, ends } = written(3);
  disk.replace("readings-00000002.log", new Uint8Array());
  const bytes = bytesOf(disk);
  disk.replace(FIRST, bytes.slice(0, (ends[1] as number) + 3));
  expect(() => opened(disk)).toThrow(`The disk failed at ${FIRST}: damaged at byte ${ends[1]}`);
});

test("a new segment begins with all marks, so that old ones can go", () => {
  const { disk } = written(1);
  expect(opened(disk).marks).toEqual(MARKS);
});

test("a commit that the disk refuses is not there afterwards, and the one after it is", async () => {
  const disk = virtualDisk();
  const store = memoryStore({ disk });
  await store.open();
  await store.commit(commit(1));
  disk.full = true;
  await expect(store.commit(commit(2))).rejects.toThrow("cannot write");
  expect((await store.size()).readings).toBe(1);
  disk.full = false;
  await store.commit(commit(2));
  const again = memoryStore({ disk });
  await again.open();
  expect((await again.size()).readings).toBe(2);
  expect(await again.marks()).toEqual([{ station: "pole", epoch: "e1", upTo: 2 }]);
});
