import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";
import type { Signer } from "#server/dispatch.ts";

/** Keys that follow from the seed, so that a rehearsal is the same to the last signature. Never used live. */
export function keysFromSeed(seed: number): { signer: Signer; publicKeyPem: string; secret: Uint8Array } {
  const digest = (what: string): Buffer => createHash("sha256").update(`vigie rehearsal ${seed} ${what}`).digest();
  // The 16 bytes before the key are the fixed head of an Ed25519 private key in PKCS #8 (RFC 8410, section 7).
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), digest("key")]);
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  return {
    signer: { sign: (text) => sign(null, Buffer.from(text), key).toString("base64url") },
    publicKeyPem: createPublicKey(key).export({ type: "spki", format: "pem" }),
    secret: digest("secret"),
  };
}
