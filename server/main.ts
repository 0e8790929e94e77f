import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "#protocol/faults.ts";
import type { Clock } from "#protocol/ports.ts";
import type { Territory, TerritoryFile } from "#protocol/territory.ts";
import { seconds } from "#protocol/units.ts";
import { openAccess } from "./access.ts";
import { type Api, createApi } from "./api/api.ts";
import { embeddedBroker, type TlsTexts } from "./broker-aedes.ts";
import type { Broker } from "./broker.ts";
import { systemClock } from "./ports/clock.ts";
import { freePort } from "./ports/free-port.ts";
import { keysIn } from "./ports/keys.ts";
import { createServer, type Server } from "./server.ts";
import { openState, type State } from "./state.ts";
import { type StoreAddress, storeAt } from "./store/address.ts";
import { describeDevices } from "./store/describe.ts";
import type { Store } from "./store/store.ts";

export interface LiveOptions {
  readonly territory: Territory;
  /** The territory as it was given, for the page's map. */
  readonly geojson: TerritoryFile;
  /** Where everything is kept. */
  readonly directory: string;
  readonly version: string;
  readonly page: { readonly host: string; readonly port: number };
  readonly mqtt: MqttOptions;
  readonly retention_d: number;
  readonly quarters_d: number;
  /** Where the readings are kept; unless said, in DuckDB in the directory. */
  readonly store?: StoreAddress;
  /** An API key of the settings, with the role of a viewer. */
  readonly readerKey?: string | undefined;
  /** The town's clock; that of the page and the disk is always the system's. */
  readonly clock: Clock;
  /** Told of what went wrong in the server itself, one line each. */
  log(line: string): void;
}

/** Either an address to listen at with the embedded broker, or that of a broker elsewhere. */
export type MqttOptions =
  | { readonly host: string; readonly port: number; readonly tls?: TlsTexts }
  | { readonly url: string };

/** The server on a real machine: the page answers from the start, the town once `run` has resolved. */
export interface Live {
  /** Where the page is. */
  readonly address: string;
  readonly state: State;
  readonly secret: Uint8Array;
  readonly publicKeyPem: string;
  /** A link that signs the first administrator in, once. */
  signInLink(): string;
  progress(share: number): void;
  /**
   * For whoever wants to know before long work that the store can be written to: resolves once it answers, and the page says
   * meanwhile what is wrong; `waits` is told. Raises the store's other faults.
   */
  openStore(waits: (fault: Fault) => void): Promise<void>;
  /** Takes over the readings of a past that was laid down in DuckDB in the directory, where the town's are kept elsewhere. */
  takePast(): Promise<void>;
  /** Opens the store and the broker. Raises the faults of both, but waits for a store that does not answer yet. */
  run(): Promise<Running>;
  stop(): Promise<void>;
}

export interface Running {
  readonly server: Server;
  /** Where stations connect. */
  readonly mqtt: string;
}

/** Names below the data directory. */
export const FILES = { state: "state.sqlite", readings: "readings.duckdb", keys: "keys" } as const;

/**
 * Composes the server from its real parts, by hand, and lets the page answer.
 * Raises Fault DIRECTORY_UNWRITABLE, DATA_NEWER, DATA_OTHER_TOWN, TLS_REQUIRED, OPTION_INVALID (TLS files) or
 * PORT_TAKEN.
 */
