import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { Fault } from "#protocol/faults.ts";
import type { Shaped } from "#protocol/shape.ts";
import { identifier, integer, object, oneOf, optional, text } from "#protocol/shape.ts";

const path = text(1000);

/** The one file that a real station is given. Paths are taken from where the file is. */
const stationConfig = object({
  station: identifier,
  /** mqtt://HOST:PORT on loopback, mqtts://HOST:PORT anywhere else. */
  broker: text(300, /^mqtts?:\/\/[^/\s]+$/, "an address like mqtts://HOST:8883"),
  territory: path,
  /** Where the outbox and the memory of the devices live. */
  data: path,
  /** PEM file of the key that signs the server's commands. */
  serverKey: path,
  /** A file with the station's password and nothing else, readable by the station only. */
  password: path,
  tls: optional(object({ ca: optional(path), cert: optional(path), key: optional(path) })),
  /** What hangs on the board; `none` reads nothing and switches nothing, to try the line. */
  hardware: oneOf("none"),
  outbox_MB: optional(integer(1, 1024)),
});
export type StationConfig = Shaped<typeof stationConfig>;

/** Reads and checks the file. Raises Fault FILE_MISSING or OPTION_INVALID, which names the property. */
export function readConfig(file: string): StationConfig {
  const json = parsed(readText(file), file);
  try {
    const config = stationConfig.parse(json, "");
    const beside = (name: string): string => resolve(dirname(file), name);
    const tls = config.tls && Object.fromEntries(Object.entries(config.tls).map(([key, name]) => [key, beside(name)]));
    const { hostname } = new URL(config.broker);
    if (!config.broker.startsWith("mqtts:") && !LOOPBACK.test(hostname)) {
      throw new Fault("TLS_REQUIRED", { host: hostname });
    }
    return {
      ...config,
      territory: beside(config.territory),
      data: beside(config.data),
      serverKey: beside(config.serverKey),
      password: beside(config.password),
      ...(tls !== undefined && { tls }),
    };
  } catch (fault) {
    if (!(fault instanceof Fault) || fault.code !== "PAYLOAD_INVALID") throw fault;
    const { path: option, found, expected } = fault.facts;
    throw new Fault("OPTION_INVALID", {
      option: String(option),
      found: found ?? "?",
      expected: expected ?? "?",
      place: file,
    });
  }
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** Raises Fault FILE_MISSING. */
export function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    throw new Fault("FILE_MISSING", { file });
  }
}

function parsed(json: string, file: string): unknown {
  try {
    return JSON.parse(json);
  } catch (problem) {
    throw new Fault("OPTION_INVALID", {
      option: "the configuration of the station",
      found: (problem as Error).message,
      expected: "JSON",
      place: file,
    });
  }
}
