import type { Session, SessionOptions, Uplink } from "#edge/uplink.ts";
import type { SeededChance } from "#protocol/chance.ts";
import { Fault } from "#protocol/faults.ts";
import { parseTopic } from "#protocol/topics.ts";
import { seconds } from "#protocol/units.ts";
import type { Broker, BrokerHandlers } from "#server/broker.ts";
import type { VirtualClock } from "./clock.ts";

/**
 * MQTT without wires: stations on one side, the server's broker on the other, and between them a delay drawn from a seed,
 * and whatever is asked for of loss, duplication and disorder. What it promises is what MQTT over TCP promises: order and
 * completeness within one connection, nothing across two.
 */
export interface VirtualNetwork {
  readonly uplink: Uplink;
  readonly broker: Broker;
  /** The weather on the line, for all stations or those named. */
  readonly faults: NetworkFaults;
  /** Cuts every connection that the faults now forbid, as a broken cable does: wills are spoken, nobody says goodbye. */
  applyFaults(): void;
  /** The server's process is gone: no handler is called, no acknowledgement that was under way arrives. */
  killBroker(): void;
  /** Told of every acknowledgement that a station received, with what it had published. */
  onAcknowledged: ((station: string, topic: string, payload: Uint8Array) => void) | undefined;
  onPublished: ((station: string, topic: string, payload: Uint8Array) => void) | undefined;
  /** Told of every message that reaches a station, before the station is. */
  onDelivered: ((topic: string, payload: Uint8Array) => void) | undefined;
}

export interface NetworkFaults {
  brokerGone: boolean;
  readonly cut: Set<string>;
  delay_s: number;
  /** Shares of messages, 0 to 1. */
  duplicated: number;
  reordered: number;
}

interface Connection {
  readonly station: string;
  readonly options: SessionOptions;
  readonly filters: Set<string>;
  /** At the broker's side. */
  open: boolean;
  /** At the station's side: it hears nothing more. */
  closed: boolean;
  /** Nothing arrives any more, in either direction. */
  cut: boolean;
  /** When the last message of each direction arrives, so that later ones do not overtake it. */
  upArrives: number;
  downArrives: number;
}

const BASE_DELAY_S = 0.02;
const JITTER_S = 0.02;

