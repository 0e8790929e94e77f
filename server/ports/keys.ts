import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "#protocol/faults.ts";

/** Signs commands, so that a station acts on the server's word only. */
export interface Signer {
  /** The signature of `text` in UTF-8, base64url. */
  sign(text: string): string;
}

export interface Keys {
  readonly signer: Signer;
  /** What a station needs to check a signature (SPKI, PEM). */
  readonly publicKeyPem: string;
  /** The secret that the passwords of stations are made from. */
  readonly secret: Uint8Array;
}

const SECRET_BYTES = 32;

/**
 * The keys of a data directory, made at the first start: an Ed25519 pair and a secret, readable by their owner alone
 * (mode 0600). The public key lies beside them for stations. Raises Fault DIRECTORY_UNWRITABLE.
 */
export function keysIn(directory: string): Keys {
  const privatePem = load(directory, "server-key.pem", () =>
    Buffer.from(generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" })),
  );
  const key = createPrivateKey(privatePem);
  const publicKeyPem = createPublicKey(key).export({ type: "spki", format: "pem" });
  load(directory, "server-key.pub.pem", () => Buffer.from(publicKeyPem));
  return {
    signer: { sign: (text) => sign(null, Buffer.from(text), key).toString("base64url") },
    publicKeyPem,
    secret: load(directory, "secret", () => randomBytes(SECRET_BYTES)),
  };
}

function load(directory: string, name: string, make: () => Buffer): Buffer {
  const file = join(directory, name);
  try {
    return readFileSync(file);
  } catch (problem) {
    if ((problem as NodeJS.ErrnoException).code !== "ENOENT") throw unwritable(directory, problem);
  }
  try {
    mkdirSync(directory, { recursive: true });
    const bytes = make();
    // Whole or not at all: half a key after a crash would lock every station out.
    const draft = `${file}.new`;
    const descriptor = openSync(draft, "w", 0o600);
    writeSync(descriptor, bytes);
    fsyncSync(descriptor);
    closeSync(descriptor);
    chmodSync(draft, 0o600);
    renameSync(draft, file);
    return bytes;
  } catch (problem) {
    throw unwritable(directory, problem);
  }
}

const unwritable = (directory: string, problem: unknown): Fault =>
  new Fault("DIRECTORY_UNWRITABLE", { directory, problem: (problem as Error).message });
