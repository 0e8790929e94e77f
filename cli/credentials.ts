import type { Territory } from "#protocol/territory.ts";
import { stationPassword } from "#server/credentials.ts";

/** What the stations of a territory need to be let in, and to know the server's word from another's. */
export interface StationCredentials {
  readonly publicKeyPem: string;
  readonly passwords: Readonly<Record<string, string>>;
}

export function credentialsOf(territory: Territory, secret: Uint8Array, publicKeyPem: string): StationCredentials {
  const passwords = Object.fromEntries([...territory.byStation.keys()].map((id) => [id, stationPassword(secret, id)]));
  return { publicKeyPem, passwords };
}
