import { generateKeyPairSync, sign, type KeyObject } from "node:crypto";

/** A key and the certificate that goes with it, in PEM. */
export interface Certified {
  readonly key: string;
  readonly cert: string;
}

export interface Authority extends Certified {
  /** A certificate for a station of this name, or for a server on 127.0.0.1; valid until `until`. */
  certify(name: string, until?: Date): Certified;
}

/** A certificate authority made on the spot, so that no test depends on a program beside Node. */
export function authority(name: string): Authority {
  const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const make = (subject: string, publicKey: KeyObject, until: Date, isAuthority: boolean): string =>
    certificate({ issuer: name, subject, publicKey, until, isAuthority, signer: pair.privateKey });
  return {
    key: pem(pair.privateKey),
    cert: make(name, pair.publicKey, IN_TEN_YEARS, true),
    certify(subject, until = IN_TEN_YEARS) {
      const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      return { key: pem(privateKey), cert: make(subject, publicKey, until, false) };
    },
  };
}

const IN_TEN_YEARS = new Date(Date.now() + 3652 * 86_400_000);
const BEFORE = new Date(Date.UTC(2020, 0, 1));

const pem = (key: KeyObject): string => key.export({ type: "pkcs8", format: "pem" });

/** X.509 version 3 (RFC 5280), signed by ECDSA with SHA-256. */
function certificate(given: {
  readonly issuer: string;
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly until: Date;
  readonly isAuthority: boolean;
  readonly signer: KeyObject;
}): string {
  const algorithm = sequence(oid("2a8648ce3d040302"));
  const yes = der(0x01, Buffer.from([0xff]));
  // subjectAltName: IP 127.0.0.1, basicConstraints: whether it may sign others.
  const extensions = [
    sequence(oid("551d11"), octets(sequence(der(0x87, Buffer.from([127, 0, 0, 1]))))),
    sequence(oid("551d13"), yes, octets(given.isAuthority ? sequence(yes) : sequence())),
  ];
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    algorithm,
    commonName(given.issuer),
    sequence(time(BEFORE), time(given.until)),
    commonName(given.subject),
    given.publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = Buffer.concat([Buffer.from([0]), sign("sha256", body, given.signer)]);
  const whole = sequence(body, algorithm, der(0x03, signature)).toString("base64");
  return `-----BEGIN CERTIFICATE-----\n${whole.replaceAll(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`;
}

const commonName = (name: string): Buffer => sequence(der(0x31, sequence(oid("550403"), der(0x0c, Buffer.from(name)))));
const time = (at: Date): Buffer => der(0x18, Buffer.from(at.toISOString().replaceAll(/[-:T]|\.\d+/g, "")));
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, "hex"));
const octets = (content: Buffer): Buffer => der(0x04, content);
const sequence = (...parts: Buffer[]): Buffer => der(0x30, Buffer.concat(parts));

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const head = length < 128 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}
