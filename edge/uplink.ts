/** The edge's side of MQTT, as the link needs it: mqtt.js on the street, the seeded network in the rehearsal. */
export interface Uplink {
  /** Begins to connect; the callbacks come later, never before this has returned. */
  connect(session: SessionOptions): Session;
}

export interface SessionOptions {
  readonly clientId: string;
  readonly username: string;
  readonly password: string;
  readonly keepAlive_s: number;
  readonly will: { readonly topic: string; readonly payload: Uint8Array };
  /** The connection stands (again); the broker has no memory of us, so subscribe now. */
  onUp(): void;
  /** The connection is gone; the link decides when to connect again. */
  onDown(problem: string): void;
  onMessage(topic: string, payload: Uint8Array): void;
}

export interface Session {
  /** QoS 1. `onAcknowledged` is called on PUBACK, at most once, and never after onDown. */
  publish(
    topic: string,
    payload: Uint8Array,
    options: { readonly retain?: boolean },
    onAcknowledged?: () => void,
  ): void;
  /** QoS 0: for neighbours, where a late word is worth nothing. */
  shout(topic: string, payload: Uint8Array): void;
  subscribe(filters: readonly string[]): void;
  /** Says goodbye and ends; what was published before still arrives. No callback comes after it. */
  close(): void;
  /** Ends without a word, as when the power goes: the broker speaks the will. No callback comes after it. */
  drop(): void;
}
