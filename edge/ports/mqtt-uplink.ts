import type { IClientOptions } from "mqtt";
import { connect } from "mqtt";
import type { Uplink } from "../uplink.ts";

export interface TlsFiles {
  /** PEM: the authority that signed the broker's certificate, and this station's own certificate and key. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** How long a broker has to answer a connection or a goodbye. */
const PATIENCE_MS = 10_000;

/** MQTT 3.1.1 by mqtt.js, with reconnection switched off: when to come back is the link's to decide. */
export function mqttUplink(url: string, tls: TlsFiles = {}): Uplink {
  return {
    connect(session) {
      const { clientId, username, password, keepAlive_s, will } = session;
      let closed = false;
      let problem = "the connection was closed";
      const options: IClientOptions = {
        ...tls,
        clientId,
        username,
        password,
        keepalive: keepAlive_s,
        clean: true,
        resubscribe: false,
        reconnectPeriod: 0,
        connectTimeout: PATIENCE_MS,
        will: { topic: will.topic, payload: asBuffer(will.payload), qos: 1, retain: true },
      };
      const client = connect(url, options);
      client.on("connect", () => {
        if (!closed) session.onUp();
      });
      client.on("message", (topic, payload) => {
        if (!closed) session.onMessage(topic, payload);
      });
      client.on("error", (error) => {
        problem = error.message;
      });
      client.on("close", () => {
        if (closed) return;
        closed = true;
        client.end(true);
        session.onDown(problem);
      });
      return {
        publish(topic, payload, { retain = false }, onAcknowledged) {
          client.publish(topic, asBuffer(payload), { qos: 1, retain }, (error) => {
            if (!error && !closed) onAcknowledged?.();
          });
        },
        shout: (topic, payload) => void client.publish(topic, asBuffer(payload), { qos: 0 }),
        subscribe: (filters) => void client.subscribe([...filters], { qos: 1 }),
        close() {
          if (closed) return;
          closed = true;
          client.end(false);
        },
        drop() {
          if (closed) return;
          closed = true;
          client.end(true);
        },
      };
    },
  };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
