import type { IPublishPacket, MqttClient } from "mqtt";
import { connect } from "mqtt";
import { Fault } from "#protocol/faults.ts";
import { allUp, parseTopic } from "#protocol/topics.ts";
import { packAcknowledgements } from "./broker-frames.ts";
import type { Broker, BrokerHandlers } from "./broker.ts";

export interface ExternalBrokerOptions {
  /** mqtt://host:1883 or mqtts://host:8883. */
  readonly url: string;
  readonly territory: string;
  readonly credentials?: {
    readonly username?: string;
    readonly password?: string;
    /** PEM texts, for mqtts. */
    readonly ca?: string;
    readonly key?: string;
    readonly cert?: string;
  };
}

/** How long the broker may take for its first answer, and between two attempts after a loss. */
const FIRST_ANSWER_MS = 10_000;
const RECONNECT_MS = 1000;

/**
 * Any MQTT 3.1.1 or 5 broker. It knows its stations and their rights itself; a message is whose topic it came on. The session
 * is kept, and a message is acknowledged to the broker only when it is committed: what a crash catches is sent again.
 * How many may be under way is the broker's setting (mosquitto: max_inflight_messages, 20 unless set).
 */
export function externalBroker(options: ExternalBrokerOptions): Broker {
  return new MqttBroker(options);
}

class MqttBroker implements Broker {
  private readonly options: ExternalBrokerOptions;
  private client: MqttClient | undefined;

  constructor(options: ExternalBrokerOptions) {
    this.options = options;
  }

  /** Resolves when subscribed. Raises Fault BROKER_UNREACHABLE when the first connection fails; later ones are tried again. */
  async start(handlers: BrokerHandlers): Promise<void> {
    const { url, territory, credentials } = this.options;
    const client = connect(url, {
      ...credentials,
      clientId: `vigie-${territory}-server`,
      clean: false,
      protocolVersion: 4,
      reconnectPeriod: RECONNECT_MS,
      connectTimeout: FIRST_ANSWER_MS,
      resubscribe: true,
    });
    this.client = client;
    client.handleMessage = (packet, done) => this.receive(handlers, packet, done);
    const connected = Promise.withResolvers<void>();
    client.once("connect", () => connected.resolve());
    client.once("error", (problem) => connected.reject(problem));
    client.once("close", () => connected.reject(new Error("no connection")));
    try {
      await connected.promise;
      const granted = await client.subscribeAsync(allUp(territory), { qos: 1 });
      if (granted.some(({ qos }) => qos > 2)) throw new Error(`it does not let us hear ${allUp(territory)}`);
    } catch (problem) {
      await client.endAsync(true);
      throw new Fault("BROKER_UNREACHABLE", { address: url, problem: (problem as Error).message || "no connection" });
    }
    // From here on a loss is made good by the client itself.
    client.on("error", () => {});
  }

  private receive(handlers: BrokerHandlers, packet: IPublishPacket, done: (problem?: Error) => void): void {
    const { topic, messageId, qos } = packet;
    const address = parseTopic(topic);
    if (address?.tree !== "up") {
      done();
      return;
    }
    const payload = typeof packet.payload === "string" ? Buffer.from(packet.payload) : packet.payload;
    const stream = this.client?.stream;
    void this.answer(handlers.onMessage(address.station, topic, payload), () => {
      // An acknowledgement belongs to the connection that the message came on.
      if (qos === 0 || messageId === undefined || this.client?.stream !== stream) return;
      const frame = Buffer.allocUnsafe(4);
      packAcknowledgements(frame, 0, [messageId]);
      stream?.write(frame);
    });
    // The client takes one message at a time and would send the PUBACK with this call. Told of a problem it sends none and
    // goes on to the next message, so that many share one commit; the PUBACK follows above.
    done(new Error("acknowledged after the commit"));
  }

  private async answer(taken: Promise<void>, acknowledge: () => void): Promise<void> {
    try {
      await taken;
    } catch (problem) {
      // On a new connection the broker sends again what was not acknowledged. What came too early is answered by a receipt.
      if (!(problem instanceof Fault && problem.code === "BATCH_EARLY")) {
        this.client?.stream.destroy();
        return;
      }
    }
    acknowledge();
  }

  publish(topic: string, payload: Uint8Array): void {
    const leaf = parseTopic(topic);
    // A receipt says all that the ones before it said; one that is lost costs nothing.
    const qos = leaf?.tree === "down" && leaf.leaf === "receipt" ? 0 : 1;
    // Without a connection it would wait in memory: what must arrive is said again by whoever said it.
    if (this.client?.connected) this.client.publish(topic, Buffer.from(payload), { qos }, () => {});
  }

  async stop(): Promise<void> {
    await this.client?.endAsync(true);
  }
}
