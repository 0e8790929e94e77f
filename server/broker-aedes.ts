import { X509Certificate } from "node:crypto";
import type { Server, Socket } from "node:net";
import { createServer } from "node:net";
import { createSecureContext, createServer as createTlsServer, TLSSocket } from "node:tls";
import type { Client } from "aedes";
import { Aedes } from "aedes";
import { Fault } from "#protocol/faults.ts";
import { MAX_PAYLOAD_BYTES } from "#protocol/messages.ts";
import type { Cancel, Clock } from "#protocol/ports.ts";
import { every } from "#protocol/ports.ts";
import { allDown, parseTopic } from "#protocol/topics.ts";
import { seconds } from "#protocol/units.ts";
import type { ConnectionLimits } from "./broker-connection.ts";
import { StationConnection } from "./broker-connection.ts";
import type { Published } from "./broker-frames.ts";
import { packPublish } from "./broker-frames.ts";
import type { Broker, BrokerHandlers } from "./broker.ts";

export interface EmbeddedBrokerOptions {
  readonly host: string;
  /** 0: any free port, which `port` then says. */
  readonly port: number;
  readonly tls?: TlsTexts;
  readonly clock: Clock;
  readonly limits?: Partial<BrokerLimits>;
}

/** PEM texts. With `ca`, a station must show a certificate of its name that this authority has signed. */
export interface TlsTexts {
  readonly key: string;
  readonly cert: string;
  readonly ca?: string;
}

export interface BrokerLimits extends ConnectionLimits {
  readonly connections: number;
}

export const BROKER_LIMITS: BrokerLimits = {
  connections: 20_000,
  // A payload, and a topic and header around it.
  packetBytes: MAX_PAYLOAD_BYTES + 1024,
  inFlight: 128,
  unsentBytes: 1_048_576,
};

export interface EmbeddedBroker extends Broker {
  /** The port that it listens on, once started. */
  readonly port: number;
  readonly connected: number;
}

/**
 * The broker inside the server: aedes for sessions, rights, subscriptions and what neighbours tell each other, and a short
 * way for what stations tell the server, whose PUBACK waits for the commit. It keeps no sessions and no retained messages:
 * what a station missed, the server says again.
 * Raises Fault TLS_REQUIRED (an address beyond loopback without TLS and certificates of the stations), OPTION_INVALID
 * (files that are no PEM or do not belong together) and, at start, PORT_TAKEN.
 */
export function embeddedBroker(options: EmbeddedBrokerOptions): EmbeddedBroker {
  const { host, tls } = options;
  if (tls?.ca === undefined && !isLoopback(host)) throw new Fault("TLS_REQUIRED", { host });
  if (tls !== undefined) checkTls(tls);
  return new AedesBroker(options);
}

function checkTls(tls: TlsTexts): void {
  try {
    createSecureContext(tls);
    // OpenSSL takes an authority that is no certificate for none at all, and would then let nobody in.
    if (tls.ca !== undefined && !new X509Certificate(tls.ca).ca) {
      throw new Error("a certificate in --tls-ca that may not sign others");
    }
  } catch (problem) {
    throw new Fault("OPTION_INVALID", {
      option: "--tls-key, --tls-cert, --tls-ca",
      found: (problem as Error).message,
      expected: "PEM files, the key and the certificate of one pair",
      place: "these three files",
    });
  }
}

const isLoopback = (host: string): boolean => /^(localhost|127(\.\d{1,3}){3}|::1)$/.test(host);

/** How often the keep-alives are looked at. */
const SWEEP = seconds(1);

class AedesBroker implements EmbeddedBroker {
  private readonly options: EmbeddedBrokerOptions;
  private readonly limits: BrokerLimits;
  private readonly stations = new Map<string, StationConnection>();
  private readonly connections = new Set<StationConnection>();
  private handlers: BrokerHandlers | undefined;
  private aedes: Aedes | undefined;
  private server: Server | undefined;
  private stopSweeping: Cancel | undefined;

  constructor(options: EmbeddedBrokerOptions) {
    this.options = options;
    this.limits = { ...BROKER_LIMITS, ...options.limits };
  }

  get port(): number {
    const address = this.server?.address();
    return typeof address === "object" && address !== null ? address.port : this.options.port;
  }

  get connected(): number {
    return this.stations.size;
  }