export async function openLive(options: LiveOptions): Promise<Live> {
  const { territory, directory, clock, mqtt } = options;
  // First of all, so that a mistake in its settings is said before anything is written.
  const { broker, where } = await brokerFor(mqtt, territory);
  mkdirSync(directory, { recursive: true });
  const readings = join(directory, FILES.readings);
  const kept = options.store ?? { kind: "duckdb", file: readings };
  const retention = { raw_d: options.retention_d, quarters_d: options.quarters_d };
  const described = { describe: describeDevices(territory), clock: systemClock };
  const store = await storeAt(kept, { ...described, retention });
  const keys = keysIn(join(directory, FILES.keys));
  const state = openState(join(directory, FILES.state), territory.id);
  const bytes = (size: number): Uint8Array => randomBytes(size);
  const access = openAccess({ state, clock: systemClock, randomBytes: bytes });
  access.setReaderKey(options.readerKey);
  const api = await createApi({ ...options, wall: systemClock, secret: keys.secret });
  api.admit(access);
  let server: Server | undefined;
  let address: string;
  try {
    if ("port" in mqtt) await freePort(mqtt.port, mqtt.host, "--mqtt-port");
    address = await api.listen(options.page.port, options.page.host);
  } catch (fault) {
    await api.close();
    state.close();
    throw fault;
  }

  return {
    address,
    state,
    secret: keys.secret,
    publicKeyPem: keys.publicKeyPem,
    signInLink: () => `${address}/sign-in#${access.signInLink("admin", "administrator")}`,
    progress: (share) => api.progress(share),
    async openStore(waits) {
      const asked = await storeAt(kept, described);
      await answering(asked, api, waits);
      await asked.close();
    },
    async takePast() {
      if (kept.kind === "duckdb") return;
      const { copyStore } = await import("./store/copy.ts");
      const past = await storeAt({ kind: "duckdb", file: readings }, { describe: () => undefined, clock: systemClock });
      // A past may be longer than what a town keeps: it comes whole, and what is too old goes as anything else does.
      const whole = await storeAt(kept, described);
      await past.open();
      await whole.open();
      const { differences } = await copyStore(past, whole);
      await whole.close();
      await past.close();
      if (differences[0] !== undefined) throw new Fault("HISTORY_FAILED", { problem: differences[0] });
      for (const file of [readings, `${readings}.wal`]) rmSync(file, { force: true });
    },
    async run() {
      const running = createServer({
        territory,
        clock,
        wall: systemClock,
        broker,
        store,
        state,
        signer: keys.signer,
        secret: keys.secret,
        randomBytes: bytes,
        settings: { retention_d: options.retention_d, quarters_d: options.quarters_d },
        chronicle: { version: options.version, memory: () => process.memoryUsage.rss() },
      });
      // Known before it has started, so that what a start that fails has set going is stopped too.
      server = running;
      await running.start();
      api.ready(running);
      return { server: running, mqtt: where() };
    },
    async stop() {
      await api.close();
      if (server === undefined) await store.close();
      else await server.stop();
      state.close();
    },
  };
}

/** How long a store that does not answer is left alone, at first and at most; it doubles. */
const REST = { first_s: 1, longest_s: 30 } as const;

async function answering(store: Store, api: Api, waits: (fault: Fault) => void): Promise<void> {
  for (let rest_s: number = REST.first_s; ; rest_s = Math.min(rest_s * 2, REST.longest_s)) {
    try {
      await store.open();
      api.waits(undefined);
      return;
    } catch (fault) {
      if (!(fault instanceof Fault) || fault.code !== "STORE_UNREACHABLE") throw fault;
      waits(fault);
      api.waits(fault);
    }
    await new Promise<void>((resolve) => systemClock.after(seconds(rest_s), resolve));
  }
}

async function brokerFor(mqtt: MqttOptions, territory: Territory): Promise<{ broker: Broker; where: () => string }> {
  if ("url" in mqtt) {
    // Loaded here, so that a server with its own broker does not carry a client about.
    const { externalBroker } = await import("./broker-external.ts");
    return { broker: externalBroker({ url: mqtt.url, territory: territory.id }), where: () => mqtt.url };
  }
  const { host, port, tls } = mqtt;
  const broker = embeddedBroker({ host, port, clock: systemClock, ...(tls && { tls }) });
  return { broker, where: () => `${tls ? "mqtts" : "mqtt"}://${host}:${broker.port}` };
}
