import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { claimDirectory, FORMAT } from "#cli/directory.ts";

let place: string;
beforeEach(() => (place = mkdtempSync(join(tmpdir(), "vigie-"))));
afterEach(() => {
  chmodSync(place, 0o700);
  rmSync(place, { recursive: true, force: true });
});

test("a new directory is made and says that it is fresh; the second time it is not", () => {
  const first = claimDirectory(join(place, "data"));
  expect(first.fresh).toBe(true);
  first.release();
  expect(claimDirectory(join(place, "data")).fresh).toBe(false);
});

test("data of a newer version is left alone, and the sentence names both versions", () => {
  writeFileSync(join(place, "format"), `${FORMAT + 1}\n`);
  expect(() => claimDirectory(place)).toThrow(
    `written by a newer version (format ${FORMAT + 1}; this one knows ${FORMAT})`,
  );
});

test("a directory that another living process holds is refused; that of a dead one is taken over", () => {
  writeFileSync(join(place, "lock"), String(process.ppid));
  expect(() => claimDirectory(place)).toThrow(`Another vigie (process ${process.ppid}) uses the data in ${place}`);
  writeFileSync(join(place, "lock"), "999999999");
  expect(claimDirectory(place).path).toBe(place);
});

test("a place that is a file is refused with the reason", () => {
  writeFileSync(join(place, "file"), "");
  expect(() => claimDirectory(join(place, "file"))).toThrow("cannot be written: it is a file, not a directory");
});
