import { join } from "node:path";
import type { Verifier } from "#edge/gate.ts";
import { directoryDisk } from "#edge/ports/directory-disk.ts";
import { ed25519Verifier } from "#edge/ports/ed25519.ts";
import { mqttUplink } from "#edge/ports/mqtt-uplink.ts";
import { every } from "#protocol/ports.ts";
import { seconds } from "#protocol/units.ts";
import { systemClock } from "#server/ports/clock.ts";
import { createTown } from "#simulators/town.ts";
import type { StationCredentials } from "./credentials.ts";
import { readTown, type Town } from "./territory.ts";
import { townClock, type TownTime } from "./town-clock.ts";

/** What a simulated town needs to know to meet a server: plain JSON, so that it can be handed to a process. */
export interface TownOrder {
  readonly broker: string;
  readonly territory: string;
  readonly directory: string;
  readonly seed: number;
  readonly time: TownTime;
  readonly credentials: StationCredentials;
  /** The file that keeps the trace of what nobody foresaw. */
  readonly traces: string;
}

/** Without the server's key no command can be told from a stranger's, and none is obeyed. */
function verifierOf({ publicKeyPem }: StationCredentials): Verifier {
  return publicKeyPem === "" ? { verify: () => false } : ed25519Verifier(publicKeyPem);
}

/** How often the truth of the street is kept, so that a town that is killed goes on where it was. */
const KEEP_EVERY = seconds(30);

/** Runs the town until the returned function is called. Raises what reading its territory raises. */
export function runTown(order: TownOrder, { territory }: Town = readTown(order.territory)): () => void {
  const clock = townClock(order.time);
  const memory = directoryDisk(order.directory, { durable: false });
  const town = createTown({
    territory,
    seed: order.seed,
    clock,
    uplink: mqttUplink(order.broker),
    diskFor: (station) => directoryDisk(join(order.directory, "stations", station), { durable: order.time.speed <= 2 }),
    verifier: verifierOf(order.credentials),
    passwordFor: (station) => order.credentials.passwords[station] ?? "",
  });
  const kept = memory.read("truth.json");
  if (kept !== undefined) town.restore(new TextDecoder().decode(kept));
  const keep = (): void => memory.replace("truth.json", new TextEncoder().encode(town.save()));
  town.start();
  const cancel = every(systemClock, KEEP_EVERY, keep);
  return () => {
    cancel();
    town.stop();
    keep();
  };
}
