import { createHmac, timingSafeEqual } from "node:crypto";

/**
 * The password of a station: base64url(HMAC-SHA-256(secret of the data directory, "station:" + id)), so that the server
 * needs no table of them and a lost one is found again from the secret.
 */
export function stationPassword(secret: Uint8Array, station: string): string {
  return createHmac("sha256", secret).update(`station:${station}`).digest("base64url");
}

/** Whether this is the station's password; takes the same time whatever it is. */
export function isStationPassword(secret: Uint8Array, station: string, password: string): boolean {
  const wanted = Buffer.from(stationPassword(secret, station));
  const given = Buffer.from(password);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
