import { accessSync, constants, mkdirSync } from "node:fs";
import { Fault } from "#protocol/faults.ts";
import { parseTerritory } from "#protocol/territory.ts";
import type { Agent } from "./agent.ts";
import { createAgent } from "./agent.ts";
import type { StationConfig } from "./config.ts";
import { readText } from "./config.ts";
import type { Hardware } from "./hardware/hardware.ts";
import { noHardware } from "./hardware/none.ts";
import { directoryDisk } from "./ports/directory-disk.ts";
import { ed25519Verifier } from "./ports/ed25519.ts";
import { mqttUplink } from "./ports/mqtt-uplink.ts";
import { systemChance, systemClock } from "./ports/system.ts";

const HARDWARE: Readonly<Record<StationConfig["hardware"], () => Hardware>> = { none: () => noHardware };

/**
 * Starts one real station. Raises Fault FILE_MISSING, TERRITORY_UNREADABLE, TERRITORY_INVALID, STATION_UNKNOWN,
 * DIRECTORY_UNWRITABLE or OPTION_INVALID. The broker may be away: the station starts all the same.
 */
export function startEdge(config: StationConfig, version: string): Agent {
  const agent = createAgent({
    territory: parseTerritory(territoryJson(config.territory), config.territory),
    station: config.station,
    hardware: HARDWARE[config.hardware](),
    uplink: mqttUplink(config.broker, tlsOf(config)),
    disk: directoryDisk(writable(config.data)),
    clock: systemClock,
    chance: systemChance,
    verifier: verifierOf(config.serverKey),
    password: readText(config.password).trim(),
    version,
    ...(config.outbox_MB !== undefined && { outbox_B: config.outbox_MB * 1024 * 1024 }),
  });
  agent.start();
  return agent;
}

function territoryJson(file: string): unknown {
  const text = readText(file);
  try {
    return JSON.parse(text);
  } catch (problem) {
    throw new Fault("TERRITORY_UNREADABLE", { file, problem: (problem as Error).message });
  }
}

function tlsOf({ tls }: StationConfig): { ca?: string; cert?: string; key?: string } {
  return Object.fromEntries(Object.entries(tls ?? {}).map(([name, file]) => [name, readText(file)]));
}

function verifierOf(file: string): ReturnType<typeof ed25519Verifier> {
  const pem = readText(file);
  try {
    return ed25519Verifier(pem);
  } catch (problem) {
    const found = (problem as Error).message;
    throw new Fault("OPTION_INVALID", {
      option: "serverKey",
      found,
      expected: "an Ed25519 public key in PEM",
      place: file,
    });
  }
}

function writable(directory: string): string {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    accessSync(directory, constants.R_OK | constants.W_OK);
    return directory;
  } catch (problem) {
    throw new Fault("DIRECTORY_UNWRITABLE", { directory, problem: (problem as Error).message });
  }
}