export function virtualNetwork(clock: VirtualClock, chance: SeededChance): VirtualNetwork {
  const faults: NetworkFaults = { brokerGone: false, cut: new Set(), delay_s: 0, duplicated: 0, reordered: 0 };
  const connections = new Map<string, Connection>();
  const subscribers = new Map<string, Set<Connection>>();
  let handlers: BrokerHandlers | undefined;
  /** Grows when the broker dies: what an earlier one had under way is void. */
  let life = 0;

  const delay = (): number => BASE_DELAY_S + JITTER_S * chance.next() + faults.delay_s * (0.5 + chance.next());
  const forbidden = (station: string): boolean =>
    handlers === undefined || faults.brokerGone || faults.cut.has("*") || faults.cut.has(station);

  /** When a message that leaves now arrives: after the one before it, unless disorder is asked for. */
  const arrival = (connection: Connection, direction: "upArrives" | "downArrives"): number => {
    const fair = Math.max(clock.now() + delay() * 1000, connection[direction]);
    if (faults.reordered > 0 && chance.next() < faults.reordered) return fair + 3000 * chance.next();
    connection[direction] = fair;
    return fair;
  };
  const at = (time: number, action: () => void): void => {
    clock.after(seconds((time - clock.now()) / 1000), action);
  };

  const forget = (connection: Connection): void => {
    connection.open = false;
    if (connections.get(connection.station) === connection) connections.delete(connection.station);
    for (const heard of subscribers.values()) heard.delete(connection);
  };

  /** Ends a connection from the broker's side: what it had already handed to the line still arrives, then the end. */
  const drop = (connection: Connection, problem: string): void => {
    if (!connection.open) return;
    forget(connection);
    const { will } = connection.options;
    receive(connection.station, will.topic, will.payload, () => {});
    const gone = Math.max(clock.now() + delay() * 1000, connection.downArrives);
    at(gone, () => {
      if (connection.closed) return;
      connection.closed = true;
      connection.options.onDown(problem);
    });
  };
  /** Ends it in the middle: nothing that was on its way arrives. */
  const cut = (connection: Connection): void => {
    connection.downArrives = 0;
    connection.cut = true;
    drop(connection, "the line is cut");
  };

  /** The broker has a message from a station: an `up/` one is the server's, a street's goes to the neighbours. */
  const receive = (station: string, topic: string, payload: Uint8Array, acknowledge: () => void): void => {
    if (handlers === undefined) return;
    if (!handlers.mayPublish(station, topic)) {
      const connection = connections.get(station);
      if (connection !== undefined) drop(connection, "not authorised");
      return;
    }
    if (parseTopic(topic)?.tree !== "up") {
      deliver(topic, payload);
      acknowledge();
      return;
    }
    const lived = life;
    clock.settle();
    handlers.onMessage(station, topic, payload).then(
      () => lived === life && acknowledge(),
      (problem: unknown) => {
        // What comes too early is only not acknowledged: the receipt says where to go on.
        if (problem instanceof Fault && problem.code === "BATCH_EARLY") return;
        const connection = connections.get(station);
        if (lived === life && connection !== undefined) drop(connection, "the server did not take the message");
      },
    );
  };

  const deliver = (topic: string, payload: Uint8Array): void => {
    const address = parseTopic(topic);
    if (address?.tree === "down") {
      const connection = connections.get(address.station);
      if (connection !== undefined) send(connection, topic, payload);
      return;
    }
    for (const connection of subscribers.get(topic) ?? []) send(connection, topic, payload);
  };
  const send = (connection: Connection, topic: string, payload: Uint8Array): void => {
    const times = faults.duplicated > 0 && chance.next() < faults.duplicated ? 2 : 1;
    for (let time = 0; time < times; time++) {
      at(arrival(connection, "downArrives"), () => {
        if (connection.closed || connection.cut) return;
        network.onDelivered?.(topic, payload);
        connection.options.onMessage(topic, payload);
      });
    }
  };

  const open = (connection: Connection): void => {
    const { options } = connection;
    if (connection.closed) return;
    if (forbidden(connection.station)) {
      options.onDown("the broker does not answer");
      return;
    }
    if (!handlers?.authenticate(options.username, options.password)) {
      options.onDown("the broker refuses the password");
      return;
    }
    const earlier = connections.get(connection.station);
    if (earlier?.closed === true) forget(earlier);
    else if (earlier !== undefined) drop(earlier, "another session took over");
    connection.open = true;
    connections.set(connection.station, connection);
    options.onUp();
  };

  const publish = (
    connection: Connection,
    topic: string,
    payload: Uint8Array,
    onAcknowledged: (() => void) | undefined,
  ): void => {
    if (!connection.open || connection.closed) return;
    network.onPublished?.(connection.station, topic, payload);
    let acknowledged = false;
    const acknowledge = (): void => {
      if (acknowledged || !connection.open) return;
      acknowledged = true;
      at(arrival(connection, "downArrives"), () => {
        if (connection.closed || connection.cut) return;
        network.onAcknowledged?.(connection.station, topic, payload);
        onAcknowledged?.();
      });
    };
    const times = onAcknowledged !== undefined && faults.duplicated > 0 && chance.next() < faults.duplicated ? 2 : 1;
    for (let time = 0; time < times; time++) {
      at(arrival(connection, "upArrives"), () => {
        if (connection.open) receive(connection.station, topic, payload, acknowledge);
      });
    }
  };

  const uplink: Uplink = {
    connect(options): Session {
      const connection: Connection = {
        station: options.username,
        options,
        filters: new Set(),
        open: false,
        closed: false,
        cut: false,
        upArrives: 0,
        downArrives: 0,
      };
      clock.after(seconds(delay()), () => open(connection));
      return {
        publish: (topic, payload, _, onAcknowledged) =>
          publish(connection, topic, payload, onAcknowledged ?? (() => {})),
        shout: (topic, payload) => publish(connection, topic, payload, undefined),
        subscribe(filters) {
          for (const filter of filters) {
            if (!handlers?.maySubscribe(connection.station, filter)) continue;
            const heard = subscribers.get(filter) ?? new Set();
            subscribers.set(filter, heard.add(connection));
          }
        },
        close() {
          connection.closed = true;
          at(arrival(connection, "upArrives"), () => forget(connection));
        },
        drop() {
          connection.closed = true;
          drop(connection, "the power is gone");
        },
      };
    },
  };

  const broker: Broker = {
    start(given) {
      handlers = given;
      life++;
      return Promise.resolve();
    },
    publish: deliver,
    stop() {
      network.killBroker();
      return Promise.resolve();
    },
  };

  const network: VirtualNetwork = {
    uplink,
    broker,
    faults,
    onAcknowledged: undefined,
    onPublished: undefined,
    onDelivered: undefined,
    applyFaults() {
      for (const connection of connections.values()) {
        if (forbidden(connection.station)) cut(connection);
      }
    },
    killBroker() {
      handlers = undefined;
      life++;
      for (const connection of connections.values()) drop(connection, "the server is gone");
    },
  };
  return network;
}