  async start(handlers: BrokerHandlers): Promise<void> {
    this.handlers = handlers;
    const aedes = await Aedes.createBroker({
      authenticate: (client, username, password, done) => {
        const connection = connectionOf(client);
        // One name for user and client: so no station can push another from the broker.
        const known =
          username !== undefined &&
          client.id === username &&
          (this.options.tls?.ca === undefined || connection?.certified === username) &&
          handlers.authenticate(username, password?.toString("utf8") ?? "");
        if (known && connection !== undefined) connection.station = username;
        done(null, known);
      },
      authorizePublish: (client, packet, done) => {
        const station = client && connectionOf(client)?.station;
        if (!station || !handlers.mayPublish(station, packet.topic)) {
          done(new Error("not authorised to publish there"));
          return;
        }
        packet.retain = false;
        if (parseTopic(packet.topic)?.tree !== "up") {
          done(null);
          return;
        }
        // A last will, or a message at QoS 2: rare, so they may take the long way.
        void answer(handlers.onMessage(station, packet.topic, Buffer.from(packet.payload)), done);
      },
      authorizeSubscribe: (client, subscription, done) => {
        const connection = connectionOf(client);
        const station = connection?.station;
        const allowed =
          connection !== undefined && station !== undefined && handlers.maySubscribe(station, subscription.topic);
        if (allowed && hearsReceipts(subscription.topic)) connection.hearsReceipts = true;
        done(null, allowed ? subscription : null);
      },
    });
    aedes.on("clientReady", (client) => {
      const connection = connectionOf(client);
      if (connection?.station === undefined || connection.destroyed) return;
      this.stations.set(connection.station, connection);
      connection.open(connection.station);
    });
    aedes.on("unsubscribe", (filters, client) => {
      const connection = client && connectionOf(client);
      if (connection && filters.some(hearsReceipts)) connection.hearsReceipts = false;
    });
    this.aedes = aedes;
    try {
      this.server = await this.listen(aedes);
    } catch (problem) {
      await closeAedes(aedes);
      throw problem;
    }
    this.stopSweeping = every(this.options.clock, SWEEP, () => this.sweep());
  }

  private listen(aedes: Aedes): Promise<Server> {
    const { host, port, tls } = this.options;
    const accept = (socket: Socket): void => {
      const certified = socket instanceof TLSSocket ? nameIn(socket) : undefined;
      const connection = new StationConnection(socket, certified, this.limits, {
        published: (from, message) => this.published(from, message),
        closed: (gone) => {
          this.connections.delete(gone);
          if (gone.station !== undefined && this.stations.get(gone.station) === gone)
            this.stations.delete(gone.station);
        },
      });
      this.connections.add(connection);
      aedes.handle(connection);
    };
    const server =
      tls === undefined
        ? createServer(accept)
        : createTlsServer({ ...tls, requestCert: tls.ca !== undefined, minVersion: "TLSv1.2" }, accept);
    server.maxConnections = this.limits.connections;
    return new Promise((resolve, reject) => {
      server.once("error", (problem: NodeJS.ErrnoException) => {
        reject(
          problem.code === "EADDRINUSE" ? new Fault("PORT_TAKEN", { port, host, option: "--mqtt-port" }) : problem,
        );
      });
      server.listen(port, host, 511, () => resolve(server));
    });
  }

  private published(connection: StationConnection, message: Published): "taken" | "broker" {
    const { handlers } = this;
    const { station } = connection;
    if (handlers === undefined || station === undefined || message.qos === 2) return "broker";
    const { topic, id } = message;
    if (parseTopic(topic)?.tree !== "up" || !handlers.mayPublish(station, topic)) return "broker";
    handlers.onMessage(station, topic, message.payload).then(
      () => connection.acknowledge(id),
      (problem: unknown) => {
        connection.settle();
        // Early readings are answered by a receipt; anything else the station sends again on a new connection.
        if (!(problem instanceof Fault && problem.code === "BATCH_EARLY")) connection.destroy();
      },
    );
    return "taken";
  }

  publish(topic: string, payload: Uint8Array): void {
    const address = parseTopic(topic);
    if (address?.tree === "down" && address.leaf === "receipt") {
      // A receipt says all that the ones before it said, so one that is lost costs nothing: QoS 0, past aedes.
      const connection = this.stations.get(address.station);
      if (connection?.hearsReceipts) connection.send(packPublish(topic, payload));
      return;
    }
    this.aedes?.publish(
      { cmd: "publish", topic, payload: Buffer.from(payload), qos: 1, retain: false, dup: false },
      () => {},
    );
  }

  /** Closes what was silent for one and a half keep-alives (MQTT-3.1.2-24); its last will is then spoken. */
  private sweep(): void {
    for (const connection of this.connections) {
      connection.silent_s = connection.heard ? 0 : connection.silent_s + SWEEP;
      connection.heard = false;
      if (connection.keepAlive_s > 0 && connection.silent_s > 1.5 * connection.keepAlive_s) connection.destroy();
    }
  }

  async stop(): Promise<void> {
    this.stopSweeping?.();
    const { server, aedes } = this;
    const closed = new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
    if (aedes !== undefined) await closeAedes(aedes);
    for (const connection of this.connections) connection.destroy();
    await closed;
  }
}

/** The name that the client's certificate carries, which the handshake has found to be signed by our authority. */
function nameIn(socket: TLSSocket): string | undefined {
  const { subject } = socket.getPeerCertificate() as { subject?: { CN?: string | string[] } };
  return typeof subject?.CN === "string" ? subject.CN : undefined;
}

/** Calls aedes back when `taken` is settled. */
async function answer(taken: Promise<void>, done: (problem?: Error | null) => void): Promise<void> {
  let refusal: Error | null = null;
  try {
    await taken;
  } catch (problem) {
    refusal = problem as Error;
  }
  done(refusal);
}

const connectionOf = (client: Client): StationConnection | undefined =>
  client.conn instanceof StationConnection ? client.conn : undefined;

function hearsReceipts(filter: string): boolean {
  const address = parseTopic(filter);
  return (
    address?.tree === "down" && (address.leaf === "receipt" || filter === allDown(address.territory, address.station))
  );
}

const closeAedes = (aedes: Aedes): Promise<void> => new Promise((resolve) => aedes.close(() => resolve()));
