/** The server's side of MQTT, as the server needs it: embedded aedes, an external broker, or the rehearsal's network. */
export interface Broker {
  start(handlers: BrokerHandlers): Promise<void>;
  /** QoS 1. Resolves when handed to the broker; delivery is known from what stations report. */
  publish(topic: string, payload: Uint8Array): void;
  stop(): Promise<void>;
}

export interface BrokerHandlers {
  /** Whether these credentials are this station's. */
  authenticate(station: string, password: string): boolean;
  /** Whether the station may say something there. */
  mayPublish(station: string, topic: string): boolean;
  maySubscribe(station: string, filter: string): boolean;
  /**
   * A message on an `up/` topic. The broker sends the PUBACK only when the promise has resolved, and none when it is
   * rejected: an acknowledgement means that what was said is on disk.
   */
  onMessage(station: string, topic: string, payload: Uint8Array): Promise<void>;
}
