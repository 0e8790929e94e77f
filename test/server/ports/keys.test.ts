import { createPublicKey, verify } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { keysIn } from "#server/ports/keys.ts";

let place: string;
beforeEach(() => (place = mkdtempSync(join(tmpdir(), "vigie-keys-"))));
afterEach(() => rmSync(place, { recursive: true, force: true }));

test.skipIf(process.platform === "win32")("keys can be read by their owner alone", () => {
  const directory = join(place, "keys");
  keysIn(directory);
  const mode = (name: string): string => (statSync(join(directory, name)).mode & 0o777).toString(8);
  const modes = Object.fromEntries(readdirSync(directory).map((name) => [name, mode(name)]));
  expect(modes).toEqual({ secret: "600", "server-key.pem": "600", "server-key.pub.pem": "600" });
});

test("a restart finds the same keys, and what was signed before it holds after it", () => {
  const first = keysIn(place);
  const second = keysIn(place);
  expect(second.secret).toEqual(first.secret);
  expect(second.publicKeyPem).toBe(first.publicKeyPem);
  const signature = Buffer.from(first.signer.sign("lumière"), "base64url");
  expect(verify(null, Buffer.from("lumière"), createPublicKey(second.publicKeyPem), signature)).toBe(true);
  expect(verify(null, Buffer.from("obscurité"), createPublicKey(second.publicKeyPem), signature)).toBe(false);
});

test("two directories have different keys", () => {
  const [one, other] = [keysIn(join(place, "one")), keysIn(join(place, "other"))];
  expect(one.publicKeyPem).not.toBe(other.publicKeyPem);
  expect(one.secret).not.toEqual(other.secret);
  expect(one.secret.length).toBe(32);
});

test("a key whose writing a crash cut short is made anew, and leaves no half one", () => {
  writeFileSync(join(place, "secret.new"), "half");
  const { secret } = keysIn(place);
  expect(new Uint8Array(readFileSync(join(place, "secret")))).toEqual(new Uint8Array(secret));
  expect(readdirSync(place)).not.toContain("secret.new");
});

test("a place that cannot be written is named", () => {
  writeFileSync(join(place, "file"), "");
  expect(() => keysIn(join(place, "file"))).toThrow(join(place, "file"));
});
