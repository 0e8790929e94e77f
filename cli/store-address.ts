import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { directoryDisk } from "#edge/ports/directory-disk.ts";
import { Fault } from "#protocol/faults.ts";
import { FILES } from "#server/main.ts";
import type { StoreAddress } from "#server/store/address.ts";
import type { DataDirectory } from "./directory.ts";
import type { Settings } from "./settings.ts";

export type Credentials = "store-user" | "store-password" | "store-token";
export type StoreSetting =
  | Credentials
  | "store"
  | "duckdb-memory"
  | "recent-memory"
  | "store-url"
  | "store-database"
  | "store-org"
  | "store-bucket";

/** Where a server keeps its readings, by its settings. Raises Fault OPTION_INVALID. */
export function storeOf(settings: Settings<StoreSetting>, directory: DataDirectory): StoreAddress {
  switch (settings.store) {
    case "duckdb":
      return {
        kind: "duckdb",
        file: directory.file(FILES.readings),
        memory_MB: settings["duckdb-memory"],
        recent_MB: settings["recent-memory"],
      };
    case "memory":
      return { kind: "memory", disk: directoryDisk(directory.file("readings")) };
    case "influx1": {
      const { origin, ...given } = urlOf(settings["store-url"], "--store-url", settings);
      return { kind: "influx1", url: origin, database: settings["store-database"], ...given.user };
    }
    case "influx2": {
      const { origin, token } = urlOf(settings["store-url"], "--store-url", settings);
      const { "store-org": org, "store-bucket": bucket } = settings;
      return { kind: "influx2", url: origin, org, bucket, ...token };
    }
  }
}

/**
 * A store written as one word: `duckdb:FILE` (or its directory), `influx1:http://host:8086/database`,
 * `influx2:http://host:8086/org/bucket`; a user, password or token may stand before the host.
 * Raises Fault OPTION_INVALID, and FILE_MISSING for a file that is to be read.
 */
export function parseStore(
  text: string | undefined,
  option: "--from" | "--to",
  credentials: Settings<Credentials>,
): StoreAddress {
  const [kind, rest = ""] = (text ?? "").split(/:(.*)/s, 2);
  if (kind === "duckdb" && rest !== "") {
    const file = statSync(rest, { throwIfNoEntry: false })?.isDirectory() ? join(rest, FILES.readings) : rest;
    if (option === "--from" && !existsSync(file)) throw new Fault("FILE_MISSING", { file });
    return { kind, file };
  }
  if (kind === "influx1" || kind === "influx2") {
    const { origin, path, user, token } = urlOf(rest, option, credentials);
    const [first, ...others] = path;
    if (kind === "influx1" && first !== undefined && others.length === 0) {
      return { kind, url: origin, database: first, ...user };
    }
    if (kind === "influx2" && first !== undefined && others.length > 0) {
      return { kind, url: origin, org: first, bucket: others.join("/"), ...token };
    }
  }
  throw new Fault("OPTION_INVALID", {
    option,
    found: text ?? "missing",
    expected: "duckdb:FILE, influx1:http://HOST:8086/DATABASE or influx2:http://HOST:8086/ORG/BUCKET",
    place: "the command line",
  });
}

/** What the address itself says goes before the settings. */
function urlOf(
  text: string,
  option: string,
  credentials: Settings<Credentials>,
): {
  readonly origin: string;
  readonly path: readonly string[];
  readonly user?: { readonly user: string; readonly password: string };
  readonly token?: { readonly token: string };
} {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    const expected = "an address like http://127.0.0.1:8086";
    throw new Fault("OPTION_INVALID", { option, found: text, expected, place: "the settings" });
  }
  const user = decodeURIComponent(url.username) || credentials["store-user"];
  const password = decodeURIComponent(url.password) || (credentials["store-password"] ?? "");
  const token = url.password === "" ? credentials["store-token"] : decodeURIComponent(url.password);
  return {
    origin: url.origin,
    path: url.pathname
      .split("/")
      .filter((part) => part !== "")
      .map(decodeURIComponent),
    ...(user !== undefined && { user: { user, password } }),
    ...(token !== undefined && { token: { token } }),
  };
}
