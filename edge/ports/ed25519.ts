import { createPublicKey, verify } from "node:crypto";
import type { Verifier } from "../gate.ts";

/** Checks signatures (base64url) of the server's Ed25519 key, given as PEM. Raises Error when `publicKeyPem` is no such key. */
export function ed25519Verifier(publicKeyPem: string): Verifier {
  const key = createPublicKey(publicKeyPem);
  if (key.asymmetricKeyType !== "ed25519") throw new Error("the server's public key is not an Ed25519 key");
  return { verify: (text, signature) => verify(null, Buffer.from(text), key, Buffer.from(signature, "base64url")) };
}
